"""The Trade page under load: frames, time of its main thread, and memory.

    python bench/page.py [SECONDS]

A real `lombard sandbox` with its market, a process that changes the book 50 times and trades 20
times a second, and Chromium on the Trade page, logged in, with a leveraged position and an order
of its own. Before the load begins the same page is watched at rest. What the page hears is counted
at its sockets (the venue gathers changes of a book for 200 ms); frames are counted by
requestAnimationFrame; what the main thread was busy with is what Chromium's own counters say. Heap
is read after a collection. 600 seconds are the long form.
"""

import sys
from pathlib import Path

# Beside this file lies one called `socket`; and the tests' sandbox and visitor are used here.
sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import itertools
import json
import multiprocessing
import os
import threading
import time
from http.client import HTTPConnection, HTTPException
from statistics import mean, median

from tests.e2e.sandbox import Sandbox, User
from tests.e2e.terminal import Visitor, browsing

SECONDS = 60.0
BOOK_A_SECOND = 50
TRADES_A_SECOND = 20
WARM_UP_S = 10.0
REST_S = 15.0
SAMPLES = 30
MB = 1 << 20
# More than a collection leaves behind by chance.
GROWTH_MAX = 2 * MB
TRADE = "/api/v2/spot/trade"

# Counts what the sockets bring, frames, and whatever holds the main thread for more than 50 ms.
COUNTING = """
window.bench = { frames: 0, worst: 0, last: 0, long: 0, heard: {}, changes: 0 };
const Plain = window.WebSocket;
window.WebSocket = class extends Plain {
  constructor(...all) {
    super(...all);
    this.addEventListener("message", ({ data }) => {
      const found = /"channel":"([^"]+)"/.exec(data);
      const name = found ? found[1] : "other";
      bench.heard[name] = (bench.heard[name] ?? 0) + 1;
      if (name === "books") bench.changes += data.split("],[").length;
    });
  }
};
const frame = (now) => {
  bench.frames += 1;
  if (bench.last) bench.worst = Math.max(bench.worst, now - bench.last);
  bench.last = now;
  requestAnimationFrame(frame);
};
requestAnimationFrame(frame);
new PerformanceObserver((list) => { bench.long += list.getEntries().length; })
  .observe({ type: "longtask" });
"""


class Watched(Visitor):
    """A visitor whose page counts."""

    script = COUNTING


class Wire:
    """Sends signed requests over one connection that is kept, and made anew when it ends."""

    def __init__(self, port, user):
        self.line = HTTPConnection("127.0.0.1", port, timeout=60)
        user.sandbox = self

    def request(self, method, path, body, headers):
        try:
            self.line.request(method, path, body, headers)
            response = self.line.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, HTTPException):
            self.line.close()
            return 0, {"code": "lost"}


def paced(rate, step):
    """Take steps at fixed times, for ever."""
    due = time.monotonic()
    for count in itertools.count():
        # What a stopped machine has missed is not made up for.
        due = max(due + 1 / rate, time.monotonic() - 1)
        time.sleep(max(0.0, due - time.monotonic()))
        step(count)


