"""The margin account over the wire: borrowing, paying back, and what is in it."""

from pathlib import Path

import pytest

from tests.api.house import START_MS, Client, OpenStreet, Street, fault_in, run, street

CROSSED = "/api/v2/margin/crossed"
ISOLATED = "/api/v2/margin/isolated"
TRANSFER = "/api/v2/spot/wallet/transfer"


async def funded(place: Street, **funds: str) -> Client:
    """Admit a user with funds in the crossed account, and the same in isolated BTCUSDT."""
    doubled = {coin: str(2 * int(amount)) for coin, amount in funds.items()}
    client = await place.client(funds=doubled)
    for coin, amount in funds.items():
        await move(client, "crossed_margin", coin, amount)
        await move(client, "isolated_margin", coin, amount)
    return client


async def move(client: Client, to_type: str, coin: str, amount: str) -> None:
    wish = {"fromType": "spot", "toType": to_type, "coin": coin, "amount": amount}
    await client.done(TRANSFER, symbol="BTCUSDT", **wish)


def test_borrow_and_repay_crossed(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await funded(place, USDT="1000")
            loan = await client.done(f"{CROSSED}/account/borrow", coin="USDT", borrowAmount="4")
            assert {"loanId": loan["loanId"], "coin": "USDT", "borrowAmount": "4"} == loan
            assert 19 == len(loan["loanId"])

            # reference §12.3, but for the rounding of profile `exact`: half up, not always up.
            repaid = await client.done(
                f"{CROSSED}/account/repay", coin="USDT", repayAmount="4.00006849"
            )
            assert {
                "repayId": repaid["repayId"],
                "coin": "USDT",
                "repayAmount": "4.00006849",
                "remainDebtAmount": "0",
            } == repaid
            assert int(repaid["repayId"]) > int(loan["loanId"])

    run(test())


def test_two_isolated_loans_are_one_debt(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await funded(place, USDT="1000")
            wish = {"symbol": "BTCUSDT", "coin": "USDT", "borrowAmount": 4}
            loan = await client.done(f"{ISOLATED}/account/borrow", **wish)
            assert {
                "loanId": loan["loanId"],
                "symbol": "BTCUSDT",
                "coin": "USDT",
                "borrowAmount": "4",
            } == loan
            await client.done(f"{ISOLATED}/account/borrow", **wish)

            # More than is owed: capped (reference §12.3: 8.000137 with every charge rounded up).
            repaid = await client.done(
                f"{ISOLATED}/account/repay", symbol="BTCUSDT", coin="USDT", repayAmount="9"
            )
            assert {
                "repayId": repaid["repayId"],
                "symbol": "BTCUSDT",
                "coin": "USDT",
                "repayAmount": "8.00013698",
                "remainDebtAmount": "0",
            } == repaid

    run(test())


def test_a_repayment_in_part(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await funded(place, USDT="10000")
            await client.done(f"{CROSSED}/account/borrow", coin="USDT", borrowAmount="10000")
            repaid = await client.done(f"{CROSSED}/account/repay", coin="USDT", repayAmount="5000")
            assert ("5000", "5000.17122917") == (repaid["repayAmount"], repaid["remainDebtAmount"])

    run(test())


def test_crossed_assets(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await funded(place, USDT="10000", BTC="1")
            await client.done(f"{CROSSED}/account/borrow", coin="USDT", borrowAmount="10000")
            await client.done(
                f"{CROSSED}/place-order",
                symbol="BTCUSDT",
                side="buy",
                orderType="limit",
                force="gtc",
                loanType="normal",
                price="19900",
                baseSize="0.1",
            )
            rows = await client.read(f"{CROSSED}/account/assets")
            # Net 29 999.82877083 less debt 10 000.17122917 may leave, if it is free.
            assert [
                {
                    "coin": "USDT",
                    "totalAmount": "20000",
                    "available": "18010",
                    "transferable": "18010",
                    "frozen": "1990",
                    "borrow": "10000",
                    "interest": "0.17122917",
                    "net": "9999.82877083",
                    "coupon": "0",
                    "cTime": str(START_MS),
                    "uTime": str(START_MS),
                },
                {
                    "coin": "BTC",
                    "totalAmount": "1",
                    "available": "1",
                    "transferable": "0.99998287",
                    "frozen": "0",
                    "borrow": "0",
                    "interest": "0",
                    "net": "1",
                    "coupon": "0",
                    "cTime": str(START_MS),
                    "uTime": str(START_MS),
                },
            ] == rows
            assert [rows[1]] == await client.read(f"{CROSSED}/account/assets", coin="BTC")
            assert [] == await client.read(f"{CROSSED}/account/assets", coin="ETH")

    run(test())


def test_isolated_assets_are_two_rows_a_pair(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await funded(place, USDT="100", BTC="1")
            wish = {"fromType": "crossed_margin", "toType": "isolated_margin", "amount": "50"}
            await client.done(TRANSFER, coin="USDT", symbol="ETHUSDT", **wish)
            rows = await client.read(f"{ISOLATED}/account/assets")
            assert [
                ("BTCUSDT", "USDT", "100"),
                ("BTCUSDT", "BTC", "1"),
                ("ETHUSDT", "USDT", "50"),
            ] == [(row["symbol"], row["coin"], row["totalAmount"]) for row in rows]
            assert rows[:2] == await client.read(f"{ISOLATED}/account/assets", symbol="BTCUSDT")
            assert [] == await client.read(f"{ISOLATED}/account/assets", symbol="DOGEUSDT")

    run(test())


def test_risk_rates(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await funded(place, USDT="1000")
            path = f"{CROSSED}/account/risk-rate"
            assert {"riskRateRatio": "0"} == await client.read(path)
            # RULES 7.3: cross 3x borrowed to the limit is a ratio of 0.2.
            await client.done(f"{CROSSED}/account/borrow", coin="USDT", borrowAmount="1999")
            ratio = await client.read(path)
            assert ["riskRateRatio"] == list(ratio)
            assert 0.199 < float(ratio["riskRateRatio"]) < 0.201

            path = f"{ISOLATED}/account/risk-rate"
            rows = await client.read(path)
            assert [{"riskRateRatio": "0", "symbol": "BTCUSDT"}] == rows
            assert rows == await client.read(path, symbol="BTCUSDT")
            assert [] == await client.read(path, pageNum=2)
            assert rows == await client.read(path, pageNum=1, pageSize=500)

    run(test())


def test_limits(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await funded(place, USDT="1000")
            path = f"{CROSSED}/account"
            assert {"coin": "USDT", "maxBorrowableAmount": "2000"} == await client.read(
                f"{path}/max-borrowable-amount", coin="USDT"
            )
            assert {"coin": "BTC", "maxBorrowableAmount": "0.1"} == await client.read(
                f"{path}/max-borrowable-amount", coin="BTC"
            )
            assert {"coin": "USDT", "maxTransferOutAmount": "1000"} == await client.read(
                f"{path}/max-transfer-out-amount", coin="USDT"
            )
            path = f"{ISOLATED}/account"
            assert {
                "symbol": "BTCUSDT",
                "baseCoin": "BTC",
                "baseCoinMaxBorrowAmount": "0.45",
                "quoteCoin": "USDT",
                "quoteCoinMaxBorrowAmount": "9000",
            } == await client.read(f"{path}/max-borrowable-amount", symbol="BTCUSDT")
            assert {
                "baseCoin": "BTC",
                "symbol": "BTCUSDT",
                "baseCoinMaxTransferOutAmount": "0",
                "quoteCoin": "USDT",
                "quoteCoinMaxTransferOutAmount": "1000",
            } == await client.read(f"{path}/max-transfer-out-amount", symbol="BTCUSDT")
            # Never used: nothing in it, so nothing may be borrowed.
            unused = await client.read(f"{path}/max-borrowable-amount", symbol="DOGEUSDT")
            assert ("0", "0") == (
                unused["baseCoinMaxBorrowAmount"],
                unused["quoteCoinMaxBorrowAmount"],
            )

    run(test())


def test_transferable_is_net_less_debt(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            await place.house.set_rate(place.house.coin("USDT"), 0)
            place.house.move_to(START_MS + 3_600_000)
            client = await place.client(USDT="700")
            await move(client, "crossed_margin", "USDT", "700")
            await client.done(f"{CROSSED}/account/borrow", coin="USDT", borrowAmount="300")
            # RULES 9.1: assets 1000, debt 300 -> net 700 -> 400
            assert (
                "400"
                == (await client.read(f"{CROSSED}/account/max-transfer-out-amount", coin="USDT"))[
                    "maxTransferOutAmount"
                ]
            )

    run(test())


@pytest.mark.parametrize(
    ("path", "query", "code", "sentence"),
    [
        (f"{CROSSED}/account/max-borrowable-amount", {}, "400172", "coin is empty"),
        (f"{CROSSED}/account/max-borrowable-amount", {"coin": "X"}, "50032", "X"),
        (f"{CROSSED}/account/max-transfer-out-amount", {}, "400172", "coin is empty"),
        (f"{CROSSED}/account/assets", {"coin": "btc"}, "50032", "btc"),
        (f"{CROSSED}/tier-data", {}, "400172", "coin is empty"),
        (f"{CROSSED}/interest-rate-and-limit", {}, "400172", "coin is empty"),
        (f"{ISOLATED}/account/max-borrowable-amount", {}, "400172", "symbol is empty"),
        (f"{ISOLATED}/account/max-transfer-out-amount", {"symbol": "X"}, "50024", "X"),
        (f"{ISOLATED}/account/assets", {"symbol": "X"}, "50024", "X"),
        (f"{ISOLATED}/account/risk-rate", {"symbol": "X"}, "50024", "X"),
        (f"{ISOLATED}/account/risk-rate", {"pageNum": "x"}, "50061", "pageNum"),
        (f"{ISOLATED}/account/risk-rate", {"pageSize": "0"}, "50061", "pageSize"),
        (f"{ISOLATED}/tier-data", {}, "400172", "symbol is empty"),
        (f"{ISOLATED}/interest-rate-and-limit", {"symbol": "X"}, "50024", "X"),
    ],
)
def test_questions_that_are_none(
    open_street: OpenStreet, path: str, query: dict[str, str], code: str, sentence: str
) -> None:
    async def test(place: Street) -> None:
        client = await place.client()
        found, said = fault_in(await client.get(path, **query))
        assert code == found
        assert sentence in said

    open_street.run(test)


def test_terms_by_level(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client()
            terms = await client.read(f"{CROSSED}/interest-rate-and-limit", coin="BTC")
            # reference §2.12
            assert [
                {
                    "coin": "BTC",
                    "leverage": "3",
                    "transferable": True,
                    "borrowable": True,
                    "dailyInterestRate": "0.00007",
                    "annualInterestRate": "0.02555",
                    "maxBorrowableAmount": "26",
                    "vipList": terms[0]["vipList"],
                }
            ] == terms
            assert {
                "level": "1",
                "limit": "26.78",
                "dailyInterestRate": "0.0000679",
                "annualInterestRate": "0.0247835",
                "discountRate": "0.97",
            } == terms[0]["vipList"][1]
            assert ["26", "26.78", "28.08", "30.16", "34.58", "43.16"] == [
                row["limit"] for row in terms[0]["vipList"]
            ]

            terms = await client.read(f"{ISOLATED}/interest-rate-and-limit", symbol="BTCUSDT")
            assert [
                {
                    "symbol": "BTCUSDT",
                    "leverage": "10",
                    "baseCoin": "BTC",
                    "baseTransferable": True,
                    "baseBorrowable": True,
                    "baseDailyInterestRate": "0.00007",
                    "baseAnnuallyInterestRate": "0.02555",
                    "baseMaxBorrowableAmount": "26",
                    "baseVipList": terms[0]["baseVipList"],
                    "quoteCoin": "USDT",
                    "quoteTransferable": True,
                    "quoteBorrowable": True,
                    "quoteDailyInterestRate": "0.00041095",
                    "quoteAnnuallyInterestRate": "0.14999675",
                    "quoteMaxBorrowableAmount": "300000",
                    "quoteList": terms[0]["quoteList"],
                }
            ] == terms
            # reference §12.3: VIP1 of daily 0.00041095
            assert {
                "level": "1",
                "dailyInterestRate": "0.00039863",
                "limit": "309000",
                "annuallyInterestRate": "0.14549995",
                "discountRate": "0.97",
            } == terms[0]["quoteList"][1]
            assert [
                "0.00041095",
                "0.00039863",
                "0.00037808",
                "0.00035342",
                "0.00030822",
                "0.00024657",
            ] == [row["dailyInterestRate"] for row in terms[0]["quoteList"]]

    run(test())


def test_tiers(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client()
            assert [
                {
                    "tier": "1",
                    "leverage": "3",
                    "coin": "BTC",
                    "maxBorrowableAmount": "26",
                    "maintainMarginRate": "0.1",
                }
            ] == await client.read(f"{CROSSED}/tier-data", coin="BTC")
            tiers = await client.read(f"{ISOLATED}/tier-data", symbol="BTCUSDT")
            assert {
                "tier": "1",
                "symbol": "BTCUSDT",
                "leverage": "10",
                "baseCoin": "BTC",
                "quoteCoin": "USDT",
                "baseMaxBorrowableAmount": tiers[0]["baseMaxBorrowableAmount"],
                "quoteMaxBorrowableAmount": tiers[0]["quoteMaxBorrowableAmount"],
                "maintainMarginRate": "0.05",
                "initRate": "0.1111",
            } == tiers[0]
            doge = await client.read(f"{ISOLATED}/tier-data", symbol="DOGEUSDT")
            assert ("5", "0.25") == (doge[0]["leverage"], doge[0]["initRate"])
            pepe = await client.read(f"{ISOLATED}/tier-data", symbol="PEPEUSDT")
            assert ("3", "0.5") == (pepe[0]["leverage"], pepe[0]["initRate"])

    run(test())
