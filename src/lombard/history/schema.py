"""The tables of history, one description for SQLite and PostgreSQL.

Whatever is counted in units, ticks, steps, values or rates is an `Exact`: a whole number of any
size. A holding of PEPE passes 63 bits with honest money, a price with a dishonest order, and
neither may stop the history. Ids, accounts, coins, pairs, times and sequence numbers fit 63 bits.

Rows that carry an engine id are keyed by it, so new rows are appended; what one account did is
found by a narrow index that ends in that id. Ids grow with exchange time: `minutes` says which id
came first in a minute, and a search by time becomes a search by id without an index on time.
"""

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Dialect,
    Index,
    Integer,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy.types import TypeEngine

# Written into `meta`, and the head of the migrations: an older history is brought up to date.
FORMAT: Final = 6
# Wide enough for any product the core makes; PostgreSQL keeps such a number exactly.
EXACT_DIGITS: Final = 80

# `minutes.counter`: which ids a row is about.
COUNTER_ENGINE: Final = 0
COUNTER_LEDGER: Final = 1

# The spans for which candles are kept; every other one is put together from these on reading.
MINUTE_MS: Final = 60_000
QUARTER_MS: Final = 15 * MINUTE_MS
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
CANDLE_SPANS_MS: Final = (MINUTE_MS, QUARTER_MS, HOUR_MS, DAY_MS)


class Exact(TypeDecorator[int]):
    """A whole number of any size: decimal text in SQLite, a numeric without scale in PostgreSQL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column type that keeps every digit."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(Numeric(EXACT_DIGITS, 0))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: int | None, dialect: Dialect) -> str:
        """Write the digits: both databases read a number out of them."""
        return str(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], int]:
        """Read the digits. No such column is ever null, and this runs for every number read."""
        return int


# In SQLite only the very word INTEGER makes a key the row's own id.
Id: Final = BigInteger().with_variant(Integer(), "sqlite")

metadata: Final = MetaData()


def _index(name: str, *columns: Column[Any], only: ColumnElement[bool] | None = None) -> None:
    """Index rows by columns of which the last is the row's id: SQLite adds that one by itself."""
    Index(name, *columns, postgresql_where=only).ddl_if(dialect="postgresql")
    Index(name, *columns[:-1], sqlite_where=only).ddl_if(dialect="sqlite")


# One row. `applied_seq` is written in the transaction of the rows it vouches for; `venue` is the
# data directory's name for its history where that is not a file in it. The house's books begin
# after command `house_seq`: 0 unless the history was begun by a release that did not keep them.
meta: Final = Table(
    "meta",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("format", Integer, nullable=False),
    Column("applied_seq", BigInteger, nullable=False),
    Column("applied_ms", BigInteger, nullable=False),
    Column("next_ledger_id", BigInteger, nullable=False),
    Column("venue", Text, nullable=False, server_default=""),
    Column("house_seq", BigInteger, nullable=False, server_default="0"),
)

