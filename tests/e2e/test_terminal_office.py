"""The operators' console in a real browser: what they do there is so for a trader at once."""

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pyotp import TOTP

from tests.e2e.sandbox import Sandbox, User
from tests.e2e.terminal import PATIENCE_MS, Visitor, browsing
from tests.e2e.test_operator import OPERATOR, Door, Venue

IDENTITY = "/lombard/v1/identity"
START = "2026-01-01T00:10:00Z"
pytestmark = pytest.mark.timeout(600)
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as found:
        yield found


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox("--clock", "manual", "--start", START, "--market", "none") as found:
        yield found


@pytest.fixture
def operator(browser: Browser, sandbox: Sandbox) -> Iterator[Visitor]:
    visitor = Visitor(browser, sandbox, sandbox.office)
    yield visitor
    visitor.leave()


def log_in(operator: Visitor, email: str = "", password: str = "") -> Page:
    """Come in as an operator, as the sandbox's unless told otherwise."""
    page = operator.page
    if not email:
        email, password = operator.sandbox.operator
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    return page


def told(page: Page, words: str) -> None:
    """Wait until something was said to be done."""
    expect(page.locator(".notes")).to_contain_text(words)


def leveraged(sandbox: Sandbox, owed: str) -> User:
    """Admit somebody with 1 BTC in cross margin, who owes USDT that are gone from there."""
    user = sandbox.user()
    user.deposit("BTC", "1")
    move = {"coin": "BTC", "amount": "1", "fromType": "spot", "toType": "crossed_margin"}
    user.post("/api/v2/spot/wallet/transfer", **move)
    user.post("/api/v2/margin/crossed/account/borrow", coin="USDT", borrowAmount=owed)
    back = {"coin": "USDT", "amount": owed, "fromType": "crossed_margin", "toType": "spot"}
    user.post("/api/v2/spot/wallet/transfer", **back)
    return user


def test_a_new_pair_appears_at_the_trader_s_and_is_traded(
    browser: Browser, sandbox: Sandbox, operator: Visitor
) -> None:
    operator.see("office-door")
    page = log_in(operator)
    page.get_by_role("cell", name=re.compile("%")).first.wait_for()
    expect(page.get_by_text("Balanced to the unit")).to_be_visible()
    operator.see("office-overview")

    operator.open("Coins")
    page.get_by_role("button", name="Add a coin").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("SOL")
    dialog.get_by_label("Leverage, row 1").fill("300")
    operator.refusals = {f"{OPERATOR}/coins"}
    dialog.get_by_role("button", name="Add", exact=True).click()
    # What is refused is said in the venue's words, and the form is still there.
    expect(dialog.get_by_role("alert")).to_contain_text("leverage")
    operator.see("office-coin-form")
    operator.refusals = set()
    dialog.get_by_label("Leverage, row 1").fill("3")
    dialog.get_by_role("button", name="Add", exact=True).click()
    told(page, "SOL is listed")
    page.get_by_role("link", name="SOL", exact=True).click()
    page.get_by_role("textbox", name="Price").fill("150")
    page.get_by_role("button", name="Publish").click()
    told(page, "The index of SOL is 150 USDT")
    for name, value in (
        ("Rate when nothing is lent", "0.01"),
        ("Kink at a utilisation of", "80"),
        ("Rate at the kink", "0.05"),
        ("Rate when all is lent", "0.6"),
    ):
        page.get_by_role("textbox", name=name).fill(value)
    page.get_by_role("button", name="Set from the next hour").click()
    told(page, "The rate of SOL changes")
    expect(page.get_by_role("img", name=re.compile("80 % lent, 0.0500 %"))).to_be_visible()
    operator.see("office-coin")

    operator.open("Pairs")
    page.get_by_role("button", name="Add a pair").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="Base").select_option("SOL")
    operator.see("office-pair-form")
    dialog.get_by_role("button", name="Add SOLUSDT").click()
    told(page, "SOLUSDT is listed")
    operator.see("office-pairs")

    seller = sandbox.user()
    seller.deposit("SOL", "50")
    order = {"symbol": "SOLUSDT", "side": "sell", "orderType": "limit", "force": "gtc"}
    seller.post("/api/v2/spot/trade/place-order", **order, price="150", size="20")
    trader = Visitor(browser, sandbox)
    trader.page.get_by_role("button", name="Try as demo user").first.click()
    trader.page.get_by_label("Account demo").wait_for()
    trader.page.locator("button.pair").filter(has_text="SOL").click()
    trader.page.get_by_role("button", name="Spot", exact=True).click()
    trader.page.get_by_label("Spend").fill("1500")
    trader.page.locator("button.big.buy").click()
    trader.open("Assets")
    bought = trader.page.get_by_label("Spot account").locator("tbody tr").filter(has_text="SOL")
    expect(bought.locator("td").first).to_contain_text("9.99")
    trader.leave()


