"""The form of the house, read from its syntax trees (what ruff and mypy do not know).

A complaint names the place and what to write instead. The checks take text and are themselves
tested at the end.
"""

import ast
import io
import re
import tokenize
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SRC = ROOT / "src"
CORE = SRC / "lombard" / "core"

FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 500
# Decision tables, which are easier to read in one piece: "lombard/core/book.py:name" and why.
LONG_FUNCTIONS: dict[str, str] = {}

# What the core may import. `core/__init__.py` is not of the core: it only chooses the build.
CORE_IMPORTS = {
    "__future__",
    "bisect",
    "collections",
    "collections.abc",
    "enum",
    "hashlib",
    "heapq",
    "json",
    "mypy_extensions",
    "typing",
}
INSTEAD_OF_IMPORT = {
    "datetime": "the envelope's `time_ms`",
    "decimal": "`int`, with the scale in the name (`_units`)",
    "fractions": "`int`, with the scale in the name (`_units`)",
    "math": "`from math import isqrt`; everything else in it is float",
    "random": "a draw that arrives inside the command",
    "secrets": "a draw that arrives inside the command",
    "time": "the envelope's `time_ms`",
    "uuid": "an id counted in the state",
}
INSTEAD_OF_NAME = {
    "Decimal": "`int`, with the scale in the name (`_units`)",
    "complex": "`int`, with the scale in the name (`_units`)",
    "eval": "code",
    "float": "`int`, with the scale in the name (`_units`)",
    "hash": "`hashlib`: `hash` differs between runs",
    "id": "an id counted in the state: `id` differs between runs",
    "input": "a field of the command",
    "open": "a caller outside the core",
    "print": "an event",
}
# What looks at a set in its order, which differs between runs and machines. `sorted` may.
ORDER_SEEING = {"dict", "enumerate", "iter", "list", "map", "next", "reversed", "tuple", "zip"}

Complaint = tuple[int, str]
Function = ast.FunctionDef | ast.AsyncFunctionDef


# --- checks ------------------------------------------------------------------------------------


def banned_in_core(tree: ast.Module) -> Iterator[Complaint]:
    """Yield what would make the core depend on more than its commands, or money on floats."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) if name in INSTEAD_OF_NAME:
                yield node.lineno, f"`{name}`: use {INSTEAD_OF_NAME[name]}"
            case ast.Constant(value=float() | complex()):
                yield node.lineno, f"`{node.value!r}`: use an `int`, with the scale in the name"
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                yield node.lineno, "`/` gives a float: use `//` or a helper that names its rounding"
            case ast.Import(names=names):
                for alias in names:
                    yield from foreign_import(node.lineno, alias.name)
            case ast.ImportFrom(module=module, names=names, level=0):
                if module == "math" and all(alias.name == "isqrt" for alias in names):
                    continue
                yield from foreign_import(node.lineno, module or "")
            case ast.ImportFrom():
                yield node.lineno, "a relative import: use `lombard.core...`"


def foreign_import(line: int, module: str) -> Iterator[Complaint]:
    if module in CORE_IMPORTS or module == "lombard.core" or module.startswith("lombard.core."):
        return
    instead = INSTEAD_OF_IMPORT.get(module.split(".")[0], "nothing outside the core")
    yield line, f"import of `{module}`: use {instead}"


def is_set(node: ast.expr | None, names: frozenset[str]) -> bool:
    """Say whether an expression is a set for certain, `names` being those known to be sets."""
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id="set" | "frozenset")):
            return True
        case ast.Name(id=name):
            return name in names
        case ast.Attribute(attr=name):
            return "." + name in names
        case ast.BinOp(left=left, op=ast.BitOr() | ast.BitAnd() | ast.Sub() | ast.BitXor()):
            return is_set(left, names)
        case ast.BoolOp(values=values):
            return any(is_set(value, names) for value in values)
    return False


def set_names(tree: ast.Module) -> frozenset[str]:
    """Collect the names, and `.attributes`, that this module annotates or makes as sets only."""
    sets: set[str] = set()
    others: set[str] = set()

    def note(target: ast.expr | ast.arg, known_set: bool) -> None:
        match target:
            case ast.Name(id=name) | ast.arg(arg=name):
                (sets if known_set else others).add(name)
            case ast.Attribute(attr=name):
                (sets if known_set else others).add("." + name)

    for node in ast.walk(tree):
        match node:
            case ast.AnnAssign(annotation=annotation, value=value):
                note(node.target, is_set_type(annotation) or is_set(value, frozenset()))
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    note(target, is_set(value, frozenset()))
            case ast.arg(annotation=ast.expr() as annotation):
                note(node, is_set_type(annotation))
    return frozenset(sets - others)


def is_set_type(annotation: ast.expr) -> bool:
    text = ast.unparse(annotation)
    return re.match(r"(Final\[)?(Abstract|Mutable|frozen)?[sS]et\b", text) is not None


def set_iteration(tree: ast.Module) -> Iterator[Complaint]:
    """Yield where the order of a set is looked at."""
    names = set_names(tree)
    instead = "looks at a set in its order: use a dict or list, or `sorted(...)`"
    for node in ast.walk(tree):
        match node:
            case ast.For(iter=over) | ast.Starred(value=over) if is_set(over, names):
                yield node.lineno, f"`{ast.unparse(over)}` {instead}"
            case ast.comprehension(iter=over) if is_set(over, names):
                yield over.lineno, f"`{ast.unparse(over)}` {instead}"
            case ast.Call(func=ast.Name(id=called), args=args) if called in ORDER_SEEING:
                if any(is_set(arg, names) for arg in args):
                    yield node.lineno, f"`{ast.unparse(node)}` {instead}"
            case ast.Call(func=ast.Attribute(attr="join" | "extend" | "fromkeys"), args=args):
                if any(is_set(arg, names) for arg in args):
                    yield node.lineno, f"`{ast.unparse(node)}` {instead}"
            case ast.Call(func=ast.Attribute(value=owner, attr="pop"), args=[]):
                if is_set(owner, names):
                    yield node.lineno, f"`{ast.unparse(node)}` {instead}"


def lines_of(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def long_functions(tree: ast.Module) -> Iterator[tuple[int, str, int]]:
    """Yield line, name and length of the functions that are too long."""
    for node in ast.walk(tree):
        if isinstance(node, Function) and lines_of(node) > FUNCTION_LINES_MAX:
            yield node.lineno, node.name, lines_of(node)


def undocumented(tree: ast.Module) -> Iterator[Complaint]:
    """Yield the module, and its public classes and functions, that have no docstring."""
    if not ast.get_docstring(tree):
        yield 1, "the module says nothing: give it a docstring, the idea in the domain's words"
    for node in tree.body:
        if not isinstance(node, ast.ClassDef | Function) or node.name.startswith("_"):
            continue
        if not ast.get_docstring(node):
            yield node.lineno, f"`{node.name}` has no docstring: one imperative sentence will do"


def loose_ends(text: str) -> Iterator[Complaint]:
    """Yield the comments that postpone something to no issue."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT:
            continue
        for match in re.finditer(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\))", token.string):
            yield token.start[0], f"{match[1]} without an issue: write `{match[1]}(#12)`, or do it"


