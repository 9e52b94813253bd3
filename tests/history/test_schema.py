"""The tables: what they hold, and that both databases take them."""

import inspect
from typing import Any

import msgspec
import pytest
from sqlalchemy import BigInteger, Integer
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite as SQLiteDialect
from sqlalchemy.schema import CreateIndex, CreateTable

from lombard.core import events
from lombard.history import rows
from lombard.history import schema as s
from lombard.history.projection import RENEWED_ORDERS, TABLES
from lombard.history.statements import inserts

ROW_OF: dict[Any, type[msgspec.Struct]] = {
    s.orders: rows.OrderRow,
    s.fills: rows.FillRow,
    s.deposits: rows.DepositRow,
    s.transfers: rows.TransferRow,
    s.borrows: rows.BorrowRow,
    s.repayments: rows.RepaymentRow,
    s.interest: rows.InterestRow,
    s.ledger: rows.LedgerRow,
    s.house: rows.HouseRow,
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
    assert {*TABLES, RENEWED_ORDERS} == set(statements)
    place = "?" if dialect.name == "sqlite" else "%s"
    for table in s.metadata.sorted_tables:
        if table is not s.meta:
            insert = statements[table.name]
            assert len(table.columns) == insert.width == insert.sql.count(place)


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
