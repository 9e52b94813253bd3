"""What history answers with: one plain record for each row, and the numbers that name its kinds.

Coins, pairs and accounts are the core's small integers; amounts are units, prices ticks, sizes
steps. Whoever asks knows the names and writes the decimals.
"""

from typing import Final

import msgspec

# `OrderRow.status`; an order at or above STATUS_FILLED is closed.
STATUS_LIVE: Final = 0
STATUS_PARTIALLY_FILLED: Final = 1
STATUS_FILLED: Final = 2
STATUS_CANCELLED: Final = 3
# `OrderRow.reason` while the order is open; then one of the CLOSED_ numbers of the core.
REASON_OPEN: Final = -1
# `TriggerRow.status`; a trigger at or above TRIGGER_FIRED has ended.
TRIGGER_LIVE: Final = 0
TRIGGER_FIRED: Final = 1
TRIGGER_FAILED: Final = 2
TRIGGER_CANCELLED: Final = 3
# `FillRow.role`
ROLE_TAKER: Final = 0
ROLE_MAKER: Final = 1
# `LedgerRow.kind`. A trade has two rows for each side: BUY and SELL are the side of the order, IN
# and OUT what the account received and paid.
LEDGER_DEPOSIT: Final = 0
LEDGER_TRANSFER_IN: Final = 1
LEDGER_TRANSFER_OUT: Final = 2
LEDGER_BORROW: Final = 3
LEDGER_REPAY: Final = 4
LEDGER_BUY_IN: Final = 5
LEDGER_BUY_OUT: Final = 6
LEDGER_SELL_IN: Final = 7
LEDGER_SELL_OUT: Final = 8
LEDGER_LIQUIDATION_FEE: Final = 9
LEDGER_COMPENSATE: Final = 10
LEDGER_CONFISCATED: Final = 11
LEDGER_WITHDRAWAL: Final = 12
# `HouseRow.account` of the system; any other is a user's account, of which the row is the debt. The
# numbers are the core's, but for the last: the debt that losses took over.
HOUSE_EXTERNAL: Final = 1
HOUSE_POOL: Final = 2
HOUSE_LENT: Final = 3
HOUSE_FEES: Final = 4
HOUSE_INTEREST: Final = 5
HOUSE_INSURANCE: Final = 6
HOUSE_LOSSES: Final = 7
HOUSE_LOST_DEBT: Final = 8
# `HouseRow.kind`
HOUSE_DEPOSIT: Final = 0
HOUSE_WITHDRAWAL: Final = 1
HOUSE_FUNDING: Final = 2
HOUSE_TAKING: Final = 3
HOUSE_FEE: Final = 4
HOUSE_BORROW: Final = 5
HOUSE_REPAY: Final = 6
HOUSE_COMPENSATE: Final = 7
HOUSE_CONFISCATED: Final = 8
HOUSE_LIQUIDATION_FEE: Final = 9
HOUSE_LOSS: Final = 10
# `LiquidationEntryRow.kind`
ENTRY_REPAID: Final = 0
ENTRY_FUND_PAID: Final = 1
ENTRY_FUND_TOOK: Final = 2
ENTRY_LOSS: Final = 3
ENTRY_FEE: Final = 4


class OrderRow(msgspec.Struct, frozen=True, gc=False):
    """An order as it stands.

    `budget_units` is the quote a market buy may spend; `base_units` and `quote_units` were traded;
    `fee_units` are of the received coin. `client_oid` is empty when the client gave none.
    """

    order_id: int
    account: int
    pair: int
    side: int
    kind: int
    force: int
    loan_type: int
    stp: int
    source: int
    client_oid: str
    price_ticks: int
    size_steps: int
    budget_units: int
    status: int
    reason: int
    base_units: int
    quote_units: int
    fee_units: int
    created_ms: int
    updated_ms: int


class TriggerRow(msgspec.Struct, frozen=True, gc=False):
    """A trigger as it stands.

    `parent_id` is the order it belongs to, `order_id` the one it placed when it fired, 0 for none.
    `reason` is a refusal's name when it failed; "user", "order" (the one it belongs to has ended),
    "sibling" (the other exit has fired) or "liquidation" when it was cancelled.
    """

    trigger_id: int
    account: int
    pair: int
    plan: int
    price_source: int
    direction: int
    side: int
    kind: int
    force: int
    loan_type: int
    stp: int
    source: int
    client_oid: str
    trigger_ticks: int
    callback_e6: int
    price_ticks: int
    size_steps: int
    budget_units: int
    parent_id: int
    status: int
    reason: str
    reached_ticks: int
    order_id: int
    created_ms: int
    updated_ms: int


class CouponRow(msgspec.Struct, frozen=True, gc=False):
    """A coupon that nothing depends on any more; times that never came are -1, `account` 0."""

    coupon_id: int
    campaign: int
    user: int
    claimed_ms: int
    start_ms: int
    end_ms: int
    account: int


class FillRow(msgspec.Struct, frozen=True, gc=False):
    """One side of a trade. `kind` and `source` are the order's; the fee is of the received coin."""

    fill_id: int
    trade_id: int
    order_id: int
    account: int
    pair: int
    side: int
    role: int
    kind: int
    source: int
    price_ticks: int
    base_units: int
    quote_units: int
    fee_units: int
    time_ms: int


class PositionRow(msgspec.Struct, frozen=True, gc=False):
    """What a margin account has traded on a pair (`position_log.Position`)."""

    account: int
    pair: int
    size_units: int
    cost_units: int
    realised_units: int
    opened_ms: int
    updated_ms: int


