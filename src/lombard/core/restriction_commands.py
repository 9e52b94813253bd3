"""Commands that restrict an account or a coin (RULES 7.9).

Named through `lombard.core.commands`, the one vocabulary.
"""

from typing import Final, final

from mypy_extensions import mypyc_attr

# Every account that a user has open.
ALL_SLOTS: Final = -1


@final
@mypyc_attr(acyclic=True)
class FreezeAccount:
    """Freeze a user's account, or let it go again; `slot` may be ALL_SLOTS.

    A frozen account may repay, cancel and receive; it may not order, borrow or send.
    """

    __slots__ = ("frozen", "slot", "user")

    def __init__(self, user: int, slot: int, frozen: bool) -> None:
        self.user: Final = user
        self.slot: Final = slot
        self.frozen: Final = frozen


@final
@mypyc_attr(acyclic=True)
class RestrictCoin:
    """Stop or resume the lending and the transfers of a coin; its other terms stay."""

    __slots__ = ("borrowable", "coin", "transferable")

    def __init__(self, coin: int, borrowable: bool, transferable: bool) -> None:
        self.coin: Final = coin
        self.borrowable: Final = borrowable
        self.transferable: Final = transferable
