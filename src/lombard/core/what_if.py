"""What if: what a price move and a command would come to, said by the engine itself.

The engine runs on a fork of the venue, so that nothing is computed a second way: what is predicted
is what happens when the same command is then given. The venue itself is not touched.

Triggers stay out of it: in the fork nothing fires that waits for a price (RULES 10).
"""

from __future__ import annotations

from typing import Final, final

from lombard.core.commands import VENUE, Command, Envelope, SetIndexPrices
from lombard.core.engine import Engine
from lombard.core.events import Event
from lombard.core.fork import fork
from lombard.core.state import Reply, State


@final
class WhatIf:
    """What would happen: the reply, the events, and the state after it.

    `after` holds the asking user's accounts, for every question that can be put to a live state;
    of others only what the command traded with.
    """

    __slots__ = ("after", "events", "reply")

    def __init__(self, reply: Reply, events: list[Event], after: State) -> None:
        self.reply: Final = reply
        self.events: Final = events
        self.after: Final = after


def what_if(
    state: State, account_id: int, prices: list[tuple[int, int]], command: Command | None
) -> WhatIf:
    """Say what would happen if index prices moved, `(coin, price_e12)`, and a command was given.

    A price counts as fresh, from as many sources as the coin's own. Refused prices leave the
    command undone.
    """
    engine = Engine()
    after = engine.state = fork(state, account_id, command)
    assert after.time_ms < after.next_hour_ms or after.next_hour_ms == 0
    events: list[Event] = []
    reply = Reply(None)
    if prices:
        rows: list[tuple[int, int, int, int, int]] = []
        for coin_id, price_e12 in prices:
            sources, spread_e6, max_age_ms = 1, 0, 0
            if 0 <= coin_id < len(state.coins):
                coin = state.coins[coin_id]
                sources = max(1, coin.price_sources)
                spread_e6, max_age_ms = coin.price_spread_e6, coin.price_max_age_ms
            rows.append((coin_id, price_e12, sources, spread_e6, max_age_ms))
        reply = _apply(engine, VENUE, SetIndexPrices(rows), events)
    if command is not None and reply.refusal is None:
        reply = _apply(engine, account_id, command, events)
    return WhatIf(reply, events, after)


def _apply(engine: Engine, account_id: int, command: Command, events: list[Event]) -> Reply:
    state = engine.state
    envelope = Envelope(state.seq + 1, state.time_ms, b"", account_id, command)
    reply, more = engine.apply(envelope)
    events.extend(more)
    return reply
