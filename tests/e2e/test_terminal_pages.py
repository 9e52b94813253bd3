"""The terminal's other pages in a real browser: histories, coupons, rates, notices, the account."""

import csv
import io
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyotp
import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.e2e.sandbox import Sandbox, User
from tests.e2e.terminal import PATIENCE_MS, Visitor, browsing
from tests.e2e.test_process import lombard

START = "2026-01-01T00:10:00Z"
PASSWORD = "correct horse battery"
IDENTITY = "/lombard/v1/identity"
MARGIN = "/api/v2/margin"
pytestmark = pytest.mark.timeout(400)
expect.set_options(timeout=PATIENCE_MS)

# Makes a key for whoever is logged in, as a page could.
MAKE_KEY = """async ([password]) => {
  const identity = "/lombard/v1/identity/";
  const me = await (await fetch(identity + "me")).json();
  const headers = {"Content-Type": "application/json", "X-CSRF-Token": me.data.csrfToken};
  const send = async (path, body) => (await fetch(identity + path, {
    method: "POST", headers, body: JSON.stringify(body)})).json();
  await send("confirm", {password});
  const made = await send("keys/create", {permissions: ["read", "trade", "transfer"]});
  return {...made.data, userId: me.data.userId};
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as found:
        yield found


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("venue") / "data"


@pytest.fixture(scope="module")
def sandbox(data: Path) -> Iterator[Sandbox]:
    """Run one sandbox for all: each test brings its own user, and says what else it needs."""
    with Sandbox("--clock", "manual", "--start", START, data=data) as found:
        yield found


@pytest.fixture
def visitor(browser: Browser, sandbox: Sandbox) -> Iterator[Visitor]:
    visitor = Visitor(browser, sandbox)
    yield visitor
    visitor.leave()


def sign_up(visitor: Visitor, name: str) -> None:
    """Become a user whose password is known."""
    page = visitor.page
    page.get_by_role("banner").get_by_role("link", name="Sign up").click()
    page.get_by_label("E-mail").fill(f"{name}@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    expect(page.get_by_label(f"Account {name}@example.org")).to_be_visible()


def trader(visitor: Visitor, name: str) -> User:
    """Sign up, and let a program have a key beside the browser."""
    sign_up(visitor, name)
    made = visitor.page.evaluate(MAKE_KEY, [PASSWORD])
    user = User(
        visitor.sandbox, made["userId"], made["apiKey"], made["secretKey"], made["passphrase"]
    )
    user.deposit("USDT", "20000")
    return user


def rows_of(visitor: Visitor, name: str) -> Locator:
    """Find the rows of a table by its region's name."""
    return visitor.page.get_by_role("region", name=name, exact=True).locator("tbody tr")


def column(visitor: Visitor, region: str, title: str, row: Locator) -> Locator:
    """Find the cell of a row below a title."""
    head = visitor.page.get_by_role("region", name=region, exact=True).locator("thead th")
    expect(head.first).to_be_visible()
    titles = [each.strip() for each in head.all_inner_texts()]
    return row.locator("th, td").nth(titles.index(title))


def tab(visitor: Visitor, title: str) -> Locator:
    """Turn to a list of the history; return its rows."""
    visitor.page.get_by_role("tab", name=title, exact=True).click()
    return rows_of(visitor, title)


def file_of(visitor: Visitor) -> list[dict[str, str]]:
    """Download what is shown, and read it."""
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("button", name="Download CSV").click()
    text = Path(download.value.path()).read_bytes().decode()
    return list(csv.DictReader(io.StringIO(text)))


def lead_a_busy_life(user: User) -> None:
    """Do one of everything there is a history of."""
    user.transfer("spot", "crossed_margin", "USDT", "4000")
    user.transfer("spot", "isolated_margin", "USDT", "2000", symbol="BTCUSDT")
    spot = {"symbol": "BTCUSDT", "side": "buy", "orderType": "market", "size": "500"}
    user.post("/api/v2/spot/trade/place-order", **spot)
    order = {"symbol": "BTCUSDT", "side": "buy", "orderType": "market"}
    buy = {**order, "loanType": "autoLoan", "quoteSize": "6000"}
    user.post(f"{MARGIN}/crossed/place-order", **buy)
    user.post(f"{MARGIN}/isolated/place-order", **{**buy, "quoteSize": "3000"})
    for path, more in (("crossed", {}), ("isolated", {"symbol": "BTCUSDT"})):
        user.post(f"{MARGIN}/{path}/account/borrow", coin="USDT", borrowAmount="100", **more)
    user.post(f"{MARGIN}/crossed/account/borrow", coin="ETH", borrowAmount="0.01")
    plan = {**spot, "size": "10", "planType": "total", "triggerPrice": "1000"}
    wish = {**plan, "triggerType": "mark_price"}
    placed = user.post("/lombard/v1/spot/place-plan-order", **wish)
    user.post("/lombard/v1/spot/cancel-plan-order", symbol="BTCUSDT", orderId=placed["orderId"])


