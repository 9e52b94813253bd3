"""The published numbers, over HTTP, to the last digit (RULES 4.3, 9.1)."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.e2e.sandbox import Sandbox, User

CROSSED = "/api/v2/margin/crossed"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A venue that stands at midnight until it is told otherwise."""
    with Sandbox(
        "--clock", "manual", "--market", "none", "--start", "2026-01-01T00:00:00Z"
    ) as running:
        yield running


def asset(user: User, coin: str) -> dict[str, str]:
    """Return a row of the crossed account."""
    rows = user.get(f"{CROSSED}/account/assets?coin={coin}")
    row: dict[str, str] = next(row for row in rows if row["coin"] == coin)
    return row


def test_ten_thousand_usdt_for_three_clock_hours(sandbox: Sandbox) -> None:
    sandbox.call("rates", {"coin": "USDT", "dailyInterestRate": "0.000126279"})
    sandbox.advance(to="2026-01-02T00:10:00Z")
    user = sandbox.user()
    user.deposit("USDT", "20000")
    user.transfer("spot", "crossed_margin", "USDT", "20000")

    user.post(f"{CROSSED}/account/borrow", coin="USDT", borrowAmount="10000")
    sandbox.advance(to="2026-01-02T02:30:00Z")

    row = asset(user, "USDT")
    assert ("10000", "0.15784875") == (row["borrow"], row["interest"])
    since = "startTime=1767225600000"
    records = user.get(f"{CROSSED}/interest-history?{since}&coin=USDT")["resultList"]
    assert ["scheduled", "scheduled", "first"] == [record["interstType"] for record in records]
    assert ["0.05261625"] * 3 == [record["interestAmount"] for record in records]
    paid = user.post(f"{CROSSED}/account/repay", coin="USDT", repayAmount="11000")
    assert ("10000.15784875", "0") == (paid["repayAmount"], paid["remainDebtAmount"])
    assert "0" == asset(user, "USDT")["borrow"]


def test_one_bitcoin_over_a_change_of_rate(sandbox: Sandbox) -> None:
    sandbox.call("rates", {"coin": "BTC", "dailyInterestRate": "0.001"})
    sandbox.advance(to="2026-01-02T01:30:00Z")
    user = sandbox.user()
    user.deposit("BTC", "2")
    user.transfer("spot", "crossed_margin", "BTC", "2")

    user.post(f"{CROSSED}/account/borrow", coin="BTC", borrowAmount="1")
    sandbox.advance(to="2026-01-02T03:40:00Z")
    sandbox.call("rates", {"coin": "BTC", "dailyInterestRate": "0.0005"})
    sandbox.advance(ms=str(70 * 60_000))

    assert "0.00014583" == asset(user, "BTC")["interest"]
    paid = user.post(f"{CROSSED}/account/repay", coin="BTC", repayAmount="1.00014583")
    assert ("1.00014583", "0") == (paid["repayAmount"], paid["remainDebtAmount"])


def test_repaid_inside_the_clock_hour_is_one_hour(sandbox: Sandbox) -> None:
    user = sandbox.user()
    user.deposit("USDT", "100")
    user.transfer("spot", "crossed_margin", "USDT", "100")
    sandbox.advance(ms="60000")

    user.post(f"{CROSSED}/account/borrow", coin="USDT", borrowAmount="100")
    sandbox.advance(ms=str(58 * 60_000))

    # 100 x 0.00041095 / 24 = 0.0017122916…
    assert "0.00171229" == asset(user, "USDT")["interest"]


def test_four_hundred_may_leave(sandbox: Sandbox) -> None:
    sandbox.call("rates", {"coin": "USDT", "dailyInterestRate": "0"})
    sandbox.advance(to="2026-01-01T01:00:00Z")
    user = sandbox.user()
    user.deposit("USDT", "700")
    user.transfer("spot", "crossed_margin", "USDT", "700")
    user.post(f"{CROSSED}/account/borrow", coin="USDT", borrowAmount="300")

    out = user.get(f"{CROSSED}/account/max-transfer-out-amount?coin=USDT")

    assert "400" == out["maxTransferOutAmount"]
    before = sandbox.state_hash()
    body = {"fromType": "crossed_margin", "toType": "spot", "coin": "USDT"}
    status, answer = user.send(
        "POST", "/api/v2/spot/wallet/transfer", body | {"amount": "400.00000001"}
    )
    assert (400, "43117") == (status, answer["code"])
    assert before == sandbox.state_hash()
    user.transfer("crossed_margin", "spot", "USDT", "400")
    assert Decimal(600) == Decimal(asset(user, "USDT")["totalAmount"])


def test_a_coupon_takes_half_off_for_two_hours(sandbox: Sandbox) -> None:
    """RULES 9.3: a fifth of a USDT an hour saved at 01:10, 02:00 and 03:00; 04:00 is whole."""
    sandbox.call("rates", {"coin": "USDT", "dailyInterestRate": "0.0024"})
    sandbox.advance(to="2026-01-02T01:10:00Z")
    user = sandbox.user()
    user.deposit("USDT", "20000")
    user.transfer("spot", "crossed_margin", "USDT", "20000")
    campaign = sandbox.call(
        "coupon-campaigns",
        {
            "name": "May",
            "discountRate": "0.5",
            "caps": [{"coin": "USDT", "amount": "4000"}],
            "durationHours": "2",
            "claimUntil": "1767398400000",
        },
    )["campaignId"]
    coupon = user.post("/lombard/v1/coupons/claim", campaignId=campaign)["couponId"]
    user.post(f"{CROSSED}/account/borrow", coin="USDT", borrowAmount="10000")

    sandbox.advance(to="2026-01-02T04:30:00Z")

    assert "3.4" == asset(user, "USDT")["interest"]
    rows = user.get("/lombard/v1/margin/crossed/interest-receipts")["resultList"]
    assert ["0", "0.2", "0.2", "0.2"] == [row["savedAmount"] for row in rows]
    assert [{"couponId": coupon, "amount": "4000"}] == rows[-1]["coupons"]
    paid = user.post(f"{CROSSED}/account/repay", coin="USDT", repayAmount="11000")
    assert ("10003.4", "0") == (paid["repayAmount"], paid["remainDebtAmount"])
    assert ["used"] == [row["status"] for row in user.get("/lombard/v1/coupons")]
