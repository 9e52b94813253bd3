"""How late a request may come: what a spot caller says about it itself (reference §1.3)."""

from typing import Final

from lombard.api.amounts import parse_time
from lombard.api.context import Call
from lombard.api.errors import Fault

# As wide as the window of signatures, when nothing is said.
WINDOW_MS: Final = 30_000
WINDOW_MS_MAX: Final = 60_000


def check_received(call: Call, request_time: str, receive_window: str) -> None:
    """Refuse a request that comes later (or earlier) than its sender allows. Raises `Fault`."""
    window_ms = parse_time(call.scene, "receiveWindow", receive_window)
    if window_ms is not None and window_ms >= WINDOW_MS_MAX:
        raise Fault("40079")
    sent_ms = parse_time(call.scene, "requestTime", request_time)
    if sent_ms is None:
        return
    if abs(call.context.clock_ms() - sent_ms) > (WINDOW_MS if window_ms is None else window_ms):
        raise Fault("40078")