class TradeRow(msgspec.Struct, frozen=True, gc=False):
    """A trade as the public sees it: `side` is the taker's."""

    trade_id: int
    side: int
    price_ticks: int
    base_units: int
    quote_units: int
    time_ms: int


class DepositRow(msgspec.Struct, frozen=True, gc=False):
    """Coins that came from outside."""

    deposit_id: int
    account: int
    coin: int
    units: int
    time_ms: int


class DecidedMoveRow(msgspec.Struct, frozen=True, gc=False):
    """A movement of money that one operator asked for and another, or the same, decided."""

    proposal_id: int
    operator: int
    kind: int
    user: int
    coin: int
    units: int
    time_ms: int
    decided_by: int
    approved: bool
    decided_ms: int


class TransferRow(msgspec.Struct, frozen=True, gc=False):
    """Coins moved between two accounts of a user."""

    transfer_id: int
    user: int
    from_account: int
    to_account: int
    coin: int
    units: int
    client_oid: str
    time_ms: int


class BorrowRow(msgspec.Struct, frozen=True, gc=False):
    """A loan as it was made; `auto` when an order borrowed."""

    loan_id: int
    account: int
    coin: int
    units: int
    auto: bool
    client_oid: str
    time_ms: int


class RepaymentRow(msgspec.Struct, frozen=True, gc=False):
    """A repayment; `kind` is one of the core's REPAY_ numbers."""

    account: int
    repay_id: int
    coin: int
    interest_units: int
    principal_units: int
    remaining_units: int
    kind: int
    time_ms: int


class InterestRow(msgspec.Struct, frozen=True, gc=False):
    """A receipt for one hour's interest on one coin (RULES 4.2); `time_ms` is the hour's start.

    Receipts are written when the loan is next touched: those of the hours since then are in
    `queries.pending_interest`, and become rows with the same account, id and coin. `units` are net
    of `saved_units`, which coupons saved; `covers` are `(coupon_id, covered_units)` (RULES 9.3).
    """

    account: int
    interest_id: int
    coin: int
    first: bool
    rate_e12: int
    principal_units: int
    units: int
    time_ms: int
    saved_units: int = 0
    covers: tuple[tuple[int, int], ...] = ()


class LedgerRow(msgspec.Struct, frozen=True, gc=False):
    """What one event changed in one holding of one account.

    `delta_units` is the change, `balance_units` the holding (available and frozen) after it.
    `fee_units` were taken from what was received: `delta_units + fee_units` came in.
    """

    ledger_id: int
    seq: int
    account: int
    coin: int
    kind: int
    delta_units: int
    fee_units: int
    balance_units: int
    reference_id: int
    time_ms: int


class HouseRow(msgspec.Struct, frozen=True, gc=False):
    """What one command moved on one account of the system, or in one debt, for one reason.

    `reference_id` is the first trade, loan, repayment, deposit, withdrawal or liquidation of it; 0
    for none. A debt's balance is below zero.
    """

    house_id: int
    seq: int
    account: int
    coin: int
    kind: int
    delta_units: int
    balance_units: int
    reference_id: int
    time_ms: int


class LiquidationRow(msgspec.Struct, frozen=True, gc=False):
    """A liquidation; `finished_ms` is 0 while it goes on. Values are in 1e-8 USDT."""

    liquidation_id: int
    account: int
    started_ms: int
    ratio_e6: int
    assets_value_e8: int
    debt_value_e8: int
    finished_ms: int
    ratio_after_e6: int
    fee_value_e8: int


class LiquidationStepRow(msgspec.Struct, frozen=True, gc=False):
    """One step of a liquidation (RULES 8.6); `prices` are the index prices `(coin, price_e12)`."""

    liquidation_id: int
    step: int
    account: int
    action: str
    sold_coin: int
    bought_coin: int
    order_id: int
    prices: list[tuple[int, int]]
    ratio_before_e6: int
    ratio_after_e6: int
    time_ms: int


class LiquidationEntryRow(msgspec.Struct, frozen=True, gc=False):
    """What a step repaid, took or gave. Those after the last step carry the number after it.

    For a repayment and a loss `units` are principal; `reference_id` is the repayment's id or 0.
    """

    liquidation_id: int
    entry: int
    step: int
    kind: int
    coin: int
    units: int
    interest_units: int
    reference_id: int
    time_ms: int


class LiquidationRecord(msgspec.Struct, frozen=True):
    """A liquidation with all its steps; their trades are the fills of the steps' orders."""

    summary: LiquidationRow
    steps: list[LiquidationStepRow]
    entries: list[LiquidationEntryRow]


class MarginCallRow(msgspec.Struct, frozen=True, gc=False):
    """A margin call."""

    account: int
    seq: int
    position: int
    ratio_e6: int
    time_ms: int


class CandleRow(msgspec.Struct, frozen=True, gc=False):
    """Prices and volumes of one span of time."""

    open_ms: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    base_units: int
    quote_units: int
    trades: int


class RateRow(msgspec.Struct, frozen=True, gc=False):
    """A coin's daily rate from an hour on, until the next row's."""

    coin: int
    from_ms: int
    rate_e12: int


class Ticker(msgspec.Struct, frozen=True, gc=False):
    """A pair's last 1440 minutes, the running one included.

    `open_ticks` and `open_utc_ticks` are the prices in force when those minutes, and the UTC day,
    began; where the pair had not traded before, the first price since.
    """

    pair: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    last_ticks: int
    open_utc_ticks: int
    base_units: int
    quote_units: int
    trades: int
