"""Terms by operators' hands: coins, pairs, rates, levels, prices, announcements, campaigns."""

from pathlib import Path

from lombard.core import queries
from tests.api.house import START_MS, run
from tests.api.office import at, office

DAY_MS = 86_400_000


def test_a_coin_and_a_pair_are_listed_and_changed(tmp_path: Path) -> None:
    async def test() -> None:
        async with office(tmp_path) as desk:
            ann = desk.ann
            made = await ann.done(
                at("coins"),
                coin="NEW",
                decimals="6",
                collateral=[{"ratio": "0.9", "upTo": "1000"}, {"ratio": "0.5"}],
                tiers=[{"upTo": "500", "leverage": "3", "maintenanceMarginRate": "0.1"}],
                userLimit="500",
                minBorrow="0.01",
            )
            assert {
                "coin": "NEW", "decimals": "6",
                "collateral": [
                    {"ratio": "0.9", "upTo": "1000"}, {"ratio": "0.5", "upTo": "0"},
                ],
                "tiers": [{"upTo": "500", "leverage": "3", "maintenanceMarginRate": "0.1"}],
                "userLimit": "500", "minBorrow": "0.01", "borrowable": True,
                "transferable": True, "delisting": "0",
            } == made  # fmt: skip
            # What a change leaves out stays.
            changed = await ann.done(at("coins"), coin="NEW", userLimit="400")
            assert {**made, "userLimit": "400"} == changed
            stopped = await ann.done(at("coins/restrict"), coin="NEW", borrowable=False)
            assert {**changed, "borrowable": False} == stopped
            assert stopped == (await ann.read(at("coins")))[-1]

            pair = await ann.done(
                at("pairs"), symbol="NEWUSDT", base="NEW", quote="USDT", tick="0.01", step="0.1",
                minSize="0.05", maxSize="1000", minValue="1", makerFee="0.001", takerFee="0.002",
            )  # fmt: skip
            assert ("0.1", "1000", "0.02", True, True) == (
                pair["minSize"],
                pair["maxSize"],
                pair["liquidationFee"],
                pair["trading"],
                pair["crossed"],
            )
            halted = await ann.done(at("pairs"), symbol="NEWUSDT", trading=False, takerFee="0")
            assert {**pair, "trading": False, "takerFee": "0"} == halted
            assert halted == (await ann.read(at("pairs")))[-1]
            again = await ann.done(at("pairs"), symbol="BTCUSDT", maxOpenOrders="50")
            assert "50" == again["maxOpenOrders"]
            assert again["isolatedTiers"]

    run(test())


def test_rates_parameters_and_levels(tmp_path: Path) -> None:
    async def test() -> None:
        async with office(tmp_path) as desk:
            ann, house = desk.ann, desk.place.house
            await ann.done(at("rates"), coin="USDT", dailyInterestRate="0.0005")
            curve = {
                "coin": "BTC", "baseRate": "0.0001", "kink": "0.8", "rateAtKink": "0.0004",
                "rateAtFull": "0.003", "premium": "0.00005",
            }  # fmt: skip
            assert curve == await ann.done(at("rate-models"), **curve)
            house.move_to(START_MS + 3_600_000)
            assert 5 * 10**8 == queries.daily_rate_e12(house.state, house.coin("USDT"))
            pools = await ann.read(at("pools"))
            models = {row["coin"]: row["model"] for row in pools}
            assert {name: curve[name] for name in curve if name != "coin"} == models["BTC"]

            set_ = await ann.done(at("parameters"), name="notice_ms", value="60000")
            assert {
                "name": "notice_ms", "value": "60000", "least": "0", "most": "31536000000",
            } == set_  # fmt: skip
            assert set_ in await ann.read(at("parameters"))
            levels = await ann.read(at("vip-levels"))
            more = [*levels, {"rate": "0.5", "limit": "9"}]
            assert more == await ann.done(at("vip-levels"), levels=more)

    run(test())


