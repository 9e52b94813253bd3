"""The terminal in a real browser: from signing up to having paid back, and what it looks like."""

import re
from collections.abc import Iterator
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.e2e.sandbox import Sandbox
from tests.e2e.terminal import PATIENCE_MS, Visitor, browsing

START = "2026-01-01T00:10:00Z"
FIRST_LOAD_BYTES_MAX = 300 * 1024
pytestmark = pytest.mark.timeout(400)
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as found:
        yield found


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Visitor]:
    with Sandbox("--clock", "manual", "--start", START) as sandbox:
        visitor = Visitor(browser, sandbox)
        yield visitor
        visitor.leave()


def number(place: Locator) -> Decimal:
    """Read a number as people do, whatever stands behind it."""
    found = re.match(r"-?[\d ]+(\.\d+)?", place.inner_text().strip())
    assert found is not None, place.inner_text()
    return Decimal(found[0].replace(" ", ""))


def fact(visitor: Visitor, name: str) -> Locator:
    """Find the value of a line of the order's preview."""
    line = visitor.page.locator(".preview .fact").filter(has_text=name)
    return line.locator(".num").first


def position(visitor: Visitor) -> Locator:
    """Find the first row of the positions."""
    return visitor.page.get_by_role("tabpanel").locator("tbody tr")


def test_from_signing_up_to_a_long_three_hours_of_interest_and_repayment(visitor: Visitor) -> None:
    page = visitor.page
    expect(page.get_by_role("button", name="Run")).to_be_visible()
    expect(page.locator(".pairs li .num").first).to_contain_text("%")
    assert 100_000 < sum(visitor.loaded.values()) < FIRST_LOAD_BYTES_MAX
    page.get_by_role("banner").get_by_role("link", name="Sign up").click()
    visitor.see("sign-up")
    page.get_by_label("E-mail").fill("ann@example.org")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    page.get_by_role("button", name="Faucet").click()
    page.get_by_role("button", name="Transfer collateral from spot").click()
    visitor.see("transfer")
    visitor.transfer("USDT", "1000")

    page.get_by_label("Spend").fill("2500")
    expect(fact(visitor, "Borrows")).to_contain_text(re.compile(r"^1 (500|499)"))
    expect(fact(visitor, "Liquidation price")).to_contain_text("↓")
    visitor.see("order")
    page.locator("button.big.buy").click()
    expect(position(visitor)).to_contain_text("long")
    visitor.see("position")
    for _ in range(3):
        visitor.pass_hour()

    visitor.open("Assets")
    receipts = page.get_by_role("region", name="Receipts").locator("tbody tr")
    expect(receipts).to_have_count(4)
    charged = sum(number(row.locator("td").last) for row in receipts.all())
    row = page.get_by_label("Cross account").locator("tbody tr").filter(has_text="USDT")
    # Each receipt is rounded by itself; the debt is exact to the last digit.
    assert abs(number(row.locator("td").nth(4)) - charged) <= Decimal("0.00000004")
    visitor.see("assets")

    page.get_by_label("Cross account").get_by_role("button", name="Transfer").click()
    visitor.transfer("USDT", "2000")
    row.get_by_role("button", name="Repay").click()
    owed = number(row.locator("td").nth(5))
    expect(page.get_by_role("dialog").locator(".quote b")).to_contain_text(str(owed))
    visitor.see("repay")
    page.get_by_role("dialog").get_by_role("button", name="Max").click()
    page.get_by_role("dialog").get_by_role("button", name="Repay", exact=True).click()
    expect(row.get_by_role("button", name="Repay")).to_have_count(0)
    assert number(row.locator("td").nth(5)) == 0


def test_a_short_borrows_the_coin_it_sells_and_closing_gives_it_back(visitor: Visitor) -> None:
    page = visitor.page
    visitor.demo()
    page.get_by_role("button", name="Transfer collateral from spot").click()
    visitor.transfer("USDT", "2000")
    page.get_by_role("button", name="Sell / short").click()
    page.get_by_label("Size", exact=True).fill("0.05")
    expect(fact(visitor, "Borrows")).to_have_text("0.05 BTC")
    expect(fact(visitor, "Liquidation price")).to_contain_text("↑")
    page.locator("button.big.sell").click()
    expect(position(visitor)).to_contain_text("short")

    visitor.close_position()
    expect(page.get_by_role("tabpanel")).to_have_text("No positions.")
    visitor.open("Assets")
    bitcoin = page.get_by_label("Cross account").locator("tbody tr").filter(has_text="BTC")
    expect(bitcoin.get_by_role("button", name="Repay")).to_have_count(0)


def test_an_isolated_account_a_refusal_and_what_would_be_accepted(visitor: Visitor) -> None:
    page = visitor.page
    visitor.demo()
    page.get_by_role("button", name="Isolated", exact=True).click()
    page.get_by_role("button", name="Transfer collateral from spot").click()
    visitor.transfer("USDT", "500")
    page.get_by_label("Spend").fill("500000")
    refusal = page.get_by_role("alert")
    expect(refusal).to_contain_text("The maximum borrowing amount is exceeded")
    expect(page.locator("button.big.buy")).to_be_disabled()
    visitor.see("refused")
    refusal.get_by_role("button", name="Set to").click()
    expect(refusal).to_have_count(0)
    page.get_by_label("Spend").fill("1000")
    expect(fact(visitor, "Borrows")).to_contain_text("USDT")
    page.locator("button.big.buy").click()
    expect(position(visitor)).to_contain_text("Isolated")

    page.get_by_role("button", name="Limit").click()
    page.get_by_label("Price", exact=True).fill("20000")
    page.get_by_label("Size", exact=True).fill("0.001")
    page.locator("button.big.buy").click()
    page.get_by_role("tab", name="Open orders (1)").click()
    page.get_by_role("tabpanel").get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_role("tab", name="Open orders (0)")).to_be_visible()

    page.get_by_role("tab", name="Positions").click()
    visitor.close_position()
    expect(page.get_by_role("tabpanel")).to_have_text("No positions.")


def test_a_session_is_there_after_a_reload_and_gone_after_logging_out(visitor: Visitor) -> None:
    page = visitor.page
    visitor.demo()
    page.reload()
    page.get_by_label("Account demo").click()
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("banner").get_by_role("link", name="Log in").click()
    visitor.see("log-in")
