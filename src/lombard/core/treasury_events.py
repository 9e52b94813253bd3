"""Events of the treasury and of restrictions (RULES 2.4, 7.9).

Named through `lombard.core.events`, the one vocabulary.
"""

from typing import Final, final

from mypy_extensions import mypyc_attr


@final
@mypyc_attr(acyclic=True)
class Withdrawn:
    """Coins left the venue from an account."""

    def __init__(self, withdrawal_id: int, account: int, coin: int, units: int) -> None:
        self.withdrawal_id: Final = withdrawal_id
        self.account: Final = account
        self.coin: Final = coin
        self.units: Final = units


@final
@mypyc_attr(acyclic=True)
class VenueWithdrew:
    """Coins left the venue from one of its own funds: `source` is a system account."""

    def __init__(self, source: int, coin: int, units: int) -> None:
        self.source: Final = source
        self.coin: Final = coin
        self.units: Final = units


@final
@mypyc_attr(acyclic=True)
class MoveProposed:
    """An operator asked for a movement that another has to approve."""

    def __init__(
        self, proposal_id: int, operator: int, kind: int, user: int, coin: int, units: int
    ) -> None:
        self.proposal_id: Final = proposal_id
        self.operator: Final = operator
        self.kind: Final = kind
        self.user: Final = user
        self.coin: Final = coin
        self.units: Final = units


@final
@mypyc_attr(acyclic=True)
class MoveDecided:
    """An operator approved a proposed movement, which follows, or dropped it."""

    def __init__(self, proposal_id: int, operator: int, approved: bool) -> None:
        self.proposal_id: Final = proposal_id
        self.operator: Final = operator
        self.approved: Final = approved


@final
@mypyc_attr(acyclic=True)
class AccountRestricted:
    """An account was frozen, or let go again."""

    def __init__(self, account: int, frozen: bool) -> None:
        self.account: Final = account
        self.frozen: Final = frozen
