"""Names of the wire and what they name: coins, pairs, and the accounts of whoever calls."""

from typing import Final, final

from lombard.api.context import Call
from lombard.api.decoding import empty, malformed
from lombard.api.errors import Fault, Scene
from lombard.api.oids import CLIENT_OID, LENGTH_MAX, order_id_of
from lombard.core import queries
from lombard.core.commands import SLOT_CROSSED, SLOT_ISOLATED, SLOT_SPOT, account_id
from lombard.core.queries import Coin, Pair
from lombard.core.refusals import Refusal


@final
class Mode:
    """One of the two kinds of margin, as the wire tells them apart."""

    __slots__ = ("borrow_scene", "isolated", "name", "repay_scene", "required", "scene")

    def __init__(
        self, name: str, isolated: bool, scene: Scene, borrow_scene: Scene, repay_scene: Scene
    ) -> None:
        self.name: Final = name
        self.isolated: Final = isolated
        self.scene: Final = scene
        self.borrow_scene: Final = borrow_scene
        self.repay_scene: Final = repay_scene
        # Isolated accounts are named by their pair.
        self.required: Final = ("symbol",) if isolated else ()

    def path(self, rest: str) -> str:
        """Spell one of the mode's paths."""
        return f"/api/v2/margin/{self.name}/{rest}"

    def account(self, call: Call, symbol: str) -> int:
        """Name the caller's account: the crossed one, or the isolated one of a pair."""
        if not self.isolated:
            return account_id(call.user, SLOT_CROSSED)
        return account_id(call.user, SLOT_ISOLATED + pair_of(call, symbol).id)


CROSSED: Final = Mode("crossed", False, Scene.CROSSED, Scene.CROSSED_BORROW, Scene.CROSSED_REPAY)
ISOLATED: Final = Mode(
    "isolated", True, Scene.ISOLATED, Scene.ISOLATED_BORROW, Scene.ISOLATED_REPAY
)
MODES: Final = (CROSSED, ISOLATED)


def mode_of(call: Call, word: str) -> Mode:
    """Read which kind of margin is meant; crossed when nothing is said."""
    for mode in MODES:
        if word in ("", mode.name):
            return mode
    raise malformed(call.scene, "mode")


def margin_account(call: Call, word: str, symbol: str) -> int:
    """Name the caller's margin account; an isolated one needs the symbol of its pair."""
    mode = mode_of(call, word)
    if mode.isolated and not symbol:
        raise empty(call.scene, "symbol")
    return mode.account(call, symbol)


def spot_account(call: Call) -> int:
    """Name the caller's spot account."""
    return account_id(call.user, SLOT_SPOT)


def coin_of(call: Call, name: str) -> Coin:
    """Find a coin by its name."""
    state = call.state
    index = queries.coin_named(state, name)
    if index is None:
        raise call.fault(Refusal.COIN_UNKNOWN, name)
    return queries.coins(state)[index]


def pair_of(call: Call, symbol: str) -> Pair:
    """Find a pair by its symbol."""
    state = call.state
    index = queries.pair_named(state, symbol)
    if index is None:
        raise call.fault(Refusal.PAIR_UNKNOWN, symbol)
    return queries.pairs(state)[index]


def checked_oid(call: Call, text: str) -> str:
    """Return the client id a request brings, empty for none. Raises `Fault`."""
    if len(text) > LENGTH_MAX:
        raise Fault("40304")
    if CLIENT_OID.fullmatch(text) is None:
        raise Fault("40305")
    # One of ours already names an order.
    if order_id_of(text) is not None:
        raise call.fault(Refusal.CLIENT_OID_REUSED)
    return text
