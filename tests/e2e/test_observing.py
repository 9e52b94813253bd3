"""What a process tells of itself: metrics for Prometheus, a log without secrets, the documents."""

import http.client
import json
import subprocess
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.sandbox import LOMBARD, Sandbox, User, free_port
from tests.e2e.test_process import lombard, started

PLACE = "/api/v2/spot/trade/place-order"
ORDER = {"symbol": "BTCUSDT", "side": "buy", "orderType": "limit", "force": "gtc", "price": "9000"}


def fetch(port: int, path: str, host: str = "127.0.0.1") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path, None, {"Host": host})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def sample(text: str, name: str, **labels: str) -> float:
    return samples(text)[name, frozenset(labels.items())]


def wrong_requests(user: User) -> list[str]:
    """Send what is refused for every reason a signed request can be; return what is secret."""
    assert 400 == user.send("POST", PLACE, {**ORDER, "size": "1000"})[0]
    assert 400 == user.send("POST", PLACE, {**ORDER, "size": []})[0]
    for change in ({"secret": "another"}, {"passphrase": "guessed-wrong"}, {"key": "lk_nobody"}):
        words = {"key": user.key, "secret": user.secret, "passphrase": user.passphrase, **change}
        stranger = User(user.sandbox, user.user_id, **words)
        assert 400 == stranger.send("POST", PLACE, ORDER)[0]
    return [user.key, user.secret, user.passphrase, "guessed-wrong"]


def test_a_sandbox_counts_and_shows_what_it_does(tmp_path: Path) -> None:
    with Sandbox("--market", "none", "--clock", "manual", data=tmp_path) as sandbox:
        user = sandbox.user()
        user.deposit("USDT", "1000")
        user.post(PLACE, **ORDER, size="0.01")
        wrong_requests(user)
        for _ in range(3):
            assert 404 == fetch(sandbox.port, f"/api/{user.key}")[0]

        status, text = fetch(sandbox.port, "/metrics")
        assert 200 == status
        assert 1 == sample(text, "lombard_commands_total", kind="PlaceOrder", outcome="done")
        refused = {"kind": "PlaceOrder", "outcome": "insufficient_balance"}
        assert 1 == sample(text, "lombard_commands_total", **refused)
        labels = {"path": PLACE, "method": "POST", "status": "400"}
        assert 1 == sample(text, "lombard_http_requests_total", **labels, code="43012")
        assert 1 == sample(text, "lombard_http_requests_total", **labels, code="40012")
        other = {"path": "other", "method": "", "status": "404", "code": "40404"}
        assert 3 == sample(text, "lombard_http_requests_total", **other)
        assert user.key not in text
        assert 6 == sample(text, "lombard_http_seconds_count", path=PLACE)
        batches = sample(text, "lombard_batch_commands_count")
        assert batches == sample(text, "lombard_journal_write_seconds_count") > 0
        for lane in ("venue", "relief", "trade"):
            assert 0 == sample(text, "lombard_lane_commands", lane=lane)
        for name in ("loop_lag_seconds_count", "history_lag_commands", "snapshots_total"):
            assert sample(text, f"lombard_{name}") >= 0
        assert 0 == sample(text, "lombard_pool_utilisation_ratio", coin="USDT")
        assert 0 == sample(text, "lombard_index_stale", coin="BTC")
        assert 0 == sample(text, "lombard_liquidation_events_total", event="LiquidationStarted")
        assert sample(text, "process_resident_memory_bytes") > 0

        # A page of somebody else's, with a name of its own for this machine, is told nothing.
        assert 404 == fetch(sandbox.port, "/metrics", "example.org")[0]
        status, text = fetch(sandbox.port, "/openapi.json")
        assert (200, "3.1.0") == (status, json.loads(text)["openapi"])
        status, text = fetch(sandbox.port, "/docs")
        assert (200, True) == (status, PLACE in text)


def test_a_venue_shows_its_metrics_elsewhere_only(tmp_path: Path) -> None:
    port, own_port = free_port(), free_port()
    config, catalogue = tmp_path / "lombard.toml", tmp_path / "catalogue.toml"
    config.write_text(
        f'data = "venue"\n[http]\nport = {port}\n[metrics]\nport = {own_port}\n'
        '[node]\ncommands_per_second = 1000\n[log]\nformat = "json"\n'
    )
    assert 0 == lombard("init", str(catalogue))[0]
    assert 0 == lombard("init", str(catalogue), "--data", str(tmp_path / "venue"))[0]
    with started("serve", "--config", str(config)) as said:
        assert f"Metrics: http://127.0.0.1:{own_port}/metrics\n" in said
        assert 404 == fetch(port, "/metrics")[0]
        status, text = fetch(own_port, "/metrics")
        assert (200, 1.0) == (status, sample(text, "lombard_ready"))
        assert 404 == fetch(own_port, "/lombard/v1/health")[0]


def test_nothing_secret_is_logged(tmp_path: Path) -> None:
    log = tmp_path / "log"
    port = free_port()
    command = [str(LOMBARD), "sandbox", "--market", "none", "--port", str(port)]
    command += ["--log-level", "debug", "--log-format", "json", "--data", str(tmp_path / "data")]
    with log.open("w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        assert process.stdout is not None
        while "Lombard is ready" not in (line := process.stdout.readline()):
            assert line
        sandbox = Sandbox.__new__(Sandbox)
        sandbox.port = port
        user = sandbox.user()
        user.deposit("USDT", "1000")
        user.post(PLACE, **ORDER, size="0.01")
        secrets = wrong_requests(user)
        process.terminate()
        rest, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait(30)
    lines = log.read_text().splitlines()
    assert any(json.loads(line)["event"] == "stopping" for line in lines if line.startswith("{"))
    written = rest + "".join(lines)
    assert [] == [secret for secret in secrets if secret in written]
    assert "ACCESS-SIGN" not in written
