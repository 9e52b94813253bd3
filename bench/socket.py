"""Durable orders over one WebSocket, beside a constant answer of the same server.

    python bench/socket.py [SECONDS [UNDER_WAY]]

One process is the whole venue as `lombard sandbox` runs it; another is the load: one connection,
logged in with a signature, that keeps so many messages under way. Orders trade with one another, so
that each brings fills, ledger and candles. In between, the same server answers the same messages
with a constant: once `constant` (the message read and decoded as for an order, then acknowledged)
and once `pong` (what the connection alone can do). Then orders are sent at half the rate that was
reached, at fixed times, and each is waited for from the time at which it was due.
"""

import sys

# This file is called `socket`: nothing may find it in the place of the standard library's.
sys.path.pop(0)

import asyncio
import base64
import hashlib
import hmac
import json
import os
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import uvloop

# Few of them wait for the disk, many for the processor.
UNDER_WAY = (64, 256)
ROUNDS = 3
FIXED_S = 10.0
CONSTANT = "bench-constant"
ENTRIES = {"pong": "", "constant": CONSTANT, "orders": "place-order"}


def serve(port, room):
    """Run the sandbox, with one more entry that answers a constant."""
    from lombard.api.order_rows import OrderAck
    from lombard.api.socket import order_entry
    from lombard.api.table import Endpoint
    from lombard.cli import sandboxed
    from lombard.node.clock import SPEED_ONE_E6

    async def acknowledge(call, body):
        return OrderAck("1000000000000000001", "1")

    row = order_entry.ENTRIES["SPOT", "place-order"]
    fields = {name: getattr(row, name) for name in Endpoint.__slots__}
    order_entry.ENTRIES["SPOT", CONSTANT] = Endpoint(**fields | {"handler": acknowledge})
    clock = sandboxed.ClockChoice("real", SPEED_ONE_E6, None)
    plan = sandboxed.Plan(room, "127.0.0.1", port, clock, False, None, False)
    sandboxed.run_sandbox(plan)


def frame(text):
    """Write a text frame, masked with nothing (a mask is for proxies)."""
    size = len(text)
    head = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return b"\x81" + head + bytes(4) + text


class Wire(asyncio.Protocol):
    """One connection; hands every answer to `heard`."""

    def __init__(self):
        self.seen, self.open, self.heard = b"", asyncio.get_running_loop().create_future(), None

    def connection_made(self, transport):
        self.transport = transport
        transport.write(
            b"GET /v2/ws/private HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            b"Sec-WebSocket-Version: 13\r\n\r\n"
        )

    def data_received(self, data):
        self.seen += data
        if not self.open.done():
            head, gap, rest = self.seen.partition(b"\r\n\r\n")
            if not gap:
                return
            assert b" 101 " in head, head
            self.seen = rest
            self.open.set_result(None)
        at, seen = 0, self.seen
        while len(seen) - at >= 4:
            assert seen[at] == 0x81, seen[at:]
            size, start = seen[at + 1], at + 2
            if size == 126:
                size, start = int.from_bytes(seen[at + 2 : at + 4], "big"), at + 4
            if len(seen) < start + size:
                break
            at = start + size
            self.heard(seen[start:at])
        self.seen = seen[at:]


async def connected(port, user):
    """Connect and log in."""
    loop = asyncio.get_running_loop()
    _, wire = await loop.create_connection(Wire, "127.0.0.1", port)
    await wire.open
    stamp = str(int(time.time()))
    digest = hmac.new(
        user["secretKey"].encode(), f"{stamp}GET/user/verify".encode(), hashlib.sha256
    )
    login = {"apiKey": user["apiKey"], "passphrase": user["passphrase"], "timestamp": stamp}
    login["sign"] = base64.b64encode(digest.digest()).decode()
    answer = loop.create_future()
    wire.heard = answer.set_result
    wire.transport.write(frame(json.dumps({"op": "login", "args": [login]}).encode()))
    assert b'"login"' in await answer
    return wire


def messages(channel):
    """Return a function that makes the next message."""
    count = 0

    def message():
        nonlocal count
        if not channel:
            return frame(b"ping")
        count += 1
        side = "buy" if count % 2 else "sell"
        return frame(
            (
                f'{{"op":"trade","args":[{{"id":"{count}","instType":"SPOT","instId":"BTCUSDT",'
                f'"channel":"{channel}","params":{{"side":"{side}","orderType":"limit",'
                '"force":"gtc","price":"20000","size":"0.001"}}]}'
            ).encode()
        )

    return message


