"""Margin trading with ccxt, unmodified but for its address: long, short, and isolated.

    python examples/ccxt_margin.py http://127.0.0.1:8080 KEY SECRET PASSPHRASE

Runs against `lombard sandbox`. What is not ccxt here is the sandbox's own: coins from nowhere, and
a clock that can be stepped, so that three hours of interest take no time.
"""

import json
import sys
import time
import urllib.request
from decimal import Decimal

import ccxt

PAIR = "BTC/USDT"


def connect(address: str, key: str, secret: str, passphrase: str) -> ccxt.bitget:
    """Return the ccxt client of any venue of this dialect, told another address."""
    client = ccxt.bitget({"apiKey": key, "secret": secret, "password": passphrase})
    client.urls["api"] = dict.fromkeys(client.urls["api"], address)
    return client


def sandbox(address: str, path: str, body: dict[str, str]) -> dict[str, str]:
    """Call one of the sandbox's own endpoints."""
    request = urllib.request.Request(
        f"{address}/lombard/v1/sandbox/{path}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        data: dict[str, str] = json.load(response)["data"]
    return data


def three_hours(address: str) -> None:
    """Let three hours pass at the exchange."""
    sandbox(address, "clock/advance", {"ms": str(3 * 3_600_000)})


def say(what: str, value: object) -> None:
    """Print a line of the story."""
    print(f"{what:<46} {value}")


def debt_of(client: ccxt.bitget, coin: str, params: dict[str, str]) -> Decimal:
    """Return what an account owes of a coin: principal and interest."""
    rows = client.fetch_balance(params)["info"]
    row = next(row for row in rows if row["coin"] == coin)
    return Decimal(row["borrow"]) + Decimal(row["interest"])


def interest_rows(client: ccxt.bitget, coin: str, params: dict[str, str]) -> Decimal:
    """Return the sum of a coin's hourly receipts, which add up to the interest of the debt."""
    since = client.milliseconds() - 90 * 86_400_000
    symbol = PAIR if params["marginMode"] == "isolated" else None
    rows = client.fetch_borrow_interest(coin, symbol, since, 100, params)
    return sum((Decimal(row["info"]["interestAmount"]) for row in rows), Decimal(0))


def long_position(client: ccxt.bitget, address: str, params: dict[str, str]) -> None:
    """Buy twice what one owns with borrowed USDT, hold it three hours, sell it and repay."""
    cost = 4000
    bought = client.create_order(
        PAIR, "market", "buy", 1, 1, params | {"cost": cost, "loanType": "autoLoan"}
    )
    principal = debt_of(client, "USDT", params)
    say(f"bought BTC for {cost} USDT, order {bought['id']}, owing", f"{principal} USDT")
    three_hours(address)
    debt = debt_of(client, "USDT", params)
    receipts = interest_rows(client, "USDT", params)
    say("three hours later", f"{debt} USDT, receipts {receipts}")
    rows = client.fetch_balance(params)["info"]
    row = next(row for row in rows if row["coin"] == "USDT")
    assert Decimal(row["interest"]) == receipts, "receipts add up to the debt"
    held = next(Decimal(row["available"]) for row in rows if row["coin"] == "BTC")
    size = float(client.amount_to_precision(PAIR, float(held)))
    client.create_order(PAIR, "market", "sell", size, None, params | {"loanType": "autoRepay"})
    left = debt_of(client, "USDT", params)
    say(f"sold {size} BTC and repaid, owing", f"{left} USDT")
    assert left == 0


def short_position(client: ccxt.bitget, address: str, params: dict[str, str]) -> None:
    """Sell borrowed BTC, hold the short three hours, buy it back and repay."""
    size = 0.05
    client.create_order(PAIR, "market", "sell", size, None, params | {"loanType": "autoLoan"})
    say(f"sold {size} BTC short, owing", f"{debt_of(client, 'BTC', params)} BTC")
    three_hours(address)
    debt = debt_of(client, "BTC", params)
    say("three hours later", f"{debt} BTC, receipts {interest_rows(client, 'BTC', params)}")
    ask = client.fetch_ticker(PAIR)["ask"]
    # Enough for the debt, its fee, and a little room; what is left over stays available.
    cost = float(debt) * ask / 0.999 * 1.002
    client.create_order(
        PAIR, "market", "buy", 1, 1, params | {"cost": round(cost, 2), "loanType": "autoRepay"}
    )
    left = debt_of(client, "BTC", params)
    say("bought it back and repaid, owing", f"{left} BTC")
    assert left == 0


def move_out(client: ccxt.bitget, account: str, params: dict[str, str]) -> None:
    """Move everything left in the account back to spot."""
    rows = client.fetch_balance(params)["info"]
    for row in rows:
        if Decimal(row["available"]) > 0:
            amount = row["available"]
            extra = {"symbol": "BTCUSDT"} if account == "isolated" else {}
            client.transfer(row["coin"], amount, account, "spot", extra)
            say(f"moved out of {account}", f"{amount} {row['coin']}")


def main() -> None:
    """Tell the story once in the crossed account and once in an isolated one."""
    address, key, secret, passphrase = sys.argv[1:5]
    client = connect(address, key, secret, passphrase)
    client.load_markets()
    market = client.market(PAIR)
    say("margin modes of BTC/USDT", market["marginModes"])
    assert market["marginModes"] == {"cross": True, "isolated": True}
    started = time.perf_counter()
    for mode in ("cross", "isolated"):
        params = {"marginMode": mode}
        extra = {"symbol": "BTCUSDT"} if mode == "isolated" else {}
        client.transfer("USDT", 2000, "spot", mode, extra)
        say(f"moved into {mode}", "2000 USDT")
        if mode == "isolated":
            params["symbol"] = "BTCUSDT"
        long_position(client, address, params)
        short_position(client, address, params)
        move_out(client, mode, params)
    say("twelve hours of margin trading took", f"{time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