def test_every_history_with_filters_pages_and_files(visitor: Visitor) -> None:
    page = visitor.page
    user = trader(visitor, "bea")
    lead_a_busy_life(user)
    visitor.sandbox.advance(ms=str(30 * 3_600_000))
    user.post(f"{MARGIN}/crossed/account/repay", coin="USDT", repayAmount="50")
    user.post(f"{MARGIN}/isolated/account/flash-repay", symbolList=["BTCUSDT"])
    visitor.open("History")

    expect(tab(visitor, "Orders")).to_have_count(4)
    visitor.see("history-orders")
    fills = tab(visitor, "Fills")
    expect(fills.first).to_contain_text("BTCUSDT")
    expect(tab(visitor, "Trigger orders")).to_have_count(1)
    expect(tab(visitor, "Borrowing")).to_have_count(5)
    page.get_by_label("Account", exact=True).select_option("Isolated")
    expect(rows_of(visitor, "Borrowing")).to_have_count(2)
    paid = [
        row["repayId"]
        for path in ("crossed/repay-history?", "isolated/repay-history?symbol=BTCUSDT&")
        for row in user.get(f"{MARGIN}/{path}startTime=0")["resultList"]
    ]
    assert len(paid) >= 2
    expect(tab(visitor, "Repayments")).to_have_count(len(paid))
    expect(tab(visitor, "Transfers")).to_have_count(2)

    # A receipt for each coin and hour; fifty a page.
    interest = tab(visitor, "Interest")
    expect(interest).to_have_count(50)
    page.get_by_label("Account", exact=True).select_option("Cross")
    read = user.get("/lombard/v1/margin/crossed/interest-receipts?limit=500")["resultList"]
    assert 50 < len(read) < 100
    expect(interest.first).to_contain_text(read[0]["interestId"])
    expect(page.get_by_role("button", name="Older")).to_be_enabled()
    page.get_by_role("button", name="Older").click()
    expect(interest).to_have_count(len(read) - 50)
    expect(page.get_by_role("button", name="Older")).to_be_disabled()
    told = file_of(visitor)
    assert [(row["Interest"], row["Id"]) for row in told] == [
        (row["interestAmount"], row["interestId"]) for row in read
    ]
    assert {"Cross"} == {row["Account"] for row in told}
    page.get_by_label("From, day in UTC").fill("2026-01-01")
    page.get_by_label("To, day in UTC").fill("2026-01-01")
    first_day = [row for row in told if row["Hour (UTC)"].startswith("2026-01-01")]
    assert 0 < len(first_day) < len(told)
    expect(interest).to_have_count(len(first_day))
    page.get_by_label("From, day in UTC").fill("2025-01-01")
    expect(page.get_by_role("alert")).to_contain_text("90 days")
    page.get_by_label("From, day in UTC").fill("2026-01-01")
    visitor.see("history-interest")

    ledger = tab(visitor, "Ledger")
    page.get_by_label("Account", exact=True).select_option("Spot")
    page.get_by_label("What").select_option("Transfer out")
    expect(ledger).to_have_count(2)
    assert [(Decimal(-2000), "USDT"), (Decimal(-4000), "USDT")] == [
        (Decimal(row["Change"]), row["Coin"]) for row in file_of(visitor)
    ]
    page.get_by_label("What").select_option("All")
    page.get_by_label("Account", exact=True).select_option("All")
    visitor.see("history-ledger")
    tab(visitor, "Liquidations")
    expect(page.get_by_role("tabpanel")).to_contain_text("No liquidation")
    check_statement(visitor, user)


