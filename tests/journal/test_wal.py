"""What SQLite's log says about its end agrees with what SQLite makes of it."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from lombard.journal.wal import FRAME_BYTES, HEADER_BYTES, LogEnd, log_end

PAGE_BYTES = 512
FRAME = FRAME_BYTES + PAGE_BYTES


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A database with a log of ten commits, as a killed process leaves it."""
    path = tmp_path / "live.sqlite"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE t (x)")
    # Two rounds: the log is begun again over the pages of the first.
    for _ in range(20):
        connection.execute("INSERT INTO t VALUES (zeroblob(700))")
    connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
    for _ in range(10):
        connection.execute("INSERT INTO t VALUES (zeroblob(700))")
    image = tmp_path / "image.sqlite"
    shutil.copy(path, image)
    shutil.copy(f"{path}-wal", f"{image}-wal")
    connection.close()
    return image


def rows(image: Path) -> int:
    """Count what SQLite finds, without changing the image."""
    connection = sqlite3.connect(f"file:{image}?mode=ro", uri=True)
    (count,) = connection.execute("SELECT count(*) FROM t").fetchone()
    connection.close()
    return int(count)


def test_a_whole_log_ignores_nothing(image: Path) -> None:
    end = log_end(Path(f"{image}-wal"))

    assert 30 == rows(image)
    assert end.committed > 10
    assert 0 == end.ignored


def test_no_log_ignores_nothing(tmp_path: Path) -> None:
    assert LogEnd(0, 0) == log_end(tmp_path / "none")
    (tmp_path / "empty").write_bytes(b"")
    assert LogEnd(0, 0) == log_end(tmp_path / "empty")


def test_cuts_and_changes_are_reported_when_sqlite_ignores_something(image: Path) -> None:
    log = Path(f"{image}-wal")
    whole = log.read_bytes()
    pages = log_end(log).committed
    used = HEADER_BYTES + pages * FRAME
    seen = set()
    for at in range(0, used, 37):
        for content in (
            whole[:at],
            whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :],
        ):
            log.write_bytes(content)
            end = log_end(log)
            found = rows(image)
            seen.add(found)
            # Every commit of this log wrote a row; a cut on a commit's border looks like its end.
            assert end.committed <= pages
            if len(content) == len(whole):
                assert end.ignored > 0, at
            assert (found == 30) == (end.committed == pages), at
    assert {20, 25} <= seen


def test_a_partly_written_commit_is_reported(image: Path) -> None:
    log = Path(f"{image}-wal")
    whole = log.read_bytes()
    pages = log_end(log).committed
    log.write_bytes(whole[: HEADER_BYTES + (pages - 1) * FRAME + 100])

    end = log_end(log)

    assert 29 == rows(image)
    assert end.ignored >= 1
    assert f"{end.ignored} pages after the {end.committed} of its last whole" in end.sentence