def checked(answer):
    """Refuse an answer that is no success."""
    assert answer == b"pong" or b'"code":0' in answer, answer


async def press(port, user, channel, seconds, under_way):
    """Keep so many messages under way; return answers a second and the latencies, sorted."""
    wire, message, latencies = await connected(port, user), messages(channel), []
    sent, done = [], asyncio.get_running_loop().create_future()
    began = time.perf_counter()

    def send():
        sent.append(time.perf_counter())
        wire.transport.write(message())

    def heard(answer):
        checked(answer)
        now = time.perf_counter()
        # Answers come nearly in the order of the messages: the oldest is as good as the own.
        latencies.append(now - sent[len(latencies)])
        if now - began < seconds:
            send()
        elif len(latencies) == len(sent) and not done.done():
            done.set_result(None)

    wire.heard = heard
    for _ in range(under_way):
        send()
    await done
    wire.transport.close()
    return len(latencies) / (time.perf_counter() - began), sorted(latencies)


async def paced(port, user, rate, seconds):
    """Send orders at fixed times; return the latencies from when each was due, sorted."""
    wire, message, latencies = await connected(port, user), messages("place-order"), []
    due, count = [], int(rate * seconds)
    done = asyncio.get_running_loop().create_future()

    def heard(answer):
        checked(answer)
        latencies.append(time.perf_counter() - due[len(latencies)])
        if len(latencies) == count:
            done.set_result(None)

    wire.heard = heard
    began = time.perf_counter()
    while len(due) < count:
        owed = min(count, int((time.perf_counter() - began) * rate) + 1)
        while len(due) < owed:
            due.append(began + len(due) / rate)
            wire.transport.write(message())
        await asyncio.sleep(0.0005)
    await done
    wire.transport.close()
    return sorted(latencies)


def call(port, path, body):
    """Call one of the sandbox's own endpoints."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/lombard/v1/sandbox/{path}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)["data"]


def at(latencies, part):
    """Return the latency that a part of all stays under, in milliseconds."""
    return latencies[min(len(latencies) - 1, int(len(latencies) * part))] * 1000


def main():
    """Press each in turn, with few and with many messages under way, then pace."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 6.0
    counts = (int(sys.argv[2]),) if len(sys.argv) > 2 else UNDER_WAY
    port = 18_000 + os.getpid() % 10_000
    with tempfile.TemporaryDirectory() as room:
        server = subprocess.Popen(
            [sys.executable, __file__, "--serve", str(port), room],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert server.stdout is not None
        printed = []
        for line in server.stdout:
            printed.append(line)
            if "Lombard is ready" in line:
                break
        else:
            sys.exit("".join(printed))
        print(printed[0].strip().split(", data")[0])
        user = call(port, "users", {})
        for coin, amount in (("USDT", "10000000"), ("BTC", "1000")):
            call(port, "deposits", {"userId": user["userId"], "coin": coin, "amount": amount})
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(press(port, user, "place-order", 1.0, counts[0]))
            reached = max(measure(runner, port, user, seconds, count) for count in counts)
            rate = reached / 2
            latencies = runner.run(paced(port, user, rate, FIXED_S))
            print(
                f"{rate:,.0f} orders a second, at fixed times: p50 {at(latencies, 0.5):.2f} ms, "
                f"p99 {at(latencies, 0.99):.2f} ms, p99.9 {at(latencies, 0.999):.2f} ms"
            )
        server.terminate()
        print(f"stopped with {server.wait(60)}")


def measure(runner, port, user, seconds, under_way):
    """Press each in turn, print the ratios of the rounds, and return the orders' median rate."""
    print(f"{under_way} messages under way")
    ratios, orders = [], []
    for _ in range(ROUNDS):
        rates = {}
        for name, channel in ENTRIES.items():
            rates[name], found = runner.run(press(port, user, channel, seconds, under_way))
            print(
                f"{name:9} {rates[name]:>8,.0f} a second, p50 {at(found, 0.5):.2f} ms, "
                f"p99 {at(found, 0.99):.2f} ms",
                flush=True,
            )
        ratios.append(rates["orders"] / rates["constant"])
        orders.append(rates["orders"])
    ratios.sort()
    print(f"orders / constant: {ratios[ROUNDS // 2]:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")
    return sorted(orders)[ROUNDS // 2]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(int(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
