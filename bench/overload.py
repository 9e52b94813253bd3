"""More commands than a node takes: what is still answered, and how.

    python bench/overload.py [--pace 1000] [--seconds 30] [--times 2,5,10] [--json]

A sandbox whose pace is pinned (`--commands-per-second`) is offered orders at a fixed rate, whatever
it answers (open loop: a request is timed from when it was due), by a process of its own. In between
go cancels, and repayments at a twentieth of the pace, and the price of a coin falls so that an
account has to be liquidated. Times are told twice: since a request was due, and since it was
sent, which is later when all connections wait for an answer. Goodput is the commands done a second,
of all kinds, beside the pace. Memory is the server's resident set, before, and a while after.
"""

import sys

# A neighbour of this file is called `http`: nothing may find it in the library's place.
sys.path.pop(0)

import argparse
import asyncio
import base64
import hashlib
import hmac
import json
import re
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter, deque
from pathlib import Path

import uvloop

CONNECTIONS = 192
TICK_S = 0.002
SLICE_S = 0.01
ORDER_PATH = "/api/v2/spot/trade/place-order"
CANCEL_PATH = "/api/v2/spot/trade/cancel-order"
REPAY_PATH = "/api/v2/margin/crossed/account/repay"
CODE = re.compile(rb'"code":"(\w+)"')
LOMBARD = Path(sys.executable).parent / "lombard"


class Connection(asyncio.Protocol):
    """One connection, one request on its way at a time."""

    def __init__(self, port):
        self._port = port
        self._transport = self._answer = None
        self._head, self._ends, self._received = b"", 0, b""

    async def send(self, request):
        """Return the status of the answer, its code and its body."""
        loop = asyncio.get_running_loop()
        if self._transport is None:
            await loop.create_connection(lambda: self, "127.0.0.1", self._port)
        self._answer = loop.create_future()
        self._transport.write(request)
        return await self._answer

    def connection_made(self, transport):
        self._transport = transport

    def data_received(self, data):
        self._received += data
        if not self._ends:
            head, gap, _ = self._received.partition(b"\r\n\r\n")
            if not gap:
                return
            length = int(re.search(rb"content-length: (\d+)", head, re.IGNORECASE)[1])
            self._head, self._ends = head, len(head) + len(gap) + length
        if len(self._received) >= self._ends:
            assert len(self._received) == self._ends, self._received
            body = self._received[len(self._head) + 4 :]
            status, code = int(self._head[9:12]), CODE.search(body)[1].decode()
            self._received, self._ends = b"", 0
            self._answer.set_result((status, code, body))

    def connection_lost(self, error):
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error or ConnectionError("closed by the server"))

    def close(self):
        if self._transport is not None:
            self._transport.close()


class Trader:
    """Signs requests as one user does."""

    def __init__(self, port, keys):
        self._port = port
        self._keys = keys
        self._secret = hmac.new(keys["secretKey"].encode(), digestmod=hashlib.sha256)

    def request(self, path, body):
        text = json.dumps(body)
        stamp = str(time.time_ns() // 1_000_000)
        signing = self._secret.copy()
        signing.update(f"{stamp}POST{path}{text}".encode())
        return (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
            f"ACCESS-KEY: {self._keys['apiKey']}\r\n"
            f"ACCESS-SIGN: {base64.b64encode(signing.digest()).decode()}\r\n"
            f"ACCESS-TIMESTAMP: {stamp}\r\nACCESS-PASSPHRASE: {self._keys['passphrase']}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n{text}"
        ).encode()


class Load:
    """Offers requests when they are due, and writes down what came of each kind."""

    def __init__(self, port):
        self._free = deque(Connection(port) for _ in range(CONNECTIONS))
        self._waiting = deque()
        self._under_way = set()
        self.codes = {}
        self.seconds = {}

    def offer(self, kind, due, make):
        self._waiting.append((kind, due, make))
        self._send()

    def _send(self):
        while self._waiting and self._free:
            kind, due, make = self._waiting.popleft()
            task = asyncio.ensure_future(self._one(self._free.popleft(), kind, due, make()))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _one(self, connection, kind, due, request):
        sent = time.perf_counter()
        status, code, _ = await connection.send(request)
        self.codes.setdefault(kind, Counter())[f"{status}/{code}"] += 1
        # A refusal is an answer as well: how soon it comes is told beside the others.
        done = "done" if code == "00000" else "refused"
        now = time.perf_counter()
        self.seconds.setdefault(f"{kind} {done}, since due", []).append(now - due)
        self.seconds.setdefault(f"{kind} {done}, since sent", []).append(now - sent)
        self._free.append(connection)
        self._send()

    async def finish(self):
        while self._under_way or self._waiting:
            await asyncio.sleep(0.01)

    def close(self):
        for connection in self._free:
            connection.close()


def call(port, path, body):
    """Call one of the sandbox's own endpoints."""
    url = f"http://127.0.0.1:{port}/lombard/v1/sandbox/{path}"
    asked = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    while True:
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as refusal:
            # The venue may still be full of what was offered before.
            if refusal.code != 429:
                raise
            time.sleep(0.05)


def metric(port, name):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        text = answer.read().decode()
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))


