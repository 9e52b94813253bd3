"""The state machine: what the exchange is, with neither clock, network nor disk.

The same sources run interpreted or compiled; `__impl__` says which of the two this process runs.
"""

from pathlib import Path
from typing import Final

from lombard._build import choose_core

_impl, __path__ = choose_core(Path(__file__).resolve().parent)
__impl__: Final = _impl
