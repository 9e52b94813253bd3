"""Exactly once: whatever comes again, stops, is killed or is lost, the content is the same."""

import os
import random
import signal
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from lombard.core.events import Deposited
from lombard.history import projector
from lombard.history.faults import HistoryGap
from lombard.history.projection import RENEWED_ORDERS
from lombard.history.schema import metadata
from tests.history.desk import ALICE_SPOT, ID, Desk, Table, dump, place_of, told
from tests.history.streams import START_MS, Stream, Work

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = 3_000
# A process that feeds the stream from where history is, over and over, until it is killed.
FEEDER = """
import sys
from itertools import islice
from pathlib import Path
from typing import Any
from tests.history.desk import Desk, place_told
from tests.history.streams import Stream
desk = Desk(Path(), place=place_told(sys.argv[1]))
print(desk.projector.applied_seq, flush=True)
for work in islice(Stream(11, step_ms=5_000), 100_000):
    if not desk.projector.submit(*work):
        desk.projector.room_blocking()
"""


def stream(count: int = COMMANDS) -> list[Work]:
    return list(islice(Stream(11, step_ms=5_000), count))


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Table:
    """What the stream leaves when nothing goes wrong."""
    path = tmp_path_factory.mktemp("straight") / "history.sqlite"
    with Desk(path) as desk:
        desk.feed(stream())
    content = dump(path)
    assert all(content.values()), "the stream leaves rows in every table"
    return content


def test_the_stream_is_the_same_every_time(straight: Table, tmp_path: Path) -> None:
    with Desk(tmp_path / "history.sqlite") as desk:
        desk.feed(stream())
    assert straight == dump(desk.path)


def test_content_does_not_depend_on_batches_and_restarts(
    straight: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rnd = random.Random(5)
    rest = stream()
    while rest:
        monkeypatch.setattr(projector, "SLICE_MAX", rnd.choice([1, 3, 50, 1_000]))
        monkeypatch.setattr(projector, "COMMIT_MAX", rnd.choice([1, 7, 100, 1_000]))
        count = rnd.randrange(1, COMMANDS // 4)
        with Desk(tmp_path / "history.sqlite", commit_s=0) as desk:
            desk.feed(rest[:count])
        rest = rest[count:]
    assert straight == dump(desk.path)


def test_content_does_not_depend_on_what_is_remembered(
    straight: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lombard.history.projection.REMEMBERED_MAX", 3)
    monkeypatch.setattr(projector, "SLICE_MAX", 20)
    monkeypatch.setattr(projector, "COMMIT_MAX", 40)
    with Desk(tmp_path / "history.sqlite") as desk:
        desk.feed(stream())
    assert straight == dump(desk.path)


def test_what_comes_again_is_ignored(straight: Table, tmp_path: Path) -> None:
    work = stream()
    with Desk(tmp_path / "history.sqlite") as desk:
        desk.feed(work[:2_000])
        desk.feed(work[500:2_000])
    with Desk(tmp_path / "history.sqlite") as desk:
        assert 2_000 == desk.projector.applied_seq
        desk.feed(work)
        assert 0 == desk.projector.lag
    assert straight == dump(desk.path)


def test_a_missing_command_is_an_error_and_leaves_no_trace(desk: Desk) -> None:
    event = Deposited(ID, ALICE_SPOT, 0, 1)
    with pytest.raises(HistoryGap, match="History is at 0, 2 does not follow"):
        desk.projector.submit(2, START_MS, [event])

    desk.say(event)
    with pytest.raises(HistoryGap, match="History is at 1, 3 does not follow"):
        desk.projector.submit(3, START_MS, [event])
    desk.say(event.__class__(ID + 1, ALICE_SPOT, 0, 1))
    assert 2 == desk.projector.applied_seq


def test_rows_of_a_batch_have_one_key_each(tmp_path: Path) -> None:
    """PostgreSQL refuses a statement that writes a row twice."""
    with Desk(tmp_path / "history.sqlite") as desk:
        projection = desk.projector._projection
        seen: set[Any] = set()
        for count, work in enumerate(stream()):
            projection.add(*work)
            if count % 500 == 499:
                for name, cells in sorted(projection.take().items()):
                    table = metadata.tables["orders" if name == RENEWED_ORDERS else name]
                    names = [column.name for column in table.columns]
                    width = len(names)
                    assert 0 == len(cells) % width
                    places = [names.index(column.name) for column in table.primary_key.columns]
                    keys = [
                        tuple(cells[start + place] for place in places)
                        for start in range(0, len(cells), width)
                    ]
                    assert len(keys) == len(set(keys)), name
                    # New are those, and only those, of which there was no row.
                    if name == "orders":
                        assert not seen & set(keys)
                        seen |= set(keys)
                    elif name == RENEWED_ORDERS:
                        assert set(keys) <= seen
                # Nothing is written in this test, and so nothing may be looked up.


def kill_rounds(path: Path, rounds: int, seed: int) -> None:
    """Kill the feeder at any moment, and compare with a history that was left in peace."""
    rnd = random.Random(seed)
    command = [sys.executable, "-c", FEEDER, told(place_of(path))]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    began = 0
    for _ in range(rounds):
        with subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        ) as feeder:
            assert feeder.stdout is not None
            # Some are killed while they open the file.
            if rnd.random() < 0.7:
                reached = int(feeder.stdout.readline())
                assert reached >= began
                began = reached
            time.sleep(rnd.random() * 0.5)
            feeder.send_signal(signal.SIGKILL)
    with Desk(path) as desk:
        killed_at = desk.projector.applied_seq
    with Desk(path.with_name("peace.sqlite")) as desk:
        desk.feed(stream(killed_at))
    assert dump(desk.path) == dump(path)


def test_it_survives_being_killed(tmp_path: Path) -> None:
    kill_rounds(tmp_path / "history.sqlite", rounds=4, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(5))
def test_it_survives_being_killed_often(tmp_path: Path, seed: int) -> None:
    kill_rounds(tmp_path / "history.sqlite", rounds=20, seed=seed)
