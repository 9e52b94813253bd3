"""Recordings made up for tests."""

from lombard.market.recording import Recording, parse_recording

HEADER = "open_time,open,high,low,close,volume\n"
HEADER_MS = "open_time_ms,open,high,low,close,volume\n"


def of_closes(
    closes: list[int], interval_ms: int = 60_000, volume: str = "1", wick: int = 0
) -> Recording:
    """Return candles each of which opens at the close before it."""
    lines = []
    opened = closes[0]
    for number, closed in enumerate(closes):
        low, high = min(opened, closed) - wick, max(opened, closed) + wick
        lines.append(f"{number * interval_ms},{opened},{high},{low},{closed},{volume}\n")
        opened = closed
    return parse_recording("made-up.csv", (HEADER_MS + "".join(lines)).encode())
