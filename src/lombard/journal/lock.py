"""The data directory: made durably, held by one process, read only by builds that know its format.

The lock is the kernel's, on the file `lock`: it is gone the moment its holder is, however that
ended. Files that are not Lombard's are left alone.
"""

import fcntl
import os
import re
import time
from pathlib import Path
from typing import Final, final

from lombard.journal.files import make_directory, write_file
from lombard.journal.port import JournalRefused

FORMAT: Final = 1
# How long the children of a node that was killed may take to end: what they do is a write.
WAIT_S_MAX: Final = 10.0
WAIT_S: Final = 0.01
_SENTENCE: Final = "Lombard data directory, format %d\n"


@final
class DirectoryLock:
    """The hold on a data directory. Let go with `release`, or by the end of the process."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    @property
    def fd(self) -> int:
        """The descriptor that holds it; a child that keeps it holds the directory as well."""
        return self._fd

    def release(self) -> None:
        """Let another process have the directory; releasing twice is fine."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def leave_in_child(self) -> None:
        """Drop a forked child's share, or the directory stays held until that child ends too."""
        self.release()


def hold_directory(path: Path) -> DirectoryLock:
    """Make a data directory if need be, and hold it.

    Raises `JournalRefused` when another process holds it, its format is newer, or it cannot be
    used.
    """
    try:
        make_directory(path)
        fd = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as fault:
        raise JournalRefused(
            f"The data directory {path} cannot be used: {fault.strerror}."
        ) from fault
    try:
        _lock(fd, path)
        check_format(path)
        if not (path / "format").exists():
            write_file(path / "format", (_SENTENCE % FORMAT).encode())
        os.ftruncate(fd, 0)
        os.pwrite(fd, b"%d\n" % os.getpid(), 0)
    except BaseException:
        os.close(fd)
        raise
    return DirectoryLock(fd)


def look_at_directory(path: Path) -> DirectoryLock:
    """Hold an existing directory, writing nothing into it; raises `JournalRefused` as above."""
    if not path.is_dir():
        raise JournalRefused(f"There is no data directory {path}.")
    check_format(path)
    try:
        fd = os.open(path / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        # No node has ever held it.
        return DirectoryLock(-1)
    try:
        _lock(fd, path)
    except BaseException:
        os.close(fd)
        raise
    return DirectoryLock(fd)


def check_format(path: Path) -> None:
    """Refuse a directory that a newer build has written."""
    try:
        text = (path / "format").read_bytes()
    except FileNotFoundError:
        return
    found = re.fullmatch(rb"Lombard data directory, format (\d{1,9})\n", text)
    if not found:
        raise JournalRefused(
            f"The file {path / 'format'} is damaged. Its one line should be "
            f"'{(_SENTENCE % FORMAT).strip()}'."
        )
    if int(found[1]) > FORMAT:
        raise JournalRefused(
            f"The data directory {path} has format {int(found[1])}; this build reads formats up "
            f"to {FORMAT}. Run the version of Lombard that wrote it, or a newer one."
        )


def _lock(fd: int, path: Path) -> None:
    """Take the kernel's lock; wait for it when who wrote his name into the file is no more."""
    until_s = time.monotonic() + WAIT_S_MAX
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as fault:
            found = re.search(rb"(\d+)\D*\Z", os.pread(fd, 100, 0))
            pid = int(found[1]) if found else 0
            if pid and not _is_running(pid) and time.monotonic() < until_s:
                time.sleep(WAIT_S)
                continue
            who = f"process {pid}" if pid else "another process"
            raise JournalRefused(
                f"The data directory {path} is in use by {who}. Stop it first, or choose another "
                "directory."
            ) from fault
        return


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
