"""Statements over the wire: they add up, say what the command line says, and are bounded."""

import csv
import io
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lombard.api import statements
from tests.api.house import START_MS, Client, OpenStreet, Street, fault_in, run, street
from tests.api.office import at, office

STATEMENT = "/lombard/v1/statement"
TRANSFER = "/api/v2/spot/wallet/transfer"
ORDER = "/api/v2/spot/trade/place-order"
BORROW = "/api/v2/margin/crossed/account/borrow"
LATER_MS = START_MS + 1_000
PERIOD = {"startTime": START_MS, "endTime": LATER_MS + 1}
Rows = list[dict[str, str]]


async def busy(place: Street) -> Client:
    """Admit one who has deposited and bought, then moved coins to both margins and borrowed."""
    client, seller = await place.client(USDT="1000"), await place.client(BTC="1")
    words = {"symbol": "BTCUSDT", "orderType": "limit", "force": "gtc", "price": "20000"}
    await seller.done(ORDER, **words, side="sell", size="0.01")
    await client.done(ORDER, **words, side="buy", size="0.01")
    place.house.move_to(LATER_MS)
    wish = {"fromType": "spot", "coin": "USDT", "amount": "100"}
    await client.done(TRANSFER, **wish, toType="crossed_margin")
    await client.done(TRANSFER, **wish, toType="isolated_margin", symbol="BTCUSDT")
    await client.done(BORROW, coin="USDT", borrowAmount="50")
    return client


def add_up(rows: Rows) -> None:
    """Add every holding up: opening, and what each line says after it, to closing."""
    held: dict[tuple[str, str, str], Decimal] = {}
    for row in rows:
        key, balance = (row["accountType"], row["symbol"], row["coin"]), Decimal(row["balance"])
        if row["type"] == "opening":
            assert key not in held
            held[key] = balance
        else:
            held[key] += Decimal(row["amount"])
            assert held[key] == balance
    kinds: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for row in rows:
        kinds[row["accountType"], row["symbol"], row["coin"]].append(row["type"])
    for lines in kinds.values():
        assert ("opening", "closing") == (lines[0], lines[-1])


