"""Signed, durable orders over HTTP, beside a constant answer of the same server.

    python bench/http.py [SECONDS [CONNECTIONS]]

One process is the whole venue as `lombard sandbox` runs it: gateway, SQLite journal with every
command synced before it is answered, engine, history. Another is the load: connections that each
keep one signed request on its way. Orders trade with one another, so that each brings fills,
ledger and candles. In between, the same server answers the same signed requests with a constant:
once `signed` (signature checked, body read, as for an order) and once `constant` (unread and
unchecked, what the HTTP server alone can do). The ratios say what the rest costs.

Then orders are sent at fixed times, half as many a second as were reached, and how long each takes
is counted from when it was due: what a client sees who does not wait for the venue.
"""

import sys

# This file is called `http`: nothing may find it in the place of the standard library's.
sys.path.pop(0)

import asyncio
import base64
import collections
import hashlib
import hmac
import json
import math
import os
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import uvloop

# Few of them wait for the disk, many for the processor.
CONNECTIONS = (64, 256)
ROUNDS = 3
PARTS = (0.50, 0.99, 0.999)
ORDER_PATH = "/api/v2/spot/trade/place-order"
CONSTANT_PATH = "/bench/constant"
SIGNED_PATH = "/bench/signed"
PATHS = {"constant": CONSTANT_PATH, "signed": SIGNED_PATH, "orders": ORDER_PATH}
CONSTANT = (
    b'{"code":"00000","msg":"success","requestTime":1,"data":{"orderId":"1","clientOid":"1"}}'
)


def serve(port, room):
    """Run the sandbox, with one more path that answers a constant."""
    from lombard.api import sandbox
    from lombard.api.app import Gateway
    from lombard.api.endpoints import ENDPOINTS
    from lombard.api.order_rows import OrderAck
    from lombard.api.table import Endpoint
    from lombard.cli import sandboxed, serving
    from lombard.node.clock import SPEED_ONE_E6

    async def acknowledge(call, body):
        return OrderAck("1000000000000000001", "1")

    def with_constant(context, world, token):
        # The row of the order call with another end: signature and body are read all the same.
        row = next(row for row in ENDPOINTS if row.path == ORDER_PATH)
        fields = {name: getattr(row, name) for name in Endpoint.__slots__}
        signed = Endpoint(**fields | {"path": SIGNED_PATH, "handler": acknowledge})
        app = Gateway(context, [*ENDPOINTS, signed, *sandbox.endpoints(world)], sandbox.Door(token))
        head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(CONSTANT))]

        class Answering:
            """The application, and a constant in front of it."""

            async def __call__(self, scope, receive, send):
                if scope["type"] != "http" or scope["raw_path"] != CONSTANT_PATH.encode():
                    await app(scope, receive, send)
                    return
                await receive()
                await send({"type": "http.response.start", "status": 200, "headers": head})
                await send({"type": "http.response.body", "body": CONSTANT})

            def __getattr__(self, name):
                return getattr(app, name)

        return Answering()

    serving.build_app = with_constant
    clock = sandboxed.ClockChoice("real", SPEED_ONE_E6, None)
    plan = sandboxed.Plan(room, "127.0.0.1", port, clock, False, None, False)
    sandboxed.run_sandbox(plan)


class Load(asyncio.Protocol):
    """One connection with one request on its way at a time."""

    def __init__(self, next_request, latencies, ends_at):
        self.next_request, self.latencies, self.ends_at = next_request, latencies, ends_at
        self.seen, self.done = b"", asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport
        self._send()

    def _send(self):
        self.sent = time.perf_counter()
        if self.sent >= self.ends_at:
            self.transport.close()
            self.done.set_result(None)
            return
        self.transport.write(self.next_request())

    def data_received(self, data):
        self.seen += data
        head, gap, body = self.seen.partition(b"\r\n\r\n")
        if not gap:
            return
        at = head.lower().index(b"content-length:") + 15
        if len(body) < int(head[at:].split(b"\r\n", 1)[0]):
            return
        assert b'"code":"00000"' in body, body
        self.latencies.append(time.perf_counter() - self.sent)
        self.seen = b""
        self._send()


class PacedLoad(Load):
    """One connection that sends what is due, and waits while nothing is."""

    def __init__(self, next_request, latencies, due, idle):
        super().__init__(next_request, latencies, math.inf)
        self.due, self.idle = due, idle

    def _send(self):
        if self.due:
            self.sent = self.due.popleft()
            self.transport.write(self.next_request())
        else:
            self.idle.append(self)

    def go_on(self):
        """Send what is due by now."""
        self._send()


