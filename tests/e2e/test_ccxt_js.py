"""Unmodified ccxt in JavaScript: borrow, trade, repay, history, in both margin modes."""

import json
import shutil
import subprocess
from pathlib import Path

from tests.e2e.sandbox import Sandbox

CLIENT = Path(__file__).parents[1] / "clients" / "js"
TIMEOUT_S = 100


def test_ccxt_in_javascript() -> None:
    node = shutil.which("node")
    assert node is not None, "node is not there: install Node.js 20 or newer, with npm"
    assert (CLIENT / "node_modules" / "ccxt").is_dir(), "ccxt is not installed: run `make clients`"
    with Sandbox("--market", "none") as sandbox:
        for coin, price in (("USDC", "1"), ("BTC", "20000"), ("ETH", "1500")):
            sandbox.call("index-prices", {"coin": coin, "price": price})
        maker, user = sandbox.user(), sandbox.user()
        maker.deposit("BTC", "5")
        maker.deposit("USDT", "100000")
        user.deposit("USDT", "2000")
        words = {"symbol": "BTCUSDT", "orderType": "limit", "force": "gtc", "size": "5"}
        path = "/api/v2/spot/trade/place-order"
        maker.post(path, **words, side="sell", price="20010")
        maker.post(path, **words, side="buy", price="19990")

        keys = (user.key, user.secret, user.passphrase)
        done = subprocess.run(
            [node, "margin.mjs", sandbox.address, *keys],
            cwd=CLIENT,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )

        assert (0, "") == (done.returncode, done.stderr)
        told = [json.loads(line) for line in done.stdout.splitlines()]
        assert ["cross", "isolated"] == [row["marginMode"] for row in told]
        assert all(row["orders"] == 2 and row["trades"] and row["interest"] for row in told)
        assert 0 == sandbox.stop()
