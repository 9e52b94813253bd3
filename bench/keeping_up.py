"""Whether history keeps up: orders over HTTP for as long as it takes, and history beside them.

    python bench/keeping_up.py [SECONDS [CONNECTIONS [URL]]]

The same load as that of `http.py` presses a sandbox three times: with its history in a file, in the
PostgreSQL database of URL (one of its own is started from the tests' when there is none), and in
the file again. Every half second the node is asked how far history is behind. Orders and commands
of history a second are counted over the second half of the time, when queues have filled; a history
that does not keep up is further and further behind, until the node waits for it (`BACKLOG_MAX`).
The yardstick is the file: its figure beside PostgreSQL's, in the same run.
"""

import sys

# Beside this file are `http` and `socket`: nothing may find them before the standard library's.
sys.path.append(sys.path.pop(0))
sys.path.append(f"{sys.path[-1]}/..")

import asyncio
import importlib.util
import re
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import uvloop

from lombard.history.projector import BACKLOG_MAX
from tests.history.postgres import Server

# It is loaded by its path for the same reason, and takes the first place of `sys.path` away.
path = Path(__file__).with_name("http.py")
spec = importlib.util.spec_from_file_location("orders", path)
orders = importlib.util.module_from_spec(spec)
sys.path.insert(0, str(path.parent))
spec.loader.exec_module(orders)

SECONDS, CONNECTIONS, EVERY_S = 20.0, 64, 0.5
LOMBARD = Path(sys.executable).with_name("lombard")


def asked(port):
    """Ask the node; return when, the last command applied, and how many history is behind."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as response:
        text = response.read().decode()
    names = ("lombard_applied_seq", "lombard_history_lag_commands")
    figures = [float(re.search(rf"^{name} (\S+)$", text, re.M)[1]) for name in names]
    return time.perf_counter(), *figures


async def watch(port, pressing):
    """Ask again and again while the load is on; return all the answers."""
    seen = []
    while not pressing.done():
        seen.append(await asyncio.to_thread(asked, port))
        await asyncio.sleep(EVERY_S)
    return seen


async def press(port, users, seconds):
    """Press, and watch; return the orders a second, and what was seen."""
    await orders.press(port, orders.ORDER_PATH, users, 1.0)
    pressing = asyncio.ensure_future(orders.press(port, orders.ORDER_PATH, users, seconds))
    seen = await watch(port, pressing)
    rate, _ = await pressing
    return rate, seen


def measure(name, history, count, seconds):
    """Press a sandbox; print a line of figures and return the orders of it a second."""
    port = 18_000 + time.time_ns() // 1000 % 10_000
    with tempfile.TemporaryDirectory() as room:
        command = [LOMBARD, "sandbox", "--data", room, "--port", str(port), "--market", "none"]
        node = subprocess.Popen([*command, *history], stdout=subprocess.PIPE, text=True)
        while "Lombard is ready" not in node.stdout.readline():
            assert node.poll() is None, "the sandbox did not start"
        users = orders.funded_users(port, count)
        before_s = orders.cpu_s(node.pid)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            rate, seen = runner.run(press(port, users, seconds))
        spent_s = orders.cpu_s(node.pid) - before_s
        ended = time.perf_counter()
        while asked(port)[2]:
            time.sleep(0.02)
        drained_s = time.perf_counter() - ended
        late = seen[len(seen) // 2 :]
        applied, lags = [row[1] for row in late], [row[2] for row in seen]
        took_s = late[-1][0] - late[0][0]
        ordered = (applied[-1] - applied[0]) / took_s
        written = ordered - (late[-1][2] - late[0][2]) / took_s
        print(
            f"{name:11}{ordered:>7,.0f} orders/s, history {written:>7,.0f}/s; behind by at most "
            f"{max(lags):,.0f} of {BACKLOG_MAX:,}, written {drained_s:.1f} s after the last; "
            f"{spent_s / (rate * seconds) * 1e6:.0f} us of processor an order",
            flush=True,
        )
        node.terminate()
        assert node.wait(60) == 0
    return ordered


def main():
    """Press one after the other and print the ratio."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    count = int(sys.argv[2]) if len(sys.argv) > 2 else CONNECTIONS
    url = sys.argv[3] if len(sys.argv) > 3 else ""
    own = None if url else Server()
    try:
        if own is not None:
            url = own.database("keeping up").render_as_string(hide_password=False)
        files = [measure("a file", [], count, seconds)]
        remote = measure("PostgreSQL", ["--history", url], count, seconds)
        files.append(measure("a file", [], count, seconds))
    finally:
        if own is not None:
            own.close()
    print(f"with PostgreSQL / with a file: {remote / (sum(files) / 2):.2f}")


if __name__ == "__main__":
    main()
