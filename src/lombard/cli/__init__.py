"""The command line: `lombard …`, and how a process is put together."""

from lombard.cli.app import main

__all__ = ["main"]