def test_a_statement_adds_up(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await busy(place)
            answer = await client.read(STATEMENT, **PERIOD)
            rows = answer["rows"]
            add_up(rows)
            assert (str(START_MS), str(LATER_MS + 1), "") == (
                answer["startTime"],
                answer["endTime"],
                answer["csv"],
            )
            usdt = [row for row in rows if row["coin"] == "USDT"]
            assert [
                ("spot", "opening", "0", "0"),
                ("spot", "deposit", "1000", "1000"),
                ("spot", "buy_out", "-200", "800"),
                ("spot", "transfer_out", "-100", "700"),
                ("spot", "transfer_out", "-100", "600"),
                ("spot", "closing", "0", "600"),
                ("crossed_margin", "opening", "0", "0"),
                ("crossed_margin", "transfer_in", "100", "100"),
                ("crossed_margin", "borrow", "50", "150"),
                ("crossed_margin", "closing", "0", "150"),
                ("isolated_margin", "opening", "0", "0"),
                ("isolated_margin", "transfer_in", "100", "100"),
                ("isolated_margin", "closing", "0", "100"),
            ] == [(row["accountType"], row["type"], row["amount"], row["balance"]) for row in usdt]
            (bought,) = [row for row in rows if row["type"] == "buy_in"]
            fee, amount = Decimal(bought["fee"]), Decimal(bought["amount"])
            assert Decimal("0.01") == fee + amount
            assert fee > 0
            held = {
                row["coin"]: Decimal(row["available"])
                for row in await client.read("/api/v2/spot/account/assets")
            }
            closing = {
                row["coin"]: Decimal(row["balance"])
                for row in rows
                if (row["accountType"], row["type"]) == ("spot", "closing")
            }
            assert closing == held

    run(test())


def test_a_period_begins_with_its_first_moment_and_ends_before_its_last(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await busy(place)

            async def types(start_ms: int, end_ms: int) -> list[tuple[str, str]]:
                query: dict[str, str | int] = {
                    "startTime": start_ms,
                    "endTime": end_ms,
                    "coin": "USDT",
                }
                answer = await client.read(STATEMENT, **query, accountType="spot")
                add_up(answer["rows"])
                return [(row["type"], row["balance"]) for row in answer["rows"]]

            first = [("deposit", "1000"), ("buy_out", "800")]
            then = [("transfer_out", "700"), ("transfer_out", "600")]
            assert [("opening", "0"), *first, ("closing", "800")] == await types(START_MS, LATER_MS)
            assert [("opening", "800"), *then, ("closing", "600")] == await types(
                LATER_MS, LATER_MS + 1
            )
            assert [("opening", "600"), ("closing", "600")] == await types(
                LATER_MS + 1, statements.END_MS_MAX
            )
            assert [("opening", "0"), ("closing", "0")] == await types(0, START_MS)

    run(test())


def test_a_part_of_it_and_the_file(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await busy(place)
            rows: Rows = (await client.read(STATEMENT, **PERIOD, format="rows"))["rows"]
            for part in (
                {"accountType": "spot"},
                {"accountType": "crossed_margin"},
                {"accountType": "isolated_margin"},
                {"accountType": "isolated_margin", "symbol": "BTCUSDT"},
                {"coin": "BTC"},
                {"accountType": "spot", "coin": "BTC"},
            ):
                wanted = [row for row in rows if part.items() <= row.items()]
                assert wanted
                assert wanted == (await client.read(STATEMENT, **PERIOD, **part))["rows"]
            other = {"accountType": "isolated_margin", "symbol": "ETHUSDT"}
            assert [] == (await client.read(STATEMENT, **PERIOD, **other))["rows"]

            ever: dict[str, str | int] = {
                "startTime": 0,
                "endTime": statements.END_MS_MAX,
                "format": "csv",
            }
            assert (
                "\r\n9999-12-31T23:59:59.999Z,spot,BTC,closing,"
                in (await client.read(STATEMENT, **ever))["csv"]
            )
            answer = await client.read(STATEMENT, **PERIOD, format="csv")
            assert [] == answer["rows"]
            lines = list(csv.DictReader(io.StringIO(answer["csv"], newline="")))
            places = {"spot": "spot", "crossed_margin": "crossed"}
            same = ("coin", "type", "amount", "fee", "balance")
            assert [
                (places.get(row["accountType"], "isolated BTCUSDT"), *(row[name] for name in same))
                for row in rows
            ] == [(line["account"], *(line[name] for name in same)) for line in lines]
            assert "2024-01-01T00:10:00.000Z" == lines[0]["time"]

    run(test())


def test_a_statement_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await busy(place)
            rows = (await client.read(STATEMENT, **PERIOD))["rows"]
            monkeypatch.setattr(statements, "LINES_MAX", len(rows))
            assert rows == (await client.read(STATEMENT, **PERIOD))["rows"]
            monkeypatch.setattr(statements, "LINES_MAX", len(rows) - 1)
            code, sentence = fault_in(await client.get(STATEMENT, **PERIOD))
            assert "40017" == code
            assert f"more than {len(rows) - 1} lines" in sentence
            assert (await client.read(STATEMENT, **PERIOD, accountType="spot"))["rows"]

    run(test())


def test_operators_read_what_a_user_reads(tmp_path: Path) -> None:
    async def test() -> None:
        async with office(tmp_path) as desk:
            client = await busy(desk.place)
            mine = await client.read(STATEMENT, **PERIOD)
            asked: dict[str, str | int] = {**PERIOD, "userId": str(client.user)}
            assert mine == await desk.ann.read(at("users/statement"), **asked)
            stranger = await desk.place.client(USDT="1")
            rows = (await stranger.read(STATEMENT, **PERIOD))["rows"]
            assert ["opening", "deposit", "closing"] == [row["type"] for row in rows]
            other: dict[str, str | int] = {**PERIOD, "userId": "5"}
            assert "40020" == fault_in(await desk.ann.get(at("users/statement"), **other))[0]

    run(test())


@pytest.fixture(scope="module")
def open_street(tmp_path_factory: pytest.TempPathFactory) -> Any:
    opened = OpenStreet(tmp_path_factory.mktemp("street"))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"startTime": ""}, "40019"),
        ({"endTime": ""}, "40019"),
        ({"startTime": "x"}, "40020"),
        ({"endTime": "-1"}, "40020"),
        ({"endTime": START_MS}, "40707"),
        ({"endTime": statements.END_MS_MAX + 1}, "40020"),
        ({"format": "parquet"}, "40020"),
        ({"coin": "XYZ"}, "43129"),
        ({"accountType": "futures"}, "40020"),
        ({"symbol": "BTCUSDT"}, "40019"),
        ({"symbol": "BTCUSDT", "accountType": "spot"}, "40020"),
        ({"symbol": "XYZ", "accountType": "isolated_margin"}, "50024"),
    ],
)
def test_what_cannot_be_answered_is_refused(
    open_street: OpenStreet, query: dict[str, Any], code: str
) -> None:
    async def test(place: Street) -> None:
        client = await place.client()
        assert code == fault_in(await client.get(STATEMENT, **{**PERIOD, **query}))[0]

    open_street.run(test)
