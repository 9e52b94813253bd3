"""Which build of the core runs: its sources as they are, or the same sources compiled.

`make compile` puts the compiled core into `build/compiled` with a stamp beside it that says from
which sources, and for which interpreter, it was made. `LOMBARD_CORE` chooses: `interpreted`,
`compiled`, or `auto` (compiled where there is one for this interpreter). A compiled core of other
sources than those in the checkout never runs: that is an `ImportError` which says what to do.
"""

import hashlib
import json
import os
import sysconfig
from pathlib import Path
from typing import Final

CHOICES: Final = ("auto", "compiled", "interpreted")
STAMP_NAME: Final = "stamp.json"
INTERPRETER: Final = str(sysconfig.get_config_var("EXT_SUFFIX"))


def sources(source_dir: Path) -> list[Path]:
    """List the modules of the core that are compiled: all but `__init__.py`."""
    return sorted(path for path in source_dir.glob("*.py") if path.name != "__init__.py")


def sources_hash(source_dir: Path) -> str:
    """Hash the names and contents of the modules of the core."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sources(source_dir):
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def compiled_dir(source_dir: Path) -> Path:
    """Name the directory of the compiled core of a checkout; it need not exist."""
    return source_dir.parents[2] / "build" / "compiled"


def read_stamp(directory: Path) -> dict[str, str]:
    """Read what a compiled core was made from and for; empty when there is none."""
    try:
        stamp: dict[str, str] = json.loads((directory / STAMP_NAME).read_text())
    except FileNotFoundError:
        return {}
    return stamp


def choose_core(source_dir: Path) -> tuple[str, list[str]]:
    """Decide between the builds: `compiled` or `interpreted`, and where its modules are found.

    Raises `ImportError` when the build that was asked for cannot run.
    """
    choice = os.environ.get("LOMBARD_CORE") or "auto"
    if choice not in CHOICES:
        raise ImportError(f"LOMBARD_CORE is {choice!r}; it may be one of {', '.join(CHOICES)}.")

    interpreted = ("interpreted", [str(source_dir)])
    if choice == "interpreted":
        return interpreted

    directory = compiled_dir(source_dir)
    stamp = read_stamp(directory)
    if stamp.get("interpreter") != INTERPRETER:
        if choice == "auto":
            return interpreted
        fault = "is for another interpreter" if stamp else "is missing"
        raise ImportError(
            f"LOMBARD_CORE=compiled, but the compiled core {fault} ({directory}). "
            "Make it with `make compile`, or set LOMBARD_CORE=interpreted."
        )
    if stamp["sources"] != sources_hash(source_dir):
        raise ImportError(
            f"The sources of the core have changed since it was compiled ({directory}). "
            "Compile it again with `make compile`, or set LOMBARD_CORE=interpreted."
        )
    return "compiled", [str(directory / "lombard" / "core"), str(source_dir)]
