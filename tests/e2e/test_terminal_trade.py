"""Trading in a real browser: every kind of order, what it would come to, and what became of it."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from playwright.sync_api import Browser, Locator, Response, expect

from tests.e2e.sandbox import Sandbox
from tests.e2e.terminal import PATIENCE_MS, Visitor, browsing

START = "2026-01-01T00:10:00Z"
pytestmark = pytest.mark.timeout(400)
expect.set_options(timeout=PATIENCE_MS)

CANDLES = "1m 3m 5m 15m 30m 1H 4H 6Hutc 12Hutc 1Dutc 3Dutc 1Wutc 1Mutc"
# Notes are gone after seconds, which may pass unseen on a busy machine: here they are kept.
KEEPING_NOTES = """
window.said = [];
new MutationObserver((changes) => {
  for (const { addedNodes } of changes) {
    for (const node of addedNodes) if (node.matches?.(".notes p")) said.push(node.textContent);
  }
}).observe(document, { childList: true, subtree: true });
"""


class Trader(Visitor):
    """A visitor whose page keeps its notes."""

    script = KEEPING_NOTES


Visiting = Callable[..., AbstractContextManager[Visitor]]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as found:
        yield found


@pytest.fixture
def visiting(browser: Browser) -> Visiting:
    """Open the terminal of a sandbox whose clock stands, as a demo user with some collateral."""

    @contextmanager
    def open_terminal(*arguments: str, cross: str = "3000") -> Iterator[Visitor]:
        with Sandbox("--clock", "manual", "--start", START, *arguments) as sandbox:
            visitor = Trader(browser, sandbox)
            visitor.demo()
            if cross:
                visitor.page.get_by_role("button", name="Transfer collateral from spot").click()
                visitor.transfer("USDT", cross)
            yield visitor
            visitor.leave()

    return open_terminal


def fact(visitor: Visitor, name: str) -> Locator:
    """Find the value of a line of the order's preview."""
    line = visitor.page.locator(".preview .fact").filter(has_text=name)
    return line.locator(".num").first


def choose(visitor: Visitor, *names: str) -> None:
    """Press buttons of the order form: the account, the side, the type."""
    form = visitor.page.get_by_role("form", name="Order")
    for name in names:
        form.get_by_role("button", name=name, exact=True).click()


def fill(visitor: Visitor, **fields: str) -> None:
    """Fill fields of the order form in."""
    form = visitor.page.get_by_role("form", name="Order")
    for name, text in fields.items():
        form.get_by_label(name.replace("_", " "), exact=True).fill(text)


def send(visitor: Visitor) -> None:
    """Send the order; its size is then gone from the form."""
    visitor.page.locator("button.big.buy, button.big.sell").click()
    expect(visitor.page.get_by_role("form", name="Order").locator(".field").last).to_be_visible()
    expect(visitor.page.locator("button.big.buy, button.big.sell")).to_be_disabled()


def rows(visitor: Visitor, tab: str = "") -> Locator:
    """List the rows below the chart, of a tab."""
    if tab:
        visitor.page.get_by_role("tab", name=re.compile(tab)).click()
    return visitor.page.get_by_role("tabpanel").locator("tbody tr")


def note(visitor: Visitor, text: str) -> None:
    """Wait until the page has said so, at any time."""
    visitor.page.wait_for_function(
        "(text) => said.some((each) => each.includes(text))", arg=text, timeout=PATIENCE_MS
    )


def test_a_short_bought_back_with_auto_repay_leaves_no_debt(visiting: Visiting) -> None:
    with visiting() as visitor:
        page, debts = visitor.page, visitor.page.get_by_label("Debts")
        choose(visitor, "Sell / short")
        fill(visitor, Size="0.05")
        expect(fact(visitor, "Borrows")).to_have_text("0.05 BTC")
        expect(fact(visitor, "Interest an hour")).to_contain_text("BTC")
        send(visitor)
        note(visitor, "Filled: sell BTC/USDT, Cross: 0.05")
        expect(rows(visitor)).to_contain_text("short")
        expect(debts).to_contain_text("You still owe 0.05")
        expect(debts).to_contain_text(re.compile(r"accruing 0\.0000\d+ BTC an hour"))
        legend = page.get_by_role("group", name="Lines")
        expect(legend).to_contain_text(re.compile(r"cross short \d+\.\d\d"))
        legend.get_by_role("button", name="liquidation").click()
        visitor.see("trade-short")

        choose(visitor, "Buy / long", "Limit")
        page.get_by_label("Auto-borrow").uncheck()
        page.get_by_label("Auto-repay").check()
        fill(visitor, Price="23300", Size="0.05006")
        expect(fact(visitor, "Repays")).to_contain_text("0.05")
        expect(fact(visitor, "Risk ratio, after").locator("b")).to_have_text("0.0 %")
        send(visitor)
        note(visitor, "Filled: buy BTC/USDT, Cross: 0.05006")
        expect(page.get_by_role("tabpanel")).to_have_text("No positions.")
        expect(debts).to_have_count(0)


