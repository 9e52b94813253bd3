"""Recordings: what a file may look like, and what is said of one that does not."""

import gzip
from pathlib import Path

import pytest

from lombard.market.recording import (
    Candle,
    RecordingError,
    load_recording,
    parse_recording,
    shipped_recording,
)
from tests.market.csvs import HEADER, HEADER_MS

ONE = 10**12
ROW = "2023-03-01 00:00:00+00:00,2,4,1,3,0.5\n"
NEXT = "2023-03-01 00:01:00+00:00,3,3.5,2.25,2.5,9e-05\n"
LATER = "2023-03-01 00:04:00+00:00,2.5,2.5,2.5,2.5,0.0\n"


def test_the_carried_recordings_are_21_days_of_the_same_minutes() -> None:
    usdt, usdc = shipped_recording("BTCUSDT"), shipped_recording("BTCUSDC")

    assert (30_240, 60_000, 1_677_628_800_000) == (
        len(usdt.candles),
        usdt.interval_ms,
        usdt.first_ms,
    )
    assert (len(usdt.candles), usdt.first_ms) == (len(usdc.candles), usdc.first_ms)
    first = Candle(
        2314048 * 10**10, 2315077 * 10**10, 2312852 * 10**10, 2314231 * 10**10, 213177700
    )
    assert first == usdt.candles[0]


def test_prices_are_exact_and_a_missing_row_is_a_minute_without_trades() -> None:
    recording = parse_recording("x.csv", (HEADER + ROW + NEXT + LATER).encode())

    flat = Candle(5 * ONE // 2, 5 * ONE // 2, 5 * ONE // 2, 5 * ONE // 2, 0)
    assert [
        Candle(2 * ONE, 4 * ONE, ONE, 3 * ONE, 50_000_000),
        Candle(3 * ONE, 7 * ONE // 2, 9 * ONE // 4, 5 * ONE // 2, 9_000),
        flat,
        flat,
        flat,
    ] == recording.candles
    assert (60_000, 1_677_628_800_000) == (recording.interval_ms, recording.first_ms)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_file_may_be_packed_marked_and_of_any_system(
    tmp_path: Path, packed: bool, mark: str, end: str
) -> None:
    data = (mark + HEADER_MS + "0,1,1,1,1,1\n1000,1,2,1,2,1\n").replace("\n", end).encode()
    path = tmp_path / "recording"
    path.write_bytes(gzip.compress(data, mtime=0) if packed else data)

    recording = load_recording(path)

    assert (1_000, 0, 2) == (recording.interval_ms, recording.first_ms, len(recording.candles))


@pytest.mark.parametrize("time", ["2023-03-01T00:00:00Z", "2023-03-01", "2023-03-01 01:00+01:00"])
def test_times_are_iso_8601_and_utc_unless_they_say(time: str) -> None:
    text = HEADER + ROW.replace("2023-03-01 00:00:00+00:00", time) + NEXT

    assert 1_677_628_800_000 == parse_recording("x.csv", text.encode()).first_ms


def test_further_columns_and_empty_lines_are_not_read() -> None:
    text = HEADER.replace("volume", "volume,trades") + ROW + "\n" + NEXT.replace("\n", ",7\n")

    assert 2 == len(parse_recording("x.csv", text.encode()).candles)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "x.csv, line 1: the columns are open_time,open,high,low,close,volume"),
        ("time,open,high,low,close,volume\n" + ROW, "x.csv, line 1: the columns are"),
        (HEADER, "x.csv has 0 candles"),
        (HEADER + ROW, "x.csv has 1 candles"),
        (HEADER + ROW + "2023-03-01 00:01:00+00:00,3,3\n", "line 3: 3 columns where 6 are needed"),
        (HEADER + ROW + NEXT.replace("2023", "now"), "line 3: 'now-03-01 00:01:00+00:00' is not"),
        (HEADER_MS + "1.5,2,4,1,3,0\n", "line 2: '1.5' is not a time in milliseconds"),
        (HEADER + ROW.replace("4", "four"), "line 2: 'four' is not a price or a volume"),
        (HEADER + ROW.replace("4", "NaN"), "line 2: 'NaN' is not a price or a volume"),
        (HEADER + ROW.replace("4", "-4"), "line 2: '-4' is not a price or a volume"),
        (HEADER + ROW.replace("4", "1e400"), "line 2: '1e400' is not a price or a volume"),
        (HEADER + ROW.replace("4", ""), "line 2: '' is not a price or a volume"),
        (HEADER + ROW.replace(",1,", ",0,"), "line 2: a price is 0"),
        (HEADER + ROW.replace(",4,", ",2.5,"), "line 2: open and close are not between"),
        (HEADER + NEXT + ROW, "line 3: not later than the row before"),
        (HEADER + ROW + ROW, "line 3: not later than the row before"),
        (
            HEADER_MS + "".join(f"{ms},1,1,1,1,1\n" for ms in (0, 60_000, 120_000, 150_000)),
            "line 5: 30000 ms after the row before, in a recording of 60000 ms candles",
        ),
        (HEADER_MS + "0,1,1,1,1,1\n10,1,1,1,1,1\n", "candles of 10 ms; a second is the least"),
        (
            HEADER_MS + "0,1,1,1,1,1\n1000,1,1,1,1,1\n2000,1,1,1,1,1\n2000000000,1,1,1,1,1\n",
            "spans 2000001 candles; the most is 1000000",
        ),
    ],
)
def test_a_malformed_file_is_refused_with_its_line(text: str, sentence: str) -> None:
    with pytest.raises(RecordingError) as caught:
        parse_recording("x.csv", text.encode())

    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (gzip.compress((HEADER + ROW).encode(), mtime=0)[:-12], "x.csv is damaged"),
        (b"\x1f\x8bnothing", "x.csv is damaged"),
        (b"\xff\xfe\x00", "x.csv is not text"),
        (b"\x00\x00,\x00", "x.csv, line 1: "),
    ],
)
def test_a_damaged_file_is_refused(data: bytes, sentence: str) -> None:
    with pytest.raises(RecordingError) as caught:
        parse_recording("x.csv", data)

    assert sentence in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="cannot be read: No such file"):
        load_recording(tmp_path / "none.csv")
