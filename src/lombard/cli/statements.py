"""`lombard statement`: a user's statement as a file, with names instead of numbers."""

import csv
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal

from lombard.cli.histories import names_in, place_of
from lombard.history.accounting import all_of
from lombard.history.reader import Reader
from lombard.history.statement_rows import COLUMNS, Names, Row, written
from lombard.node.errors import CannotStart

Form = Literal["csv", "parquet"]
# Lines that are gathered before they are written.
GROUP: Final = 50_000
# What a decimal of Parquet's usual width holds.
DIGITS_MAX: Final = 38


def write_statement(
    directory: Path, history_url: str, user: int, from_ms: int, until_ms: int, form: Form, out: Path
) -> str:
    """Write a statement of `[from_ms, until_ms)`; return the sentence about it.

    The file is there when it is whole, or not at all. Raises `CannotStart` and `HistoryError`.
    """
    if until_ms <= from_ms:
        raise CannotStart("A statement's period must end after it begins.")
    if out.exists():
        raise CannotStart(f"{out} exists already.")
    names = names_in(directory)
    reader = Reader(place_of(directory, history_url))
    part = out.with_name(f"{out.name}.partial")
    write = _write_csv if form == "csv" else _write_parquet
    try:
        with reader.statement(all_of(user), from_ms, until_ms) as lines:
            count = write(part, written(lines, names), names)
        if not count:
            raise CannotStart(f"User {user} has no entries in the ledger.")
        os.replace(part, out)
    except OSError as fault:
        raise CannotStart(f"{out} cannot be written: {fault.strerror}.") from fault
    finally:
        reader.close()
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return f"Wrote {count} lines to {out}; every holding reconciles."


def _write_csv(part: Path, rows: Iterator[Row], names: Names) -> int:
    count = 0
    with part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow(row)
            count += 1
    return count


def _write_parquet(part: Path, rows: Iterator[Row], names: Names) -> int:
    # Large, and needed for nothing else.
    import pyarrow as pa
    import pyarrow.parquet as parquet

    amount = pa.decimal128(DIGITS_MAX, max(decimals for _, decimals in names.coins))
    types = {"time": pa.timestamp("ms", "UTC"), "amount": amount, "fee": amount, "balance": amount}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS])
    read: dict[str, Callable[[str], Any]] = {
        "time": datetime.fromisoformat,
        "amount": Decimal,
        "fee": Decimal,
        "balance": Decimal,
    }
    count = 0
    try:
        with parquet.ParquetWriter(part, schema) as writer:
            while group := [row for row, _ in zip(rows, range(GROUP), strict=False)]:
                count += len(group)
                columns = zip(*group, strict=True)
                arrays = [
                    pa.array(map(read.get(name, str), column), schema.field(name).type)
                    for name, column in zip(COLUMNS, columns, strict=True)
                ]
                writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
    except pa.ArrowInvalid as fault:
        raise CannotStart(f"An amount does not fit into Parquet: {fault}. CSV has room.") from fault
    return count
