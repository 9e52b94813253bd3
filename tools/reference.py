"""Write the tables of docs/reference from the code they are about.

    .venv/bin/python tools/reference.py            writes them
    .venv/bin/python tools/reference.py --check    says which are out of date, and fails

A table stands between two comments that name it. Its cells come from the code, but for the last
column of some tables, which a person writes: it is kept by what the first column says.
"""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import msgspec
from typer.main import get_command

from lombard.api import sandbox
from lombard.api.endpoints import ENDPOINTS
from lombard.api.errors import CODES, SENTENCES, STATUSES, Scene
from lombard.api.operator.endpoints import operator_endpoints
from lombard.api.ports import World
from lombard.api.socket.channels import CHANNELS
from lombard.api.socket.order_entry import ENTRIES
from lombard.api.socket.words import SENTENCES as SOCKET_SENTENCES
from lombard.api.table import Access, Counted, Endpoint
from lombard.cli.app import app
from lombard.cli.config import Config
from lombard.core.refusals import Refusal
from lombard.core.state import PARAMETERS

REFERENCE: Final = Path(__file__).resolve().parents[1] / "docs" / "reference"
Row = list[str]


class Table(NamedTuple):
    """A table of a page. The last of its `columns` is a person's if `written` is set."""

    page: str
    name: str
    columns: Row
    written: bool
    rows: Callable[[], list[Row]]


# --- endpoints ----------------------------------------------------------------------------------

GROUPS: Final[dict[str, str | tuple[str, ...]]] = {
    "margin-crossed": "/api/v2/margin/crossed/",
    "margin-isolated": "/api/v2/margin/isolated/",
    "spot-orders": "/api/v2/spot/trade/",
    "wallet": ("/api/v2/spot/wallet/", "/api/v2/spot/account/"),
    "identity": "/lombard/v1/identity/",
    "own": "/lombard/",
    "public": "/api/",
}


def group_of(endpoint: Endpoint) -> str:
    """Name the table an endpoint is listed in."""
    return next(name for name, start in GROUPS.items() if endpoint.path.startswith(start))


def endpoint_row(endpoint: Endpoint) -> Row:
    """Write the row of an endpoint."""
    who = endpoint.access.value
    if endpoint.permission is not None and endpoint.permission.name is not None:
        who = endpoint.permission.name.lower()
    rate = "not counted"
    if endpoint.per_second:
        counted = "address" if endpoint.counted is Counted.ADDRESS else "user"
        rate = f"{endpoint.per_second} / {counted}"
    return [f"{endpoint.method} `{endpoint.path}`", who, rate, parameters(endpoint)]


def parameters(endpoint: Endpoint) -> str:
    """List the parameters of an endpoint, in brackets those that may be left out."""
    names = [field.encode_name for field in msgspec.structs.fields(endpoint.request)]
    optional = [name for name in names if name not in endpoint.required]
    listed = [f"`{name}`" for name in endpoint.required]
    return " ".join(listed + [f"[`{name}`]" for name in optional]) or "–"


def endpoints_of(group: str) -> list[Row]:
    """List the endpoints of one table, in the code's order."""
    return [endpoint_row(endpoint) for endpoint in ENDPOINTS if group_of(endpoint) == group]


def sandbox_endpoints() -> list[Row]:
    """List the sandbox's own endpoints."""
    rows = sandbox.endpoints(cast(World, None))
    assert all(row.access is Access.LOCAL for row in rows)
    return [[f"{row.method} `{row.path}`", parameters(row)] for row in rows]


def operator_rows() -> list[Row]:
    """List the operators' endpoints, but for those that everybody has."""
    rows = [row for row in operator_endpoints() if row.access is Access.SIGNED]
    return [[f"{row.method} `{row.path}`", parameters(row)] for row in rows]


# --- errors -------------------------------------------------------------------------------------


def wordings() -> dict[str, list[Scene]]:
    """Group the parts of the wire by their first word: `crossed`, then `crossed repay`."""
    found: dict[str, list[Scene]] = {}
    for scene in Scene:
        found.setdefault(scene.value.split()[0], []).append(scene)
    return found


def code_rows() -> list[Row]:
    """List every error code with its status and sentence."""
    return [
        [f"`{code}`", str(STATUSES.get(code, 400)), sentence.replace("{0}", "…")]
        for code, sentence in sorted(SENTENCES.items(), key=lambda row: (int(row[0]), row[0]))
    ]


def refusal_rows() -> list[Row]:
    """List every refusal with its code in each part of the wire."""
    rows = []
    for refusal in Refusal:
        cells = [f"`{refusal.value}`"]
        for scenes in wordings().values():
            codes = dict.fromkeys(CODES[scene][refusal] for scene in scenes)
            cells.append(" ".join(f"`{code}`" for code in codes))
        rows.append(cells)
    return rows


# --- parameters, settings, command line ----------------------------------------------------------


def parameter_rows() -> list[Row]:
    """List the venue's named numbers."""
    return [
        [f"`{name}`", *(f"{number:,}".replace(",", " ") for number in bounds)]
        for name, bounds in PARAMETERS.items()
    ]


def setting_rows() -> list[Row]:
    """List the keys of a configuration file."""
    return [[f"`{key}`", default] for key, default in _settings(Config, "")]