def check_statement(visitor: Visitor, user: User) -> None:
    """Ask for two days, which are all there are: from nothing to what is held now."""
    page = visitor.page
    holdings = tab(visitor, "Statement")
    page.get_by_label("First day, in UTC").fill("2026-01-01")
    page.get_by_label("Last day, in UTC").fill("2026-01-02")
    page.get_by_role("button", name="Show").click()
    cross = holdings.filter(has_text="Cross").filter(has_text="USDT")
    (held,) = user.get(f"{MARGIN}/crossed/account/assets?coin=USDT")
    ended = column(visitor, "Statement", "At the end", cross)
    expect(ended).to_have_text(f"{Decimal(held['available']).normalize():f}")
    expect(column(visitor, "Statement", "At the beginning", cross)).to_have_text("0")
    visitor.see("history-statement")
    lines = [
        row for row in file_of(visitor) if (row["account"], row["coin"]) == ("crossed", "USDT")
    ]
    assert "closing" == lines[-1]["type"]
    assert Decimal(held["available"]) == Decimal(lines[-1]["balance"])


def test_a_coupon_is_claimed_and_interest_is_lower_by_what_the_receipt_says(
    visitor: Visitor,
) -> None:
    page, sandbox = visitor.page, visitor.sandbox
    sandbox.call("rates", {"coin": "USDT", "dailyInterestRate": "0.0024"})
    sandbox.advance(ms=str(3_600_000))
    user = trader(visitor, "cid")
    user.transfer("spot", "crossed_margin", "USDT", "20000")
    user.post(f"{MARGIN}/crossed/account/borrow", coin="USDT", borrowAmount="10000")
    visitor.pass_hour()
    campaign = {
        "name": "New year",
        "discountRate": "0.5",
        "caps": [{"coin": "USDT", "amount": "4000"}],
        "durationHours": "48",
        "claimUntil": str(int(sandbox.call("clock")["now"]) + 86_400_000),
    }
    sandbox.call("coupon-campaigns", campaign)

    visitor.open("Coupons")
    offer = page.get_by_role("article", name="New year")
    expect(offer).to_contain_text("50 % off interest")
    # 4 000 at 0.24 % a day, half of it, for two days.
    expect(offer).to_contain_text("Would save 9.60 USDT")
    offer.get_by_role("button", name="Claim").click()
    expect(offer).to_contain_text("Claimed")
    mine = rows_of(visitor, "Coupons")
    expect(mine).to_contain_text("Waits for its first use")
    visitor.pass_hour()
    expect(mine).to_contain_text("In use")
    expect(column(visitor, "Coupons", "Has saved", mine)).to_have_text("0.2 USDT")
    expect(column(visitor, "Coupons", "Covered last hour", mine)).to_have_text("4 000.00 USDT")
    expect(column(visitor, "Coupons", "Left to cover", mine)).to_have_text("0 USDT")
    visitor.see("coupons")

    visitor.open("History")
    receipts = tab(visitor, "Interest")
    expect(receipts).to_have_count(3)
    told = file_of(visitor)
    # One an hour without it; with it a fifth less.
    assert ["0.80000000", "1.00000000", "1.00000000"] == [
        f"{Decimal(row['Interest']):.8f}" for row in told
    ]
    assert ["4000", "", ""] == [row["Covered"] for row in told]
    assert [Decimal("0.2"), 0, 0] == [Decimal(row["Saved by coupons"]) for row in told]
    for row in told:
        saved = Decimal(row["Saved by coupons"])
        assert Decimal(row["Before coupons"]) - saved == Decimal(row["Interest"])
    expect(column(visitor, "Interest", "Saved by coupons", receipts.first)).to_have_text(
        re.compile(r"^0\.20*$")
    )


def test_rates_are_public_and_compared(visitor: Visitor) -> None:
    page, sandbox = visitor.page, visitor.sandbox
    model = {"baseRate": "0.0001", "kink": "0.8", "rateAtKink": "0.0004", "rateAtFull": "0.002"}
    sandbox.call("rate-models", {"coin": "USDT", **model})
    sandbox.call("rates", {"coin": "BTC", "dailyInterestRate": "0.00048"})
    sandbox.advance(ms=str(5 * 3_600_000))
    visitor.open("Rates")

    bitcoin = rows_of(visitor, "Rates by coin").filter(has_text="BTC")
    expect(column(visitor, "Rates by coin", "Daily, now", bitcoin)).to_have_text("0.0480 %")
    expect(column(visitor, "Rates by coin", "Yearly", bitcoin)).to_have_text("17.52 %")
    sandbox.call("rates", {"coin": "BTC", "dailyInterestRate": "0.0006"})
    following = column(visitor, "Rates by coin", "Next hour, estimate", bitcoin)
    expect(following).to_have_text("0.0600 % ↑")
    page.get_by_label("ETH").check()
    chart = page.get_by_role("img", name="Daily rates of USDT, BTC, ETH")
    expect(chart).to_be_visible()
    expect(page.get_by_text(re.compile(r"^\d+ hours known$"))).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    newest = next(csv.DictReader(io.StringIO(text)))
    assert Decimal("0.048") == Decimal(newest["BTC, % a day"])
    visitor.see("rates")


