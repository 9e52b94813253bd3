"""The tables: what they hold, that both databases take them, and that reads find their index."""

import inspect
from itertools import islice
from typing import Any

import msgspec
import pytest
from sqlalchemy import BigInteger, Integer, create_engine, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite as SQLiteDialect
from sqlalchemy.schema import CreateIndex, CreateTable

from lombard.core import events
from lombard.history import rows
from lombard.history import schema as s
from lombard.history.paging import Page
from lombard.history.projection import TABLES
from lombard.history.statements import inserts
from tests.history.desk import ALICE_CROSSED, ID, Desk
from tests.history.streams import FIRST_USER, START_MS, Stream

ROW_OF: dict[Any, type[msgspec.Struct]] = {
    s.orders: rows.OrderRow,
    s.fills: rows.FillRow,
    s.deposits: rows.DepositRow,
    s.transfers: rows.TransferRow,
    s.borrows: rows.BorrowRow,
    s.repayments: rows.RepaymentRow,
    s.interest: rows.InterestRow,
    s.ledger: rows.LedgerRow,
    s.liquidations: rows.LiquidationRow,
    s.liquidation_steps: rows.LiquidationStepRow,
    s.liquidation_entries: rows.LiquidationEntryRow,
    s.margin_calls: rows.MarginCallRow,
    s.rates: rows.RateRow,
}
# What is counted: never a plain integer column.
COUNTED = ("_units", "_ticks", "_steps", "_e6", "_e8", "_e12", "units")


@pytest.mark.parametrize("table", ROW_OF, ids=lambda table: table.name)
def test_a_record_has_the_columns_of_its_table(table: Any) -> None:
    names = [column.name for column in table.columns]
    assert names == list(ROW_OF[table].__struct_fields__)


def test_what_is_counted_has_room() -> None:
    for table in s.metadata.sorted_tables:
        for column in table.columns:
            counted = column.name.endswith(COUNTED)
            assert counted == isinstance(column.type, s.Exact), f"{table.name}.{column.name}"


@pytest.mark.parametrize(
    "dialect",
    [SQLiteDialect(), PGDialect_psycopg(paramstyle="format")],  # type: ignore[no-untyped-call]
    ids=lambda dialect: dialect.name,
)
def test_both_databases_take_the_tables(dialect: Any) -> None:
    for table in s.metadata.sorted_tables:
        created = str(CreateTable(table).compile(dialect=dialect))
        assert created.count("NUMERIC(80, 0)") == (
            sum(isinstance(column.type, s.Exact) for column in table.columns)
            if dialect.name == "postgresql"
            else 0
        )
        for index in table.indexes:
            assert str(CreateIndex(index).compile(dialect=dialect))

    statements = inserts(dialect)
    assert set(TABLES) == set(statements)
    place = "?" if dialect.name == "sqlite" else "%s"
    for table in s.metadata.sorted_tables:
        if table is not s.meta:
            columns, sql = statements[table.name]
            assert len(table.columns) == columns == sql.count(place)


@pytest.mark.sqlite
def test_in_sqlite_a_key_of_one_id_is_the_row_itself() -> None:
    for table in s.metadata.sorted_tables:
        keys = list(table.primary_key.columns)
        created = str(CreateTable(table).compile(dialect=SQLiteDialect()))
        if len(keys) == 1:
            assert f"{keys[0].name} INTEGER NOT NULL" in created
            assert isinstance(keys[0].type, BigInteger | Integer)
        else:
            assert "WITHOUT ROWID" in created


def test_every_event_was_thought_of() -> None:
    """A new event must be decided on: what history keeps of it, or nothing."""
    known = {
        name for name, found in vars(events).items() if inspect.isclass(found) and name[0] != "_"
    }
    assert known - {"Final"} == {
        "Borrowed",
        "CampaignCreated",
        "CouponClaimed",
        "CouponEnded",
        "CouponGranted",
        "CouponRetired",
        "CouponStarted",
        "CouponsDrawn",
        "Deposited",
        "DrawEntered",
        "FundPaid",
        "FundTook",
        "HourTurned",
        "IndexPricesSet",
        "InsuranceFunded",
        "InterestCharged",
        "LeverageSet",
        "LiquidationFeePaid",
        "LiquidationFinished",
        "LiquidationStarted",
        "LiquidationStepped",
        "LossBooked",
        "MarginCalled",
        "OrderClosed",
        "OrderPlaced",
        "PoolFunded",
        "RateModelSet",
        "RateSet",
        "Repaid",
        "Traded",
        "TrailStarted",
        "Transferred",
        "TriggerCancelled",
        "TriggerFailed",
        "TriggerFired",
        "TriggerModified",
        "TriggerPlaced",
        "TriggerSized",
        "UserAdded",
        "VenueChanged",
        # Nothing is kept of these, as of `VenueChanged`: the state says what is coming and what is
        # owed, and the log what was said of it.
        "AnnouncedChangeMade",
        "AnnouncementWithdrawn",
        "ChangeAnnounced",
        "RepayReminded",
        "AccountRestricted",
        "MoveDecided",
        "MoveProposed",
        "VenueWithdrew",
        "Withdrawn",
    }


@pytest.mark.sqlite
def test_no_read_looks_at_every_row(desk: Desk) -> None:
    statements: list[tuple[str, Any]] = []

    def note(*args: Any) -> None:
        statements.append((args[2], args[3]))

    desk.feed(islice(Stream(7, users=2), 500))
    event.listen(desk.reader._engine, "before_cursor_execute", note)
    reader, account = desk.reader, ALICE_CROSSED
    page = Page(10, ID + 9, START_MS, START_MS + 1)
    reader.order(account, ID)
    reader.order_by_client_oid(account, "x")
    for pair in (0, None):
        reader.closed_orders(account, page, pair)
        reader.fills(account, page, pair)
        reader.system_orders(account, page, pair)
    reader.closed_orders(account, page, client_oid="x")
    reader.closed_orders(account, page, order_id=ID)
    reader.fills(account, page, order_id=ID)
    reader.trades(0, page)
    for coin in (0, None):
        reader.borrows(account, page, coin)
        reader.repayments(account, page, coin)
        reader.interest(account, page, coin)
        reader.deposits(account, page, coin)
        reader.ledger(account, page, coin, [1, 2])
        reader.transfers(FIRST_USER, page, coin)
    reader.liquidations(account, page)
    reader.liquidation(account, ID)
    reader.margin_calls(account, page)
    reader.candles(0, "1Dutc", START_MS)
    reader.tickers([0], START_MS)
    reader.rates(0, START_MS, START_MS)

    engine = create_engine(f"sqlite:///{desk.path}")
    with engine.connect() as connection:
        for sql, parameters in statements:
            if not sql.startswith("SELECT") or "FROM meta" in sql:
                continue
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)
            for *_, step in plan:
                # What is made on the way, a page of each pair, may be looked through.
                assert "SCAN" not in step.replace("SCAN anon_", ""), f"{step}: {sql}"
                assert "TEMP B-TREE" not in step, f"{step}: {sql}"
                assert ("source = 1" in sql) == ("orders_of_system" in step), f"{step}: {sql}"
    engine.dispose()
