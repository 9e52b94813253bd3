"""The table of channels: one row each, and the row says everything about it."""

from collections.abc import Callable
from functools import partial
from typing import Final, final

from lombard.api.context import Context
from lombard.api.socket import account_topics as accounts
from lombard.api.socket import order_pushes as shapes
from lombard.api.socket.algo_topics import Algos
from lombard.api.socket.books import FullBook, TopOfBook
from lombard.api.socket.market_topics import Candles, IndexPrices, Ticker, Trades
from lombard.api.socket.notice_topics import Notices
from lombard.api.socket.order_topics import Orders, Shape
from lombard.api.socket.topic import Topic
from lombard.api.socket.words import Arg
from lombard.core import queries
from lombard.core.queries import SLOT_CROSSED, SLOT_ISOLATED, SLOT_SPOT, Pair

SPOT: Final = "SPOT"
MARGIN: Final = "MARGIN"
INST_ID: Final = "instId"
COIN: Final = "coin"
DEFAULT: Final = "default"

# Makes the topic for: what was asked, whose it is, and the pair it is about (None for all).
Maker = Callable[[Context, dict[str, str], int, Pair | None], Topic]


@final
class Channel:
    """One row. `named_by` is the key of its argument, whose value is a symbol or `default`."""

    __slots__ = (
        "about",
        "first",
        "inst_type",
        "maker",
        "name",
        "named_by",
        "of_all",
        "of_index",
        "of_pair",
        "ours",
        "private",
        "pushes",
    )

    def __init__(
        self,
        inst_type: str,
        name: str,
        maker: Maker,
        about: str,
        first: str,
        pushes: str,
        private: bool = False,
        named_by: str = INST_ID,
        of_pair: bool = True,
        of_all: bool = False,
        ours: bool = False,
    ) -> None:
        self.inst_type: Final = inst_type
        self.name: Final = name
        self.maker: Final = maker
        self.about: Final = about
        self.first: Final = first
        self.pushes: Final = pushes
        self.private: Final = private
        self.named_by: Final = named_by
        self.of_pair: Final = of_pair
        self.of_all: Final = of_all
        self.ours: Final = ours
        # What is public and of no pair is of the index.
        self.of_index: Final = not private and not of_pair

    def make(self, context: Context, value: str, user: int) -> Topic:
        """Make the topic of a value of the argument."""
        pair = None
        if value != DEFAULT:
            index = queries.pair_named(context.node.state, value)
            assert index is not None
            pair = queries.pairs(context.node.state)[index]
        arg = {"instType": self.inst_type, "channel": self.name, self.named_by: value}
        return self.maker(context, arg, user, pair)

    def value(self, context: Context, arg: Arg) -> str | None:
        """Read which of the channel's topics is meant; None when there is no such thing."""
        said = arg.coin if self.named_by == COIN else arg.instId
        if said == DEFAULT:
            return said if self.of_all else None
        if self.of_pair and queries.pair_named(context.node.state, said) is not None:
            return said
        return None


# As on the wire, and as `history.candles.GRANULARITIES` and REST spell it.
CANDLES: Final = {
    "1m": "1min",
    "3m": "3min",
    "5m": "5min",
    "15m": "15min",
    "30m": "30min",
    "1H": "1h",
    "4H": "4h",
    "6H": "6h",
    "12H": "12h",
    "1D": "1day",
    "3D": "3day",
    "1W": "1week",
    "1M": "1M",
    "6Hutc": "6Hutc",
    "12Hutc": "12Hutc",
    "1Dutc": "1Dutc",
    "3Dutc": "3Dutc",
    "1Wutc": "1Wutc",
    "1Mutc": "1Mutc",
}


def _book(context: Context, arg: dict[str, str], _user: int, pair: Pair | None) -> Topic:
    assert pair is not None
    return FullBook(context, arg, pair)


def _top(
    levels: int,
    interval_s: float,
    context: Context,
    arg: dict[str, str],
    _user: int,
    pair: Pair | None,
) -> Topic:
    assert pair is not None
    return TopOfBook(context, arg, pair, levels, interval_s)


def _trades(context: Context, arg: dict[str, str], _user: int, pair: Pair | None) -> Topic:
    assert pair is not None
    return Trades(context, arg, pair)


def _ticker(context: Context, arg: dict[str, str], _user: int, pair: Pair | None) -> Topic:
    assert pair is not None
    return Ticker(context, arg, pair)


def _candles(
    granularity: str, context: Context, arg: dict[str, str], _user: int, pair: Pair | None
) -> Topic:
    assert pair is not None
    return Candles(context, arg, pair, granularity)


def _index(context: Context, arg: dict[str, str], _user: int, _pair: Pair | None) -> Topic:
    return IndexPrices(context, arg)


