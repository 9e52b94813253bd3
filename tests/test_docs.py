"""The documentation says what the code does: tables, links, rule numbers, worked examples.

Tables that come from the code are made by `tools/reference.py`; run it when a test here says that
one is out of date, and write what is missing in its last column.
"""

import io
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from lombard.api.endpoints import ENDPOINTS
from lombard.core import commands as c
from lombard.core import events as e
from lombard.core import queries as q
from lombard.core.units import format_units
from tests.core.world import World
from tests.e2e.sandbox import Sandbox
from tools import reference
from tools.reference import Table

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)
# One rule, or the first of several: `RULES 4.3`, `RULES 10`, `RULES 1.3, 10`.
RULE = re.compile(r"RULES ((?:\d+(?:\.\d+)?(?:, | and | to |–)?)+)")


def text_of(path: Path) -> str:
    return path.read_text("utf-8")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


# --- tables -------------------------------------------------------------------------------------


def table_name(table: Table) -> str:
    return f"{table.page}:{table.name}"


@pytest.mark.parametrize("table", reference.tables(), ids=table_name)
def test_a_table_is_what_the_code_says(table: Table) -> None:
    text = text_of(reference.REFERENCE / table.page)

    assert reference.renewed(text, table) == text, "run tools/reference.py"
    if table.written and table.rows():
        body = text.partition(reference.begin(table))[2].partition(reference.end(table))[0]
        unwritten = [cells[0] for cells in reference.rows_in(body) if not cells[-1]]
        assert [] == unwritten


def test_every_endpoint_is_in_one_table() -> None:
    rows = [row[0] for group in reference.GROUPS for row in reference.endpoints_of(group)]

    assert sorted(f"{row.method} `{row.path}`" for row in ENDPOINTS) == sorted(rows)


def test_every_command_has_its_heading() -> None:
    headings = re.findall(r"^## lombard (.+)$", text_of(reference.REFERENCE / "cli.md"), re.M)

    assert list(reference.commands()) == headings


def test_a_table_keeps_what_a_person_wrote() -> None:
    table = Table("x.md", "x", ["name", "size", "why"], True, lambda: [["a", "2"], ["b", "3"]])
    page = f"{reference.begin(table)}\n| h | h | h |\n| - | - | - |\n| a | 1 | because |\n"

    fresh = reference.renewed(page + reference.end(table), table)

    assert [["a", "2", "because"], ["b", "3", ""]] == reference.rows_in(fresh)


# --- links and references -------------------------------------------------------------------------


def links_of(path: Path) -> Iterator[str]:
    for target in LINK.findall(CODE.sub("", text_of(path))):
        if "://" not in target:
            yield target


def anchors_of(path: Path) -> set[str]:
    """Name the headings of a page as links do."""
    headings = re.findall(r"^#+ (.+)$", text_of(path), re.M)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in links_of(page):
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        if not path.exists() or (anchor and anchor not in anchors_of(path)):
            broken.append(target)

    assert [] == broken


def test_every_page_can_be_found() -> None:
    found = {DOCS / "README.md"}
    queue = list(found)
    while queue:
        page = queue.pop()
        for target in links_of(page):
            path = (page.parent / target.partition("#")[0]).resolve()
            if path.suffix == ".md" and path not in found:
                found.add(path)
                queue.append(path)

    assert [] == sorted(named(page) for page in PAGES if DOCS in page.parents and page not in found)


def test_cited_rules_exist() -> None:
    text = text_of(DOCS / "rules.md")
    rules = set()
    for chapter, body in re.findall(r"^## (\d+)\..*?\n(.*?)(?=^## |\Z)", text, re.M | re.DOTALL):
        rules |= {chapter} | {f"{chapter}.{n}" for n in re.findall(r"^(\d+)\. ", body, re.M)}
    unknown = []
    for path in [*PAGES, *sorted(ROOT.glob("src/**/*.py")), *sorted(ROOT.glob("tests/**/*.py"))]:
        for cited in RULE.findall(text_of(path)):
            numbers = re.findall(r"\d+(?:\.\d+)?", cited)
            unknown += [f"{named(path)}: RULES {n}" for n in numbers if n not in rules]

    assert "4.3" in rules
    assert [] == unknown


def test_the_changelog_has_the_shape_agreed_on() -> None:
    headings = re.findall(r"^#+ (.+)$", text_of(ROOT / "CHANGELOG.md"), re.M)

    assert ["Changelog", "Unreleased"] == headings[:2]
    assert {"Safety And Performance", "Features", "Internals"} >= set(headings[2:5])


# --- the worked example of concepts/how-margin-works.md ------------------------------------------


