"""What was owed, when: loans add to it; repayments and losses take from it; interest does not."""

from lombard.core.commands import SLOT_CROSSED, SLOT_ISOLATED, account_id
from lombard.core.events import (
    REPAY_MANUAL,
    Borrowed,
    LiquidationStarted,
    LossBooked,
    Repaid,
)
from lombard.core.units import HOUR_MS
from lombard.history.debts import DebtChange
from tests.history.desk import ALICE, BOB, ID, Desk
from tests.history.streams import START_MS

PAIR = SLOT_ISOLATED + 3
# More units than a float tells apart, in a coin of many decimals.
MUCH = 3 * 10**20


def test_debt_by_account_coin_and_hour(desk: Desk) -> None:
    first = START_MS - START_MS % HOUR_MS
    alice, bob = account_id(ALICE, PAIR), account_id(BOB, PAIR)
    crossed = account_id(ALICE, SLOT_CROSSED)
    desk.say(Borrowed(ID, alice, 0, 100, False, ""), Borrowed(ID + 1, bob, 0, 50, True, ""))
    desk.say(
        Borrowed(ID + 2, crossed, 0, 7, False, ""), Borrowed(ID + 3, alice, 1, MUCH, False, "")
    )
    desk.say(Borrowed(ID + 4, account_id(ALICE, PAIR + 1), 0, 9, False, ""))
    desk.say(Borrowed(ID + 5, alice, 2, 9, False, ""))
    later = first + HOUR_MS
    desk.say(Repaid(ID + 6, alice, 0, 5, 30, REPAY_MANUAL, 70), at=later)
    desk.say(LiquidationStarted(ID + 7, bob, 1_000_000, 10, 20), at=later + 1)
    desk.say(LossBooked(ID + 7, bob, 0, 50, 4))

    def changes(slots: tuple[int, ...], since_ms: int) -> list[DebtChange]:
        return sorted(desk.reader.debt_changes(slots, (0, 1), HOUR_MS, since_ms))

    assert [(first, PAIR, 0, 150), (first, PAIR, 1, MUCH)] == changes((PAIR,), first)[:2]
    assert [-50, -30] == sorted(change.units for change in changes((PAIR,), first)[2:])
    assert {later} == {change.open_ms for change in changes((PAIR,), first)[2:]}
    assert [(first, SLOT_CROSSED, 0, 7)] == changes((SLOT_CROSSED,), first)
    # What was before is one sum.
    assert (0, PAIR, 0, 150) in changes((SLOT_CROSSED, PAIR), later)
    assert 100 + 50 - 30 - 50 == sum(
        change.units for change in changes((PAIR,), later + HOUR_MS) if change.coin == 0
    )
    assert [] == changes((PAIR + 2,), first)
