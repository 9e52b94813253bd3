"""Reads of history: synchronous, quick, over connections that cannot write.

Whoever needs to see the effect of an acknowledged command waits for it first (`Projector.wait`),
then calls these in a thread. An account sees only its own: every look-up names the account.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar, final

import msgspec
from sqlalchemy import Column, Connection, Row, Select, false, literal_column, select
from sqlalchemy import exc as sql_errors

from lombard.core.commands import SLOT_ISOLATED, SOURCE_SYSTEM, slot_of
from lombard.history import charts, rows
from lombard.history import schema as s
from lombard.history.accounting import Part, StatementLine, statement
from lombard.history.candles import GRANULARITIES
from lombard.history.debts import DebtChange, read_debt_changes
from lombard.history.faults import HistoryUnavailable
from lombard.history.move_log import read_decided
from lombard.history.paging import (
    SHARED_MAX,
    Page,
    across,
    bounds,
    check_limit,
    fits,
    given,
    house_bounds,
    keys_of,
    whole,
)
from lombard.history.places import Place, reading_engine

_Row = TypeVar("_Row")
# A parameter would hide from the database that a partial index holds all that is asked for.
_BY_SYSTEM: Final = s.orders.c.source == literal_column(str(SOURCE_SYSTEM))
_BY_TAKER: Final = s.fills.c.role == literal_column(str(rows.ROLE_TAKER))
_NAMED: Final = s.orders.c.client_oid != literal_column("''")


@final
class Reader:
    """Answers from one history, which a `Projector` has made."""

    def __init__(self, place: Place) -> None:
        self._is_file: Final = isinstance(place, Path)
        self._engine: Final = reading_engine(place)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def applied_seq(self) -> int:
        """Give the last command whose rows can be read."""
        with self._reading() as connection:
            applied_seq: int = connection.execute(select(s.meta.c.applied_seq)).scalar_one()
        return applied_seq

    # --- orders and trades ------------------------------------------------------------------

    def order(self, account: int, order_id: int) -> rows.OrderRow | None:
        """Give one of an account's orders, open or closed."""
        o = s.orders.c
        query = _where(select(s.orders).where(o.account == account), o.order_id, order_id)
        return self._first(query, rows.OrderRow)

    def order_by_client_oid(self, account: int, client_oid: str) -> rows.OrderRow | None:
        """Give the newest of an account's orders with a client's id."""
        o = s.orders.c
        query = select(s.orders).where(o.account == account, o.client_oid == client_oid, _NAMED)
        return self._first(query.order_by(o.order_id.desc()).limit(1), rows.OrderRow)

    def closed_orders(
        self,
        account: int,
        page: Page,
        pair: int | None = None,
        order_id: int | None = None,
        client_oid: str | None = None,
        source: int | None = None,
    ) -> list[rows.OrderRow]:
        """List an account's closed orders; the times are those at which they were placed."""
        o = s.orders.c
        query = select(s.orders).where(o.account == account, o.status >= rows.STATUS_FILLED)
        query = _where(_where(query, o.source, source), o.order_id, order_id)
        if client_oid:
            query = query.where(o.client_oid == client_oid, _NAMED)
        with self._reading() as connection:
            within = bounds(connection, s.COUNTER_ENGINE, page)
            query = query.where(*within.of(o.order_id, o.created_ms))
            if order_id is None and not client_oid:
                pairs = _pairs(connection, o, account, pair)
                query = across(query, o.pair, pairs, o.order_id, page.limit)
            else:
                query = _where(query, o.pair, pair).order_by(o.order_id.desc()).limit(page.limit)
            return _fetch(connection, query, rows.OrderRow)

    def system_orders(
        self, account: int, page: Page, pair: int | None = None
    ) -> list[rows.OrderRow]:
        """List the orders the venue placed for an account: those of its liquidations."""
        o = s.orders.c
        query = select(s.orders).where(o.account == account, _BY_SYSTEM)
        if pair is not None:
            # A sum, to keep the database from the index of all orders of the pair.
            query = query.where(o.pair + 0 == pair)
        return self._page(query, o.order_id, o.created_ms, page, rows.OrderRow)

    def fills(
        self, account: int, page: Page, pair: int | None = None, order_id: int | None = None
    ) -> list[rows.FillRow]:
        """List an account's fills; `before_id` is a trade's.

        Both sides of a trade with oneself are there, and a page never ends between them.
        """
        f = s.fills.c
        query = select(s.fills).where(f.account == account)
        if order_id is not None:
            order = self.order(account, order_id)
            if order is None or pair not in (None, order.pair):
                return []
            # An order's fills lie in its life: no index of their own.
            pair, page = order.pair, page.between(order.created_ms, order.updated_ms)
            query = query.where(f.order_id == order_id)
        with self._reading() as connection:
            within = bounds(connection, s.COUNTER_ENGINE, page)
            query = query.where(*within.of(f.fill_id, f.time_ms, ids_each=2))
            pairs = _pairs(connection, f, account, pair)
            query = across(query, f.pair, pairs, f.fill_id, page.limit + 1)
            found = _fetch(connection, query, rows.FillRow)
        return whole(found, lambda row: row.trade_id, page.limit)

    def retired_coupons(self, user: int, limit: int) -> list[rows.CouponRow]:
        """List the newest of a user's coupons that nothing depends on any more."""
        q = s.coupons.c
        query = select(s.coupons).where(q.user == user).order_by(q.coupon_id.desc()).limit(limit)
        with self._reading() as connection:
            return _fetch(connection, query, rows.CouponRow)

    def trades(self, pair: int, page: Page) -> list[rows.TradeRow]:
        """List a pair's trades, as the public sees them."""
        f = s.fills.c
        columns = (f.trade_id, f.side, f.price_ticks, f.base_units, f.quote_units, f.time_ms)
        query = select(*columns).where(f.pair == pair, _BY_TAKER)
        return self._page(query, f.fill_id, f.time_ms, page, rows.TradeRow, ids_each=2)

    def positions(self, account: int) -> list[rows.PositionRow]:
        """List what a margin account has traded, by pair."""
        q = s.positions.c
        query = select(s.positions).where(q.account == account).order_by(q.pair)
        with self._reading() as connection:
            return _fetch(connection, query, rows.PositionRow)

    # --- triggers ---------------------------------------------------------------------------

    def trigger(self, account: int, trigger_id: int) -> rows.TriggerRow | None:
        """Give one of an account's triggers, waiting or ended."""
        q = s.triggers.c
        query = _where(select(s.triggers).where(q.account == account), q.trigger_id, trigger_id)
        return self._first(query, rows.TriggerRow)

    def ended_triggers(
        self,
        account: int,
        page: Page,
        pair: int | None = None,
        plans: Collection[int] | None = None,
        status: int | None = None,
    ) -> list[rows.TriggerRow]:
        """List an account's triggers that have ended; the times are those of their placing."""
        q = s.triggers.c
        query = select(s.triggers).where(q.account == account, q.status >= rows.TRIGGER_FIRED)
        query = _where(_where(query, q.pair, pair), q.status, status)
        if plans is not None:
            query = query.where(q.plan.in_(plans))
        return self._page(query, q.trigger_id, q.created_ms, page, rows.TriggerRow)

    # --- lending ----------------------------------------------------------------------------

    def borrows(
        self, account: int, page: Page, coin: int | None = None, loan_id: int | None = None
    ) -> list[rows.BorrowRow]:
        """List an account's loans as they were made."""
        b = s.borrows.c
        query = _where(select(s.borrows).where(b.account == account), b.coin, coin)
        query = _where(query, b.loan_id, loan_id)
        return self._page(query, b.loan_id, b.time_ms, page, rows.BorrowRow)

    def repayments(
        self, account: int, page: Page, coin: int | None = None, repay_id: int | None = None
    ) -> list[rows.RepaymentRow]:
        """List an account's repayments."""
        p = s.repayments.c
        query = _where(select(s.repayments).where(p.account == account), p.coin, coin)
        query = _where(query, p.repay_id, repay_id)
        return self._page(query, p.repay_id, p.time_ms, page, rows.RepaymentRow)

    def known_repayments(self, accounts: Collection[int], repay_ids: Collection[int]) -> list[int]:
        """Say which of some ids name repayments of some accounts."""
        p = s.repayments.c
        query = select(p.repay_id).where(p.account.in_(accounts), p.repay_id.in_(repay_ids))
        with self._reading() as connection:
            return list(connection.execute(query.distinct()).scalars())

    def interest(self, account: int, page: Page, coin: int | None = None) -> list[rows.InterestRow]:
        """List an account's written receipts; see `InterestRow` for those that are not yet.

        Receipts of an hour may share an id, and a page never ends between them: it may be longer.
        """
        i = s.interest.c
        query = _where(select(s.interest).where(i.account == account), i.coin, coin)
        with self._reading() as connection:
            within = bounds(connection, s.COUNTER_ENGINE, page)
            query = query.where(*within.of(i.interest_id, i.time_ms))
            query = query.order_by(i.interest_id.desc(), i.coin.desc())
            query = query.limit(page.limit + SHARED_MAX)
            found = [_receipt(row) for row in connection.execute(query)]
        return whole(found, lambda row: row.interest_id, page.limit)

    def debt_changes(
        self, slots: Collection[int], coins: Collection[int], span_ms: int, since_ms: int
    ) -> list[DebtChange]:
        """List how the principal owed of coins changed, over all accounts of some slots."""
        with self._reading() as connection:
            return read_debt_changes(connection, slots, coins, span_ms, since_ms)

    # --- liquidation ------------------------------------------------------------------------

    def liquidations(self, account: int, page: Page) -> list[rows.LiquidationRow]:
        """List an account's liquidations; the times are those at which they began."""
        q = s.liquidations.c
        query = select(s.liquidations).where(q.account == account)
        return self._page(query, q.liquidation_id, q.started_ms, page, rows.LiquidationRow)

    def all_liquidations(self, page: Page) -> list[rows.LiquidationRow]:
        """List everybody's liquidations; the times are those at which they began."""
        q = s.liquidations.c
        query = select(s.liquidations)
        return self._page(query, q.liquidation_id, q.started_ms, page, rows.LiquidationRow)

    def liquidation(
        self, account: int | None, liquidation_id: int
    ) -> rows.LiquidationRecord | None:
        """Give all there is about one of an account's liquidations, or anybody's (RULES 8.6)."""
        steps, entries = s.liquidation_steps.c, s.liquidation_entries.c
        q = s.liquidations.c
        with self._reading() as connection:
            query = _where(select(s.liquidations), q.liquidation_id, liquidation_id)
            query = _where(query, q.account, account)
            found = _fetch(connection, query, rows.LiquidationRow)
            if not found:
                return None
            done = connection.execute(
                select(s.liquidation_steps)
                .where(steps.liquidation_id == liquidation_id)
                .order_by(steps.step)
            )
            settled = (
                select(s.liquidation_entries)
                .where(entries.liquidation_id == liquidation_id)
                .order_by(entries.entry)
            )
            return rows.LiquidationRecord(
                found[0],
                [_step(row) for row in done],
                _fetch(connection, settled, rows.LiquidationEntryRow),
            )

    def margin_calls(self, account: int, page: Page) -> list[rows.MarginCallRow]:
        """List an account's margin calls; `before_id` is a command's number."""
        m = s.margin_calls.c
        query = select(s.margin_calls).where(m.account == account)
        query = query.where(*given(page).of(m.seq, m.time_ms))
        query = query.order_by(m.seq.desc(), m.position.desc()).limit(page.limit)
        with self._reading() as connection:
            return _fetch(connection, query, rows.MarginCallRow)

    # --- what was moved ---------------------------------------------------------------------

    def deposits(self, account: int, page: Page, coin: int | None = None) -> list[rows.DepositRow]:
        """List what came to an account from outside."""
        d = s.deposits.c
        query = _where(select(s.deposits).where(d.account == account), d.coin, coin)
        return self._page(query, d.deposit_id, d.time_ms, page, rows.DepositRow)

    def decided_moves(self, page: Page) -> list[rows.DecidedMoveRow]:
        """List movements of money that operators asked each other for and decided."""
        with self._reading() as connection:
            return read_decided(connection, page)

    def transfers(
        self,
        user: int,
        page: Page,
        coin: int | None = None,
        from_accounts: tuple[int, int] | None = None,
        client_oid: str | None = None,
        offset: int = 0,
    ) -> list[rows.TransferRow]:
        """List a user's transfers; `from_accounts` are the first and last they may come from."""
        t = s.transfers.c
        query = _where(select(s.transfers).where(t.user == user), t.coin, coin)
        query = _where(query, t.client_oid, client_oid).offset(offset)
        if from_accounts is not None:
            query = query.where(t.from_account.between(*from_accounts))
        return self._page(query, t.transfer_id, t.time_ms, page, rows.TransferRow)

    def ledger(
        self,
        account: int,
        page: Page,
        coin: int | None = None,
        kinds: Collection[int] | None = None,
    ) -> list[rows.LedgerRow]:
        """List what changed an account's holdings; `kinds` are LEDGER_ numbers."""
        e = s.ledger.c
        query = select(s.ledger).where(e.account == account)
        if kinds is not None:
            query = query.where(e.kind.in_(kinds))
        with self._reading() as connection:
            within = bounds(connection, s.COUNTER_LEDGER, page)
            query = query.where(*within.of(e.ledger_id, e.time_ms))
            coins = keys_of(connection, e.account, account, e.coin) if coin is None else [coin]
            query = across(query, e.coin, coins, e.ledger_id, page.limit)
            return _fetch(connection, query, rows.LedgerRow)

    def house(self, account: int, page: Page, coin: int | None = None) -> list[rows.HouseRow]:
        """List what moved an account of the system, or the debt of a user's account."""
        h = s.house.c
        with self._reading() as connection:
            within = house_bounds(connection, page)
            query = select(s.house).where(h.account == account)
            query = query.where(*within.of(h.house_id, h.time_ms))
            coins = keys_of(connection, h.account, account, h.coin) if coin is None else [coin]
            query = across(query, h.coin, coins, h.house_id, page.limit)
            return _fetch(connection, query, rows.HouseRow)

    @contextmanager
    def statement(
        self, part: Part, from_ms: int, until_ms: int
    ) -> Iterator[Iterator[StatementLine]]:
        """Give the lines of a statement of `[from_ms, until_ms)`; see `accounting`."""
        with self._reading() as connection:
            yield statement(connection, part, from_ms, until_ms)

    def statement_lines(
        self, part: Part, from_ms: int, until_ms: int, most: int
    ) -> list[StatementLine]:
        """List a statement's lines, of which no more than `most` and one are read."""
        with self.statement(part, from_ms, until_ms) as lines:
            return list(islice(lines, most + 1))

    # --- the market -------------------------------------------------------------------------

    def candles(
        self,
        pair: int,
        granularity: str,
        now_ms: int,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 100,
    ) -> list[rows.CandleRow]:
        """List candles that open in `[start_ms, end_ms)`, rising; one of `GRANULARITIES`.

        The newest `limit` of them; with a start and no end, the oldest. The last is that of
        `now_ms`, the exchange's time, whether or not anything was traded in it yet.
        """
        check_limit(limit)
        cut = GRANULARITIES[granularity]
        with self._reading() as connection:
            return charts.read_candles(connection, pair, cut, now_ms, start_ms, end_ms, limit)

    def tickers(self, pairs: Collection[int], now_ms: int) -> dict[int, rows.Ticker]:
        """Give the figures of the last 24 hours; a pair never traded is missing."""
        with self._reading() as connection:
            tickers = [charts.read_ticker(connection, pair, now_ms) for pair in pairs]
        return {ticker.pair: ticker for ticker in tickers if ticker is not None}

    def rates(
        self,
        coin: int,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 100,
    ) -> list[rows.RateRow]:
        """List a coin's rates newest first, from the one in force at `start_ms`.

        A rate that is announced but not in force yet is among them when `end_ms` allows.
        """
        check_limit(limit)
        c = s.rates.c
        query = select(s.rates).where(c.coin == coin).order_by(c.from_ms.desc())
        with self._reading() as connection:
            if start_ms is not None:
                before = query.where(c.from_ms <= start_ms).limit(1)
                in_force = _fetch(connection, before, rows.RateRow)
                query = query.where(c.from_ms >= (in_force[0].from_ms if in_force else start_ms))
            if end_ms is not None:
                query = query.where(c.from_ms <= end_ms)
            return _fetch(connection, query.limit(limit), rows.RateRow)

    # --- how --------------------------------------------------------------------------------

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """All reads of one answer see the same commits. Raises `HistoryUnavailable`."""
        try:
            with self._engine.connect() as connection:
                if self._is_file:
                    connection.exec_driver_sql("BEGIN")
                yield connection
        except sql_errors.OperationalError as fault:
            if self._is_file:
                raise
            raise HistoryUnavailable("The database of history cannot be reached.") from fault

    def _first(self, query: Select[Any], make: Callable[..., _Row]) -> _Row | None:
        with self._reading() as connection:
            found = _fetch(connection, query, make)
        return found[0] if found else None

    def _page(
        self,
        query: Select[Any],
        id_column: Column[int],
        time_column: Column[int],
        page: Page,
        make: Callable[..., _Row],
        ids_each: int = 1,
    ) -> list[_Row]:
        with self._reading() as connection:
            within = bounds(connection, s.COUNTER_ENGINE, page)
            query = query.where(*within.of(id_column, time_column, ids_each))
            query = query.order_by(id_column.desc()).limit(page.limit)
            return _fetch(connection, query, make)