class Story:
    """The account of that page, replayed; each number is looked up in its text."""

    def __init__(self) -> None:
        self.text = text_of(DOCS / "concepts" / "how-margin-works.md")
        self.world = World()
        self.world.tick("1 00:10")
        self.maker = self.world.spot(BTC="10", USDT="1000000")
        self.world.sell(self.maker, "BTCUSDT", "5", "20000")
        self.account = self.world.crossed(USDT="10000")

    def says(self, text: str) -> None:
        """Assert that the page has these words, wherever its lines break."""
        assert text in " ".join(self.text.split()), text

    def row(self, what: str, price: str) -> None:
        """Publish a price, and assert that the page has this moment's row."""
        self.world.price("BTC", price)
        risk = q.risk(self.world.state, self.account)
        values = [risk.net_e26, risk.debt_e26, risk.maintenance_e26]
        cells = [format_units(value // 10**18, 8) for value in values]
        ratio = format_units(risk.ratio_e6(), 6)
        assert f"| {what} | {price} | {' | '.join(cells)} | {ratio} |" in self.text

    def amount(self, units: int, coin: str) -> str:
        return f"**{format_units(units, 8)} {coin}**"


def test_how_margin_works_with_numbers() -> None:
    story = Story()
    world, account = story.world, story.account

    room = q.max_borrowable(world.state, account, world.coin("USDT").id)
    assert "leverage" == room.binding
    story.says(story.amount(room.units, "USDT"))
    world.ok(account, world.order("BTCUSDT", c.BUY, quote="20000", loan_type=c.AUTO_LOAN))
    story.says(story.amount(world.of_type(e.Borrowed)[0].units, "USDT"))
    story.says(story.amount(world.available(account, "BTC"), "BTC"))
    story.row("00:10, after the purchase", "20000")
    world.tick("1 02:30")
    story.row("02:30, after two full hours", "20000")
    assert 0 == q.max_transferable(world.state, account, world.coin("BTC").id)

    story.row("BTC falls", "11270")
    assert [] == world.of_type(e.MarginCalled)
    story.row("the call", "11250")
    assert 1 == len(world.of_type(e.MarginCalled))
    story.row("a cent above the line", "11011.58")
    assert not q.in_liquidation(world.state, account)
    story.row("liquidated", "11011.57")
    assert q.in_liquidation(world.state, account)

    world.buy(story.maker, "BTCUSDT", "5", "10900")
    events = world.liquidate()
    traded, repaid, fee = (
        next(event for event in events if isinstance(event, kind))
        for kind in (e.Traded, e.Repaid, e.LiquidationFeePaid)
    )
    assert isinstance(traded, e.Traded)
    assert isinstance(repaid, e.Repaid)
    assert isinstance(fee, e.LiquidationFeePaid)
    assert 1 == sum(isinstance(event, e.Traded) for event in events)
    story.says(f"sells {story.amount(traded.base_units, 'BTC')}")
    story.says(f"repays {story.amount(repaid.interest_units + repaid.principal_units, 'USDT')}")
    story.says(f"a fee of {story.amount(fee.units, 'BTC')}")
    story.says(f"leaves the account with {story.amount(world.available(account, 'BTC'), 'BTC')}")
    story.says(f"a debt of {story.amount(world.debt(account, 'USDT'), 'USDT')}")
    ratio = format_units(q.risk(world.state, account).ratio_e6(), 6)
    story.says(f"K ÷ N at **{ratio}**")


def test_how_margin_works_receipts() -> None:
    story = Story()
    world, account = story.world, story.account
    world.borrow(account, "USDT", "10000")
    world.tick("1 02:30")

    due = world.balance(account, "USDT").interest_units
    rows = [row for row in world.history if isinstance(row, e.InterestCharged)]
    rows += q.pending_interest(world.state, account)

    assert due == sum(row.units for row in rows)
    story.says(f"× 3 = {format_units(due, 8)}")
    story.says(", ".join(format_units(row.units, 8) for row in rows))


def test_how_margin_works_transfer() -> None:
    story = Story()
    world = story.world
    account = world.crossed(USDT="700")
    world.rate("USDT", "0")
    world.tick("1 01:00")
    world.borrow(account, "USDT", "300")

    units = q.max_transferable(world.state, account, world.coin("USDT").id)

    story.says(f"**{format_units(units, 8)}** may go")


@pytest.mark.parametrize("golden", ["0.15784875", "0.00014583", "three hours", "four hours"])
def test_how_margin_works_golden_numbers(golden: str) -> None:
    # The numbers themselves are tested in tests/core/test_interest_golden.py.
    Story().says(golden)


# --- pages that are run --------------------------------------------------------------------------

# With the arguments that the page tells its reader to start the sandbox with.
TOURS = {
    "README.md": ["--clock", "manual", "--start", "2026-01-01T00:10:00Z"],
    "docs/tutorials/a-first-loan.md": [
        *("--clock", "manual", "--market", "none"),
        *("--start", "2025-12-31T23:00:00Z"),
    ],
    "docs/tutorials/a-liquidation.md": [
        *("--clock", "manual", "--market", "none"),
        *("--start", "2026-01-01T00:00:00Z"),
    ],
}


def blocks_of(path: Path) -> list[tuple[str, str]]:
    """Return the pieces of Python of a page, each with what it is said to print."""
    found = re.findall(r"```(python|text)\n(.*?)```", text_of(path), re.DOTALL)
    blocks: list[tuple[str, str]] = []
    for kind, body in found:
        if kind == "python":
            blocks.append((body, ""))
        else:
            blocks[-1] = (blocks[-1][0], body)
    return blocks


def run_page(path: Path, sandbox: Sandbox) -> list[str]:
    """Run the Python of a page in one go, as its reader would; return what each piece prints."""
    keys = re.findall(r"(?:apiKey|secretKey|passphrase) +(\S+)", sandbox.log)
    assert 3 == len(keys)
    names: dict[str, object] = {}
    printed = []
    for code, _ in blocks_of(path):
        for key in keys if '"..."' in code else []:
            code = code.replace('"..."', f'"{key}"', 1)
        code = code.replace("http://127.0.0.1:8080", sandbox.address)
        output = io.StringIO()
        with redirect_stdout(output):
            exec(compile(code, str(path), "exec"), names)
        printed.append(output.getvalue())
    return printed


@pytest.mark.parametrize("page", TOURS)
def test_a_page_prints_what_it_says(page: str) -> None:
    path = ROOT / page
    arguments = TOURS[page]
    assert " ".join(arguments) in text_of(path)

    with Sandbox(*arguments) as sandbox:
        printed = run_page(path, sandbox)

    assert [said for _, said in blocks_of(path)] == printed