async def done(connection, request):
    for _ in range(50):
        status, code, body = await connection.send(request())
        if status != 429:
            assert code == "00000", body
            return json.loads(body)["data"]
        await asyncio.sleep(0.1)
    raise AssertionError("never admitted")


async def prepare(port, connection, rests):
    """Make traders: one that orders and owes, with orders that rest, and one near its line."""
    keys = call(port, "users", {})
    for coin, amount in (("USDT", "10000000"), ("BTC", "100")):
        call(port, "deposits", {"userId": keys["userId"], "coin": coin, "amount": amount})
    trader = Trader(port, keys)
    move = {"fromType": "spot", "toType": "crossed_margin", "coin": "USDT", "amount": "10000"}
    await done(connection, lambda: trader.request("/api/v2/spot/wallet/transfer", move))
    words = {"coin": "USDT", "borrowAmount": "5000"}
    path = "/api/v2/margin/crossed/account/borrow"
    await done(connection, lambda: trader.request(path, words))
    ids = []
    for number in range(rests):
        body = {**order(number), "force": "gtc", "price": str(10_000 + number)}
        placed = await done(connection, lambda body=body: trader.request(ORDER_PATH, body))
        ids.append(placed["orderId"])
    return trader, ids


async def near_the_line(port, connection):
    keys = call(port, "users", {})
    call(port, "deposits", {"userId": keys["userId"], "coin": "ETH", "amount": "10"})
    trader = Trader(port, keys)
    steps = [
        (
            "/api/v2/spot/wallet/transfer",
            {"fromType": "spot", "toType": "crossed_margin", "coin": "ETH", "amount": "10"},
        ),
        ("/api/v2/margin/crossed/account/borrow", {"coin": "USDT", "borrowAmount": "8000"}),
        (
            "/api/v2/spot/wallet/transfer",
            {"fromType": "crossed_margin", "toType": "spot", "coin": "USDT", "amount": "4000"},
        ),
    ]
    for path, body in steps:
        await done(connection, lambda path=path, body=body: trader.request(path, body))


def order(number):
    """Word an order that finds nobody and does not wait; no two are alike for a long time."""
    price = f"{15_000 + number // 100 % 4_000}.{number % 100:02}"
    words = {"symbol": "BTCUSDT", "side": "buy", "orderType": "limit", "force": "ioc"}
    return {**words, "price": price, "size": f"0.0{1 + number // 400_000 % 9}"}


async def offer(port, load, trader, ids, rate, repays_per_s, seconds, numbers):
    """Offer orders at a rate, with a cancel and a repayment now and then."""
    repay_every = max(2, rate // repays_per_s)
    cancel_every = max(2, int(rate * seconds) // len(ids))
    began = time.perf_counter()
    offered = 0
    fallen = False
    while (passed := time.perf_counter() - began) < seconds:
        # A client that cannot keep up offers less, and says so.
        while offered < passed * rate and time.perf_counter() - began < min(
            seconds, passed + SLICE_S
        ):
            due = began + offered / rate
            offered += 1
            number = next(numbers)
            load.offer("order", due, lambda n=number: trader.request(ORDER_PATH, order(n)))
            if offered % repay_every == 0:
                amount = f"1.{number % 1_000_000:06}1"
                body = {"coin": "USDT", "repayAmount": amount}
                load.offer("repay", due, lambda body=body: trader.request(REPAY_PATH, body))
            if offered % cancel_every == cancel_every // 2 and ids:
                body = {"symbol": "BTCUSDT", "orderId": ids.pop()}
                load.offer("cancel", due, lambda body=body: trader.request(CANCEL_PATH, body))
        if not fallen and passed > seconds / 2:
            fallen = True
            loop = asyncio.get_running_loop()
            falling = loop.run_in_executor(
                None, call, port, "index-prices", {"coin": "ETH", "price": "300"}
            )
        await asyncio.sleep(TICK_S)
    sent_s = time.perf_counter() - began
    await load.finish()
    await falling
    return offered, sent_s, time.perf_counter() - began


def quantiles(values):
    values = sorted(values)
    return {
        name: round(1_000 * values[min(len(values) - 1, int(part * len(values)))], 1)
        for name, part in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))
    }


