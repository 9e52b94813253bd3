"""Faults planted in the engine, one at a time; run as a program, on the interpreted core.

Compiled functions cannot be replaced, so this has a process of its own. It prints the first law
that the simulator finds broken: `python -m tests.sim.planted NAME`.
"""

import sys
from typing import Any

from lombard.core import (
    __impl__,
    announcements,
    closing,
    delisting,
    firing,
    flash_repay,
    orders,
    slices,
    treasury,
)
from lombard.core.commands import ApproveMove
from lombard.core.events import Event, MoveDecided
from lombard.core.refusals import Refusal
from lombard.core.state import Reply, State
from lombard.core.trigger_book import Ladder, Trail
from lombard.sim.campaign import run_campaign

surpluses = slices.ranked_surpluses
size_exits = firing._size_exits
take_reached = Ladder.take_reached
refuse_account = orders.refuse_account
approve = treasury._approve


def order_though_frozen(*args: Any) -> Reply | None:
    """Refuse an account's orders as ever, but not because it is frozen."""
    reply = refuse_account(*args)
    frozen = reply is not None and reply.refusal is Refusal.ACCOUNT_FROZEN
    return None if frozen else reply


def approve_own(state: State, operator: int, cmd: ApproveMove, events: list[Event]) -> Reply:
    """Approve a movement without looking at who proposed it."""
    reply = approve(state, -1, cmd, events)
    for place, event in enumerate(events):
        if isinstance(event, MoveDecided):
            events[place] = MoveDecided(event.proposal_id, operator, True)
    return reply


# Where it is, what is there, and what is there instead.
PLANTED: dict[str, tuple[Any, str, Any]] = {
    "a short is closed without the fee": (closing, "before_fee", lambda pair, units: units),
    "flash repayment sells the smallest first": (
        flash_repay,
        "ranked_surpluses",
        lambda *args: surpluses(*args)[::-1],
    ),
    "an announcement calls nobody": (announcements, "_call", lambda *_: None),
    "announced terms are not looked at again": (
        announcements,
        "set_coin",
        lambda *_: Reply(None),
    ),
    "a delisting leaves orders in the book": (
        announcements,
        "withdraw_increasing",
        lambda *_: None,
    ),
    "a delisted coin may be bought": (orders, "refuse_increase", lambda *_: None),
    "an exit is as large as its entry, though a fee was paid": (
        firing,
        "_size_exits",
        lambda state, order_id, traded, fee, events: size_exits(state, order_id, traded, 0, events),
    ),
    "the stop of an OCO outlives its order": (firing, "_order_ended", lambda *_: None),
    "a trailing stop forgets its callback": (
        Trail,
        "level_ticks",
        lambda _, price_ticks: price_ticks * 99 // 100,
    ),
    "the last of the stops that are reached fires first": (
        Ladder,
        "take_reached",
        lambda *args: take_reached(*args)[::-1],
    ),
    "what one source says fires triggers": (firing, "SOURCES_MIN", 1),
    "a fired order in spot goes beyond the band": (
        firing,
        "_edge_ticks",
        lambda _, trigger: trigger.reached_ticks * (2 - trigger.side),
    ),
    "a delisted debt is not repaid by force": (delisting, "owes_delisted", lambda *_: False),
    "a frozen account may order": (orders, "refuse_account", order_though_frozen),
    "who proposed a movement may approve it": (treasury, "_approve", approve_own),
}


def main(name: str) -> None:
    """Plant a fault; say which law it breaks, or that none was found broken."""
    assert __impl__ == "interpreted"
    place, attribute, instead = PLANTED[name]
    assert hasattr(place, attribute)
    setattr(place, attribute, instead)
    failure = run_campaign(1, 100, 2_000, processes=1).failure
    print(f"broken: {failure.law}" if failure else "nothing was found")


if __name__ == "__main__":
    main(sys.argv[1])
