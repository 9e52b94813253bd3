"""Projection: events in, rows out, with no file in sight.

What history keeps of a command depends on that command's events and on a little of what came
before: running balances, open orders, candles not yet full. That little lives here, and is looked
up in the tables (`Lookup`) when it is missed; so a start needs nothing, and anything may be
forgotten once it is written.

The rows of a batch are flat lists of cells, one for each table, row after row. They do not depend
on where one batch ends and the next begins.
"""

from collections.abc import Callable, Sequence
from typing import Final, Protocol, final

import msgspec

from lombard.core.commands import BUY, SELL, SLOT_SPOT, slot_of, user_of
from lombard.core.events import (
    CLOSED_FILLED,
    REPAY_FORCED,
    REPAY_LIQUIDATION,
    Borrowed,
    CouponRetired,
    Deposited,
    Event,
    FundPaid,
    FundTook,
    HourTurned,
    InterestCharged,
    LiquidationFeePaid,
    LiquidationFinished,
    LiquidationStarted,
    LiquidationStepped,
    LossBooked,
    MarginCalled,
    OrderClosed,
    OrderPlaced,
    RateSet,
    Repaid,
    Traded,
    Transferred,
    Withdrawn,
)
from lombard.history import rows as r
from lombard.history.candle_log import CandleLog, CandleLookup
from lombard.history.coupon_log import coupon_cells
from lombard.history.house_log import HouseLog, HouseLookup
from lombard.history.id_log import IdLog
from lombard.history.liquidation_log import LiquidationLog, LiquidationLookup
from lombard.history.move_log import add_move
from lombard.history.position_log import PositionLog, PositionLookup
from lombard.history.running_order import RunningOrder
from lombard.history.schema import COUNTER_ENGINE, COUNTER_LEDGER, HOUR_MS, metadata
from lombard.history.trigger_log import TriggerLog, TriggerLookup

Cell = int | str
# The base and the quote coin of a pair. They never change.
CoinsOf = Callable[[int], tuple[int, int]]

# Beyond this many of a kind what is remembered is dropped after a batch, and looked up again.
REMEMBERED_MAX: Final = 200_000
TABLES: Final = tuple(table.name for table in metadata.sorted_tables if table.name != "meta")
# Rows of the table of orders that are there already; those of a batch are mostly new.
RENEWED_ORDERS: Final = "renewed orders"


class Lookup(CandleLookup, HouseLookup, LiquidationLookup, PositionLookup, TriggerLookup, Protocol):
    """What was written before, for what is not remembered."""

    def balance(self, account: int, coin: int) -> int:
        """Give the last balance of the ledger; 0 when there is none."""

    def order(self, order_id: int) -> RunningOrder:
        """Give an order; raises `HistoryError` when there is none."""

    def rate_e12(self, coin: int) -> int | None:
        """Give the last rate of a coin."""