def imported_by(tree: ast.Module, module: str, is_package: bool) -> Iterator[str]:
    """Yield what a module imports, by full name; a name imported from a package may be a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = module.split(".")
            base = base[: len(base) - node.level + is_package] if node.level else []
            parent = ".".join([*base, *([node.module] if node.module else [])])
            yield parent
            yield from (f"{parent}.{alias.name}" for alias in node.names)


# --- the house -----------------------------------------------------------------------------------


def files(*directories: Path) -> list[Path]:
    return sorted(path for directory in directories for path in directory.rglob("*.py"))


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def complaints(check: Callable[[ast.Module], Iterator[Complaint]], paths: list[Path]) -> str:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {what}"
        for path in paths
        for line, what in check(parse(path))
    ]
    return "\n".join(found)


def core_files() -> list[Path]:
    return [path for path in files(CORE) if path != CORE / "__init__.py"]


@pytest.mark.parametrize("check", [banned_in_core, set_iteration])
def test_the_core_depends_on_its_commands_only(
    check: Callable[[ast.Module], Iterator[Complaint]],
) -> None:
    assert complaints(check, core_files()) == ""


def test_what_is_public_is_documented() -> None:
    assert complaints(undocumented, files(SRC)) == ""


def test_functions_are_short() -> None:
    found = {
        f"{path.relative_to(SRC)}:{name}": f"{path.relative_to(ROOT)}:{line}: `{name}` has "
        f"{length} lines: split it, the most is {FUNCTION_LINES_MAX}"
        for path in files(SRC)
        for line, name, length in long_functions(parse(path))
    }

    assert "\n".join(found[name] for name in found if name not in LONG_FUNCTIONS) == ""
    assert [name for name in LONG_FUNCTIONS if name not in found] == [], "no longer exempt"


def test_files_are_short() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in files(SRC)}
    found = [
        f"{path.relative_to(ROOT)}:{length}: a file of {length} lines: split it by idea, the most "
        f"is {FILE_LINES_MAX}"
        for path, length in lengths.items()
        if length > FILE_LINES_MAX
    ]
    assert "\n".join(found) == ""


def test_what_is_postponed_has_an_issue() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {what}"
        for path in files(SRC, ROOT / "tests", ROOT / "tools", ROOT / "bench")
        for line, what in loose_ends(path.read_text())
    ]
    assert "\n".join(found) == ""


def test_every_module_is_used() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["scripts"], *project.get("entry-points", {}).values()]
    used = {target.split(":")[0] for group in groups for target in group.values()}
    modules: dict[str, Path] = {}
    for path in files(SRC):
        is_package = path.name == "__init__.py"
        parts = path.relative_to(SRC).with_suffix("").parts
        name = ".".join(parts[:-1] if is_package else parts)
        used.update(imported_by(parse(path), name, is_package))
        # Migrations are Alembic's to load.
        if not is_package and parts[-1] != "__main__" and "migrations" not in parts:
            modules[name] = path

    dead = [
        f"{path.relative_to(ROOT)}:1: nothing in the package imports `{name}`: use it or delete it"
        for name, path in modules.items()
        if name not in used
    ]
    assert "\n".join(dead) == ""


# --- the checks themselves -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "x = float('1')",
        "def f(x: float) -> None: ...",
        "x = 1.5",
        "x = 1e8",
        "x = a / b",
        "x /= 2",
        "import time",
        "import random",
        "from time import time",
        "from datetime import datetime",
        "from decimal import Decimal",
        "from math import isqrt, sqrt",
        "import math",
        "import os.path",
        "from lombard.journal import codec",
        "from . import units",
        "x = hash('a')",
    ],
)
def test_a_ban_is_seen(text: str) -> None:
    assert [1] == [line for line, _ in banned_in_core(ast.parse(text))]


@pytest.mark.parametrize(
    "text",
    [
        "import heapq",
        "from math import isqrt",
        "from collections.abc import Iterator",
        "from lombard.core import units",
        "from lombard.core.units import div_up",
        "x = a // b",
        "x = 10**8",
    ],
)
def test_what_is_not_banned_is_let_through(text: str) -> None:
    assert [] == list(banned_in_core(ast.parse(text)))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("for x in {1, 2}: ...", [1]),
        ("for x in set(y): ...", [1]),
        ("x = [y for y in frozenset(z)]", [1]),
        ("x: set[int] = y\nfor z in x: ...", [2]),
        ("class A:\n  def f(self) -> None:\n    self.x = set()\n    y = list(self.x)", [4]),
        ("def f(x: frozenset[int]) -> None:\n  y = tuple(x)", [2]),
        ("x = set()\ny = x.pop()", [2]),
        ("x = {1}\ny = [*x]", [2]),
        ("x = {1}\ny = [z for z in x | {2}]", [2]),
        ("for x in sorted({1, 2}): ...", []),
        ("x = {1}\ny = 1 in x and len(x)", []),
        ("x = {1: 2}\nfor y in x: ...\nz = list(x)", []),
        ("def f(x: list[int]) -> None:\n  for y in x: ...", []),
    ],
)
def test_the_order_of_a_set_is_seen(text: str, lines: list[int]) -> None:
    assert lines == [line for line, _ in set_iteration(ast.parse(text))]


def test_a_long_function_is_seen() -> None:
    body = "  x = 1\n" * FUNCTION_LINES_MAX
    assert [(1, "f", 61)] == list(long_functions(ast.parse("def f():\n" + body)))
    assert [] == list(long_functions(ast.parse("def f():\n" + body.replace("  x = 1\n", "", 1))))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("def f(): ...", [1, 1]),
        ('"""Why."""\nclass A: ...', [2]),
        ('"""Why."""\ndef _f(): ...', []),
        ('"""Why."""\nasync def f():\n  """Do."""', []),
    ],
)
def test_a_missing_docstring_is_seen(text: str, lines: list[int]) -> None:
    assert lines == [line for line, _ in undocumented(ast.parse(text))]


def test_a_loose_end_is_seen() -> None:
    word = "TO" + "DO"
    assert [1] == [line for line, _ in loose_ends(f"x = 1  # {word}: later\n")]
    assert [] == list(loose_ends(f"x = 1  # {word}(#12): later\n"))
    assert [] == list(loose_ends(f"x = '{word}'\n"))


@pytest.mark.parametrize(
    ("text", "module", "is_package", "imported"),
    [
        ("import a.b", "m", False, ["a.b"]),
        ("from a.b import c", "m", False, ["a.b", "a.b.c"]),
        ("from . import c", "a.m", False, ["a", "a.c"]),
        ("from .b import c", "a", True, ["a.b", "a.b.c"]),
        ("from ..b import c", "a.n.m", False, ["a.b", "a.b.c"]),
    ],
)
def test_imports_are_followed(
    text: str, module: str, is_package: bool, imported: list[str]
) -> None:
    assert imported == list(imported_by(ast.parse(text), module, is_package))