def test_a_fall_is_foretold_and_comes_as_it_was_foretold(
    sandbox: Sandbox, operator: Visitor
) -> None:
    far, near = leveraged(sandbox, "4000"), leveraged(sandbox, "9900")
    before = sandbox.state_hash()
    page = log_in(operator)
    operator.open("Stress")
    expect(page.get_by_role("button", name="Who is liquidated")).to_be_visible()
    page.get_by_label("BTC").fill("-46")
    page.get_by_role("button", name="Who is liquidated").click()
    rows = page.get_by_role("region", name="Accounts under stress").locator("tbody tr")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text(near.user_id)
    expect(rows.first).to_contain_text("liquidation")
    page.get_by_role("button", name="-50 %").click()
    page.get_by_label("BTC").fill("-85")
    page.get_by_role("button", name="Who is liquidated").click()
    expect(rows).to_have_count(2)
    missing = page.locator(".tile").filter(has_text="Missing").locator("b")
    expect(missing).to_contain_text(re.compile(r"^[1-9]"))
    operator.see("office-stress")
    assert before == sandbox.state_hash(), "asking has changed something"

    sandbox.call("index-prices", {"coin": "BTC", "price": "10800"})
    operator.open("Liquidations")
    running = page.get_by_role("region", name="Liquidations in progress").locator("tbody tr")
    expect(running).to_have_count(1)
    expect(running.first).to_contain_text(near.user_id)
    expect(page.get_by_role("region", name="All liquidations")).to_contain_text(near.user_id)
    operator.see("office-liquidations")
    sandbox.advance(ms=11 * 60_000)
    running.first.get_by_role("link").first.click()
    expect(page.get_by_text("The insurance fund took over")).to_be_visible()
    operator.see("office-liquidation")

    page.get_by_role("link", name=near.user_id).click()
    expect(page.get_by_role("region", name="Statement")).to_contain_text("transfer in")
    page.get_by_role("button", name="Freeze all").click()
    told(page, f"User {near.user_id} is frozen")
    operator.see("office-user")
    page.get_by_role("button", name="Unfreeze all").click()
    told(page, "is free again")
    operator.open("Users")
    page.get_by_label("Number of a user").fill(far.user_id)
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("heading", name=f"User {far.user_id}")).to_be_visible()
    page.get_by_role("link", name="All users").click()
    expect(page.get_by_role("region", name="Users")).to_contain_text(near.user_id)
    operator.see("office-users")


def test_money_coupons_books_and_settings(sandbox: Sandbox, operator: Visitor) -> None:
    user = sandbox.user()
    page = log_in(operator)
    operator.open("Money")
    page.get_by_label("Amount").fill("250.5")
    page.get_by_label("User", exact=True).fill(user.user_id)
    page.get_by_role("button", name="Move", exact=True).click()
    told(page, "250.5 USDT moved")
    operator.see("office-money")
    status, answer = user.send("GET", "/api/v2/spot/account/assets?coin=USDT")
    assert 200 == status
    assert Decimal("250.5") == Decimal(answer["data"][0]["available"])

    operator.open("Coupons")
    page.get_by_role("button", name="New campaign").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Name").fill("Winter")
    dialog.get_by_label("Claimed until").fill("2026-02-01T00:00")
    dialog.get_by_label("For whom").select_option("named")
    operator.see("office-campaign-form")
    dialog.get_by_role("button", name="Announce").click()
    told(page, "Winter is announced")
    page.get_by_role("button", name="Grant coupons of Winter").click()
    dialog.get_by_label("Number, row 1").fill(user.user_id)
    dialog.get_by_role("button", name="Grant", exact=True).click()
    told(page, "1 coupons are granted")
    expect(page.get_by_role("region", name="Campaigns")).to_contain_text("99 of 100")
    operator.see("office-coupons")

    operator.open("Solvency")
    expect(page.get_by_text("Balanced to the unit")).to_be_visible()
    operator.see("office-solvency")
    operator.open("Settings")
    page.get_by_role("button", name="notice_ms").click()
    page.get_by_role("dialog").get_by_label("Value").fill("86400000")
    page.get_by_role("dialog").get_by_role("button", name="Set").click()
    told(page, "notice_ms is 86400000")
    operator.see("office-settings")

    # Terms that raise risk have to be announced from now on.
    operator.open("Coins")
    page.get_by_role("link", name="DOGE", exact=True).click()
    page.get_by_role("button", name="Change terms").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Counts as, %, row 1").fill("10")
    operator.refusals = {f"{OPERATOR}/coins"}
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("announced")
    operator.refusals = set()
    dialog.get_by_label("Announce it").check()
    dialog.get_by_label("Holds from").fill("2026-01-05T00:00")
    dialog.get_by_role("button", name="Announce").click()
    told(page, "The new terms of DOGE are announced")
    page.get_by_role("link", name="All coins").click()
    expect(page.get_by_role("region", name="Announced changes")).to_contain_text("DOGE")
    operator.see("office-coins")
    page.get_by_role("button", name="Take back").click()
    told(page, "taken back")


