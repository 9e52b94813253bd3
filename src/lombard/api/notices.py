"""Notices: what a user has to know without having asked, such as calls, liquidations, failures.

One row for each, the same whether it is read here or pushed by the channel `notices`. Read is what
history keeps; reminders, announcements and coupons are pushed only, and stand elsewhere: in the
balances, in `announcements`, in `coupons`.
"""

from typing import Final

import msgspec

from lombard.api.amounts import coin_text, ratio_text
from lombard.api.context import Call
from lombard.api.errors import Scene, refused
from lombard.api.paging import PageQuery, parse_page
from lombard.api.table import GET, Endpoint, signed
from lombard.api.wallet import ACCOUNT_TYPES
from lombard.core import queries
from lombard.core.commands import SLOT_ISOLATED, SLOT_SPOT, slot_of
from lombard.core.queries import Pair, State
from lombard.core.refusals import Refusal
from lombard.history import rows as past
from lombard.history.paging import Page
from lombard.history.reader import Reader
from lombard.identity import Permission

MARGIN_CALL: Final = "marginCall"
LIQUIDATION_STARTED: Final = "liquidationStarted"
LIQUIDATION_FINISHED: Final = "liquidationFinished"
ORDER_FAILED: Final = "orderFailed"
REPAY_REMINDER: Final = "repayReminder"
CHANGE_ANNOUNCED: Final = "changeAnnounced"
CHANGE_MADE: Final = "changeMade"
CHANGE_WITHDRAWN: Final = "changeWithdrawn"
COUPON_GRANTED: Final = "couponGranted"
COUPON_STARTED: Final = "couponStarted"
COUPON_ENDED: Final = "couponEnded"
# What may be of one moment, as it follows from each other.
_ORDER: Final = (ORDER_FAILED, MARGIN_CALL, LIQUIDATION_STARTED, LIQUIDATION_FINISHED)


class NoticeDebt(msgspec.Struct):
    """What is owed of a coin."""

    coin: str
    principal: str
    interest: str


class Notice(msgspec.Struct):
    """A notice; what it does not concern is empty.

    `riskRate` is K ÷ N (RULES 7.3). `reason` is why an order failed, or an announced change could
    not be made. `change` is the kind of an announced change, `what` the coin or pair it is of.
    """

    noticeId: str
    kind: str
    cTime: str
    accountType: str = ""
    symbol: str = ""
    riskRate: str = ""
    liqId: str = ""
    orderId: str = ""
    reason: str = ""
    debts: list[NoticeDebt] = []
    announcementId: str = ""
    change: str = ""
    what: str = ""
    effectiveTime: str = ""
    couponId: str = ""


class NoticesQuery(msgspec.Struct):
    """Which notices: from a time, to a time, so many; the newest there are."""

    startTime: str = ""
    endTime: str = ""
    limit: str = ""


class _Past(msgspec.Struct):
    """What history has for a page of notices."""

    calls: list[past.MarginCallRow]
    liquidations: list[past.LiquidationRow]
    failed: list[past.TriggerRow]


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    read = Permission.READ
    path = "/lombard/v1/notices"
    return [signed(GET, path, read, 10, Scene.CROSSED, NoticesQuery, (), list[Notice], notices)]


async def notices(call: Call, query: NoticesQuery) -> list[Notice]:
    """GET notices: newest first, of all accounts; go on with the last row's time as `endTime`"""
    page = parse_page(call.scene, PageQuery(query.startTime, query.endTime, query.limit))
    accounts = queries.accounts_of(call.state, call.user)
    found = await call.past(_read, call.context.reader, accounts, page)
    state = call.state
    rows = [called(state, row.account, row.seq, row.ratio_e6, row.time_ms) for row in found.calls]
    for liquidation in found.liquidations:
        rows += _of_liquidation(state, liquidation)
    for trigger in found.failed:
        rows.append(
            order_failed(
                state, trigger.account, trigger.trigger_id, trigger.reason, trigger.updated_ms
            )
        )
    rows = [row for row in rows if _is_within(page, int(row.cTime))]
    rows.sort(key=lambda row: (int(row.cTime), _ORDER.index(row.kind)), reverse=True)
    return rows[: page.limit]