def _fetch(connection: Connection, query: Select[Any], make: Callable[..., _Row]) -> list[_Row]:
    return [make(*row) for row in connection.execute(query)]


def _where(query: Select[Any], column: Column[Any], wanted: int | str | None) -> Select[Any]:
    if wanted is None:
        return query
    return query.where(column == wanted if fits(wanted) else false())


def _pairs(connection: Connection, columns: Any, account: int, pair: int | None) -> list[int]:
    """List the pairs an account's rows may be of: the one asked for, or all it has."""
    if pair is not None:
        return [pair]
    slot = slot_of(account)
    if slot >= SLOT_ISOLATED:
        return [slot - SLOT_ISOLATED]
    return keys_of(connection, columns.account, account, columns.pair)


def _receipt(row: Row[Any]) -> rows.InterestRow:
    values = row._asdict()
    covers = msgspec.json.decode(values.pop("covers"), type=list[tuple[int, str]])
    values["covers"] = tuple([(coupon_id, int(units)) for coupon_id, units in covers])
    return rows.InterestRow(**values)


def _step(row: Row[Any]) -> rows.LiquidationStepRow:
    values = row._asdict()
    prices = msgspec.json.decode(values.pop("prices"), type=list[tuple[int, str]])
    values["prices"] = [(coin, int(price_e12)) for coin, price_e12 in prices]
    return rows.LiquidationStepRow(**values)