def _orders(
    kind: int, shape: Shape, context: Context, arg: dict[str, str], user: int, pair: Pair | None
) -> Topic:
    return Orders(context, arg, user, kind, pair, shape)


def _algos(kind: int, context: Context, arg: dict[str, str], user: int, pair: Pair | None) -> Topic:
    return Algos(context, arg, user, kind, pair)


def _notices(context: Context, arg: dict[str, str], _user: int, _pair: Pair | None) -> Topic:
    return Notices(context, arg)


def _balances(
    kind: int,
    shape: accounts.Shape,
    context: Context,
    arg: dict[str, str],
    user: int,
    _pair: Pair | None,
) -> Topic:
    return accounts.Balances(context, arg, user, kind, shape)


def _public() -> list[Channel]:
    best = "the best {} levels of each side, checksummed"
    rows = [
        Channel(SPOT, "ticker", _ticker, "the last day", "snapshot", "on change, 250 ms apart"),
        Channel(
            SPOT, "trade", _trades, "trades, newest first", "the last 100", "each, as it happens"
        ),
        Channel(
            SPOT,
            "books",
            _book,
            "the book, 500 levels a side, by its changes, checksummed",
            "snapshot",
            "changes, 200 ms apart",
        ),
    ]
    for levels, interval_s in ((1, 0.06), (5, 0.2), (15, 0.2)):
        rows.append(
            Channel(
                SPOT,
                f"books{levels}",
                partial(_top, levels, interval_s),
                best.format(levels),
                "snapshot",
                f"snapshot on change, {interval_s * 1000:.0f} ms apart",
            )
        )
    for name, granularity in CANDLES.items():
        rows.append(
            Channel(
                SPOT,
                f"candle{name}",
                partial(_candles, granularity),
                f"candles of {name}",
                "the last 100",
                "on change, 1 s apart",
            )
        )
    rows.append(
        Channel(
            MARGIN,
            "index-price",
            _index,
            "index prices of all pairs",
            "snapshot",
            "on change, 200 ms apart",
            of_pair=False,
            of_all=True,
        )
    )
    return rows


def _private() -> list[Channel]:
    step = "each step, as it is durable"
    rows = [
        _of_orders(SPOT, "orders", SLOT_SPOT, shapes.spot_push, "spot orders"),
        _of_orders(SPOT, "fill", SLOT_SPOT, shapes.fill_push, "fills of spot orders"),
        _of_balances(SPOT, "account", SLOT_SPOT, accounts.spot_balance, "the spot account"),
    ]
    crossed, isolated = (SLOT_CROSSED, "crossed"), (SLOT_ISOLATED, "isolated")
    for kind, name in (crossed, isolated):
        rows.append(
            _of_orders(MARGIN, f"orders-{name}", kind, shapes.margin_push, f"{name} margin orders")
        )
    rows += [
        _of_balances(
            MARGIN,
            "account-crossed",
            SLOT_CROSSED,
            accounts.crossed_balance,
            "the crossed margin account",
        ),
        _of_balances(
            MARGIN,
            "account-isolated",
            SLOT_ISOLATED,
            accounts.isolated_balance,
            "all isolated margin accounts",
        ),
    ]
    for inst_type, name, kind, whose in (
        (SPOT, "orders-algo", SLOT_SPOT, "spot"),
        (MARGIN, "orders-algo-crossed", SLOT_CROSSED, "crossed margin"),
        (MARGIN, "orders-algo-isolated", SLOT_ISOLATED, "isolated margin"),
    ):
        rows.append(
            Channel(
                inst_type,
                name,
                partial(_algos, kind),
                f"plan orders of {whose}",
                "none",
                step,
                private=True,
                of_all=True,
                ours=inst_type == MARGIN,
            )
        )
    return rows


def _of_notices() -> Channel:
    return Channel(
        MARGIN,
        "notices",
        _notices,
        "calls, liquidations, failed orders, reminders, announcements, coupons",
        "none",
        "each, as it is durable",
        private=True,
        of_pair=False,
        of_all=True,
        ours=True,
    )


def _of_orders(inst_type: str, name: str, kind: int, shape: Shape, about: str) -> Channel:
    return Channel(
        inst_type,
        name,
        partial(_orders, kind, shape),
        about,
        "none",
        "each step, as it is durable",
        private=True,
        of_all=True,
    )


def _of_balances(
    inst_type: str, name: str, kind: int, shape: accounts.Shape, about: str
) -> Channel:
    return Channel(
        inst_type,
        name,
        partial(_balances, kind, shape),
        about,
        "every coin",
        "the coins that have changed",
        private=True,
        named_by=COIN,
        of_pair=False,
        of_all=True,
    )


CHANNELS: Final[dict[tuple[str, str], Channel]] = {
    (row.inst_type, row.name): row for row in (*_public(), *_private(), _of_notices())
}
