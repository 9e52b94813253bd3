"""A recorded market: candles of one pair at an even interval, read from a CSV file.

The columns are those of the recordings Lombard carries: `open_time` (ISO 8601) or `open_time_ms`,
then open, high, low, close and volume; further columns are not read. Prices become integers at
1e-12, the scale of the venue's index prices, volumes integers at 1e-8 of the base coin. A missing
row is a candle in which nobody traded. Whatever else is wrong is refused with the file and line.
"""

import csv
import gzip
import hashlib
import io
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from lombard.core.units import UnitsError, parse_units

PRICE_DECIMALS: Final = 12
VOLUME_DECIMALS: Final = 8
# Two years of minutes; every candle is held in memory.
CANDLES_MAX: Final = 1_000_000
INTERVAL_MS_MIN: Final = 1_000

# The recordings carried with the package, by the pair they are of.
SHIPPED: Final = {
    "BTCUSDT": "BTCUSDT_1m_2023-03-01_2023-03-21.csv.gz",
    "BTCUSDC": "BTCUSDC_1m_2023-03-01_2023-03-21.csv.gz",
}

_COLUMNS: Final = ["open", "high", "low", "close", "volume"]
_GZIP_MAGIC: Final = b"\x1f\x8b"
# Numbers beyond this many digits before the point are a damaged file, not a price.
_MAGNITUDE_MAX: Final = 18


class RecordingError(ValueError):
    """A file is not a recording; the message is a sentence that names file and line."""


class Candle(NamedTuple):
    """What a pair's price did in one interval, at 1e-12, and the base coins traded, at 1e-8."""

    open_e12: int
    high_e12: int
    low_e12: int
    close_e12: int
    volume_e8: int


@dataclass(frozen=True)
class Recording:
    """Candles without gaps, the first of which opened at `first_ms`; `digest` is of the file."""

    name: str
    first_ms: int
    interval_ms: int
    candles: list[Candle]
    digest: str


def load_recording(path: Path) -> Recording:
    """Read a .csv or .csv.gz file. Raises `RecordingError`, also when it cannot be read."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RecordingError(f"{path} cannot be read: {error.strerror}.") from error
    return parse_recording(path.name, data)


def shipped_recording(symbol: str) -> Recording:
    """Read one of the recordings carried with the package, by its pair."""
    name = SHIPPED[symbol]
    return parse_recording(name, files("lombard.market").joinpath("data", name).read_bytes())


def parse_recording(name: str, data: bytes) -> Recording:
    """Read a recording from a file's bytes, compressed or not. Raises `RecordingError`."""
    digest = hashlib.blake2b(data, digest_size=16).hexdigest()
    rows = list(_rows(name, _text(name, data)))
    if len(rows) < 2:
        raise RecordingError(f"{name} has {len(rows)} candles; the interval shows from two on.")
    interval_ms = _interval(name, rows)
    candles = list(_without_gaps(name, rows, interval_ms))
    return Recording(name, rows[0][1], interval_ms, candles, digest)


def _text(name: str, data: bytes) -> str:
    try:
        if data.startswith(_GZIP_MAGIC):
            data = gzip.decompress(data)
        return data.decode("utf-8-sig")
    except (OSError, EOFError, zlib.error) as error:
        raise RecordingError(f"{name} is damaged: {error}.") from error
    except UnicodeDecodeError as error:
        raise RecordingError(f"{name} is not text: {error}.") from error


def _rows(name: str, text: str) -> Iterator[tuple[int, int, Candle]]:
    """Yield line number, open time and candle of every row."""
    reader = csv.reader(io.StringIO(text))
    try:
        header = [column.strip() for column in next(reader, [])]
        if header[1:6] != _COLUMNS or header[0] not in ("open_time", "open_time_ms"):
            expected = ",".join(["open_time", *_COLUMNS])
            raise RecordingError(
                f"{name}, line 1: the columns are {expected} (or open_time_ms for the first), "
                f"not {','.join(header[:6]) or 'none'}."
            )
        for number, row in enumerate(reader, start=1):
            if number > CANDLES_MAX:
                raise RecordingError(f"{name} has more than {CANDLES_MAX} candles.")
            if row:
                yield reader.line_num, *_row(f"{name}, line {reader.line_num}", header[0], row)
    except csv.Error as error:
        raise RecordingError(f"{name}, line {reader.line_num}: {error}.") from error


def _row(where: str, first_column: str, row: list[str]) -> tuple[int, Candle]:
    if len(row) < 6:
        raise RecordingError(f"{where}: {len(row)} columns where 6 are needed.")
    opened_ms = _time_ms(where, first_column, row[0].strip())
    opened, high, low, closed = (_number(where, text, PRICE_DECIMALS) for text in row[1:5])
    if low <= 0:
        raise RecordingError(f"{where}: a price is 0.")
    if not low <= min(opened, closed) <= max(opened, closed) <= high:
        raise RecordingError(f"{where}: open and close are not between low and high.")
    return opened_ms, Candle(opened, high, low, closed, _number(where, row[5], VOLUME_DECIMALS))


def _time_ms(where: str, first_column: str, text: str) -> int:
    if first_column == "open_time_ms":
        if text.isascii() and text.isdigit() and len(text) <= 15:
            return int(text)
        raise RecordingError(f"{where}: {text!r} is not a time in milliseconds.")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise RecordingError(f"{where}: {text!r} is not an ISO 8601 time.") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - datetime.fromtimestamp(0, UTC)
    return since.days * 86_400_000 + since.seconds * 1_000 + since.microseconds // 1_000


def _number(where: str, text: str, decimals: int) -> int:
    """Read a number as an integer at 10**-decimals; exporters write small ones as `9e-05`."""
    text = text.strip()
    try:
        return parse_units(text, decimals)
    except UnitsError:
        pass
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number.adjusted() > _MAGNITUDE_MAX or number < 0:
        raise RecordingError(f"{where}: {text!r} is not a price or a volume.")
    return int(number.scaleb(decimals).to_integral_value())


def _interval(name: str, rows: list[tuple[int, int, Candle]]) -> int:
    """Return the distance most rows have; every other must be a multiple of it."""
    distances = Counter(after[1] - before[1] for before, after in pairwise(rows))
    interval_ms = max(distances, key=lambda ms: (distances[ms], -ms))
    if interval_ms > 0 and interval_ms < INTERVAL_MS_MIN:
        raise RecordingError(f"{name} has candles of {interval_ms} ms; a second is the least.")
    for before, after in pairwise(rows):
        distance = after[1] - before[1]
        if distance <= 0:
            raise RecordingError(f"{name}, line {after[0]}: not later than the row before.")
        if distance % interval_ms:
            raise RecordingError(
                f"{name}, line {after[0]}: {distance} ms after the row before, in a recording "
                f"of {interval_ms} ms candles."
            )
    return interval_ms


def _without_gaps(
    name: str, rows: list[tuple[int, int, Candle]], interval_ms: int
) -> Iterator[Candle]:
    """Yield the candles, a flat one without volume for every row that is missing."""
    count = (rows[-1][1] - rows[0][1]) // interval_ms + 1
    if count > CANDLES_MAX:
        raise RecordingError(f"{name} spans {count} candles; the most is {CANDLES_MAX}.")
    due_ms = rows[0][1]
    close = rows[0][2].open_e12
    for _, opened_ms, candle in rows:
        for _ in range((opened_ms - due_ms) // interval_ms):
            yield Candle(close, close, close, close, 0)
        yield candle
        close = candle.close_e12
        due_ms = opened_ms + interval_ms