def test_a_liquidation_is_seen_live_and_its_record_adds_up(visitor: Visitor) -> None:
    page, sandbox = visitor.page, visitor.sandbox
    user = trader(visitor, "dan")
    user.transfer("spot", "crossed_margin", "USDT", "2000")
    order = {"symbol": "BTCUSDT", "side": "buy", "orderType": "market", "loanType": "autoLoan"}
    user.post(f"{MARGIN}/crossed/place-order", **order, quoteSize="5500")
    price = Decimal(
        next(
            row["indexPrice"]
            for row in user.get("/lombard/v1/margin/explain/liquidation")["parts"]
            if row["coin"] == "BTC"
        )
    )
    bell = page.get_by_role("banner").get_by_role("link", name="Notifications")
    expect(bell).to_have_accessible_name("Notifications")
    # Down by a hundredth at a time, until the venue calls.
    while not user.get("/lombard/v1/notices"):
        price = price * 99 / 100
        sandbox.call("index-prices", {"coin": "BTC", "price": f"{price:.2f}"})
    expect(page.locator(".notes")).to_contain_text("Margin call")
    expect(bell).to_have_accessible_name("Notifications, 1 new")

    sandbox.call("index-prices", {"coin": "BTC", "price": f"{price * 4 / 5:.2f}"})
    expect(page.locator(".notes")).to_contain_text("is being liquidated")
    expect(bell).to_have_accessible_name(re.compile("[23] new"))
    bell.click()
    started = page.locator(".told li").filter(has_text="is being liquidated")
    expect(started).to_be_visible()
    started.get_by_role("button", name="Record").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Step by step")
    # After ten minutes the insurance fund takes over what found no buyer.
    sandbox.advance(ms=str(12 * 60_000))
    expect(dialog).not_to_contain_text("still going on")

    number = user.get("/lombard/v1/notices")[0]["liqId"]
    record = user.get(f"/lombard/v1/margin/crossed/liquidation?liqId={number}")
    assert record["liqEndTime"]
    expect(dialog.locator(".steps > li")).to_have_count(
        len(record["steps"]) + bool(record["ended"])
    )
    check_sums(dialog, record)
    visitor.see("record")
    dialog.get_by_role("button", name="Close").click()
    expect(page.locator(".told li").filter(has_text="is over")).to_be_visible()
    visitor.see("notices")
    # Whoever has read them finds nothing new, also after a reload.
    page.reload()
    expect(page.locator(".told li").filter(has_text="is over")).to_be_visible()
    expect(bell).to_have_accessible_name("Notifications")
    visitor.open("History")
    row = tab(visitor, "Liquidations")
    expect(column(visitor, "Liquidations", "Id", row)).to_have_text(number)


def test_what_runs_what_is_announced_and_what_was_refused(visitor: Visitor) -> None:
    page, sandbox = visitor.page, visitor.sandbox
    user = trader(visitor, "eve")
    user.transfer("spot", "crossed_margin", "USDT", "2000")
    user.post(f"{MARGIN}/crossed/account/borrow", coin="USDT", borrowAmount="500")
    visitor.refusals = {f"{MARGIN}/crossed/account/borrow"}
    visitor.open("Assets")
    page.get_by_label("Cross account").get_by_role("button", name="Borrow").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Amount").fill("900000")
    dialog.get_by_role("button", name="Borrow", exact=True).click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    dialog.get_by_role("button", name="Close").click()
    visitor.refusals = set()

    page.get_by_role("banner").get_by_role("link", name="Notifications").click()
    expect(page.get_by_role("region", name="Interest runs")).to_contain_text("500.00 USDT borrowed")
    refused = page.get_by_role("region", name="Refused in this window")
    expect(refused).to_contain_text("Borrowing refused: The maximum borrowing amount is exceeded")
    # Announced while one looks.
    at = int(sandbox.call("clock")["now"]) + 86_400_000
    terms = {"coin": "DOGE", "collateralRatio": "0.5", "effectiveTime": str(at)}
    number = sandbox.call("announcements/coin-terms", terms)["announcementId"]
    announced = page.get_by_role("region", name="Announced")
    expect(announced).to_contain_text("New terms of DOGE: collateral counts at 0.5")
    expect(page.locator(".told li.new")).to_contain_text("New terms of DOGE from")
    visitor.see("notices-more")
    sandbox.call("announcements/withdraw", {"announcementId": number})
    expect(announced).to_have_count(0)