@final
class Projection:
    """The rows of the commands added since the last `take`."""

    def __init__(self, lookup: Lookup, coins_of: CoinsOf, next_ledger_id: int) -> None:
        self.next_ledger_id = next_ledger_id
        self._lookup: Final = lookup
        self._coins_of: Final = coins_of
        self._coins: Final[dict[int, tuple[int, int]]] = {}
        # remembered
        self._balances: Final[dict[tuple[int, int], int]] = {}
        self._orders: Final[dict[int, RunningOrder]] = {}
        self._rates: Final[dict[int, int]] = {}
        self._receipt_hours: Final[dict[int, int]] = {}
        # of this batch
        self._changed_orders: dict[int, RunningOrder] = {}
        self._new_rates: dict[tuple[int, int], int] = {}
        self._ids: Final = IdLog()
        self._rows: dict[str, list[Cell]] = {name: [] for name in (*TABLES, RENEWED_ORDERS)}
        self._candles: Final = CandleLog(lookup)
        self._house: Final = HouseLog(lookup)
        self._liquidations: Final = LiquidationLog(lookup, self._rows)
        self._positions: Final = PositionLog(lookup, coins_of)
        self._triggers: Final = TriggerLog(lookup)
        # of this command
        self._seq = 0
        self._time_ms = 0
        self._hour = -1
        self._overdrawn: Final[set[tuple[int, int]]] = set()
        # The next moment at which the first id of a minute is still to be noted.
        self._unnoted_ledger_ms = 0

    def add(self, seq: int, time_ms: int, events: Sequence[Event]) -> None:
        """Add what a command did. Commands come in the order of the log."""
        self._seq = seq
        self._house.begin(seq)
        hour = time_ms // HOUR_MS
        begun = 0
        if hour != self._hour:
            # What happened at full hours that had passed meanwhile has their time: and so what has
            # a smaller id is never later.
            self._hour = hour
            begun = self._add_hours(events)
        self._add(time_ms, events, begun)
        self._liquidations.end_command(time_ms)
        if self._overdrawn:
            self._check_overdrawn()

    def _add_hours(self, events: Sequence[Event]) -> int:
        """Add what happened up to the last full hour; return how many events that were."""
        hours = [n for n, event in enumerate(events) if isinstance(event, HourTurned)]
        begun = 0
        for n, ends in zip(hours, [*hours[1:], hours[-1] + 1] if hours else [], strict=True):
            turned = events[n]
            assert isinstance(turned, HourTurned)
            self._add(turned.hour_ms, events[:ends], begun)
            begun = ends
        return begun

    def _add(self, time_ms: int, events: Sequence[Event], begun: int) -> None:
        """Add the events from `begun` on, which happened at a moment."""
        self._time_ms = time_ms
        self._ids.note_new(time_ms, events, begun)
        for position in range(begun, len(events)):
            event = events[position]
            if isinstance(event, OrderPlaced):
                order = RunningOrder(event, time_ms)
                self._orders[event.order_id] = self._changed_orders[event.order_id] = order
            elif isinstance(event, OrderClosed):
                self._order_closed(event)
            elif isinstance(event, Traded):
                self._traded(event)
            else:
                self._house.add(event)
                if not (
                    self._add_lending(event)
                    or self._add_venue(event, position)
                    or self._triggers.add(event, time_ms)
                    or add_move(self._rows, event, time_ms)
                ):
                    self._add_liquidation(event)
        self._house.end(time_ms)

    def take(self) -> dict[str, list[Cell]]:
        """Hand over the rows of the batch, flat, by table, and begin the next."""
        rows = self._rows
        for order in self._changed_orders.values():
            rows[RENEWED_ORDERS if order.is_written else "orders"] += order.cells()
            order.is_written = True
        for (coin, from_ms), rate_e12 in self._new_rates.items():
            rows["rates"] += (coin, from_ms, str(rate_e12))
        self._ids.take(rows["minutes"])
        self._changed_orders, self._new_rates = {}, {}
        self._triggers.take(rows["triggers"])
        self._candles.take(rows["candles"])
        self._house.take(rows["house"])
        self._liquidations.take()
        self._positions.take(rows["positions"])
        taken = {name: cells for name, cells in self._rows.items() if cells}
        for name in taken:
            self._rows[name] = []
        return taken

    def trim(self) -> None:
        """Forget what takes too much room. Only when everything taken has been written."""
        for remembered in (self._balances, self._orders, self._receipt_hours):
            if len(remembered) > REMEMBERED_MAX:
                remembered.clear()
        self._positions.trim()
        self._triggers.trim(REMEMBERED_MAX)
        self._house.trim(REMEMBERED_MAX)

    # --- orders and trades ------------------------------------------------------------------

    def _order(self, order_id: int) -> RunningOrder:
        order = self._orders.get(order_id)
        if order is None:
            order = self._orders[order_id] = self._lookup.order(order_id)
        self._changed_orders[order_id] = order
        return order

    def _order_closed(self, event: OrderClosed) -> None:
        order = self._order(event.order_id)
        filled = event.reason == CLOSED_FILLED
        order.status = r.STATUS_FILLED if filled else r.STATUS_CANCELLED
        order.reason = event.reason
        order.updated_ms = self._time_ms
        del self._orders[event.order_id]

    def _traded(self, event: Traded) -> None:
        pair = event.pair
        coins = self._coins.get(pair)
        if coins is None:
            coins = self._coins[pair] = self._coins_of(pair)
        taker_side = event.taker_side
        for order_id, side, role, fee_units in (
            (event.taker_order_id, taker_side, r.ROLE_TAKER, event.taker_fee_units),
            (event.maker_order_id, BUY + SELL - taker_side, r.ROLE_MAKER, event.maker_fee_units),
        ):
            self._filled(event, order_id, side, role, fee_units, coins)
        self._house.traded(event, coins)
        self._candles.trade(
            pair, self._time_ms, event.price_ticks, event.base_units, event.quote_units
        )

    def _filled(
        self,
        event: Traded,
        order_id: int,
        side: int,
        role: int,
        fee_units: int,
        coins: tuple[int, int],
    ) -> None:
        order = self._order(order_id)
        base_units = event.base_units
        quote_units = event.quote_units
        order.base_units += base_units
        order.quote_units += quote_units
        order.fee_units += fee_units
        order.status = r.STATUS_PARTIALLY_FILLED
        order.updated_ms = self._time_ms

        placed = order.placed
        account = placed.account
        trade_id = event.trade_id
        self._rows["fills"] += (
            2 * trade_id + role,
            trade_id,
            order_id,
            account,
            event.pair,
            side,
            role,
            placed.kind,
            placed.source,
            str(event.price_ticks),
            str(base_units),
            str(quote_units),
            str(fee_units),
            self._time_ms,
        )
        if slot_of(account) != SLOT_SPOT:
            got, paid = base_units, quote_units
            if side == BUY:
                got -= fee_units
            else:
                paid -= fee_units
            self._positions.filled(account, event.pair, side, got, paid, self._time_ms)
        base, quote = coins
        if side == BUY:
            self._post(account, quote, -quote_units, 0, r.LEDGER_BUY_OUT, trade_id)
            self._post(account, base, base_units, fee_units, r.LEDGER_BUY_IN, trade_id)
        else:
            self._post(account, base, -base_units, 0, r.LEDGER_SELL_OUT, trade_id)
            self._post(account, quote, quote_units, fee_units, r.LEDGER_SELL_IN, trade_id)

    # --- lending and moving -----------------------------------------------------------------

    def _add_lending(self, event: Event) -> bool:
        rows = self._rows
        time_ms = self._time_ms
        if isinstance(event, InterestCharged):
            self._charged(event)
        elif isinstance(event, Borrowed):
            account, coin, units = event.account, event.coin, event.units
            loan_id, oid = event.loan_id, event.client_oid
            rows["borrows"] += (loan_id, account, coin, str(units), event.auto, oid, time_ms)
            self._post(account, coin, units, 0, r.LEDGER_BORROW, loan_id)
        elif isinstance(event, Repaid):
            self._repaid(event)
        elif isinstance(event, Transferred):
            self._transferred(event)
        elif isinstance(event, Deposited):
            account, coin, units = event.account, event.coin, event.units
            rows["deposits"] += (event.deposit_id, account, coin, str(units), time_ms)
            self._post(account, coin, units, 0, r.LEDGER_DEPOSIT, event.deposit_id)
        elif isinstance(event, Withdrawn):
            account, coin, reference = event.account, event.coin, event.withdrawal_id
            self._post(account, coin, -event.units, 0, r.LEDGER_WITHDRAWAL, reference)
        else:
            return False
        return True

    def _charged(self, event: InterestCharged) -> None:
        self._rows["interest"] += (
            event.account,
            event.interest_id,
            event.coin,
            event.first,
            str(event.rate_e12),
            str(event.principal_units),
            str(event.units),
            event.hour_ms,
            str(event.saved_units),
            _covers_text(event.covers) if event.covers else "[]",
        )
        if not event.first:
            # The id was set aside when the hour turned, one for each coin: the least of them is
            # the first of that hour's minute.
            hour_ms, interest_id = event.hour_ms, event.interest_id
            if interest_id < self._receipt_hours.get(hour_ms, interest_id + 1):
                self._receipt_hours[hour_ms] = interest_id
                self._ids.note(COUNTER_ENGINE, hour_ms, interest_id)

    def _repaid(self, event: Repaid) -> None:
        account, coin = event.account, event.coin
        interest_units, principal_units = event.interest_units, event.principal_units
        self._rows["repayments"] += (
            account,
            event.repay_id,
            coin,
            str(interest_units),
            str(principal_units),
            str(event.remaining_units),
            event.kind,
            self._time_ms,
        )
        paid_units = interest_units + principal_units
        self._post(account, coin, -paid_units, 0, r.LEDGER_REPAY, event.repay_id)
        if event.kind in (REPAY_LIQUIDATION, REPAY_FORCED):
            self._liquidations.repaid(event)

    def _transferred(self, event: Transferred) -> None:
        transfer_id, coin, units = event.transfer_id, event.coin, event.units
        self._rows["transfers"] += (
            transfer_id,
            user_of(event.from_account),
            event.from_account,
            event.to_account,
            coin,
            str(units),
            event.client_oid,
            self._time_ms,
        )
        self._post(event.from_account, coin, -units, 0, r.LEDGER_TRANSFER_OUT, transfer_id)
        self._post(event.to_account, coin, units, 0, r.LEDGER_TRANSFER_IN, transfer_id)
        self._moved(event.from_account, coin, -units)
        self._moved(event.to_account, coin, units)

    def _moved(self, account: int, coin: int, change_units: int) -> None:
        if slot_of(account) != SLOT_SPOT:
            self._positions.moved(account, coin, change_units, self._time_ms)

    # --- the venue --------------------------------------------------------------------------

    def _add_venue(self, event: Event, position: int) -> bool:
        if isinstance(event, HourTurned):
            for coin, rate_e12 in enumerate(event.rates_e12):
                self._rate_set(coin, event.hour_ms, rate_e12)
        elif isinstance(event, RateSet):
            self._rate_set(event.coin, event.from_ms, event.rate_e12)
        elif isinstance(event, MarginCalled):
            called = (event.account, self._seq, position, str(event.ratio_e6), self._time_ms)
            self._rows["margin_calls"] += called
        elif isinstance(event, CouponRetired):
            self._rows["coupons"] += coupon_cells(event)
        else:
            return False
        return True

    def _rate_set(self, coin: int, from_ms: int, rate_e12: int) -> None:
        known_e12 = self._rates.get(coin)
        if known_e12 is None:
            known_e12 = self._lookup.rate_e12(coin)
        if known_e12 != rate_e12:
            self._new_rates[coin, from_ms] = rate_e12
        self._rates[coin] = rate_e12

    # --- liquidation ------------------------------------------------------------------------

    def _add_liquidation(self, event: Event) -> None:
        log = self._liquidations
        if isinstance(event, LiquidationStarted):
            log.started(event, self._time_ms)
        elif isinstance(event, LiquidationStepped):
            log.stepped(event, self._time_ms)
        elif isinstance(event, LiquidationFinished):
            log.finished(event, self._time_ms)
        elif isinstance(event, LossBooked):
            log.loss_booked(event)
            self._moved(event.account, event.coin, event.principal_units + event.interest_units)
        elif isinstance(event, FundPaid):
            log.settled(r.ENTRY_FUND_PAID, event)
            self._settle(event, event.units, r.LEDGER_COMPENSATE)
        elif isinstance(event, FundTook):
            log.settled(r.ENTRY_FUND_TOOK, event)
            self._settle(event, -event.units, r.LEDGER_CONFISCATED)
        elif isinstance(event, LiquidationFeePaid):
            log.settled(r.ENTRY_FEE, event)
            self._settle(event, -event.units, r.LEDGER_LIQUIDATION_FEE)

    def _settle(
        self, event: FundPaid | FundTook | LiquidationFeePaid, delta_units: int, kind: int
    ) -> None:
        self._post(event.account, event.coin, delta_units, 0, kind, event.liquidation_id)
        self._moved(event.account, event.coin, delta_units)

    # --- the ledger -------------------------------------------------------------------------

    def _post(
        self, account: int, coin: int, gross_units: int, fee_units: int, kind: int, reference: int
    ) -> None:
        key = (account, coin)
        balance_units = self._balances.get(key)
        if balance_units is None:
            balance_units = self._lookup.balance(account, coin)
        delta_units = gross_units - fee_units
        balance_units += delta_units
        self._balances[key] = balance_units
        # Within a command what is spent may come before what is received.
        if balance_units < 0:
            self._overdrawn.add(key)
        ledger_id = self.next_ledger_id
        time_ms = self._time_ms
        if time_ms >= self._unnoted_ledger_ms:
            self._unnoted_ledger_ms = self._ids.note(COUNTER_LEDGER, time_ms, ledger_id)
        self._rows["ledger"] += (
            ledger_id,
            self._seq,
            account,
            coin,
            kind,
            str(delta_units),
            str(fee_units),
            str(balance_units),
            reference,
            time_ms,
        )
        self.next_ledger_id = ledger_id + 1

    def _check_overdrawn(self) -> None:
        for account, coin in self._overdrawn:
            units = self._balances[account, coin]
            assert units >= 0, f"Invariant: account {account} holds {units} of coin {coin}"
        self._overdrawn.clear()

    # --- time -------------------------------------------------------------------------------


def _covers_text(covers: tuple[tuple[int, int], ...]) -> str:
    rows = [(coupon_id, str(units)) for coupon_id, units in covers]
    return msgspec.json.encode(rows).decode()
