"""Where prices and liquidity come from.

A `ReplayMarket` turns a recording into commands of two ordinary users and index prices, moment by
moment in exchange time. It does no I/O beyond reading the recording: whoever runs it submits the
commands.
"""

from lombard.market.live import StateView
from lombard.market.makers import Makers, funding
from lombard.market.recording import RecordingError, load_recording
from lombard.market.replay import MarketCommand, ReplayMarket
from lombard.market.standing import (
    Standing,
    StandingError,
    keep_standing,
    new_standing,
    read_standing,
)
from lombard.market.tape import Tape, build_tape

__all__ = [
    "Makers",
    "MarketCommand",
    "RecordingError",
    "ReplayMarket",
    "Standing",
    "StandingError",
    "StateView",
    "Tape",
    "build_tape",
    "funding",
    "keep_standing",
    "load_recording",
    "new_standing",
    "read_standing",
]