def press(port, keys, price, told):
    """Change the book and trade: what the load's process does. Counts into `told`."""
    quoter, trader = (User(None, *each) for each in keys)
    Wire(port, quoter), Wire(port, trader)
    standing = []

    def change(count):
        # Every other step takes an order away: the book stays as deep as it is.
        if len(standing) > 40:
            quoter.send("POST", f"{TRADE}/cancel-order", standing.pop(0))
        else:
            buys = count // 2 % 2 == 0
            away = (1 + count * 7 % 90) * price // 20_000
            order = {"symbol": "BTCUSDT", "side": "buy" if buys else "sell"}
            order |= {"orderType": "limit", "force": "gtc", "size": "0.01"}
            order["price"] = str(price - away if buys else price + away)
            _, said = quoter.send("POST", f"{TRADE}/place-order", order)
            if said["code"] == "00000":
                standing.append({"symbol": "BTCUSDT", "orderId": said["data"]["orderId"]})
        told[0] += 1

    def trade(count):
        buys = count % 2 == 0
        order = {"symbol": "BTCUSDT", "side": "buy" if buys else "sell", "orderType": "market"}
        order["size"] = str(price * 3 // 1000) if buys else "0.003"
        _, said = trader.send("POST", f"{TRADE}/place-order", order)
        told[1] += said["code"] == "00000"

    threading.Thread(target=paced, args=(TRADES_A_SECOND, trade), daemon=True).start()
    paced(BOOK_A_SECOND, change)


def rich(sandbox):
    """Make a user who can trade for hours; return what names it."""
    user = sandbox.user()
    for coin, amount in (("USDT", "50000000"), ("BTC", "2000")):
        user.deposit(coin, amount)
    return user.user_id, user.key, user.secret, user.passphrase


def settled(visitor):
    """Bring the page to where a trader has it: logged in, long by a loan, an order in the book."""
    page = visitor.page
    visitor.demo()
    page.get_by_role("button", name="Transfer collateral from spot").click()
    visitor.transfer("USDT", "20000")
    page.get_by_label("Spend").fill("40000")
    page.locator("button.big.buy").click()
    page.get_by_role("tabpanel").locator("tbody tr").wait_for()
    page.get_by_role("button", name="Limit", exact=True).click()
    page.get_by_label("Price", exact=True).fill("15000")
    page.get_by_label("Size", exact=True).fill("0.05")
    page.locator("button.big.buy").click()
    page.get_by_role("tab", name="Open orders (1)").wait_for()


class Meter:
    """Reads what Chromium and the page count."""

    def __init__(self, page, session):
        self.page, self.session = page, session
        session.send("Performance.enable")

    def read(self):
        """Return counters of the browser and of the page, after a collection."""
        self.session.send("HeapProfiler.collectGarbage")
        found = self.session.send("Performance.getMetrics")["metrics"]
        metrics = {each["name"]: each["value"] for each in found}
        metrics |= self.page.evaluate(
            "() => { const now = { ...bench }; bench.worst = 0; return now; }"
        )
        return metrics


def resting(meter, seconds):
    """Watch the page while little happens; return which part of the time it is busy."""
    first = meter.read()
    meter.page.wait_for_timeout(seconds * 1000)
    last = meter.read()
    return (last["TaskDuration"] - first["TaskDuration"]) / (last["Timestamp"] - first["Timestamp"])


def measure(meter, seconds, told):
    """Watch the page for a while; return the samples, and what was sent in that time."""
    samples, sent = [meter.read()], list(told)
    began = time.monotonic()
    for count in range(1, SAMPLES + 1):
        wait = began + seconds * count / SAMPLES - time.monotonic()
        meter.page.wait_for_timeout(max(1.0, wait * 1000))
        samples.append(meter.read())
    return samples, [now - before for now, before in zip(told, sent, strict=True)]


def report(samples, sent, rest):
    """Print what it came to."""
    first, last = samples[0], samples[-1]
    spent = last["Timestamp"] - first["Timestamp"]
    by = {name: last[name] - first[name] for name in first if name != "heard"}
    heard = {
        name: (count - first["heard"].get(name, 0)) / spent for name, count in last["heard"].items()
    }
    named = ", ".join(f"{name} {rate:.1f}" for name, rate in sorted(heard.items()) if rate > 0.05)
    print(
        f"{spent:.0f} s: sent {sent[0] / spent:.1f} changes of the book and "
        f"{sent[1] / spent:.1f} market orders a second"
    )
    print(
        f"heard a second: {sum(heard.values()):.1f} messages ({named}); "
        f"those of the book have {by['changes'] / spent:.0f} levels a second"
    )
    # Medians of spans: a minute in which the machine was somebody else's counts as one of them.
    frames = spans(samples, "frames")
    worst = [each["worst"] for each in samples[1:]]
    print(
        f"frames: {median(frames):.1f} a second (median of {SAMPLES} spans, worst "
        f"{min(frames):.1f}); longest wait for one {median(worst):.0f} ms "
        f"(worst {max(worst):.0f}); tasks over 50 ms: {by['long']}"
    )
    names = (("scripts", "Script"), ("styles", "RecalcStyle"), ("layout", "Layout"))
    parts = ", ".join(
        f"{word} {median(spans(samples, f'{name}Duration')):.1%}" for word, name in names
    )
    busy = median(spans(samples, "TaskDuration"))
    print(f"main thread: {busy:.1%} busy ({parts}); at rest, frames and nothing else, {rest:.1%}")
    each = max(0.0, busy - rest) / sum(heard.values())
    print(
        f"  {each * 1000:.2f} ms a message beyond that; "
        f"{busy / median(frames) * 1000:.2f} ms a frame altogether"
    )


def spans(samples, name):
    """Return by how much a counter rose each second, span by span."""
    pairs = itertools.pairwise(samples)
    return [(b[name] - a[name]) / (b["Timestamp"] - a["Timestamp"]) for a, b in pairs]


def grown(samples):
    """Print heap and nodes over time; say whether there is more at the end than at the start."""
    third = len(samples) // 3
    sizes = [each["JSHeapUsedSize"] for each in samples]
    first, last = mean(sizes[:third]), mean(sizes[-third:])
    print("heap, MB: " + " ".join(f"{size / MB:.1f}" for size in sizes))
    for name in ("Nodes", "JSEventListeners"):
        print(f"{name}: {samples[0][name]:.0f} at first, {samples[-1][name]:.0f} at last")
    has_grown = last - first > GROWTH_MAX
    word = "grew" if has_grown else "did not grow"
    print(f"memory {word}: {first / MB:.2f} MB in the first third, {last / MB:.2f} MB in the last")
    return has_grown


def main():
    """Start the venue, the load and the browser; measure."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    print(f"{os.cpu_count()} processors, {os.getloadavg()[0]:.1f} of them wanted at the start")
    with Sandbox() as sandbox, browsing() as browser:
        print(sandbox.log.splitlines()[0].partition(", data")[0] + f", Chromium {browser.version}")
        keys = [rich(sandbox), rich(sandbox)]
        _, said = sandbox.request("GET", "/api/v2/spot/market/tickers?symbol=BTCUSDT", None, {})
        price = int(float(said["data"][0]["lastPr"]))
        spawn = multiprocessing.get_context("spawn")
        told = spawn.Array("q", 2)
        load = spawn.Process(target=press, args=(sandbox.port, keys, price, told), daemon=True)
        visitor = Watched(browser, sandbox)
        settled(visitor)
        meter = Meter(visitor.page, visitor.context.new_cdp_session(visitor.page))
        meter.page.wait_for_timeout(WARM_UP_S * 1000)
        rest = resting(meter, REST_S)
        load.start()
        meter.page.wait_for_timeout(WARM_UP_S * 1000)
        samples, sent = measure(meter, seconds, told)
        report(samples, sent, rest)
        has_grown = grown(samples)
        visitor.leave()
        load.terminate()
    sys.exit(1 if has_grown else 0)


if __name__ == "__main__":
    main()
