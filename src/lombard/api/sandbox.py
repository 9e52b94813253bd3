"""The sandbox's own endpoints: users, deposits, the clock, index prices and rates at will.

They are absent from a venue that serves the public. In a sandbox anybody on the machine may call
them, and nobody else: a web page must not, so a body has to be JSON and the request addressed to
this machine by a name of this machine; a server that listens further asks for a token.
"""

import hmac
from datetime import UTC, datetime
from functools import partial
from ipaddress import ip_address
from typing import Final, final

import msgspec

from lombard.api import announcements, sandbox_coupons
from lombard.api.amounts import (
    PRICE_DECIMALS,
    RATE_DECIMALS,
    RATIO_DECIMALS,
    TIME_DIGITS_MAX,
    coin_text,
    explain_coin,
    parse_amount,
    parse_time,
)
from lombard.api.context import Call
from lombard.api.decoding import malformed
from lombard.api.errors import Fault, Scene
from lombard.api.lookup import coin_of
from lombard.api.ports import (
    CLOCK_MANUAL,
    CLOCK_REAL,
    CLOCK_SCALED,
    SPEED_ONE_E6,
    Clock,
    Operates,
    Reply,
    World,
)
from lombard.api.rates import model_of
from lombard.api.table import GET, POST, Endpoint, NoParameters, local
from lombard.core.commands import SetRateModel
from lombard.core.queries import Coin
from lombard.core.units import UnitsError, format_units, parse_units
from lombard.identity import ALL_PERMISSIONS

PREFIX: Final = "/lombard/v1/sandbox"
TOKEN_HEADER: Final = b"x-lombard-token"
CLOCK_MODES: Final = (CLOCK_REAL, CLOCK_MANUAL, CLOCK_SCALED)
SPEED_DECIMALS: Final = 6
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class NewUser(msgspec.Struct):
    """A user and the key to act as it; shown this once."""

    userId: str
    apiKey: str
    secretKey: str
    passphrase: str


class DepositBody(msgspec.Struct):
    """Coins for a user's spot account."""

    userId: str = ""
    coin: str = ""
    amount: str = ""


class DepositAck(msgspec.Struct):
    """A deposit that was credited."""

    depositId: str
    userId: str
    coin: str
    amount: str


class ClockBody(msgspec.Struct):
    """How the clock shall run; `speed` for a scaled one, 60 being a minute a second."""

    mode: str = ""
    speed: str = ""


class ClockView(msgspec.Struct):
    """The clock."""

    now: str
    mode: str
    speed: str


class AdvanceBody(msgspec.Struct):
    """By how many milliseconds, or to when: milliseconds, or ISO 8601 in UTC."""

    ms: str = ""
    to: str = ""


class PriceBody(msgspec.Struct):
    """A coin's index price in USDT."""

    coin: str = ""
    price: str = ""


class RateBody(msgspec.Struct):
    """A coin's daily rate as a ratio: 0.0001 is 0.01 % a day."""

    coin: str = ""
    dailyInterestRate: str = ""


class RateModelBody(msgspec.Struct):
    """A coin's daily rate by the utilisation of its pool, as ratios (RULES 5.1).

    It rises evenly from `baseRate` to `rateAtKink` at utilisation `kink`, and on to `rateAtFull`;
    `premium` is added everywhere.
    """

    coin: str = ""
    baseRate: str = ""
    kink: str = ""
    rateAtKink: str = ""
    rateAtFull: str = ""
    premium: str = "0"


class StateHash(msgspec.Struct):
    """The hash of the whole state, time left out."""

    stateHash: str