def signer(user, path, sides):
    """Return a function that makes the next signed request of a user."""
    secret, count = user["secretKey"].encode(), 0

    def request():
        nonlocal count
        count += 1
        body = (
            f'{{"symbol":"BTCUSDT","side":"{sides[count % 2]}","orderType":"limit",'
            '"force":"gtc","price":"20000","size":"0.001"}'
        )
        stamp = str(time.time_ns() // 1_000_000)
        prehash = f"{stamp}POST{path}{body}".encode()
        sign = base64.b64encode(hmac.new(secret, prehash, hashlib.sha256).digest()).decode()
        return (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"ACCESS-KEY: {user['apiKey']}\r\nACCESS-SIGN: {sign}\r\nACCESS-TIMESTAMP: {stamp}\r\n"
            f"ACCESS-PASSPHRASE: {user['passphrase']}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

    return request


async def press(port, path, users, seconds):
    """Load a path for some seconds; return answers a second and the latencies, sorted."""
    loop, latencies = asyncio.get_running_loop(), []
    began = time.perf_counter()
    ends_at, waiting = began + seconds, []
    for n, user in enumerate(users):
        sides = ("buy", "sell") if n % 2 else ("sell", "buy")
        load = Load(signer(user, path, sides), latencies, ends_at)
        await loop.create_connection(lambda load=load: load, "127.0.0.1", port)
        waiting.append(load.done)
    await asyncio.gather(*waiting)
    return len(latencies) / (time.perf_counter() - began), sorted(latencies)


async def paced(port, path, users, rate, seconds):
    """Send requests at fixed times; return the latencies from when each was due, sorted."""
    loop, latencies, due, idle = asyncio.get_running_loop(), [], collections.deque(), []
    for n, user in enumerate(users):
        sides = ("buy", "sell") if n % 2 else ("sell", "buy")
        load = PacedLoad(signer(user, path, sides), latencies, due, idle)
        await loop.create_connection(lambda load=load: load, "127.0.0.1", port)
    began, made, count = time.perf_counter(), 0, int(rate * seconds)
    while made < count:
        owed = min(count, int((time.perf_counter() - began) * rate) + 1)
        due.extend(began + n / rate for n in range(made, owed))
        made = owed
        while due and idle:
            idle.pop().go_on()
        await asyncio.sleep(0.0005)
    while len(latencies) < count:
        await asyncio.sleep(0.001)
    for load in idle:
        load.transport.close()
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


def funded_users(port, count):
    """Make a funded user for each connection."""
    users = []
    for _ in range(count):
        user = call(port, "users", {})
        for coin, amount in (("USDT", "10000000"), ("BTC", "1000")):
            call(port, "deposits", {"userId": user["userId"], "coin": coin, "amount": amount})
        users.append(user)
    return users


def cpu_s(process):
    """Add up the processor time of a process and of all it has started (Linux only, else 0)."""
    try:
        tasks = Path(f"/proc/{process}/task")
        stat = (tasks.parent / "stat").read_text().rpartition(")")[2].split()
        children = [child for task in tasks.iterdir() for child in _children(task)]
    except OSError:
        return 0.0
    own = sum(map(int, stat[11:15])) / os.sysconf("SC_CLK_TCK")
    return own + sum(map(cpu_s, children))


def _children(task):
    return (task / "children").read_text().split()


def at(latencies, part):
    """Return the latency that a part of all stays under, in milliseconds."""
    return latencies[min(len(latencies) - 1, int(len(latencies) * part))] * 1000


def report(name, rate, latencies, spent_s):
    """Print a line of figures."""
    p50, p99 = at(latencies, 0.50), at(latencies, 0.99)
    each_us = spent_s / len(latencies) * 1e6
    print(
        f"{name:9} {rate:>8,.0f} a second, p50 {p50:.2f} ms, p99 {p99:.2f} ms, "
        f"{each_us:.0f} µs of processor each",
        flush=True,
    )


def main():
    """Press each path in turn, with few and with many connections."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 6.0
    counts = (int(sys.argv[2]),) if len(sys.argv) > 2 else CONNECTIONS
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
        users = funded_users(port, max(counts))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            for count in counts:
                print(f"{count} connections")
                reached = measure(runner, server, port, users[:count], seconds)
                rate = reached / 2
                for name in ("signed", "orders"):
                    latencies = runner.run(paced(port, PATHS[name], users[:count], rate, seconds))
                    told = ", ".join(
                        f"p{part * 100:g} {at(latencies, part):.2f} ms" for part in PARTS
                    )
                    print(f"{name:9} {rate:>8,.0f} a second, at fixed times: {told}", flush=True)
        started = time.perf_counter()
        server.terminate()
        code = server.wait(60)
        print(f"stopped with {code}, history written, in {time.perf_counter() - started:.2f} s")


def measure(runner, server, port, users, seconds):
    """Press each in turn and print the ratios of the rounds; return the most orders a second."""
    ratios, reached = [], 0.0
    runner.run(press(port, ORDER_PATH, users, 1.0))
    for _ in range(ROUNDS):
        rates = {}
        for name, path in PATHS.items():
            before_s = cpu_s(server.pid)
            rates[name], latencies = runner.run(press(port, path, users, seconds))
            report(name, rates[name], latencies, cpu_s(server.pid) - before_s)
        reached = max(reached, rates["orders"])
        ratios.append((rates["orders"] / rates["signed"], rates["orders"] / rates["constant"]))
    for n, name in enumerate(("signed", "constant")):
        found = sorted(ratio[n] for ratio in ratios)
        print(f"orders / {name}: {found[len(found) // 2]:.2f} ({found[0]:.2f} to {found[-1]:.2f})")
    return reached


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(int(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
