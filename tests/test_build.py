"""The two builds of the core: which one runs, and that an outdated one never does."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from lombard import _build

ROOT = Path(__file__).resolve().parents[1]
TOY = '''"""A toy."""


def triple(x: int) -> int:
    """Triple it."""
    return 3 * x
'''


@pytest.fixture
def core(tmp_path: Path) -> Path:
    """Make the core of a checkout of its own, with one module."""
    core = tmp_path / "src" / "lombard" / "core"
    core.mkdir(parents=True)
    for name in ["__init__.py", "_build.py", "core/__init__.py"]:
        shutil.copy(ROOT / "src" / "lombard" / name, core.parent / name)
    (core / "toy.py").write_text(TOY)
    return core


def stamp(core: Path, **changes: str) -> Path:
    """Pretend that the core has been compiled."""
    directory = _build.compiled_dir(core)
    directory.mkdir(parents=True)
    right = {"sources": _build.sources_hash(core), "interpreter": _build.INTERPRETER}
    (directory / _build.STAMP_NAME).write_text(json.dumps(right | changes))
    return directory


@pytest.mark.parametrize("choice", ["", "auto", "compiled"])
def test_a_compiled_core_is_taken(core: Path, choice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOMBARD_CORE", choice)
    directory = stamp(core)

    assert ("compiled", [f"{directory}/lombard/core", str(core)]) == _build.choose_core(core)


def test_the_sources_are_taken_when_asked_for(core: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOMBARD_CORE", "interpreted")
    stamp(core, sources="outdated")

    assert ("interpreted", [str(core)]) == _build.choose_core(core)


@pytest.mark.parametrize("interpreter", [None, ".cpython-399.so"])
def test_without_a_compiled_core_the_sources_are_taken_unless_it_was_asked_for(
    core: Path, interpreter: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if interpreter:
        stamp(core, interpreter=interpreter)

    monkeypatch.setenv("LOMBARD_CORE", "auto")
    assert ("interpreted", [str(core)]) == _build.choose_core(core)

    monkeypatch.setenv("LOMBARD_CORE", "compiled")
    with pytest.raises(ImportError, match="make compile"):
        _build.choose_core(core)


@pytest.mark.parametrize("choice", ["auto", "compiled"])
@pytest.mark.parametrize("change", ["edit", "add", "rename", "delete"])
def test_an_outdated_compiled_core_is_refused(
    core: Path, choice: str, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOMBARD_CORE", choice)
    stamp(core)
    toy = core / "toy.py"
    match change:
        case "edit":
            toy.write_text(TOY + "\n")
        case "add":
            (core / "more.py").write_text(TOY)
        case "rename":
            toy.rename(core / "game.py")
        case "delete":
            toy.unlink()

    with pytest.raises(ImportError, match="make compile"):
        _build.choose_core(core)


def test_an_unknown_choice_is_refused(core: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOMBARD_CORE", "fast")

    with pytest.raises(ImportError, match="auto, compiled, interpreted"):
        _build.choose_core(core)


def run(core: Path, *command: str, **changes: str) -> str:
    """Run this Python in the checkout of `core`; return what it printed."""
    checkout = core.parents[2]
    environ = os.environ | {"PYTHONPATH": str(checkout / "src")} | changes
    result = subprocess.run(
        [sys.executable, *command], cwd=checkout, env=environ, capture_output=True, text=True
    )
    assert (0, "") == (result.returncode, result.stderr)
    return result.stdout


ASK = "import lombard.core as c; from lombard.core.toy import triple; print(c.__impl__, triple(2))"


@pytest.mark.skipif(
    shutil.which((sysconfig.get_config_var("CC") or "cc").split()[0]) is None,
    reason="no C compiler",
)
def test_the_core_is_compiled_once_and_gives_the_same_results(core: Path) -> None:
    checkout = core.parents[2]
    (checkout / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "compile_core.py", checkout / "tools")
    shutil.copy(ROOT / "pyproject.toml", checkout)

    assert "Compiled the core" in run(core, "tools/compile_core.py")
    assert "up to date" in run(core, "tools/compile_core.py")

    assert "compiled 6\n" == run(core, "-c", ASK, LOMBARD_CORE="compiled")
    assert "interpreted 6\n" == run(core, "-c", ASK, LOMBARD_CORE="interpreted")


def test_without_a_c_compiler_the_core_runs_interpreted(core: Path) -> None:
    checkout = core.parents[2]
    (checkout / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "compile_core.py", checkout / "tools")
    stamp(core, sources="outdated")

    assert "there is no C compiler" in run(core, "tools/compile_core.py", CC="no-such-compiler")
    assert "interpreted 6\n" == run(core, "-c", ASK, LOMBARD_CORE="auto")