@final
class Door:
    """Who may use these endpoints; `token` is empty where only this machine can reach them."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def check(self, method: str, headers: dict[bytes, bytes]) -> None:
        """Refuse whoever may not."""
        if method == POST and not headers.get(b"content-type", b"").startswith(b"application/json"):
            raise Fault("40007", status=415)
        if self._token:
            if not hmac.compare_digest(headers.get(TOKEN_HEADER, b""), self._token):
                raise Fault("40014", TOKEN_HEADER.decode(), status=403)
        elif not is_this_machine(headers.get(b"host", b"").decode("latin-1")):
            raise Fault("40018", "the Host is not this machine's", status=403)


def endpoints(world: World) -> list[Endpoint]:
    """Make the rows of this page."""
    return [
        local(POST, f"{PREFIX}/users", NoParameters, (), NewUser, partial(create_user, world)),
        local(
            POST,
            f"{PREFIX}/deposits",
            DepositBody,
            ("userId", "coin", "amount"),
            DepositAck,
            partial(deposit, world),
        ),
        local(GET, f"{PREFIX}/clock", NoParameters, (), ClockView, partial(read_clock, world)),
        local(POST, f"{PREFIX}/clock", ClockBody, ("mode",), ClockView, partial(set_clock, world)),
        local(POST, f"{PREFIX}/clock/advance", AdvanceBody, (), ClockView, partial(advance, world)),
        local(
            POST,
            f"{PREFIX}/index-prices",
            PriceBody,
            ("coin", "price"),
            PriceBody,
            partial(set_index_price, world),
        ),
        local(
            POST,
            f"{PREFIX}/rates",
            RateBody,
            ("coin", "dailyInterestRate"),
            RateBody,
            partial(set_rate, world),
        ),
        local(
            POST,
            f"{PREFIX}/rate-models",
            RateModelBody,
            ("coin", "baseRate", "kink", "rateAtKink", "rateAtFull"),
            RateModelBody,
            partial(set_rate_model, world),
        ),
        *sandbox_coupons.endpoints(PREFIX, world),
        *announcements.sandbox_endpoints(world),
        local(GET, f"{PREFIX}/state-hash", NoParameters, (), StateHash, partial(state_hash, world)),
    ]


async def create_user(world: World, call: Call, _: NoParameters) -> NewUser:
    """POST users"""
    user = await world.create_user()
    key = await call.context.directory.create_key(user, ALL_PERMISSIONS)
    return NewUser(str(user), key.key, key.secret, key.passphrase)


async def deposit(world: World, call: Call, body: DepositBody) -> DepositAck:
    """POST deposits"""
    coin = coin_of(call, body.coin)
    if not (body.userId.isascii() and body.userId.isdigit() and len(body.userId) <= 12):
        raise malformed(call.scene, "userId")
    units = parse_amount(call.scene, "amount", body.amount, coin)
    reply = _done(call, await world.deposit(int(body.userId), coin.id, units), coin)
    return DepositAck(str(reply.id), body.userId, coin.name, coin_text(coin, units))


async def read_clock(world: World, _call: Call, _: NoParameters) -> ClockView:
    """GET clock"""
    return _clock(world.clock())


async def set_clock(world: World, call: Call, body: ClockBody) -> ClockView:
    """POST clock"""
    if body.mode not in CLOCK_MODES:
        raise malformed(call.scene, "mode")
    speed_e6 = SPEED_ONE_E6
    if body.mode == CLOCK_SCALED:
        speed_e6 = _positive(call, "speed", body.speed, SPEED_DECIMALS)
    return _clock(await world.set_clock(body.mode, speed_e6))


async def advance(world: World, call: Call, body: AdvanceBody) -> ClockView:
    """POST clock/advance: returns when everything due by then is applied"""
    if bool(body.ms) == bool(body.to):
        raise Fault("40017", "one of ms and to is needed")
    if body.to:
        return _clock(await world.advance_to(parse_moment(call.scene, body.to)))
    return _clock(await world.advance_by(parse_time(call.scene, "ms", body.ms) or 0))


async def set_index_price(world: World, call: Call, body: PriceBody) -> PriceBody:
    """POST index-prices"""
    coin = coin_of(call, body.coin)
    price_e12 = _positive(call, "price", body.price, PRICE_DECIMALS)
    _done(call, await world.set_index_price(coin.id, price_e12), coin)
    return PriceBody(coin.name, format_units(price_e12, PRICE_DECIMALS))


async def set_rate(world: World, call: Call, body: RateBody) -> RateBody:
    """POST rates: in force from the next full hour"""
    coin = coin_of(call, body.coin)
    rate_e12 = _number(call, "dailyInterestRate", body.dailyInterestRate, RATE_DECIMALS)
    _done(call, await world.set_rate(coin.id, rate_e12), coin)
    return RateBody(coin.name, format_units(rate_e12, RATE_DECIMALS))


async def set_rate_model(world: Operates, call: Call, body: RateModelBody) -> RateModelBody:
    """POST rate-models: in force from the next full hour"""
    coin = coin_of(call, body.coin)
    command = SetRateModel(
        coin.id,
        _number(call, "baseRate", body.baseRate, RATE_DECIMALS),
        _number(call, "kink", body.kink, RATIO_DECIMALS),
        _number(call, "rateAtKink", body.rateAtKink, RATE_DECIMALS),
        _number(call, "rateAtFull", body.rateAtFull, RATE_DECIMALS),
        _number(call, "premium", body.premium, RATE_DECIMALS),
    )
    _done(call, await world.operate(command), coin)
    model = model_of(coin)
    return RateModelBody(
        coin.name,
        model.baseRate,
        model.kink,
        model.rateAtKink,
        model.rateAtFull,
        model.premium,
    )


async def state_hash(world: World, _call: Call, _: NoParameters) -> StateHash:
    """GET state-hash"""
    return StateHash(await world.state_hash())


def is_this_machine(host: str) -> bool:
    """Say whether a Host header names this machine: localhost, or a loopback address."""
    name, _, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
    if not name:
        name, port = port, ""
    if port and not port.isdigit():
        return False
    if name.lower() == "localhost":
        return True
    try:
        return ip_address(name.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return False


def parse_moment(scene: Scene, text: str) -> int:
    """Read a moment: milliseconds, or ISO 8601 in UTC (`2024-01-01T00:00:00Z`)."""
    if text.isascii() and text.isdigit() and len(text) <= TIME_DIGITS_MAX:
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise malformed(scene, "to") from None
    offset = moment.utcoffset()
    if offset is None or offset.total_seconds() != 0 or moment < _EPOCH:
        raise malformed(scene, "to")
    elapsed = moment - _EPOCH
    return (elapsed.days * 86_400 + elapsed.seconds) * 1_000 + elapsed.microseconds // 1_000


def _clock(clock: Clock) -> ClockView:
    return ClockView(str(clock.now_ms), clock.mode, format_units(clock.speed_e6, SPEED_DECIMALS))


def _done(call: Call, reply: Reply, coin: Coin) -> Reply:
    if reply.refusal is not None:
        limit = explain_coin(coin, reply.refusal, reply.units)
        raise call.fault(reply.refusal, reply.detail, limit)
    return reply


def _number(call: Call, name: str, text: str, decimals: int) -> int:
    try:
        return parse_units(text, decimals)
    except UnitsError:
        raise malformed(call.scene, name) from None


def _positive(call: Call, name: str, text: str, decimals: int) -> int:
    value = _number(call, name, text, decimals)
    if value == 0:
        raise Fault("01001", name)
    return value
