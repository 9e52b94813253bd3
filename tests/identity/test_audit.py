"""The audit log's chain: whatever is changed in it shows, and what is on record shows the rest."""

import sqlite3
from pathlib import Path

import pytest

from lombard.identity import NOTHING, Permission, Seal, open_directory, schema
from lombard.identity.audit import fault, head
from lombard.identity.directory import DATABASE_NAME
from lombard.identity.store import Store
from tests.api.house import run

LINES = 12
# As version 0.2 made it.
FORMAT_2_AUDIT = """
DROP TABLE audit;
DROP TABLE password_resets;
CREATE TABLE audit (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at_ms BIGINT NOT NULL,
    "user" BIGINT,
    "action" VARCHAR NOT NULL,
    detail VARCHAR NOT NULL,
    address VARCHAR NOT NULL
);
CREATE INDEX ix_audit_user ON audit (user);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
UPDATE meta SET format = 2;
"""


def written(path: Path, lines: int = LINES) -> None:
    """Write a log: a line for each key that is made."""

    async def test() -> None:
        directory = open_directory(path)
        for number in range(lines):
            await directory.create_key(7, Permission.READ, label=f"key {number}")
        directory.close()

    run(test())


def found(path: Path, *seals: Seal) -> str:
    """Say what is wrong with the log."""
    store = Store(path / DATABASE_NAME)
    try:
        return store.read(lambda sql: fault(sql, seals))
    finally:
        store.close()


def seal_of(path: Path) -> Seal:
    """Say where the log ends."""
    store = Store(path / DATABASE_NAME)
    try:
        return store.read(head)
    finally:
        store.close()


def tampered(path: Path, *statements: str) -> None:
    """Change the file as somebody does who has it: triggers keep only the careless away."""
    with sqlite3.connect(path / DATABASE_NAME) as connection:
        for what in ("update", "delete"):
            connection.execute(f"DROP TRIGGER IF EXISTS audit_no_{what}")
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_a_log_that_nobody_touched_is_as_it_was(tmp_path: Path) -> None:
    assert NOTHING == Seal(0, "")
    written(tmp_path)
    first = seal_of(tmp_path)
    assert (LINES, 64) == (first.entry, len(first.digest))
    written(tmp_path)
    last = seal_of(tmp_path)
    assert 2 * LINES == last.entry
    assert "" == found(tmp_path)
    assert "" == found(tmp_path, first, last)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE audit SET address = '192.0.2.9' WHERE id = 5", "Line 5 of the audit log"),
        ("UPDATE audit SET at_ms = at_ms + 1 WHERE id = 1", "Line 1 of"),
        ('UPDATE audit SET "user" = NULL WHERE id = 12', "Line 12 of"),
        ("UPDATE audit SET detail = 'x' WHERE id = 12", "Line 12 of"),
        ("UPDATE audit SET action = 'x' WHERE id = 12", "Line 12 of"),
        ("UPDATE audit SET digest = x'00' WHERE id = 12", "Line 12 of"),
        ("DELETE FROM audit WHERE id = 1", "Lines 1 to 1 of the audit log are missing."),
        ("DELETE FROM audit WHERE id IN (4, 5, 6)", "Lines 4 to 6 of the audit log are missing."),
    ],
)
def test_what_the_chain_shows_by_itself(tmp_path: Path, statement: str, said: str) -> None:
    written(tmp_path)
    tampered(tmp_path, statement)
    assert said in found(tmp_path)


def test_what_only_the_record_shows(tmp_path: Path) -> None:
    """Whoever has the file can cut its end off, or write it anew: the chain is whole then."""
    written(tmp_path)
    seal = seal_of(tmp_path)
    earlier = Seal(3, "00" * 32)
    assert "Line 3 of the audit log, or one before it, is not what is on record." == found(
        tmp_path, earlier, seal
    )
    tampered(tmp_path, "DELETE FROM audit WHERE id > 9")
    assert "" == found(tmp_path)
    assert "The audit log ends at line 9; 12 lines are on record." == found(tmp_path, seal)

    # Made up to the same length: each line is right after the one before it, and not on record.
    written(tmp_path, 3)
    assert seal_of(tmp_path).entry == seal.entry
    assert "" == found(tmp_path)
    assert "Line 12 of the audit log" in found(tmp_path, seal)


def test_a_log_of_format_2_is_chained_when_it_is_opened(tmp_path: Path) -> None:
    written(tmp_path)
    with sqlite3.connect(tmp_path / DATABASE_NAME) as connection:
        rows = connection.execute("SELECT id, at_ms, user, action, detail, address FROM audit")
        lines = rows.fetchall()
        connection.executescript(FORMAT_2_AUDIT)
        connection.executemany("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?)", lines)
    connection.close()

    seal = seal_of(tmp_path)
    assert "" == found(tmp_path, seal)
    with sqlite3.connect(tmp_path / DATABASE_NAME) as connection:
        assert [(schema.FORMAT,)] == connection.execute("SELECT format FROM meta").fetchall()
        rows = connection.execute("SELECT id, at_ms, user, action, detail, address FROM audit")
        assert lines == rows.fetchall()
        with pytest.raises(sqlite3.IntegrityError, match="only added to"):
            connection.execute("DELETE FROM audit")
    connection.close()
    written(tmp_path, 1)
    assert LINES + 1 == seal_of(tmp_path).entry
    assert "" == found(tmp_path, seal)
