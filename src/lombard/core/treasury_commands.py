"""Commands of the operators' treasury: money that enters or leaves the venue (RULES 2.4).

Named through `lombard.core.commands`, the one vocabulary.
"""

from typing import Final, final

from mypy_extensions import mypyc_attr

# What a movement is of. The first two are of a user's spot account.
MOVE_DEPOSIT: Final = 0
MOVE_WITHDRAWAL: Final = 1
MOVE_FUND_POOL: Final = 2
MOVE_WITHDRAW_POOL: Final = 3
MOVE_FUND_INSURANCE: Final = 4
MOVE_WITHDRAW_INSURANCE: Final = 5
MOVE_TAKE_FEES: Final = 6
MOVE_TAKE_INTEREST: Final = 7


@final
@mypyc_attr(acyclic=True)
class MoveFunds:
    """Move coins into or out of the venue at once; `kind` is one of the MOVE_ numbers.

    `user` is whose spot account a deposit or withdrawal is of, and 0 for the venue's own funds.
    """

    __slots__ = ("coin", "kind", "units", "user")

    def __init__(self, kind: int, user: int, coin: int, units: int) -> None:
        self.kind: Final = kind
        self.user: Final = user
        self.coin: Final = coin
        self.units: Final = units


@final
@mypyc_attr(acyclic=True)
class ProposeMove:
    """Ask for a movement that another operator has to approve. Replies with the proposal's id."""

    __slots__ = ("coin", "kind", "units", "user")

    def __init__(self, kind: int, user: int, coin: int, units: int) -> None:
        self.kind: Final = kind
        self.user: Final = user
        self.coin: Final = coin
        self.units: Final = units


@final
@mypyc_attr(acyclic=True)
class ApproveMove:
    """Let a proposed movement happen; not for whoever proposed it."""

    __slots__ = ("proposal",)

    def __init__(self, proposal: int) -> None:
        self.proposal: Final = proposal


@final
@mypyc_attr(acyclic=True)
class RejectMove:
    """Drop a proposed movement; whoever proposed it may take it back so."""

    __slots__ = ("proposal",)

    def __init__(self, proposal: int) -> None:
        self.proposal: Final = proposal