def check_sums(dialog: Locator, record: dict[str, Any]) -> None:
    """See that what the page says in all is what the API says row by row."""
    entries = [entry for step in record["steps"] for entry in step["entries"]] + record["ended"]
    names = {
        "repaid": "repaid",
        "fund_paid": "paid by the insurance fund",
        "fund_took": "taken by the insurance fund",
        "pool_loss": "lost by the pool",
        "liquidation_fee": "liquidation fee",
    }
    sums: dict[tuple[str, str], Decimal] = {}
    for entry in entries:
        key = (names[entry["type"]], entry["coin"])
        amount = Decimal(entry["principal"]) + Decimal(entry["interest"])
        sums[key] = sums.get(key, Decimal(0)) + amount
    assert any(name == "repaid" for name, _ in sums)
    for order in [step["order"] for step in record["steps"] if step["order"]]:
        key = ("traded", order["symbol"])
        sums[key] = sums.get(key, Decimal(0)) + Decimal(order["size"])
    rows = dialog.get_by_role("region", name="What it came to").locator("tbody tr")
    shown = {
        (cells[0], cells[1]): Decimal(cells[2])
        for cells in [row.locator("th, td").all_inner_texts() for row in rows.all()]
    }
    assert sums == shown


def test_a_second_device_a_key_sessions_and_another_password(
    visitor: Visitor, browser: Browser
) -> None:
    page = visitor.page
    sign_up(visitor, "ann")
    page.get_by_label("Account ann@example.org").click()
    page.get_by_role("link", name="Account and keys").click()

    device = page.get_by_role("region", name="Second device")
    device.get_by_role("button", name="Set up").click()
    page.get_by_role("dialog").get_by_label("Your password").fill(PASSWORD)
    visitor.see("confirm")
    page.get_by_role("dialog").get_by_role("button", name="Confirm").click()
    expect(device.get_by_role("img", name="QR code of the secret")).to_be_visible()
    otp = pyotp.TOTP(device.locator("[data-name='TOTP secret']").inner_text().strip())
    visitor.see("account-device")
    used = int(time.time())
    device.get_by_label("The six digits it shows").fill(otp.at(used))
    with replaced_session(visitor):
        device.get_by_role("button", name="Turn on").click()
        expect(device).to_contain_text("Write these down")
    codes = device.get_by_role("list", name="Recovery codes").locator("li")
    expect(codes).to_have_count(10)
    recovery = codes.all_inner_texts()
    device.get_by_role("button", name="I have written them down").click()

    keys = rows_of(visitor, "Keys")
    secret = make_key(visitor, recovery.pop())
    user = User(visitor.sandbox, "", secret["Key"], secret["Secret"], secret["Passphrase"])
    assert [] == user.get("/api/v2/spot/account/assets")
    # It may read, and no more.
    status, answer = user.send("POST", f"{MARGIN}/crossed/account/borrow", {"coin": "USDT"})
    assert (400, "40014") == (status, answer["code"])
    visitor.see("account")
    keys.get_by_role("button", name="Revoke reader").click()
    keys.get_by_role("button", name="Really revoke").click()
    expect(keys).to_have_count(0)
    status, answer = user.send("GET", "/api/v2/spot/account/assets")
    assert 400 <= status < 500, answer

    page.get_by_label("Account ann@example.org").click()
    page.get_by_role("button", name="Log out").click()
    # A code is good once: the next one is of the next half minute.
    log_in(visitor, lambda: otp.at(max(int(time.time()), used + 30)))
    elsewhere = Visitor(browser, visitor.sandbox)
    log_in(elsewhere, recovery.pop)
    page.get_by_label("Account ann@example.org").click()
    page.get_by_role("link", name="Account and keys").click()
    sessions = rows_of(visitor, "Where you are logged in")
    expect(sessions).to_have_count(2)
    with replaced_session(elsewhere):
        sessions.get_by_role("button", name="End").click()
        expect(sessions).to_have_count(1)
        # Whoever was logged in elsewhere is so no longer.
        elsewhere.page.reload()
        link = elsewhere.page.get_by_role("banner").get_by_role("link", name="Log in")
        expect(link).to_be_visible()
        elsewhere.leave()
    page.get_by_role("button", name="Change", exact=True).click()
    page.get_by_label("Present password").fill(PASSWORD)
    page.get_by_label("New password").fill("another horse battery")
    page.get_by_label("Code of your second device").fill(recovery.pop())
    with replaced_session(visitor):
        page.get_by_role("button", name="Change the password").click()
        expect(page.locator(".notes")).to_contain_text("every other session has ended")
    expect(sessions).to_have_count(1)


