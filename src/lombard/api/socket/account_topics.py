"""A user's balances as they are told: all of them once, then those that have changed."""

from typing import Final, Protocol, final

import msgspec

from lombard.api.amounts import coin_text, padded
from lombard.api.context import Context
from lombard.api.socket.order_topics import is_of
from lombard.api.socket.topic import SNAPSHOT, Topic
from lombard.api.socket.words import push
from lombard.core import queries
from lombard.core.commands import ACCOUNT_BITS, Envelope, slot_of
from lombard.core.events import Event
from lombard.core.queries import SLOT_ISOLATED, BalanceView, Coin

CROSSED_DECIMALS: Final = 8
_COINS_MAX: Final = 1 << ACCOUNT_BITS


class SpotBalance(msgspec.Struct):
    """A coin of the spot account; nothing is ever locked here but what orders freeze."""

    coin: str
    available: str
    frozen: str
    locked: str
    limitAvailable: str
    uTime: str


class MarginBalance(msgspec.Struct):
    """A coin of a margin account; `id` names the two."""

    uTime: str
    id: str
    coin: str
    available: str
    borrow: str
    frozen: str
    interest: str
    coupon: str
    symbol: str | msgspec.UnsetType = msgspec.UNSET


class Shape(Protocol):
    """How the rows of a channel look."""

    def __call__(
        self, coin: Coin, account: int, symbol: str, view: BalanceView, now: str
    ) -> SpotBalance | MarginBalance:
        """Show a balance."""


# account, coin: available, frozen, principal, interest
Shown = dict[tuple[int, int], tuple[int, int, int, int]]


@final
class Balances(Topic):
    """`account`, `account-crossed`, `account-isolated`."""

    def __init__(
        self, context: Context, arg: dict[str, str], user: int, kind: int, shape: Shape
    ) -> None:
        super().__init__(context, arg)
        self._user: Final = user
        self._kind: Final = kind
        self._shape: Final = shape
        self._told: Shown = {}

    def hear(self, envelope: Envelope, event: Event) -> None:
        self.wake()

    def snapshot(self) -> bytes:
        self._told = {}
        return self._frame(self._changed())

    def changes(self) -> bytes | None:
        rows = self._changed()
        return self._frame(rows) if rows else None

    def _frame(self, rows: list[SpotBalance | MarginBalance]) -> bytes:
        return push(SNAPSHOT, self.arg, rows, self.now_ms())

    def _changed(self) -> list[SpotBalance | MarginBalance]:
        """Show the balances that are not as they were told."""
        state, now = self.state, str(self.now_ms())
        coins, pairs = queries.coins(state), queries.pairs(state)
        rows: list[SpotBalance | MarginBalance] = []
        for account in queries.accounts_of(state, self._user):
            if not is_of(self._kind, account):
                continue
            slot = slot_of(account)
            symbol = pairs[slot - SLOT_ISOLATED].symbol if slot >= SLOT_ISOLATED else ""
            for view in queries.balances(state, account):
                amounts = (
                    view.available_units,
                    view.frozen_units,
                    view.principal_units,
                    view.interest_units,
                )
                if self._told.get((account, view.coin)) != amounts:
                    self._told[account, view.coin] = amounts
                    rows.append(self._shape(coins[view.coin], account, symbol, view, now))
        return rows


def spot_balance(coin: Coin, account: int, symbol: str, view: BalanceView, now: str) -> SpotBalance:
    """Show a balance of the spot account."""
    return SpotBalance(
        coin.name,
        coin_text(coin, view.available_units),
        coin_text(coin, view.frozen_units),
        "0",
        "0",
        now,
    )


def crossed_balance(
    coin: Coin, account: int, symbol: str, view: BalanceView, now: str
) -> MarginBalance:
    """Show a balance of the crossed account."""
    row = isolated_balance(coin, account, "", view, now)
    for name in ("available", "borrow", "frozen", "interest", "coupon"):
        setattr(row, name, padded(getattr(row, name), CROSSED_DECIMALS))
    row.symbol = msgspec.UNSET
    return row


def isolated_balance(
    coin: Coin, account: int, symbol: str, view: BalanceView, now: str
) -> MarginBalance:
    """Show a balance of an isolated account."""
    return MarginBalance(
        now,
        str(account * _COINS_MAX + coin.id),
        coin.name,
        coin_text(coin, view.available_units),
        coin_text(coin, view.principal_units),
        coin_text(coin, view.frozen_units),
        coin_text(coin, view.interest_units),
        "0",
        symbol,
    )