def test_index_prices_are_published_and_shown(tmp_path: Path) -> None:
    async def test() -> None:
        async with office(tmp_path) as desk:
            ann = desk.ann
            said = {"coin": "BTC", "price": "21000.5", "maxAge": "5000"}
            row = await ann.done(at("index-prices"), **said)
            assert ("21000.5", "1", "5000", str(START_MS), False) == (
                row["price"],
                row["sources"],
                row["maxAge"],
                row["time"],
                row["stale"],
            )
            desk.place.house.move_to(START_MS + 5_001)
            rows = await ann.read(at("index-prices"))
            assert [("BTC", True)] == [
                (row["coin"], row["stale"]) for row in rows if row["coin"] == "BTC"
            ]

    run(test())


def test_changes_are_announced_and_withdrawn(tmp_path: Path) -> None:
    async def test() -> None:
        async with office(tmp_path) as desk:
            ann = desk.ann
            later = str(START_MS + DAY_MS)
            await ann.done(at("parameters"), name="notice_ms", value=str(DAY_MS))
            # Less may be borrowed at once: that raises risk, and needs notice.
            code, words = await ann.refused(at("coins"), coin="BTC", userLimit="1")
            assert "40805" == code
            assert "announced" in words
            coin = await ann.done(
                at("announcements/coin-terms"),
                coin="BTC",
                effectiveTime=later,
                userLimit="1",
                collateral=[{"ratio": "0.8"}],
            )
            tier = {
                "baseUpTo": "1", "quoteUpTo": "20000", "leverage": "2",
                "maintenanceMarginRate": "0.2",
            }  # fmt: skip
            await ann.done(
                at("announcements/pair-terms"),
                symbol="BTCUSDT",
                effectiveTime=later,
                isolatedTiers=[tier],
            )
            await ann.done(
                at("announcements/delisting"),
                coin="PEPE",
                reduceOnlyTime=later,
                repayTime=str(START_MS + 2 * DAY_MS),
            )
            coming = await ann.read(at("announcements"))
            assert ["coin", "pair", "reduce_only", "repay"] == [row["kind"] for row in coming]
            await ann.done(at("announcements/withdraw"), announcementId=coin["announcementId"])
            desk.place.house.move_to(START_MS + DAY_MS)
            rows = await ann.read(at("coins"))
            assert "26" == next(row["userLimit"] for row in rows if row["coin"] == "BTC")
            pairs = await ann.read(at("pairs"))
            assert [tier] == next(
                row["isolatedTiers"] for row in pairs if row["symbol"] == "BTCUSDT"
            )
            assert next(row for row in rows if row["coin"] == "PEPE")["delisting"] != "0"

    run(test())


def test_a_campaign_from_its_making_to_a_claim(tmp_path: Path) -> None:
    async def test() -> None:
        async with office(tmp_path) as desk:
            ann = desk.ann
            trader = await desk.place.client(USDT="10")
            made = await ann.done(
                at("campaigns"),
                name="May",
                discountRate="0.5",
                caps=[{"coin": "USDT", "amount": "100"}],
                durationHours="24",
                claimUntil=str(START_MS + DAY_MS),
                access="named",
            )
            users = {"campaignId": made["campaignId"], "userIds": [str(trader.user)]}
            await ann.done(at("campaigns/grants"), **users)
            await trader.done("/lombard/v1/coupons/claim", campaignId=made["campaignId"])
            assert [made["campaignId"]] == [
                row["campaignId"] for row in await ann.read(at("campaigns"))
            ]
            drawn = await ann.done(
                at("campaigns"),
                name="June",
                discountRate="1",
                caps=[{"coin": "USDT", "amount": "100"}],
                durationHours="24",
                claimUntil=str(START_MS + DAY_MS),
                access="draw",
                seed="00ff",
                count="1",
            )
            entry = {"campaignId": drawn["campaignId"], "userIds": [str(trader.user)]}
            await ann.done(at("campaigns/entries"), **entry)
            held = await ann.done(
                at("campaigns/draws"), campaignId=drawn["campaignId"], seed="00ff"
            )
            assert ("1", "00ff") == (held["entrants"], held["seed"])

    run(test())
