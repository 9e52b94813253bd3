"""The data directory: held by one process, made durably, newer ones refused, files left alone."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lombard.journal.lock import hold_directory, look_at_directory
from lombard.journal.port import JournalRefused

HOLDER = """
import sys
from pathlib import Path
from lombard.journal.lock import hold_directory
hold = hold_directory(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_directory_is_made_and_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"

    lock = hold_directory(path)

    assert "Lombard data directory, format 1\n" == (path / "format").read_text()
    assert f"{os.getpid()}\n" == (path / "lock").read_text()
    lock.release()
    lock.release()
    hold_directory(path).release()


@pytest.mark.parametrize("take", [hold_directory, look_at_directory])
def test_a_second_holder_is_refused(tmp_path: Path, take: type) -> None:
    lock = hold_directory(tmp_path)

    with pytest.raises(JournalRefused, match=f"is in use by process {os.getpid()}. Stop it first"):
        take(tmp_path)

    lock.release()
    take(tmp_path).release()


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout
        assert b"held\n" == holder.stdout.readline()
        with pytest.raises(JournalRefused, match=f"process {holder.pid}"):
            hold_directory(tmp_path)
        holder.kill()
        holder.wait()

    hold_directory(tmp_path).release()


def test_a_forked_child_that_leaves_holds_nothing(tmp_path: Path) -> None:
    lock = hold_directory(tmp_path)
    child = os.fork()
    if not child:
        lock.leave_in_child()
        time.sleep(60)
        os._exit(0)
    try:
        time.sleep(0.2)
        with pytest.raises(JournalRefused):
            hold_directory(tmp_path)
        lock.release()
        hold_directory(tmp_path).release()
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)


@pytest.mark.parametrize("take", [hold_directory, look_at_directory])
def test_a_newer_directory_is_refused(tmp_path: Path, take: type) -> None:
    (tmp_path / "format").write_text("Lombard data directory, format 2\n")

    with pytest.raises(JournalRefused, match="has format 2; this build reads formats up to 1"):
        take(tmp_path)

    (tmp_path / "format").write_text("")
    with pytest.raises(JournalRefused, match=r"is damaged\. Its one line should be 'Lombard data"):
        take(tmp_path)


def test_foreign_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "lost+found").mkdir()

    hold_directory(tmp_path).release()

    assert "mine" == (tmp_path / "notes.txt").read_text()
    assert {"notes.txt", "lost+found", "lock", "format"} == {e.name for e in tmp_path.iterdir()}


def test_a_look_writes_nothing(tmp_path: Path) -> None:
    look_at_directory(tmp_path).release()

    assert [] == list(tmp_path.iterdir())
    with pytest.raises(JournalRefused, match="There is no data directory"):
        look_at_directory(tmp_path / "none")


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(JournalRefused, match="cannot be used"):
        hold_directory(tmp_path / "file")


def test_a_lock_file_of_another_kind_names_its_process_too(tmp_path: Path) -> None:
    lock = hold_directory(tmp_path)
    (tmp_path / "lock").write_text('{"format":1,"pid":4242}')

    with pytest.raises(JournalRefused, match="process 4242"):
        hold_directory(tmp_path)

    (tmp_path / "lock").write_text("")
    with pytest.raises(JournalRefused, match="another process"):
        hold_directory(tmp_path)
    lock.release()
