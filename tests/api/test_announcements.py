"""What is announced is public, and a sandbox can announce it (RULES 8.7)."""

from pathlib import Path
from typing import Any

import pytest

from tests.api.house import START_MS, data_of, fault_in, run, street

SANDBOX = "/lombard/v1/sandbox/announcements"
HOUR_MS = 3_600_000


def test_a_change_is_announced_seen_and_made(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            at_ms = START_MS + HOUR_MS
            body = {"coin": "BTC", "effectiveTime": str(at_ms), "collateralRatio": "0.7"}
            made = data_of(await place.http.post(f"{SANDBOX}/coin-terms", json=body))
            seen = data_of(await place.http.get("/lombard/v1/announcements"))
            (coin,) = [row for row in place.house.engine.state.coins if row.name == "BTC"]
            assert [
                {
                    "announcementId": made["announcementId"],
                    "kind": "coin",
                    "coin": "BTC",
                    "symbol": "",
                    "announcedTime": str(START_MS),
                    "effectiveTime": str(at_ms),
                    "collateralRatio": "0.7",
                    "maintenanceMarginRate": seen[0]["maintenanceMarginRate"],
                }
            ] == seen
            tiers = list(coin.cross_tiers)
            place.house.move_to(at_ms)
            assert [(0, 700_000)] == coin.collateral_steps
            assert tiers == coin.cross_tiers
            assert [] == data_of(await place.http.get("/lombard/v1/announcements"))

    run(test())


def test_a_delisting_is_announced_and_withdrawn(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            times = {
                "reduceOnlyTime": str(START_MS + HOUR_MS),
                "repayTime": str(START_MS + 2 * HOUR_MS),
            }
            made = data_of(
                await place.http.post(f"{SANDBOX}/delisting", json={"symbol": "BTCUSDT", **times})
            )
            seen = data_of(await place.http.get("/lombard/v1/announcements"))
            assert [
                ("reduce_only", "", "BTCUSDT", times["reduceOnlyTime"]),
                ("repay", "", "BTCUSDT", times["repayTime"]),
            ] == [(row["kind"], row["coin"], row["symbol"], row["effectiveTime"]) for row in seen]
            data_of(await place.http.post(f"{SANDBOX}/withdraw", json=made))
            assert [] == data_of(await place.http.get("/lombard/v1/announcements"))

    run(test())


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("coin-terms", {"coin": "XYZ", "effectiveTime": "1"}, "40806"),
        ("coin-terms", {"coin": "BTC", "effectiveTime": "1"}, "40017"),
        ("coin-terms", {"coin": "BTC", "effectiveTime": "soon"}, "40020"),
        ("coin-terms", {"coin": "BTC", "effectiveTime": "1", "collateralRatio": "1.1"}, "40020"),
        ("delisting", {"reduceOnlyTime": "1", "repayTime": "2"}, "40017"),
        (
            "delisting",
            {"reduceOnlyTime": "1", "repayTime": "2", "coin": "BTC", "symbol": "BTCUSDT"},
            "40017",
        ),
        ("withdraw", {"announcementId": "1"}, "40017"),
        ("withdraw", {"announcementId": "x"}, "40020"),
    ],
)
def test_what_cannot_be_announced(
    tmp_path: Path, path: str, body: dict[str, Any], code: str
) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            before = place.house.engine.state_hash()
            found, said = fault_in(await place.http.post(f"{SANDBOX}/{path}", json=body))
            assert code == found, said
            assert before == place.house.engine.state_hash()

    run(test())
