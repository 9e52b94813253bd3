"""Reasons over the wire: explanations, what-if and pay-off, in words and decimal strings."""

from pathlib import Path

from lombard.core.commands import SetPair
from tests.api.house import START_MS, Client, Street, fault_in, run, street
from tests.api.test_margin_account import CROSSED, ISOLATED, funded

WHY = "/lombard/v1/margin/explain"
WHAT_IF = "/lombard/v1/margin/what-if"
PAY_OFF = "/lombard/v1/margin/pay-off"


async def indebted(place: Street) -> Client:
    """Admit a user with 1000 USDT, who owes 500 of the same in the crossed account."""
    client = await funded(place, USDT="1000")
    place.house.price("USDT", "1")
    await client.done(f"{CROSSED}/account/borrow", coin="USDT", borrowAmount="500")
    return client


def test_a_loan_is_explained_and_the_amount_is_the_calls_own(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await funded(place, USDT="1000")
            told = await client.read(f"{WHY}/max-borrowable", coin="USDT")
            most = await client.read(f"{CROSSED}/account/max-borrowable-amount", coin="USDT")
            assert most["maxBorrowableAmount"] == told["amount"]
            assert ("2000", "leverage", None) == (told["amount"], told["binding"], told["blocked"])
            amounts = {term["name"]: term["amount"] for term in told["terms"]}
            # K may be 500: 5000 at 10 %.
            assert ("2000", "300000", "5000") == (
                amounts["leverage"],
                amounts["tier"],
                amounts["ratio"],
            )
            (bound,) = [term for term in told["terms"] if term["binding"]]
            assert ("leverage", "1") == (bound["name"], bound["tier"])
            assert "collateral" in bound["lift"]
            isolated = await client.read(
                f"{WHY}/max-borrowable", mode="isolated", symbol="BTCUSDT", coin="BTC"
            )
            pair = await client.read(f"{ISOLATED}/account/max-borrowable-amount", symbol="BTCUSDT")
            assert pair["baseCoinMaxBorrowAmount"] == isolated["amount"]

    run(test())


def test_what_blocks_a_loan_is_worded_as_the_call_would(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await funded(place, USDT="1000")
            wrong = await client.read(
                f"{WHY}/max-borrowable", mode="isolated", symbol="BTCUSDT", coin="DOGE"
            )
            assert "0" == wrong["amount"]
            assert "coin_not_in_account" == wrong["blocked"]["refusal"]
            for query in ({"mode": "spot"}, {"mode": "isolated"}):
                refused = await client.get(f"{WHY}/max-borrowable", coin="USDT", **query)
                assert fault_in(refused)

    run(test())


def test_a_transfer_is_explained(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await indebted(place)
            told = await client.read(f"{WHY}/max-transfer-out", coin="USDT")
            most = await client.read(f"{CROSSED}/account/max-transfer-out-amount", coin="USDT")
            assert (most["maxTransferOutAmount"], "equity") == (told["amount"], told["binding"])
            assert ["available", "equity", "ratio"] == [term["name"] for term in told["terms"]]

    run(test())


def test_an_order_is_explained(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await funded(place, USDT="1000")
            wish = {
                "symbol": "BTCUSDT",
                "side": "buy",
                "orderType": "limit",
                "loanType": "autoLoan",
                "force": "gtc",
                "price": "20000",
                "baseSize": "0.2",
            }
            told = await client.done(f"{WHY}/order", **wish)
            assert not told["accepted"]
            assert ("50035", "borrow_over_leverage") == (
                told["refusal"]["code"],
                told["refusal"]["refusal"],
            )
            # 1000 of its own and 2000 lent.
            assert ("0.15", "BTC", "1000") == (
                told["largest"],
                told["largestCoin"],
                told["available"],
            )
            assert "2000" == told["loan"]["amount"]
            said = fault_in(await client.post(f"{CROSSED}/place-order", **wish))
            assert told["refusal"]["msg"] == said[1]
            more = {**wish, "baseSize": "0.150001"}
            assert (
                told["beyond"]["msg"]
                == fault_in(await client.post(f"{CROSSED}/place-order", **more))[1]
            )
            await client.done(f"{CROSSED}/place-order", **{**wish, "baseSize": told["largest"]})

    run(test())


def test_a_pair_without_isolated_margin_has_nothing_to_explain(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await funded(place, USDT="1000")
            house = place.house
            eth, usdc = house.coin("ETH"), house.coin("USDC")
            tiers: list[tuple[int, int, int, int]] = []
            pair = SetPair(
                "ETHUSDC", eth, usdc, 10**10, 10**4, 0, 0, 1, 1, 10**9, 200, tiers, 0, True, True
            )
            house.done(pair)
            where = {"mode": "isolated", "symbol": "ETHUSDC"}
            wish = {"side": "buy", "orderType": "market", "loanType": "normal", "quoteSize": "1"}
            assert "50021" == fault_in(await client.post(f"{WHY}/order", **where, **wish))[0]
            told = await client.read(f"{WHY}/max-borrowable", **where, coin="ETH")
            assert "account_unknown" == told["blocked"]["refusal"]
            told = await client.done(WHAT_IF, **where, repay={"coin": "ETH", "amount": "1"})
            assert "account_unknown" == told["refusal"]["refusal"]
            assert [] == (await client.read(f"{WHY}/liquidation", **where))["parts"]
            assert "0" == (await client.read(PAY_OFF, **where, coin="ETH"))["amount"]

    run(test())


def test_liquidation_is_explained(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await funded(place, BTC="1")
            place.house.price("USDT", "1")
            calm = await client.read(f"{WHY}/liquidation")
            assert ("", "0") == (calm["risk"]["riskRatio"], calm["toRatioHalf"])
            await client.done(f"{CROSSED}/account/borrow", coin="USDT", borrowAmount="10000")
            told = await client.read(f"{WHY}/liquidation")
            parts = {part["coin"]: part for part in told["parts"]}
            assert parts["BTC"]["nearest"]
            assert ("at or below", "") == (
                parts["BTC"]["liquidatedWhen"],
                parts["USDT"]["liquidationPrice"],
            )
            price = parts["BTC"]["liquidationPrice"]
            place.house.price("BTC", price)
            locked = await client.read(f"{CROSSED}/account/risk-rate")
            # It went through liquidation, which ends at 0.5 or below.
            assert float(locked["riskRateRatio"]) <= 0.5

    run(test())


def test_what_if_tells_before_and_after(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await indebted(place)
            before = place.house.engine.state_hash()
            told = await client.done(
                WHAT_IF,
                prices=[{"coin": "BTC", "price": "15000"}],
                borrow={"coin": "BTC", "amount": "0.01"},
            )
            assert before == place.house.engine.state_hash()
            assert (True, None) == (told["accepted"], told["refusal"])
            coins = {row["coin"]: row for row in told["after"]["coins"]}
            assert ("0.01", "at or above") == (
                coins["BTC"]["borrow"],
                coins["BTC"]["liquidatedWhen"],
            )
            assert "BTC" not in {row["coin"] for row in told["before"]["coins"]}
            assert float(told["before"]["risk"]["riskRatio"]) > float(
                told["after"]["risk"]["riskRatio"]
            )

            place.house.price("BTC", "15000")
            await client.done(f"{CROSSED}/account/borrow", coin="BTC", borrowAmount="0.01")
            now = await client.done(WHAT_IF)
            assert told["after"] == now["before"] == now["after"]

    run(test())


def test_every_kind_of_what_if(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await indebted(place)
            order = {
                "symbol": "BTCUSDT",
                "side": "buy",
                "orderType": "limit",
                "loanType": "normal",
                "force": "gtc",
                "price": "20000",
                "baseSize": "0.01",
            }
            usdt = {"coin": "USDT", "amount": "100"}
            for body, borrow in (
                ({"order": order}, "500"),
                ({"repay": usdt}, None),
                ({"borrow": usdt}, "600"),
                ({"transfer": {**usdt, "toType": "spot"}}, "500"),
                ({"transfer": {**usdt, "toType": "isolated_margin", "toSymbol": "BTCUSDT"}}, "500"),
            ):
                told = await client.done(WHAT_IF, **body)
                assert told["accepted"], told["refusal"]
                (row,) = [row for row in told["after"]["coins"] if row["coin"] == "USDT"]
                assert borrow in (None, row["borrow"])
            told = await client.done(WHAT_IF, borrow={**usdt, "amount": "100000"})
            assert "50035" == told["refusal"]["code"]
            assert told["before"] == told["after"]
            assert fault_in(await client.post(WHAT_IF, borrow=usdt, repay=usdt))
            assert fault_in(await client.post(WHAT_IF, prices=[{"coin": "BTC", "price": "x"}]))

    run(test())


def test_a_pay_off_quote_clears_the_debt(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await indebted(place)
            now = await client.read(PAY_OFF, coin="USDT")
            assert (True, "0") == (now["exact"], now["estimatedHours"])
            assert now["exactBefore"] == str(START_MS - START_MS % 3_600_000 + 3_600_000)
            later_ms = START_MS + 5 * 3_600_000
            quote = await client.read(PAY_OFF, coin="USDT", before=later_ms)
            assert (False, "5") == (quote["exact"], quote["estimatedHours"])
            place.house.move_to(later_ms - 1)
            paid = await client.done(
                f"{CROSSED}/account/repay", coin="USDT", repayAmount=quote["amount"]
            )
            assert (quote["amount"], "0") == (paid["repayAmount"], paid["remainDebtAmount"])
            nothing = await client.read(PAY_OFF, coin="USDT", mode="isolated", symbol="BTCUSDT")
            assert "0" == nothing["amount"]

    run(test())
