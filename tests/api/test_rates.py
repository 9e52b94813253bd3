"""Interest rates over the wire (RULES 5.2), and the sandbox's curves."""

from pathlib import Path
from typing import Any

import pytest

from tests.api.house import START_MS, OpenStreet, Street, data_of, fault_in, run, street

PUBLIC = "/lombard/v1/public"
SANDBOX = "/lombard/v1/sandbox"
HOUR_MS = 3_600_000
# The house opens at ten past.
HOUR_0 = START_MS - START_MS % HOUR_MS
CURVE = {
    "coin": "BTC",
    "baseRate": "0.0001",
    "kink": "0.8",
    "rateAtKink": "0.0004",
    "rateAtFull": "0.003",
    "premium": "0.00005",
}


async def ask(place: Street, path: str) -> Any:
    return data_of(await place.http.get(f"{PUBLIC}/{path}"))


async def give(place: Street, path: str, body: dict[str, str]) -> Any:
    return data_of(await place.http.post(f"{SANDBOX}/{path}", json=body))


def test_a_curve_makes_the_next_hour_s_rate(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            assert CURVE == await give(place, "rate-models", CURVE)
            client = await place.client(USDT="1000000", BTC="100")
            words = {"fromType": "spot", "toType": "crossed_margin", "coin": "BTC"}
            await client.done("/api/v2/spot/wallet/transfer", **words, amount="100")
            # The venue opened at ten past: 26 of 520 are lent for 30 of its 50 minutes, 3 %.
            place.house.move_to(HOUR_0 + HOUR_MS // 2)
            await client.done(
                "/api/v2/margin/crossed/account/borrow", coin="BTC", borrowAmount="26"
            )

            (row,) = await ask(place, "interest-rates?coin=BTC")

            # 0.0001 + 0.0003 x 0.03 / 0.8 + 0.00005.
            assert {
                "coin": "BTC",
                "hour": str(HOUR_0),
                "dailyInterestRate": "0.00007",
                "nextDailyInterestRate": "0.00016125",
                "utilization": "0.05",
                "model": {key: CURVE[key] for key in CURVE if key != "coin"},
                "levels": row["levels"],
            } == row
            # The sandbox's level 5 pays 60 %.
            assert {
                "level": "5",
                "dailyInterestRate": "0.000042",
                "nextDailyInterestRate": "0.00009675",
            } == row["levels"][5]
            place.house.move_to(HOUR_0 + HOUR_MS)
            (row,) = await ask(place, "interest-rates?coin=BTC")
            # Now 5 % of the whole hour.
            assert ("0.00016125", "0.00016875") == (
                row["dailyInterestRate"],
                row["nextDailyInterestRate"],
            )

    run(test())


def test_the_history_of_rates(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            await give(place, "rates", {"coin": "BTC", "dailyInterestRate": "0.0005"})
            place.house.move_to(HOUR_0 + 2 * HOUR_MS + 1)
            rows = [
                {"hour": str(HOUR_0 + 2 * HOUR_MS), "dailyInterestRate": "0.0005"},
                {"hour": str(HOUR_0 + HOUR_MS), "dailyInterestRate": "0.0005"},
                {"hour": str(HOUR_0), "dailyInterestRate": "0.00007"},
            ]
            path = "interest-rate-history?coin=BTC"
            assert rows == await ask(place, path)
            assert rows[:2] == await ask(place, f"{path}&limit=2")
            # The next page ends before the last row.
            assert rows[2:] == await ask(place, f"{path}&limit=2&endTime={HOUR_0 + HOUR_MS - 1}")
            assert rows[1:2] == await ask(
                place, f"{path}&startTime={HOUR_0 + 1}&endTime={HOUR_0 + HOUR_MS}"
            )

    run(test())


def test_every_coin_that_is_lent_has_a_rate(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            rows = await ask(place, "interest-rates")
            assert ["USDT", "USDC", "BTC", "ETH", "DOGE", "PEPE"] == [row["coin"] for row in rows]
            flat = rows[0]["model"]
            assert ("0.00041095", "0.00041095", "0.00041095", "0") == (
                flat["baseRate"],
                flat["rateAtKink"],
                flat["rateAtFull"],
                flat["premium"],
            )

    run(test())


@pytest.mark.parametrize(
    ("changes", "code", "sentence"),
    [
        ({"coin": "XXX"}, "40806", "XXX"),
        ({"coin": ""}, "40019", "coin"),
        ({"kink": ""}, "40019", "kink"),
        ({"kink": "0"}, "40017", "kink"),
        ({"kink": "1.000001"}, "40017", "kink"),
        ({"kink": "0.1234567"}, "40020", "kink"),
        ({"baseRate": "0.0005"}, "40017", "falls with utilisation"),
        ({"premium": "1"}, "40017", "rate"),
        ({"premium": "-1"}, "40020", "premium"),
    ],
)
def test_curves_that_are_none(
    open_street: OpenStreet, changes: dict[str, str], code: str, sentence: str
) -> None:
    async def test(place: Street) -> None:
        before = place.house.engine.state_hash()
        answer = await place.http.post(f"{SANDBOX}/rate-models", json={**CURVE, **changes})
        found, said = fault_in(answer)
        assert code == found
        assert sentence in said
        assert before == place.house.engine.state_hash()

    open_street.run(test)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "400172"),
        ("coin=XXX", "50032"),
        ("coin=BTC&startTime=x", "50061"),
        ("coin=BTC&startTime=2&endTime=1", "40707"),
        ("coin=BTC&limit=0", "50061"),
    ],
)
def test_histories_that_are_none(open_street: OpenStreet, query: str, code: str) -> None:
    async def test(place: Street) -> None:
        answer = await place.http.get(f"{PUBLIC}/interest-rate-history?{query}")
        assert code == fault_in(answer)[0]

    open_street.run(test)
