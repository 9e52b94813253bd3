"""How reads find their rows: by an index, whatever is asked, however many rows there are."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Engine,
    Integer,
    SmallInteger,
    Text,
    create_engine,
    event,
    text,
)

from lombard.core.commands import SLOT_CROSSED, account_id, user_of
from lombard.history import rows
from lombard.history import schema as s
from lombard.history.accounting import all_of
from lombard.history.paging import Page
from lombard.history.places import Remote, writing_engine
from lombard.history.reader import Reader
from tests.history.desk import ALICE_CROSSED, ID, Desk
from tests.history.streams import START_MS, Stream

Asked = list[tuple[str, Any]]
ROWS: Final = 20_000
ACCOUNTS: Final = 300
ROW_MS: Final = 10
# More than any page has, and less than what a busy account has in a table of this size.
SORTED_MAX: Final = 1_000
WHOSE: Final = re.compile(r'(account|"user") = ')
MIDDLE = Page(10, ID + ROWS // 2, START_MS + ROWS, START_MS + ROWS * ROW_MS)


@contextmanager
def noted(engine: Engine) -> Iterator[Asked]:
    """Keep every statement an engine is asked."""
    asked: Asked = []

    def note(*args: Any) -> None:
        asked.append((args[2], args[3]))

    event.listen(engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine, "before_cursor_execute", note)


def ask_everything(reader: Reader, account: int, page: Page) -> None:
    """Read whatever a call of the API reads."""
    user = user_of(account)
    reader.order(account, ID)
    reader.order_by_client_oid(account, "x")
    for number in (0, None):
        reader.closed_orders(account, page, number)
        reader.fills(account, page, number)
        reader.system_orders(account, page, number)
        reader.ended_triggers(account, page, number, [1, 2])
        reader.borrows(account, page, number)
        reader.repayments(account, page, number)
        reader.interest(account, page, number)
        reader.deposits(account, page, number)
        reader.ledger(account, page, number, [1, 2])
        reader.house(account, page, number)
        reader.house(rows.HOUSE_POOL, page, number)
        reader.transfers(user, page, number)
    reader.closed_orders(account, page, client_oid="x")
    reader.closed_orders(account, page, order_id=ID)
    reader.fills(account, page, order_id=ID)
    reader.trades(0, page)
    reader.positions(account)
    reader.trigger(account, ID)
    reader.borrows(account, page, loan_id=ID)
    reader.repayments(account, page, repay_id=ID)
    reader.known_repayments([account], [ID])
    reader.retired_coupons(user, 10)
    reader.decided_moves(page)
    reader.liquidations(account, page)
    reader.all_liquidations(page)
    reader.liquidation(account, ID)
    reader.liquidation(None, ID + 3)
    reader.margin_calls(account, page)
    reader.statement_lines(all_of(user), START_MS, START_MS + ROWS * ROW_MS // 2, 10)
    reader.candles(0, "1Dutc", START_MS)
    reader.tickers([0], START_MS)
    reader.rates(0, START_MS, START_MS)


@pytest.mark.sqlite
def test_no_read_of_a_file_looks_at_every_row(desk: Desk) -> None:
    desk.feed(islice(Stream(7, users=2), 500))
    with noted(desk.reader._engine) as asked:
        ask_everything(desk.reader, ALICE_CROSSED, Page(10, ID + 9, START_MS, START_MS + 1))
    engine = create_engine(f"sqlite:///{desk.path}")
    with engine.connect() as connection:
        for sql, parameters in asked:
            if not sql.startswith("SELECT") or "FROM meta" in sql:
                continue
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)
            for *_, step in plan:
                # Of everybody's liquidations the newest: their own order is the page's.
                if "FROM liquidations" in sql and "liquidations.account =" not in sql:
                    assert "TEMP B-TREE" not in step, f"{step}: {sql}"
                    continue
                # What is made on the way, a page of each pair, may be looked through.
                assert "SCAN" not in step.replace("SCAN anon_", ""), f"{step}: {sql}"
                assert "TEMP B-TREE" not in step, f"{step}: {sql}"
                assert ("source = 1" in sql) == ("orders_of_system" in step), f"{step}: {sql}"
    engine.dispose()


# --- PostgreSQL -----------------------------------------------------------------------------------


def value_of(column: Column[Any]) -> str:
    """Say in SQL what row `n` has in a column: ids and times that rise, everything else spread."""
    name = column.name
    quiet = f"{account_id(2_000_000, SLOT_CROSSED)} + {account_id(1, 0)} * (n % {ACCOUNTS})"
    if name in ("account", "from_account", "to_account"):
        # A third of all rows are of one account.
        return f"CASE WHEN n % 3 = 0 THEN {ALICE_CROSSED} ELSE {quiet} END"
    if name == "user":
        return f"CASE WHEN n % 3 = 0 THEN {user_of(ALICE_CROSSED)} ELSE n % {ACCOUNTS} END"
    if name.endswith("_id"):
        return f"{ID} + n"
    if name.endswith("_ms"):
        return f"{START_MS} + n * {ROW_MS}"
    if name in ("covers", "prices"):
        return "'[]'"
    if isinstance(column.type, Text):
        return "CASE WHEN n % 2 = 0 THEN '' ELSE 'mine-' || n END"
    if isinstance(column.type, Boolean):
        return "n % 2 = 0"
    if isinstance(column.type, SmallInteger):
        return "n % 4"
    return "n % 7" if isinstance(column.type, Integer) else "n"


def fill(engine: Engine) -> None:
    """Fill the tables whose rows are of accounts, and let the server count them."""
    special = {
        "minutes": {
            "counter": "n % 2",
            "minute_ms": f"({START_MS} / 60000 + n / 2) * 60000",
            "first_id": f"{ID} + n / 2 * (60000 / {ROW_MS})",
        },
        # A statement adds it up.
        "ledger": {"delta_units": "0", "balance_units": "0"},
        # No account has more of these than there are pairs.
        "positions": {"account": "n / 7"},
        "candles": {"span_ms": "60000", "open_ms": f"{START_MS} + n * 60000"},
        "margin_calls": {"seq": "n"},
    }
    with engine.connect() as connection:
        connection.execute(text("DELETE FROM minutes"))
        for table in s.metadata.sorted_tables:
            if table is s.meta:
                continue
            own = special.get(table.name, {})
            values = [own.get(column.name) or value_of(column) for column in table.columns]
            connection.execute(
                text(
                    f'INSERT INTO "{table.name}" SELECT {", ".join(values)} '
                    f"FROM generate_series(1, {ROWS}) AS n"
                )
            )
        connection.execute(text("ANALYZE"))


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = Desk(tmp_path_factory.mktemp("full") / "history.sqlite")
    assert isinstance(desk.place, Remote)
    engine = writing_engine(desk.place)
    fill(engine)
    engine.dispose()
    yield desk
    desk.close()


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes_of(part)


@pytest.mark.postgresql
@pytest.mark.parametrize("page", [Page(10), MIDDLE], ids=["newest", "middle"])
@pytest.mark.parametrize(
    "account",
    [ALICE_CROSSED, account_id(2_000_007, SLOT_CROSSED)],
    ids=["busy", "quiet"],
)
def test_no_read_of_a_server_looks_at_every_row(full: Desk, account: int, page: Page) -> None:
    with noted(full.reader._engine) as asked:
        ask_everything(full.reader, account, page)
    assert len(asked) > 50
    looked_at = set()
    with full.reader._engine.connect() as connection:
        for sql, parameters in asked:
            if "FROM meta" in sql:
                continue
            found = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {sql}", parameters)
            for node in nodes_of(found.scalar_one()[0]["Plan"]):
                kind = node["Node Type"]
                told = f"{kind} of {node.get('Relation Name')}: {sql}"
                assert kind != "Seq Scan", told
                # Rows of others are never read to be left out, but for the one that has an id. Of
                # whoever has a third of all rows the server takes the newest of everybody's.
                if account != ALICE_CROSSED and WHOSE.search(node.get("Filter", "")):
                    assert "_id = " in node.get("Index Cond", ""), told
                if kind in ("Sort", "Incremental Sort"):
                    assert node["Plans"][0]["Plan Rows"] <= SORTED_MAX, told
                looked_at.add(node.get("Relation Name"))
    assert {table.name for table in s.metadata.sorted_tables} - {"meta"} <= looked_at
