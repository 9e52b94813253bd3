"""Commands that end a position: closing it, and paying its debt from whatever there is.

Named through `lombard.core.commands`, the one vocabulary.
"""

from typing import Final, final

from mypy_extensions import mypyc_attr


@final
@mypyc_attr(acyclic=True)
class ClosePosition:
    """Close the asking margin account's position on a pair (RULES 9.2).

    A market order the other way; with `repay` what it brings pays the debt. Replies with its id.
    """

    __slots__ = ("client_oid", "pair", "repay", "source")

    def __init__(self, pair: int, repay: bool, client_oid: str, source: int) -> None:
        self.pair: Final = pair
        self.repay: Final = repay
        self.client_oid: Final = client_oid
        self.source: Final = source


@final
@mypyc_attr(acyclic=True)
class FlashRepay:
    """Pay the asking margin account's debt of a coin, or all its debts when `coin` is -1.

    From the same coin first, then by selling others (RULES 6.4). Replies with the id of the last
    repayment; for one coin also with the units repaid and those that remain.
    """

    __slots__ = ("coin",)

    def __init__(self, coin: int) -> None:
        self.coin: Final = coin
