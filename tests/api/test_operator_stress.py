"""The operators' overview and stress: what they say of a venue with somebody deep in debt."""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lombard.api.operator import stress as stress_calls
from lombard.api.operator.overview import Overview
from tests.api.house import Client, fault_in, run
from tests.api.office import Office, at, office

TRANSFER = "/api/v2/spot/wallet/transfer"
BORROW = "/api/v2/margin/crossed/account/borrow"


async def debtor(desk: Office, bitcoin: str, owed: str) -> Client:
    """Admit somebody long of BTC: what is borrowed has gone to the spot account."""
    client = await desk.place.client(BTC=bitcoin)
    move = {"coin": "BTC", "amount": bitcoin, "fromType": "spot", "toType": "crossed_margin"}
    await client.done(TRANSFER, **move)
    await client.done(BORROW, coin="USDT", borrowAmount=owed)
    back = {"coin": "USDT", "amount": owed, "fromType": "crossed_margin", "toType": "spot"}
    await client.done(TRANSFER, **back)
    return client


async def fall(desk: Office, change: str, **more: Any) -> Any:
    return await desk.ann.done(at("stress"), moves=[{"coin": "BTC", "change": change}], **more)


def test_a_fall_names_who_is_called_and_who_is_liquidated(tmp_path: Path) -> None:
    async def test() -> None:
        async with office(tmp_path) as desk:
            far, near = await debtor(desk, "1", "5000"), await debtor(desk, "1", "9900")
            before = desk.state_hash
            nothing = await fall(desk, "0")
            assert ("2", "0", "0", []) == (
                nothing["debtors"], nothing["called"], nothing["liquidated"], nothing["accounts"]
            )  # fmt: skip
            told = await fall(desk, "-0.46")
            assert [str(near.user)] == [row["userId"] for row in told["accounts"]]
            row = told["accounts"][0]
            assert ("liquidation", "crossed_margin", False) == (
                row["outcome"], row["accountType"], row["already"]
            )  # fmt: skip
            assert ("0", "0", "0") == (told["shortfall"], told["fundPays"], told["loss"])

            told = await fall(desk, "-0.8")
            assert [near.user, far.user] == [int(row["userId"]) for row in told["accounts"]]
            assert ("2", "2") == (told["liquidated"], told["short"])
            missing = [Decimal(row["debt"]) - Decimal(row["assets"]) for row in told["accounts"]]
            assert sum(missing) == Decimal(told["shortfall"]) == Decimal(told["fundPays"])
            usdt = told["coins"][0]
            assert told["shortfall"] == usdt["shortfall"] == usdt["fundPays"]
            assert "4000" == told["coins"][2]["movedPrice"]
            dearer = await fall(desk, "-0.8", sellingCost="0.05")
            # A twentieth of two bitcoins at 4 000.
            assert Decimal(dearer["shortfall"]) - Decimal(told["shortfall"]) == 400
            assert 1 == len((await fall(desk, "-0.8", limit="1"))["accounts"])
            assert before == desk.state_hash

            desk.place.house.price("BTC", "4000")
            hit = await desk.ann.read(at("liquidations/running"))
            assert {str(near.user), str(far.user)} == {row["userId"] for row in hit}
            assert "2" == (await fall(desk, "0"))["already"]

    run(test())


def test_what_the_fund_has_not_is_the_pool_s_loss(tmp_path: Path) -> None:
    async def test() -> None:
        async with office(tmp_path) as desk:
            await debtor(desk, "1", "9000")
            fund = (await desk.ann.read(at("pools")))[0]["insurance"]
            less = str(Decimal(fund) - 100)
            taken = {"kind": "insurance-withdrawal", "coin": "USDT", "amount": less}
            await desk.ann.done(at("movements"), **taken)
            told = await fall(desk, "-0.9")
            usdt = told["coins"][0]
            assert ("100", "100") == (usdt["fund"], usdt["fundPays"])
            assert (
                Decimal(usdt["shortfall"]) - 100 == Decimal(usdt["loss"]) == Decimal(told["loss"])
            )

    run(test())


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ({}, "40019", "moves"),
        ({"moves": [{"coin": "USDT", "change": "-1"}]}, "40017", "USDT"),
        ({"moves": [{"coin": "XYZ", "change": "-0.1"}]}, "43129", "XYZ"),
        ({"moves": [{"coin": "BTC", "change": ""}]}, "40020", "change"),
        ({"moves": [{"coin": "BTC", "change": "--0.1"}]}, "40020", "change"),
        ({"moves": [{"coin": "BTC", "change": "-1"}]}, "40020", "change"),
        ({"moves": [{"coin": "BTC", "change": "101"}]}, "40020", "change"),
        ({"moves": [{"coin": "BTC", "change": "0.1"}] * 2}, "40020", "coin"),
        ({"moves": [{"coin": "BTC", "change": "0.1"}], "sellingCost": "1"}, "40020", "sellingCost"),
        ({"moves": [{"coin": "BTC", "change": "0.1"}], "limit": "x"}, "40020", "limit"),
    ],
)
def test_what_cannot_be_asked(tmp_path: Path, body: Any, code: str, words: str) -> None:
    async def test() -> None:
        async with office(tmp_path) as desk:
            found = await desk.ann.refused(at("stress"), **body)
            assert code == found[0]
            assert words in found[1]

    run(test())


def test_others_have_their_turn_and_one_question_is_worked_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        async with office(tmp_path) as desk:
            for _ in range(3):
                await debtor(desk, "1", "9000")
            monkeypatch.setattr(stress_calls, "PART", 1)
            body = {"moves": [{"coin": "BTC", "change": "-0.55"}]}
            answers = await asyncio.gather(
                desk.ann.post(at("stress"), **body), desk.ben.post(at("stress"), **body)
            )
            good = [answer for answer in answers if answer.status_code == 200]
            bad = [answer for answer in answers if answer.status_code != 200]
            assert "3" == good[0].json()["data"]["liquidated"]
            assert "429" == fault_in(bad[0])[0]
            assert "3" == (await fall(desk, "-0.55"))["liquidated"]

    run(test())


def test_the_overview_tells_what_goes_on(tmp_path: Path) -> None:
    async def test() -> None:
        async with office(tmp_path) as desk:
            await debtor(desk, "1", "9000")
            told = await desk.ann.read(at("overview"))
            assert set(Overview.__struct_fields__) == set(told)
            assert ("1", "1", "0", "ok") == (
                told["users"], told["debtors"], told["liquidations"], told["history"]
            )  # fmt: skip
            assert str(desk.place.house.seq) == told["appliedSeq"]
            assert [] == told["stale"]
            desk.place.house.price("BTC", "4000")
            assert "1" == (await desk.ann.read(at("overview")))["liquidations"]

    run(test())
