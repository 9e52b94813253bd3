"""Events that remind a debtor that interest runs. Named through `lombard.core.events`."""

from typing import Final, final

from mypy_extensions import mypyc_attr


@final
@mypyc_attr(acyclic=True)
class RepayReminded:
    """A day's notice: interest runs on `debts`, `(coin, principal_units, interest_units)`."""

    def __init__(self, account: int, debts: list[tuple[int, int, int]]) -> None:
        self.account: Final = account
        self.debts: Final = debts