def test_a_position_closed_without_repaying_leaves_a_debt_that_is_reminded_of(
    visiting: Visiting,
) -> None:
    with visiting(cross="") as visitor:
        page, debts = visitor.page, visitor.page.get_by_label("Debts")
        choose(visitor, "Isolated")
        page.get_by_role("button", name="Transfer collateral from spot").click()
        visitor.transfer("USDT", "1000")
        leverage = page.get_by_label("Leverage")
        expect(leverage).to_have_value("10")
        expect(fact(visitor, "Largest")).to_have_text("10 000.00 USDT")
        leverage.select_option("3")
        expect(fact(visitor, "Largest")).to_have_text("3 000.00 USDT")
        page.get_by_text("What each tier lends").click()
        expect(page.get_by_role("region", name="Tiers")).to_contain_text("10×")

        page.get_by_label("Take-profit / stop-loss").check()
        fill(visitor, Spend="2000")
        form = page.get_by_role("form", name="Order")
        form.get_by_label("Take-profit", exact=True).fill("22000")
        expect(form.get_by_role("alert")).to_contain_text("take-profit of a buy lies above")
        form.get_by_label("Take-profit", exact=True).fill("25000")
        form.get_by_label("Stop-loss", exact=True).fill("21500.5")
        expect(fact(visitor, "Borrows")).to_contain_text("USDT")
        visitor.see("trade-exits")
        send(visitor)
        expect(rows(visitor)).to_contain_text("long")
        waiting = rows(visitor, "Open orders")
        expect(waiting).to_have_count(2)
        expect(waiting.filter(has_text="take-profit")).to_contain_text("last at 25 000.00")
        expect(waiting.filter(has_text="stop-loss")).to_contain_text("last at 21 500.50")
        visitor.see("trade-waiting")
        page.get_by_role("button", name="Cancel all").click()
        note(visitor, "2 orders are cancelled.")
        expect(page.get_by_role("tab", name="Open orders (0)")).to_be_visible()

        rows(visitor, "Positions").get_by_role("button", name="Close").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Repay with what comes of it").uncheck()
        expect(dialog).to_contain_text("What is owed stays owed")
        visitor.see("trade-close")
        dialog.get_by_role("button", name="at market").click()
        expect(page.get_by_role("tabpanel")).to_have_text("No positions.")
        expect(debts).to_contain_text("in Isolated BTCUSDT, accruing")
        debts.get_by_role("button", name="Repay").click()
        dialog.get_by_role("button", name="Max").click()
        dialog.get_by_role("button", name="Repay", exact=True).click()
        expect(debts).to_have_count(0)


def test_stops_fire_by_the_index_and_by_the_last_price(visiting: Visiting) -> None:
    with visiting() as visitor:
        page = visitor.page
        fill(visitor, Spend="2500")
        send(visitor)
        expect(rows(visitor)).to_contain_text("long")

        choose(visitor, "Sell / short", "Stop")
        page.get_by_label("Auto-borrow").uncheck()
        page.get_by_label("Waits for the").select_option("mark_price")
        fill(visitor, Stop_at="22900", Size="0.05")
        expect(page.locator(".preview")).to_contain_text("when the index reaches 22 900.00 USDT")
        expect(fact(visitor, "Borrows")).to_have_text("nothing")
        visitor.see("trade-stop")
        send(visitor)
        waiting = rows(visitor, "Open orders")
        expect(waiting).to_contain_text("index at 22 900.00")
        page.get_by_label("Index price of BTC in USDT").fill("22900")
        page.get_by_role("button", name="Set price").click()
        note(visitor, "Fired at 22 900.00: sell BTC/USDT, Cross.")
        expect(page.get_by_role("tab", name="Open orders (0)")).to_be_visible()
        past = rows(visitor, "Order history")
        expect(past.filter(has_text="stop market")).to_contain_text("fired")
        filled = past.filter(has_text="filled").filter(has_text="sell")
        expect(filled).to_contain_text("0.05")

        choose(visitor, "OCO")
        page.get_by_label("Waits for the").select_option("fill_price")
        fill(visitor, Price="24500", Stop_at="22950", Size="0.05")
        send(visitor)
        expect(rows(visitor, "Open orders")).to_have_count(2)
        # Somebody sells what the book has down to there.
        seller = visitor.sandbox.user()
        seller.deposit("BTC", "60")
        order = {"symbol": "BTCUSDT", "side": "sell", "orderType": "limit", "force": "ioc"}
        seller.post("/api/v2/spot/trade/place-order", **order, price="22000", size="30")
        expect(page.get_by_role("tab", name="Open orders (0)")).to_be_visible()
        expect(rows(visitor, "Order history").filter(has_text="OCO stop")).to_contain_text("fired")
        visitor.see("trade-history")


