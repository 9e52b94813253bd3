"""Compile the core with mypyc into build/compiled, unless what is there is up to date.

Without a C compiler it says so and succeeds: the core then runs interpreted, with the same
results. A core that mypyc refuses is an error.
"""

import fcntl
import json
import os
import shlex
import shutil
import sys
import sysconfig
import time
from importlib.metadata import version
from pathlib import Path

from setuptools import Distribution

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from lombard import _build  # noqa: E402

OPT_LEVEL = "3"
# Only the entry points of modules are called from outside. Were the rest visible too, every call
# within the core would take a detour through the linker's table, and none could be inlined.
POSIX_FLAGS = ["-fvisibility=hidden"]


def missing_for_c() -> str:
    """Say what is missing to compile C for this interpreter; empty when nothing is."""
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[0]
    if shutil.which(compiler) is None:
        return f"there is no C compiler here ({compiler})"
    header = Path(sysconfig.get_path("include")) / "Python.h"
    if not header.exists():
        return "the headers of this Python are not installed (Python.h)"
    return ""


def compile_into(target: Path, work: Path, modules: list[Path]) -> None:
    """Compile the modules as one group, whose shared library lives in `lombard.core` too."""
    from mypyc.build import mypycify  # slow to import, and mostly there is nothing to do

    python_version = f"{sys.version_info.major}.{sys.version_info.minor}"
    extensions = mypycify(
        [
            f"--python-version={python_version}",
            f"--cache-dir={work / 'cache'}",
            *(str(module.relative_to(ROOT)) for module in modules),
        ],
        opt_level=OPT_LEVEL,
        target_dir=str(work / "c"),
        group_name="lombard.core._group",
    )
    if os.name == "posix":
        for extension in extensions:
            extension.extra_compile_args += POSIX_FLAGS
    command = Distribution({"name": "lombard-core", "ext_modules": extensions}).get_command_obj(
        "build_ext"
    )
    command.build_lib = str(target)
    command.build_temp = str(work / "o")
    command.parallel = os.cpu_count() or 1
    command.ensure_finalized()
    command.run()


def replace_directory(fresh: Path, place: Path, work: Path) -> None:
    """Put `fresh` at `place`; whoever has the old files open keeps them."""
    if place.exists():
        place.rename(work / "old")
    fresh.rename(place)


def build(source_dir: Path) -> None:
    """Bring the compiled core up to date."""
    place = _build.compiled_dir(source_dir)
    stamp = {
        "sources": _build.sources_hash(source_dir),
        "interpreter": _build.INTERPRETER,
        "made_by": " ".join([f"mypyc {version('mypy')} -O{OPT_LEVEL}", *POSIX_FLAGS]),
    }
    if _build.read_stamp(place) == stamp:
        print("The compiled core is up to date.")
        return

    modules = _build.sources(source_dir)
    missing = missing_for_c()
    if missing or not modules:
        # An outdated build would only be refused when the core is imported.
        shutil.rmtree(place, ignore_errors=True)
        print(f"The core runs interpreted: {missing or 'it has no modules to compile'}.")
        return

    started = time.monotonic()
    print(f"Compiling the core ({len(modules)} modules, {stamp['made_by']}) ...", flush=True)
    work = place.parent / "compiling"
    shutil.rmtree(work, ignore_errors=True)
    fresh = work / "fresh"
    fresh.mkdir(parents=True)
    compile_into(fresh, work, modules)
    (fresh / _build.STAMP_NAME).write_text(json.dumps(stamp, indent=2) + "\n")
    replace_directory(fresh, place, work)
    shutil.rmtree(work)
    print(f"Compiled the core in {time.monotonic() - started:.0f} s.")


def main() -> None:
    """Build under a lock, so that two of us in one checkout do not meet."""
    os.chdir(ROOT)
    build_dir = ROOT / "build"
    build_dir.mkdir(exist_ok=True)
    with (build_dir / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        build(ROOT / "src" / "lombard" / "core")


if __name__ == "__main__":
    main()