orders: Final = Table(
    "orders",
    metadata,
    Column("order_id", Id, primary_key=True, autoincrement=False),
    Column("account", BigInteger, nullable=False),
    Column("pair", Integer, nullable=False),
    Column("side", SmallInteger, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("force", SmallInteger, nullable=False),
    Column("loan_type", SmallInteger, nullable=False),
    Column("stp", SmallInteger, nullable=False),
    Column("source", SmallInteger, nullable=False),
    Column("client_oid", Text, nullable=False),
    Column("price_ticks", Exact, nullable=False),
    Column("size_steps", Exact, nullable=False),
    Column("budget_units", Exact, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("reason", SmallInteger, nullable=False),
    Column("base_units", Exact, nullable=False),
    Column("quote_units", Exact, nullable=False),
    Column("fee_units", Exact, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
)
_index("orders_of_account", orders.c.account, orders.c.pair, orders.c.order_id)
_index(
    "orders_by_client_oid",
    orders.c.account,
    orders.c.client_oid,
    orders.c.order_id,
    only=orders.c.client_oid != "",
)
_index(
    "orders_of_system",
    orders.c.account,
    orders.c.order_id,
    only=orders.c.source == 1,
)

triggers: Final = Table(
    "triggers",
    metadata,
    Column("trigger_id", Id, primary_key=True, autoincrement=False),
    Column("account", BigInteger, nullable=False),
    Column("pair", Integer, nullable=False),
    Column("plan", SmallInteger, nullable=False),
    Column("price_source", SmallInteger, nullable=False),
    Column("direction", SmallInteger, nullable=False),
    Column("side", SmallInteger, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("force", SmallInteger, nullable=False),
    Column("loan_type", SmallInteger, nullable=False),
    Column("stp", SmallInteger, nullable=False),
    Column("source", SmallInteger, nullable=False),
    Column("client_oid", Text, nullable=False),
    Column("trigger_ticks", Exact, nullable=False),
    Column("callback_e6", Exact, nullable=False),
    Column("price_ticks", Exact, nullable=False),
    Column("size_steps", Exact, nullable=False),
    Column("budget_units", Exact, nullable=False),
    Column("parent_id", BigInteger, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("reached_ticks", Exact, nullable=False),
    Column("order_id", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
)
_index("triggers_of_account", triggers.c.account, triggers.c.trigger_id)

# `fill_id` is `2 * trade_id + role`: the two sides of a trade beside each other.
fills: Final = Table(
    "fills",
    metadata,
    Column("fill_id", Id, primary_key=True, autoincrement=False),
    Column("trade_id", BigInteger, nullable=False),
    Column("order_id", BigInteger, nullable=False),
    Column("account", BigInteger, nullable=False),
    Column("pair", Integer, nullable=False),
    Column("side", SmallInteger, nullable=False),
    Column("role", SmallInteger, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("source", SmallInteger, nullable=False),
    Column("price_ticks", Exact, nullable=False),
    Column("base_units", Exact, nullable=False),
    Column("quote_units", Exact, nullable=False),
    Column("fee_units", Exact, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
)
_index("fills_of_account", fills.c.account, fills.c.pair, fills.c.fill_id)
_index(
    "fills_of_pair",
    fills.c.pair,
    fills.c.fill_id,
    only=fills.c.role == 0,
)

deposits: Final = Table(
    "deposits",
    metadata,
    Column("deposit_id", Id, primary_key=True, autoincrement=False),
    Column("account", BigInteger, nullable=False),
    Column("coin", Integer, nullable=False),
    Column("units", Exact, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
)
_index("deposits_of_account", deposits.c.account, deposits.c.deposit_id)

# Movements of money that an operator asked another for, and what became of them. Operators are
# numbered from 1, as in the log.
moves_proposed: Final = Table(
    "moves_proposed",
    metadata,
    Column("proposal_id", Id, primary_key=True, autoincrement=False),
    Column("operator", BigInteger, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("user", BigInteger, nullable=False),
    Column("coin", Integer, nullable=False),
    Column("units", Exact, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
)
moves_decided: Final = Table(
    "moves_decided",
    metadata,
    Column("proposal_id", Id, primary_key=True, autoincrement=False),
    Column("operator", BigInteger, nullable=False),
    Column("approved", Boolean, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
)

transfers: Final = Table(
    "transfers",
    metadata,
    Column("transfer_id", Id, primary_key=True, autoincrement=False),
    Column("user", BigInteger, nullable=False),
    Column("from_account", BigInteger, nullable=False),
    Column("to_account", BigInteger, nullable=False),
    Column("coin", Integer, nullable=False),
    Column("units", Exact, nullable=False),
    Column("client_oid", Text, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
)
_index("transfers_of_user", transfers.c.user, transfers.c.transfer_id)

borrows: Final = Table(
    "borrows",
    metadata,
    Column("loan_id", Id, primary_key=True, autoincrement=False),
    Column("account", BigInteger, nullable=False),
    Column("coin", Integer, nullable=False),
    Column("units", Exact, nullable=False),
    Column("auto", Boolean, nullable=False),
    Column("client_oid", Text, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
)
_index("borrows_of_account", borrows.c.account, borrows.c.loan_id)

repayments: Final = Table(
    "repayments",
    metadata,
    Column("account", BigInteger, primary_key=True, autoincrement=False),
    Column("repay_id", BigInteger, primary_key=True, autoincrement=False),
    Column("coin", Integer, primary_key=True, autoincrement=False),
    Column("interest_units", Exact, nullable=False),
    Column("principal_units", Exact, nullable=False),
    Column("remaining_units", Exact, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# All receipts of an hour may share an id, and come late but together: kept in an account's order.
# `covers` is a JSON array of `[coupon_id, covered_units]`.
interest: Final = Table(
    "interest",
    metadata,
    Column("account", BigInteger, primary_key=True, autoincrement=False),
    Column("interest_id", BigInteger, primary_key=True, autoincrement=False),
    Column("coin", Integer, primary_key=True, autoincrement=False),
    Column("first", Boolean, nullable=False),
    Column("rate_e12", Exact, nullable=False),
    Column("principal_units", Exact, nullable=False),
    Column("units", Exact, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("saved_units", Exact, nullable=False),
    Column("covers", Text, nullable=False),
    sqlite_with_rowid=False,
)

ledger: Final = Table(
    "ledger",
    metadata,
    Column("ledger_id", Id, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("account", BigInteger, nullable=False),
    Column("coin", Integer, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("delta_units", Exact, nullable=False),
    Column("fee_units", Exact, nullable=False),
    Column("balance_units", Exact, nullable=False),
    Column("reference_id", BigInteger, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
)
_index("ledger_of_account", ledger.c.account, ledger.c.coin, ledger.c.ledger_id)

# The other side of the ledger (`house_log`): a command's entries are numbered from `seq << 20` on.
house: Final = Table(
    "house",
    metadata,
    Column("house_id", Id, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("account", BigInteger, nullable=False),
    Column("coin", Integer, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("delta_units", Exact, nullable=False),
    Column("balance_units", Exact, nullable=False),
    Column("reference_id", BigInteger, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
)
_index("house_of_account", house.c.account, house.c.coin, house.c.house_id)

# What a margin account has traded on a pair; one row each, which is written anew.
positions: Final = Table(
    "positions",
    metadata,
    Column("account", BigInteger, primary_key=True, autoincrement=False),
    Column("pair", Integer, primary_key=True, autoincrement=False),
    Column("size_units", Exact, nullable=False),
    Column("cost_units", Exact, nullable=False),
    Column("realised_units", Exact, nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

liquidations: Final = Table(
    "liquidations",
    metadata,
    Column("liquidation_id", Id, primary_key=True, autoincrement=False),
    Column("account", BigInteger, nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("ratio_e6", Exact, nullable=False),
    Column("assets_value_e8", Exact, nullable=False),
    Column("debt_value_e8", Exact, nullable=False),
    Column("finished_ms", BigInteger, nullable=False),
    Column("ratio_after_e6", Exact, nullable=False),
    Column("fee_value_e8", Exact, nullable=False),
)
_index("liquidations_of_account", liquidations.c.account, liquidations.c.liquidation_id)

# `prices` is a JSON array of `[coin, price_e12]`.
liquidation_steps: Final = Table(
    "liquidation_steps",
    metadata,
    Column("liquidation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("account", BigInteger, nullable=False),
    Column("action", Text, nullable=False),
    Column("sold_coin", Integer, nullable=False),
    Column("bought_coin", Integer, nullable=False),
    Column("order_id", BigInteger, nullable=False),
    Column("prices", Text, nullable=False),
    Column("ratio_before_e6", Exact, nullable=False),
    Column("ratio_after_e6", Exact, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

liquidation_entries: Final = Table(
    "liquidation_entries",
    metadata,
    Column("liquidation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("entry", Integer, primary_key=True, autoincrement=False),
    Column("step", Integer, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("coin", Integer, nullable=False),
    Column("units", Exact, nullable=False),
    Column("interest_units", Exact, nullable=False),
    Column("reference_id", BigInteger, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

margin_calls: Final = Table(
    "margin_calls",
    metadata,
    Column("account", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("ratio_e6", Exact, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

candles: Final = Table(
    "candles",
    metadata,
    Column("pair", Integer, primary_key=True, autoincrement=False),
    Column("span_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("open_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("open_ticks", Exact, nullable=False),
    Column("high_ticks", Exact, nullable=False),
    Column("low_ticks", Exact, nullable=False),
    Column("close_ticks", Exact, nullable=False),
    Column("base_units", Exact, nullable=False),
    Column("quote_units", Exact, nullable=False),
    Column("trades", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# A coin's daily rate from an hour on; hours in which it stayed the same have no row.
rates: Final = Table(
    "rates",
    metadata,
    Column("coin", Integer, primary_key=True, autoincrement=False),
    Column("from_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("rate_e12", Exact, nullable=False),
    sqlite_with_rowid=False,
)

# Coupons that nothing depends on any more: the others are in the venue's state.
coupons: Final = Table(
    "coupons",
    metadata,
    Column("coupon_id", Id, primary_key=True, autoincrement=False),
    Column("campaign", BigInteger, nullable=False),
    Column("user", BigInteger, nullable=False),
    Column("claimed_ms", BigInteger, nullable=False),
    Column("start_ms", BigInteger, nullable=False),
    Column("end_ms", BigInteger, nullable=False),
    Column("account", BigInteger, nullable=False),
)
_index("coupons_of_user", coupons.c.user, coupons.c.coupon_id)

minutes: Final = Table(
    "minutes",
    metadata,
    Column("counter", SmallInteger, primary_key=True, autoincrement=False),
    Column("minute_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("first_id", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