def _read(reader: Reader, accounts: list[int], page: Page) -> _Past:
    """Read the newest of each kind; in a thread."""
    found = _Past([], [], [])
    # What began before a time may have ended, or failed, after it.
    late = page._replace(start_ms=None)
    for account in accounts:
        found.failed += reader.ended_triggers(account, late, status=past.TRIGGER_FAILED)
        if slot_of(account) != SLOT_SPOT:
            found.calls += reader.margin_calls(account, page)
            found.liquidations += reader.liquidations(account, late)
    return found


def _is_within(page: Page, time_ms: int) -> bool:
    if page.start_ms is not None and time_ms < page.start_ms:
        return False
    return page.end_ms is None or time_ms <= page.end_ms


def _of_liquidation(state: State, row: past.LiquidationRow) -> list[Notice]:
    began = liquidation_started(
        state, row.account, row.liquidation_id, row.ratio_e6, row.started_ms
    )
    if not row.finished_ms:
        return [began]
    ended = liquidation_finished(
        state, row.account, row.liquidation_id, row.ratio_after_e6, row.finished_ms
    )
    return [ended, began]


def called(state: State, account: int, seq: int, ratio_e6: int, time_ms: int) -> Notice:
    """Word a margin call; `seq` is the number of the command that brought it about."""
    notice = _of_account(state, f"call-{account}-{seq}", MARGIN_CALL, account, time_ms)
    notice.riskRate = ratio_text(ratio_e6)
    return notice


def liquidation_started(
    state: State, account: int, liquidation_id: int, ratio_e6: int, time_ms: int
) -> Notice:
    """Word the lock with which a liquidation begins."""
    name = f"liquidation-{liquidation_id}-started"
    notice = _of_account(state, name, LIQUIDATION_STARTED, account, time_ms)
    notice.liqId, notice.riskRate = str(liquidation_id), ratio_text(ratio_e6)
    return notice


def liquidation_finished(
    state: State, account: int, liquidation_id: int, ratio_e6: int, time_ms: int
) -> Notice:
    """Word the end of a liquidation."""
    name = f"liquidation-{liquidation_id}-finished"
    notice = _of_account(state, name, LIQUIDATION_FINISHED, account, time_ms)
    notice.liqId, notice.riskRate = str(liquidation_id), ratio_text(ratio_e6)
    return notice


def order_failed(state: State, account: int, trigger_id: int, reason: str, time_ms: int) -> Notice:
    """Word the failure of a trigger's order, whose loan may have been refused, for example."""
    notice = _of_account(state, f"order-{trigger_id}-failed", ORDER_FAILED, account, time_ms)
    scene = Scene.SPOT if slot_of(account) == SLOT_SPOT else Scene.CROSSED
    notice.orderId, notice.reason = str(trigger_id), refused(scene, Refusal(reason)).sentence
    return notice


def reminded(
    state: State, account: int, debts: list[tuple[int, int, int]], seq: int, time_ms: int
) -> Notice:
    """Word a day's reminder that interest runs."""
    notice = _of_account(state, f"reminder-{account}-{seq}", REPAY_REMINDER, account, time_ms)
    coins = queries.coins(state)
    notice.debts = [
        NoticeDebt(
            coins[coin].name, coin_text(coins[coin], principal), coin_text(coins[coin], interest)
        )
        for coin, principal, interest in debts
    ]
    return notice


def _of_account(state: State, notice_id: str, kind: str, account: int, time_ms: int) -> Notice:
    slot = slot_of(account)
    pair = _pair_of(state, slot)
    return Notice(
        notice_id,
        kind,
        str(time_ms),
        ACCOUNT_TYPES[min(slot, SLOT_ISOLATED)],
        "" if pair is None else pair.symbol,
    )


def _pair_of(state: State, slot: int) -> Pair | None:
    return queries.pairs(state)[slot - SLOT_ISOLATED] if slot >= SLOT_ISOLATED else None