@contextmanager
def replaced_session(visitor: Visitor) -> Iterator[None]:
    """Let calls be refused that were under way when a session ended."""
    visitor.refusals = {urlsplit(url).path for url in visitor.loaded} | {f"{IDENTITY}/me"}
    yield
    visitor.refusals = set()


def test_a_lost_password_is_set_anew_with_a_token(visitor: Visitor, data: Path) -> None:
    page = visitor.page
    sign_up(visitor, "fay")
    page.get_by_label("Account fay@example.org").click()
    page.get_by_role("button", name="Log out").click()
    code, said = lombard("reset-password", "fay@example.org", "--data", str(data))
    assert 0 == code, said
    found = re.search(r"token +(\S+)", said)
    assert found is not None, said

    page.get_by_role("banner").get_by_role("link", name="Log in").click()
    page.get_by_role("link", name="Lost your password?").click()
    # The page before has fields of the same names.
    expect(page.get_by_role("heading", name="A lost password")).to_be_visible()
    page.get_by_label("E-mail").fill("fay@example.org")
    page.get_by_label("Token").fill("of one's own making")
    page.get_by_label("New password").fill("another horse entirely")
    visitor.refusals = {f"{IDENTITY}/password-reset"}
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("alert")).to_have_text("That token is wrong, or good no more.")
    visitor.see("reset")
    page.get_by_label("Token").fill(found[1])
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_label("Account fay@example.org")).to_be_visible()


def make_key(visitor: Visitor, recovery: str) -> dict[str, str]:
    """Make a key that may read, and only from this machine; return what is shown once."""
    page = visitor.page
    page.get_by_role("button", name="New key").click()
    form = page.get_by_role("form", name="New key")
    form.get_by_label("Name, for yourself").fill("reader")
    form.get_by_label("Addresses or networks").fill("127.0.0.1, 10.0.0.0/8")
    form.get_by_role("button", name="Make the key").click()
    # The session is a new one, and is to say again who it is.
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Code of your second device").fill(recovery)
    dialog.get_by_role("button", name="Confirm").click()
    shown = page.get_by_role("status", name="The new key")
    expect(shown).to_contain_text("not shown again")
    visitor.see("account-key")
    found = {
        name: shown.locator(f"[data-name='{name}']").inner_text().strip()
        for name in ("Key", "Secret", "Passphrase")
    }
    shown.get_by_role("button", name="I have kept them").click()
    row = rows_of(visitor, "Keys")
    expect(row).to_contain_text("127.0.0.1, 10.0.0.0/8")
    expect(page.get_by_text(found["Secret"])).to_have_count(0)
    return found


def log_in(visitor: Visitor, code: Callable[[], str]) -> None:
    """Log in with password and code; the code is asked for when the password was right."""
    visitor.refusals = {f"{IDENTITY}/log-in"}
    page = visitor.page
    page.get_by_role("banner").get_by_role("link", name="Log in").click()
    page.get_by_label("E-mail").fill("ann@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    enter = page.get_by_role("main").get_by_role("button", name="Log in")
    enter.click()
    digits = page.get_by_label("Code of your second device")
    expect(digits).to_be_focused()
    expect(page.get_by_role("alert")).to_have_count(0)
    digits.fill("of one's own making")
    enter.click()
    expect(page.get_by_role("alert")).to_have_text("That code is wrong, or was used already.")
    digits.fill(code())
    enter.click()
    expect(page.get_by_label("Account ann@example.org")).to_be_visible()
    visitor.refusals = set()