def _settings(table: type[msgspec.Struct], prefix: str) -> Iterator[tuple[str, str]]:
    for field in msgspec.structs.fields(table):
        key = prefix + field.encode_name
        if isinstance(field.default, msgspec.Struct):
            yield from _settings(type(field.default), key + ".")
        else:
            default = field.default
            if callable(field.default_factory):
                default = field.default_factory()
            needed = default is msgspec.NODEFAULT
            shown = "required" if needed else f"`{msgspec.json.encode(default).decode()}`"
            yield key, shown


def commands() -> dict[str, Any]:
    """Return the commands of the command line by name."""
    group: Any = get_command(app)
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        # A group's commands are named after it.
        below = getattr(command, "commands", None)
        if below is None:
            found[name] = command
        else:
            found |= {f"{name} {each}": one for each, one in below.items()}
    return found


def option_rows(command: str) -> list[Row]:
    """List the arguments and options of a command."""
    rows = []
    for param in commands()[command].params:
        names = [*param.opts, *param.secondary_opts]
        name = "/".join(names) if names[0].startswith("-") else param.name.upper()
        default = "–"
        if param.required:
            default = "required"
        elif param.default not in (None, False):
            default = f"`{param.default}`"
        rows.append([f"`{name}`", default, param.help or ""])
    return rows


# --- the WebSocket ------------------------------------------------------------------------------


def channel_rows(private: bool) -> list[Row]:
    """List the channels of one of the two addresses."""
    rows = []
    for channel in CHANNELS.values():
        if channel.private != private:
            continue
        values = ["a symbol"] * channel.of_pair + ["`default`"] * channel.of_all
        about = f"{channel.about}; Lombard's own" if channel.ours else channel.about
        rows.append(
            [
                channel.inst_type,
                f"`{channel.name}`",
                f"`{channel.named_by}`: {' or '.join(values)}",
                about,
                channel.first,
                channel.pushes,
            ]
        )
    return rows


def entry_rows() -> list[Row]:
    """List what may be sent with `trade`."""
    return [
        [inst_type, f"`{channel}`", f"`{row.path}`"]
        for (inst_type, channel), row in ENTRIES.items()
    ]


def socket_code_rows() -> list[Row]:
    """List the codes that only the WebSocket has."""
    return [[f"`{code}`", sentence] for code, sentence in sorted(SOCKET_SENTENCES.items())]


# --- tables -------------------------------------------------------------------------------------


def tables() -> list[Table]:
    """List every table there is."""
    called = ["call", "key", "a second", "parameters", "what it does"]
    found = [Table("api.md", group, called, True, partial(endpoints_of, group)) for group in GROUPS]
    found += [
        Table(
            "sandbox.md", "calls", ["call", "parameters", "what it does"], True, sandbox_endpoints
        ),
        Table(
            "operator.md",
            "operator-calls",
            ["call", "parameters", "what it does"],
            True,
            operator_rows,
        ),
        Table("errors.md", "codes", ["code", "HTTP", "sentence"], False, code_rows),
        Table(
            "errors.md", "refusals", ["refusal", *wordings(), "what it means"], True, refusal_rows
        ),
        Table(
            "parameters.md",
            "parameters",
            ["name", "default", "least", "most", "what it is"],
            True,
            parameter_rows,
        ),
        Table("cli.md", "settings", ["key", "default", "what it is"], True, setting_rows),
    ]
    channel = ["instType", "channel", "about", "what it tells", "first", "then"]
    found += [
        Table("websocket.md", "public", channel, False, partial(channel_rows, False)),
        Table("websocket.md", "private", channel, False, partial(channel_rows, True)),
        Table("websocket.md", "entries", ["instType", "channel", "as"], False, entry_rows),
        Table("websocket.md", "codes", ["code", "sentence", "when"], True, socket_code_rows),
    ]
    options = ["argument or option", "default", "what it is"]
    for command in commands():
        found.append(Table("cli.md", command, options, False, partial(option_rows, command)))
    return found


def begin(table: Table) -> str:
    """Return the comment before a table."""
    return f"<!-- begin {table.name}: made by tools/reference.py -->"


def end(table: Table) -> str:
    """Return the comment after a table."""
    return f"<!-- end {table.name} -->"


def render(table: Table, before: list[Row]) -> str:
    """Write a table; `before` are the rows that stand there, with what a person wrote."""
    rows = table.rows()
    if table.written:
        kept = {cells[0]: cells[-1] for cells in before if len(cells) == len(table.columns)}
        rows = [[*cells, kept.get(cells[0], "")] for cells in rows]
    if not rows:
        return ""
    ruler = ["---"] * len(table.columns)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (table.columns, ruler, *rows))


def rows_in(text: str) -> list[Row]:
    """Read the rows of a table that stands in a page, but for its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line[1:-1].split(" | ")] for line in lines[2:]]


def renewed(text: str, table: Table) -> str:
    """Return a page with a table made anew. Raises `ValueError` when the page has no place."""
    head, mark, rest = text.partition(begin(table) + "\n")
    body, tail_mark, tail = rest.partition(end(table))
    if not (mark and tail_mark):
        raise ValueError(f"{table.page} has no place for the table {table.name}")
    return head + mark + render(table, rows_in(body)) + tail_mark + tail


def main(check: bool) -> int:
    """Write every table, or say which are out of date."""
    stale = 0
    for table in tables():
        path = REFERENCE / table.page
        text = path.read_text("utf-8")
        fresh = renewed(text, table)
        if fresh != text:
            stale += 1
            print(f"{'out of date' if check else 'written'}: {table.name} in {path.name}")
            if not check:
                path.write_text(fresh, "utf-8")
    return int(check and stale > 0)


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
