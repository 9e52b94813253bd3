"""Files that are there after a power cut: whole or not at all.

A new or renamed name lasts once its directory is synced; contents last once the file is.
"""

import os
from pathlib import Path
from typing import Final

TEMPORARY_SUFFIX: Final = ".new"


def sync_data(fd: int) -> None:
    """Wait until an open file's data has reached the disk."""
    if hasattr(os, "fdatasync"):
        os.fdatasync(fd)
    else:  # pragma: no cover (macOS)
        os.fsync(fd)


def sync_file(path: Path) -> None:
    """Wait until a file's data has reached the disk."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_directory(path: Path) -> None:
    """Wait until the names in a directory have reached the disk."""
    sync_file(path)


def make_directory(path: Path) -> None:
    """Make a directory and its parents where missing, durably."""
    missing = []
    while not path.is_dir():
        missing.append(path)
        path = path.parent
    for directory in reversed(missing):
        directory.mkdir(exist_ok=True)
        sync_directory(directory.parent)


def write_file(path: Path, content: bytes) -> None:
    """Give a file new content: after a power cut it holds the old or the new, never a part."""
    temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    replace_file(temporary, path)


def replace_file(temporary: Path, path: Path) -> None:
    """Move a synced file to its place, durably."""
    temporary.replace(path)
    sync_directory(path.parent)
