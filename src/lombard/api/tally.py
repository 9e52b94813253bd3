"""What a gateway counts of its requests: by path of the table, method, status and code."""

from typing import Final, final

from lombard.node.meter import Histogram

LATENCY_NS: Final = tuple(
    int(ms * 1e6) for ms in (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 1000, 2500)
)
# Whatever is not in the table counts as one path: what strangers make up names no series.
ELSEWHERE: Final = "other"


@final
class Tally:
    """The counts of one gateway, since it began; bounded by its table and the catalogue."""

    __slots__ = ("_latencies", "requests")

    def __init__(self) -> None:
        self.requests: Final[dict[tuple[bytes, str, int, str], int]] = {}
        self._latencies: Final[dict[bytes, Histogram]] = {}

    def note(self, path: bytes, method: str, status: int, code: str, elapsed_ns: int) -> None:
        """Count a request; an empty path is one that is not in the table."""
        key = (path, method if path else "", status, code)
        self.requests[key] = self.requests.get(key, 0) + 1
        latency = self._latencies.get(path)
        if latency is None:
            latency = self._latencies[path] = Histogram(LATENCY_NS)
        latency.add(elapsed_ns)

    def count(self) -> int:
        """Say how many requests were answered altogether."""
        return sum(self.requests.values())

    def latencies(self) -> dict[str, Histogram]:
        """Return the histogram of each path, in nanoseconds."""
        return {path.decode() or ELSEWHERE: found for path, found in self._latencies.items()}
