"""Calls that are refused before they are looked at, while the node takes no more of their kind.

To read, check and answer a request costs the loop far more than the node's no. When many more come
than are taken, each that would be refused anyway is told so at once, by its path alone; so the
others get their turn: above all what lowers risk, which is never refused here.
"""

from collections.abc import Iterable
from typing import Final, final

from lombard.api.ports import Node
from lombard.api.replays import Replays
from lombard.api.table import POST, Access, Endpoint

# The last words of the paths of calls that give nothing but trading to the log. All others are
# for the node to judge: cancels, repayments, closing a position, and whatever does a bit of each.
TRADING: Final = frozenset(
    {
        "batch-orders",
        "batch-place-order",
        "borrow",
        "modify-plan-order",
        "place-exit-order",
        "place-oco-order",
        "place-order",
        "place-plan-order",
        "transfer",
    }
)


@final
class Relief:
    """Knows which calls of a table can wait for a calmer time."""

    def __init__(self, node: Node, endpoints: Iterable[Endpoint], replays: Replays) -> None:
        self._node = node
        self._replays = replays
        self._trading: Final = frozenset(
            row.path.encode()
            for row in endpoints
            if row.method == POST
            and row.access is Access.SIGNED
            and row.path.rpartition("/")[2] in TRADING
        )

    def refuses(self, path: bytes) -> bool:
        """Say whether a call of this path would be refused, whatever it says."""
        if path not in self._trading:
            return False
        return self._replays.is_short() or not self._node.takes_trading()