def test_what_is_refused_can_be_set_right_and_nobody_is_asked_too_often(
    visiting: Visiting,
) -> None:
    # Calls are counted here as on a venue: one too many would be a fault of the page.
    with visiting("--rate-limits") as visitor:
        page = visitor.page
        alert = page.get_by_role("form", name="Order").get_by_role("alert")
        page.get_by_label("Spend").press_sequentially("123456789", delay=30)
        expect(alert).to_contain_text("The maximum borrowing amount is exceeded")
        slider = page.get_by_label("Share of the largest possible size")
        for _ in range(30):
            slider.press("ArrowLeft")
        expect(alert).to_have_count(0)
        expect(fact(visitor, "Borrows")).to_contain_text("USDT")

        fill(visitor, Spend="5000")
        expect(fact(visitor, "Borrows")).to_contain_text("USDT")
        page.get_by_label("Auto-borrow").uncheck()
        alert.get_by_role("button", name="Turn on auto-borrow").click()
        expect(fact(visitor, "Borrows")).to_contain_text("USDT")
        page.get_by_label("Auto-borrow").uncheck()
        alert.get_by_role("button", name="Set to 3 000.00 USDT").click()
        expect(fact(visitor, "Borrows")).to_have_text("nothing")

        fill(visitor, Spend="0.01")
        expect(alert).to_contain_text("The smallest order here is")
        alert.get_by_role("button", name="Set to").click()
        expect(alert).to_have_count(0)

        choose(visitor, "Spot", "Sell", "Trailing")
        fill(visitor, Stays_behind="12", Size="0.1")
        expect(alert).to_contain_text("0.1 % to 10 %")
        fill(visitor, Stays_behind="2.5")
        send(visitor)
        expect(rows(visitor, "Open orders")).to_contain_text("2.5 % behind the last")
        rows(visitor).get_by_role("button", name="Cancel", exact=True).click()
        expect(page.get_by_role("tab", name="Open orders (0)")).to_be_visible()

        # What only the venue knows it says when the order comes; nothing is placed.
        assert visitor.faults == []
        choose(visitor, "Stop")
        last = page.locator(".pair-head .last").inner_text().replace(" ", "")
        fill(visitor, Stop_at=last, Size="0.1")
        page.locator("button.big.sell").click()
        expect(alert).to_contain_text(f"the price is {last} now")
        # The browser tells of it twice: the answer, and a line on its console.
        while len(visitor.faults) < 2:
            page.wait_for_timeout(50)
        visitor.faults.clear()
        fill(visitor, Stop_at="20000")
        expect(alert).to_have_count(0)


def test_the_chart_reads_on_when_scrolled_and_the_book_is_grouped(visiting: Visiting) -> None:
    with visiting() as visitor:
        page = visitor.page
        for _ in range(8):
            visitor.pass_hour()
        units = page.get_by_role("group", name="Candles of").get_by_role("button")
        for unit in [*reversed(units.all())]:
            unit.click()
            page.wait_for_timeout(50)
        channels = {f"candle{name}" for name in CANDLES.split()}
        while not channels <= visitor.heard:
            page.wait_for_timeout(100)
        chart = page.get_by_role("img", name="Candles of BTCUSDT")
        older: list[Response] = []
        page.on("response", lambda one: older.append(one) if "y-candles" in one.url else None)
        chart.hover()
        for _ in range(PATIENCE_MS // 100):
            if older:
                break
            page.mouse.wheel(-400, 0)
            page.wait_for_timeout(100)
        assert 100 < len(older[0].json()["data"])
        units.filter(has_text="15m").click()

        book = page.get_by_label("Order book")
        book.get_by_label("Group prices by").select_option("1000")
        prices = book.locator(".ask span:first-of-type")
        expect(prices.last).to_have_text(re.compile(r"^\d\d \d[05]0$|^\d\d \d\d0$"))
        book.locator(".bid").first.focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        price = page.get_by_role("form", name="Order").get_by_label("Price", exact=True)
        expect(price).to_have_value(re.compile(r"^\d{5}\.00$"))
        choose(visitor, "Spot")
        fill(visitor, Size="0.01")
        send(visitor)
        expect(book.locator(".bid").nth(1)).to_have_class(re.compile("mine"))
        legend = page.get_by_role("group", name="Lines")
        expect(legend.get_by_role("button", name=price.input_value())).to_be_visible()
        choose(visitor, "Cross", "Market")
        fill(visitor, Spend="7500")
        expect(fact(visitor, "Borrows")).to_contain_text("USDT")
        expect(page.locator(".notes p")).to_have_count(0)
        visitor.see("trade-chart")
