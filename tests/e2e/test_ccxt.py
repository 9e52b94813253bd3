"""The example runs as it is written: unmodified ccxt on the replayed market."""

import subprocess
import sys
from pathlib import Path

from tests.e2e.sandbox import READY_SECONDS, Sandbox

EXAMPLE = Path(__file__).parents[2] / "examples" / "ccxt_margin.py"


def test_the_ccxt_example_trades_long_short_and_isolated() -> None:
    with Sandbox() as sandbox:
        assert sandbox.ready_seconds < READY_SECONDS
        user = sandbox.user()
        user.deposit("USDT", "10000")

        done = subprocess.run(
            [sys.executable, EXAMPLE, sandbox.address, user.key, user.secret, user.passphrase],
            capture_output=True,
            text=True,
            timeout=100,
        )

        assert (0, "") == (done.returncode, done.stderr)
        assert 2 == done.stdout.count("sold 0.05 BTC short")
        assert 4 == done.stdout.count("repaid, owing")
        assert 0 == sandbox.stop()