def test_an_operator_s_second_device_is_asked_for(operator: Visitor) -> None:
    page = log_in(operator)
    email, password = operator.sandbox.operator
    # What was under way when a session was replaced by another may be refused.
    operator.refusals = {f"{OPERATOR}/{name}" for name in ("overview", "pools", "index-prices")}
    operator.refusals |= {f"{IDENTITY}/{name}" for name in ("log-in", "sessions", "audit")}
    page.get_by_label("Operator operator").click()
    page.get_by_role("link", name="Your account").click()
    device = page.get_by_role("region", name="Second device")
    device.get_by_role("button", name="Set up").click()
    page.get_by_role("dialog").get_by_label("Your password").fill(password)
    page.get_by_role("dialog").get_by_role("button", name="Confirm").click()
    otp = TOTP(device.locator("[data-name='TOTP secret']").inner_text().strip())
    device.get_by_label("The six digits it shows").fill(otp.now())
    device.get_by_role("button", name="Turn on").click()
    codes = device.get_by_role("list", name="Recovery codes").locator("li")
    expect(codes).to_have_count(10)
    recovery = codes.all_inner_texts()
    device.get_by_role("button", name="I have written them down").click()
    operator.see("office-account")

    page.get_by_label("Operator operator").click()
    page.get_by_role("button", name="Log out").click()
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Code of your second device").fill(recovery[0])
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_label("Operator operator")).to_be_visible()
    # The others come in with the password alone.
    device.get_by_role("button", name="Do without").click()
    page.get_by_role("dialog").get_by_label("Code of your second device").fill(recovery[1])
    page.get_by_role("dialog").get_by_role("button", name="Confirm").click()
    told(page, "the password only")


def test_money_waits_for_the_second_operator(browser: Browser, tmp_path: Path) -> None:
    """A venue as the guide makes it, with cookies that ask for TLS or this machine."""
    venue = Venue(tmp_path)
    with venue.served():
        office = Door(venue.ports[1])
        user = venue.operator(1).post(f"{OPERATOR}/users")["userId"]
        ann, ben = (Visitor(browser, office) for _ in range(2))
        page = log_in(ann, "ann@example.org", venue.passwords[0])
        ann.open("Money")
        page.get_by_label("Amount").fill("75")
        page.get_by_label("User", exact=True).fill(user)
        page.get_by_role("button", name="Move", exact=True).click()
        told(page, "Another operator has to approve it")
        waiting = page.get_by_role("region", name="Requests that wait").locator("tbody tr")
        expect(waiting).to_contain_text("another has to approve")
        expect(waiting.get_by_role("button")).to_have_text(["Reject"])
        ann.see("office-waiting")

        page = log_in(ben, "ben@example.org", venue.passwords[1])
        ben.open("Money")
        page.get_by_role("button", name="Approve 75 USDT").click()
        told(page, "75 USDT moved")
        decided = page.get_by_role("region", name="Requests that were decided").locator("tbody tr")
        expect(decided).to_have_count(1)
        expect(decided).to_contain_text("done")
        accounts = venue.operator(2).get(f"{OPERATOR}/users/accounts?userId={user}")
        assert "75" == accounts[0]["balances"][0]["available"]
        for visitor in (ann, ben):
            assert [True] == [cookie["secure"] for cookie in visitor.context.cookies()]
            visitor.leave()
