"""What a running house measures of itself, for the operators' overview."""

import asyncio
import time
from collections import deque
from statistics import median
from typing import Final, final

from lombard.api.operator.overview import Vitals
from lombard.cli.house import House

LOOK_S: Final = 0.25
# Ten seconds of looks.
LOOKS: Final = 40


@final
class Watch:
    """Looks every quarter of a second how late the event loop runs."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._late_ms: deque[float] = deque([0.0], maxlen=LOOKS)

    async def run(self) -> None:
        """Watch, until cancelled."""
        while True:
            began = time.perf_counter()
            await asyncio.sleep(LOOK_S)
            self._late_ms.append(max(0.0, (time.perf_counter() - began - LOOK_S) * 1000))

    def read(self) -> Vitals:
        """Read what the node and its parts count."""
        node = self._house.node
        meter = node.meter
        refused = sum(count for (_, why), count in meter.commands.items() if why is not None)
        taken, failed, last_seq = self._house.snapshot_counts()
        return Vitals(
            sum(meter.commands.values()),
            refused,
            meter.overloads,
            sum(node.depths().values()),
            self._house.history.lag,
            median(self._late_ms),
            max(self._late_ms),
            taken,
            failed,
            last_seq,
        )