async def phase(port, pace, times, seconds, numbers):
    setting_up = Connection(port)
    call(port, "index-prices", {"coin": "ETH", "price": "1500"})
    await near_the_line(port, setting_up)
    rests = min(150, max(4, int(pace * seconds) // 20))
    trader, ids = await prepare(port, setting_up, rests)
    setting_up.close()
    before = metric(port, 'lombard_liquidation_events_total{event="LiquidationStarted"}')
    load = Load(port)
    repays = max(1, pace // 20)
    offered, sent_s, all_s = await offer(
        port, load, trader, ids, pace * times, repays, seconds, numbers
    )
    load.close()
    after = metric(port, 'lombard_liquidation_events_total{event="LiquidationStarted"}')
    finished = sum(found["200/00000"] for found in load.codes.values())
    return {
        "times": times,
        "offered_per_s": round(offered / sent_s),
        "goodput_per_s": round(finished / all_s),
        "goodput_of_pace": round(finished / all_s / pace, 3),
        "seconds": round(all_s, 1),
        "codes": {kind: dict(found) for kind, found in load.codes.items()},
        "milliseconds": {kind: quantiles(found) for kind, found in load.seconds.items()},
        "liquidations": after - before,
    }


def resident_mib(pid):
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1024


def measure(pace, seconds, times, idle_s):
    """Run the server and the phases; return what was found."""
    with tempfile.TemporaryDirectory() as room:
        command = [LOMBARD, "sandbox", "--port", "0", "--market", "none", "--data", room]
        command += ["--commands-per-second", str(pace)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                lines = iter(server.stdout.readline, "")
                ready = next(line for line in lines if "is ready" in line)
                port = int(ready.rsplit(":", 1)[1])
                numbers = iter(range(10**9))
                # What any load costs once (caches, threads) is no matter of overload.
                first = uvloop.run(phase(port, pace, 1, max(1, seconds / 4), numbers))
                before = resident_mib(server.pid)
                found = [uvloop.run(phase(port, pace, each, seconds, numbers)) for each in times]
                peak = resident_mib(server.pid)
                time.sleep(idle_s)
                waiting = metric(port, "lombard_lane_commands")
                after = resident_mib(server.pid)
            finally:
                server.terminate()
                server.wait(60)
    return {
        "pace": pace,
        "at_the_pace": first,
        "phases": found,
        "waiting_after": waiting,
        "mib": {"before": round(before), "peak": round(peak), "after": round(after)},
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pace", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--times", default="2,5,10")
    parser.add_argument("--idle", type=float, default=5)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    times = [int(each) for each in asked.times.split(",")]
    found = measure(asked.pace, asked.seconds, times, asked.idle)
    if asked.json:
        print(json.dumps(found))
        return
    print(f"pace {found['pace']} commands/s")
    for row in (found["at_the_pace"], *found["phases"]):
        print(
            f"\noffered {row['offered_per_s']}/s ({row['times']}x): goodput "
            f"{row['goodput_per_s']}/s, {row['goodput_of_pace']:.0%} of the pace; "
            f"{row['liquidations']:.0f} liquidation"
        )
        for kind, codes in row["codes"].items():
            print(f"  {kind}: {codes}")
        for kind, times in row["milliseconds"].items():
            print(f"  {kind}, ms: {times}")
    print(f"\nresident MiB: {found['mib']}; waiting afterwards: {found['waiting_after']:.0f}")


if __name__ == "__main__":
    main()
