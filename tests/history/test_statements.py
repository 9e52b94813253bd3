"""Statements: whatever the period, opening and entries come to closing, and nothing is left out."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from lombard.core.commands import SLOT_CROSSED, SLOT_SPOT, account_id, user_of
from lombard.core.events import Deposited, Withdrawn
from lombard.history.accounting import (
    CLOSING,
    ENTRY_NAMES,
    OPENING,
    Part,
    StatementLine,
    all_of,
)
from lombard.history.faults import HistoryError
from lombard.history.places import writing_engine
from lombard.history.rows import LEDGER_WITHDRAWAL
from lombard.history.statement_rows import Names, written
from tests.history.desk import ALICE, ALICE_SPOT, ID, Desk, dump
from tests.history.streams import FIRST_USER, START_MS, Stream

EVER_MS = 4 * 10**12
USERS = 5
COMMANDS = 700
Ledger = list[tuple[Any, ...]]


class Book:
    """A history, and its ledger as it is in the table."""

    def __init__(self, path: Path) -> None:
        self.desk = Desk(path)
        self.desk.feed(islice(Stream(5, users=USERS, step_ms=60_000), COMMANDS))
        self.ledger: Ledger = dump(path)["ledger"]
        self.end_ms = max(row[9] for row in self.ledger) + 1

    def read(self, part: Part, from_ms: int, until_ms: int) -> list[StatementLine]:
        return self.desk.reader.statement_lines(part, from_ms, until_ms, 10**6)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    book = Book(tmp_path_factory.mktemp("book") / "history.sqlite")
    yield book
    book.desk.close()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    who=st.integers(0, USERS - 1),
    ends=st.tuples(st.floats(-0.1, 1.1), st.floats(-0.1, 1.1)),
    rows=st.integers(0, 10**6),
)
def test_opening_and_entries_come_to_closing(
    book: Book, who: int, ends: tuple[float, float], rows: int
) -> None:
    span = book.end_ms - START_MS
    from_ms, until_ms = sorted(START_MS + int(span * end) for end in ends)
    # A moment at which something happened is the one that matters.
    happened = book.ledger[rows % len(book.ledger)][9]
    for since, until in ((from_ms, until_ms + 1), (from_ms, happened), (happened, until_ms)):
        if since < until:
            check(book, FIRST_USER + who, since, until)


def check(book: Book, user: int, from_ms: int, until_ms: int) -> None:
    """Make the statement from the bare rows, and compare."""
    expected: dict[tuple[int, int], list[tuple[str, int, int]]] = defaultdict(list)
    closing: dict[tuple[int, int], int] = defaultdict(int)
    for ledger_id, _, account, coin, kind, delta, _, balance, _, time_ms in book.ledger:
        if user_of(account) != user:
            continue
        key = (account, coin)
        lines = expected[key]
        if time_ms >= from_ms and not lines:
            lines.append((OPENING, closing[key], 0))
        if from_ms <= time_ms < until_ms:
            lines.append((ENTRY_NAMES[kind], balance, ledger_id))
        if time_ms < until_ms:
            closing[key] += delta
    found: dict[tuple[int, int], list[tuple[str, int, int]]] = defaultdict(list)
    for line in book.read(all_of(user), from_ms, until_ms):
        key = (line.account, line.coin)
        found[key].append((line.kind, line.balance_units, line.ledger_id))
    for key, lines in expected.items():
        whole = [*(lines or [(OPENING, closing[key], 0)]), (CLOSING, closing[key], 0)]
        assert whole == found[key]
    assert expected.keys() == found.keys()


def test_a_part_of_it_is_that_part_of_the_whole(book: Book) -> None:
    rnd = Random(1)
    for who in range(USERS):
        user = FIRST_USER + who
        whole = book.read(all_of(user), START_MS, EVER_MS)
        coin = rnd.choice([line.coin for line in whole])
        assert [line for line in whole if line.coin == coin] == book.read(
            all_of(user)._replace(coin=coin), START_MS, EVER_MS
        )
        for account in (account_id(user, slot) for slot in (SLOT_SPOT, SLOT_CROSSED)):
            assert [line for line in whole if line.account == account] == book.read(
                Part(account, account), START_MS, EVER_MS
            )
        # Nobody's neighbour is in it.
        assert {user} == {user_of(line.account) for line in whole}


def test_no_more_is_read_than_asked_for(book: Book) -> None:
    lines = book.desk.reader.statement_lines(all_of(FIRST_USER), START_MS, EVER_MS, 7)
    assert book.read(all_of(FIRST_USER), START_MS, EVER_MS)[:8] == lines


def test_every_kind_of_entry_has_a_name(desk: Desk) -> None:
    desk.say(Deposited(ID, ALICE_SPOT, 0, 50), Withdrawn(ID + 1, ALICE_SPOT, 0, 20))
    lines = desk.reader.statement_lines(all_of(ALICE), START_MS, EVER_MS, 10)
    assert ["opening", "deposit", "withdrawal", "closing"] == [line.kind for line in lines]
    assert 30 == lines[-1].balance_units
    assert max(ENTRY_NAMES) == LEDGER_WITHDRAWAL
    assert sorted(ENTRY_NAMES) == list(range(LEDGER_WITHDRAWAL + 1))
    rows = list(written(lines, Names([("USDT", 1)], [])))
    assert ("2023-11-14T22:13:20.000Z", "spot", "USDT", "withdrawal", "-2", "0", "3") == rows[2][:7]


@pytest.mark.parametrize(
    ("column", "value"),
    [("balance_units", "'31'"), ("delta_units", "'49'")],
    ids=["balance", "delta"],
)
def test_what_does_not_reconcile_is_an_error(desk: Desk, column: str, value: str) -> None:
    desk.say(Deposited(ID, ALICE_SPOT, 0, 50))
    desk.say(Withdrawn(ID + 1, ALICE_SPOT, 0, 20))
    at = desk.place
    engine = create_engine(f"sqlite:///{at}") if isinstance(at, Path) else writing_engine(at)
    with engine.connect() as connection:
        connection.execute(text(f"UPDATE ledger SET {column} = {value} WHERE ledger_id = {ID}"))
        connection.commit()
    engine.dispose()
    with pytest.raises(HistoryError, match="does not reconcile"):
        desk.reader.statement_lines(all_of(ALICE), START_MS, EVER_MS, 10)
