"""Triggers in history: what each event makes of a row, within one batch or over several starts."""

from pathlib import Path

import pytest

from lombard.core.events import (
    Event,
    TrailStarted,
    TriggerCancelled,
    TriggerFailed,
    TriggerFired,
    TriggerModified,
    TriggerPlaced,
    TriggerSized,
)
from lombard.history import rows as r
from lombard.history.paging import Page
from tests.history.desk import ALICE_SPOT, BOB_SPOT, ID, Desk
from tests.history.streams import START_MS

MINUTE_MS = 60_000


def placed(trigger_id: int, account: int = ALICE_SPOT, pair: int = 0, plan: int = 0) -> Event:
    return TriggerPlaced(
        trigger_id, account, pair, plan, 1, -1, 1_990_000, 0, 1, 1, 0, 2, 3, 0, 5_000, 0,
        ID if plan else 0, "mine", 0,
    )  # fmt: skip


# The end, and what the row says of it: status, reason, the price that came, the order.
ENDS: list[tuple[Event, tuple[int, str, int, int]]] = [
    (TriggerFired(ID + 1, ALICE_SPOT, 0, 1_980_000, ID + 9), (1, "", 1_980_000, ID + 9)),
    (
        TriggerFailed(ID + 1, ALICE_SPOT, 0, 10**30, "risk_too_high", 0, "x"),
        (2, "risk_too_high", 10**30, 0),
    ),
    (TriggerCancelled(ID + 1, ALICE_SPOT, 0, 0), (3, "user", 0, 0)),
    (TriggerCancelled(ID + 1, ALICE_SPOT, 0, 1), (3, "order", 0, 0)),
    (TriggerCancelled(ID + 1, ALICE_SPOT, 0, 2), (3, "sibling", 0, 0)),
    (TriggerCancelled(ID + 1, ALICE_SPOT, 0, 3), (3, "liquidation", 0, 0)),
]


@pytest.mark.parametrize(("end", "says"), ENDS)
@pytest.mark.parametrize("restarts", [False, True])
def test_a_triggers_row_says_how_it_ended(
    tmp_path: Path, end: Event, says: tuple[int, str, int, int], restarts: bool
) -> None:
    path = tmp_path / "history.sqlite"
    steps: list[tuple[Event, ...]] = [
        (placed(ID + 1),),
        (TriggerModified(ID + 1, ALICE_SPOT, 0, 1, 2_100_000, 0, 2_110_000, 6_000, 7),),
        (TriggerSized(ID + 1, ALICE_SPOT, 0, 99), TrailStarted(ID + 1, ALICE_SPOT, 0, 5)),
        (end,),
    ]
    desk = Desk(path)
    for number, events in enumerate(steps):
        desk.say(*events, at=START_MS + number * MINUTE_MS)
        if restarts:
            desk.close()
            desk = Desk(path)

    row = desk.reader.trigger(ALICE_SPOT, ID + 1)
    assert row is not None
    assert says == (row.status, row.reason, row.reached_ticks, row.order_id)
    assert (START_MS, START_MS + 3 * MINUTE_MS) == (row.created_ms, row.updated_ms)
    assert (1, 2_100_000, 0, 2_110_000, 99, 7) == (
        row.direction, row.trigger_ticks, row.kind, row.price_ticks, row.size_steps,
        row.budget_units,
    )  # fmt: skip
    assert (1, 1, 2, 3, "mine", 0) == (
        row.price_source, row.side, row.loan_type, row.stp, row.client_oid, row.parent_id,
    )  # fmt: skip
    assert [row] == desk.reader.ended_triggers(ALICE_SPOT, Page())
    desk.close()


def test_a_change_outlives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    with Desk(path) as desk:
        desk.say(placed(ID + 1))
        desk.say(TriggerModified(ID + 1, ALICE_SPOT, 0, 1, 2_100_000, 0, 2_110_000, 6_000, 7))
    with Desk(path) as desk:
        desk.say(TriggerCancelled(ID + 1, ALICE_SPOT, 0, 0))
        row = desk.reader.trigger(ALICE_SPOT, ID + 1)

    assert row is not None
    assert (1, 2_100_000, 0, 2_110_000, 6_000, 7) == (
        row.direction, row.trigger_ticks, row.kind, row.price_ticks, row.size_steps,
        row.budget_units,
    )  # fmt: skip


def test_ended_triggers_come_by_the_page_and_by_what_they_are(tmp_path: Path) -> None:
    with Desk(tmp_path / "history.sqlite") as desk:
        for n in range(1, 7):
            desk.say(
                placed(ID + n, pair=n % 2, plan=0 if n < 4 else 4), at=START_MS + n * MINUTE_MS
            )
        desk.say(placed(ID + 7, account=BOB_SPOT))
        for n in (1, 2, 3, 5, 6):
            desk.say(TriggerCancelled(ID + n, ALICE_SPOT, n % 2, 0))

        def ids(page: Page, **narrowed: object) -> list[int]:
            found = desk.reader.ended_triggers(ALICE_SPOT, page, **narrowed)  # type: ignore[arg-type]
            assert all(row.status == r.TRIGGER_CANCELLED for row in found)
            return [row.trigger_id - ID for row in found]

        assert [6, 5, 3, 2, 1] == ids(Page())
        assert [3, 2] == ids(Page(limit=2, before_id=ID + 5))
        assert [5, 3, 1] == ids(Page(), pair=1)
        assert [6, 5] == ids(Page(), plans=[4])
        assert [3, 2] == ids(
            Page(start_ms=START_MS + 2 * MINUTE_MS, end_ms=START_MS + 3 * MINUTE_MS)
        )
        assert [] == desk.reader.ended_triggers(BOB_SPOT, Page())
        assert desk.reader.trigger(BOB_SPOT, ID + 1) is None
