"""An operator's hand: the venue's commands, given by whoever signed the call.

The log says which operator it was (decision 0021); beside it a line is written for whoever watches
the process. Nothing here decides what an operator may do to the venue: the state machine does.
"""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar, final

import structlog

from lombard.api.amounts import RATE_DECIMALS, RATIO_DECIMALS, value_text
from lombard.api.context import Call, Explain
from lombard.api.decoding import Request, malformed
from lombard.api.errors import Scene
from lombard.api.ports import Operates, Reply
from lombard.api.table import GET, POST, Endpoint, signed
from lombard.api.wallet import ACCOUNT_TYPES
from lombard.core import queries
from lombard.core.commands import SLOT_ISOLATED, Command, operator_id, slot_of
from lombard.core.units import UnitsError, parse_units
from lombard.identity import Permission

PREFIX: Final = "/lombard/v1/operator"
SCENE: Final = Scene.WALLET
PER_SECOND: Final = 20
Answer = TypeVar("Answer")
_LOG: Final = structlog.get_logger("lombard.operator")


def operator_number(call: Call) -> int:
    """Say which operator calls, as the log has it: identity counts operators downwards from -1."""
    return abs(call.user)


def operator_name(number: int) -> str:
    """Write an operator as identity does."""
    return str(-number)


@final
class Hand:
    """Gives commands in the name of whoever signed the call."""

    def __init__(self, call: Call) -> None:
        self._call = call

    async def operate(self, command: Command) -> Reply:
        """Submit a command; a refusal comes back in the reply."""
        call = self._call
        number = operator_number(call)
        reply = await call.context.node.submit(operator_id(number), command, call.command_id)
        _LOG.info(
            "operator call",
            operator=operator_name(number),
            command=type(command).__name__,
            refusal=None if reply.refusal is None else reply.refusal.value,
            id=reply.id,
        )
        return reply


async def give(call: Call, command: Command, explain: Explain | None = None) -> Reply:
    """Give a command and return what became of it; a refusal raises its `Fault`."""
    reply = await Hand(call).operate(command)
    if reply.refusal is not None:
        limit = str(reply.units) if explain is None else explain(reply.refusal, reply.units)
        raise call.fault(reply.refusal, reply.detail, limit)
    return reply


def give_once(call: Call) -> None:
    """Give what this call answers with only once, for it is secret: when it comes again, signed as
    before, it is refused and not done.

    Raises `Fault` when it may have been done before this process began.
    """
    call.context.replays.forbid(call.command_id)


def by_hand(
    function: Callable[[Operates, Call, Request], Awaitable[Answer]],
) -> Callable[[Call, Request], Awaitable[Answer]]:
    """Let an operator make a call that a sandbox's user makes by its world."""

    async def handle(call: Call, body: Request) -> Answer:
        return await function(Hand(call), call, body)

    return handle


def reads(
    path: str,
    request: type[Request],
    required: tuple[str, ...],
    response: type[Answer],
    handler: Callable[[Call, Request], Awaitable[Answer]],
) -> Endpoint:
    """Make the row of an operator's GET."""
    return _row(GET, path, request, required, response, handler)


def writes(
    path: str,
    request: type[Request],
    required: tuple[str, ...],
    response: type[Answer],
    handler: Callable[[Call, Request], Awaitable[Answer]],
) -> Endpoint:
    """Make the row of an operator's POST."""
    return _row(POST, path, request, required, response, handler)


def _row(
    method: str,
    path: str,
    request: type[Request],
    required: tuple[str, ...],
    response: type[Answer],
    handler: Callable[[Call, Request], Awaitable[Answer]],
) -> Endpoint:
    place = f"{PREFIX}/{path}"
    permission = Permission.OPERATOR
    return signed(
        method, place, permission, PER_SECOND, SCENE, request, required, response, handler
    )


# --- numbers -------------------------------------------------------------------------------------


def parse_decimal(name: str, text: str, decimals: int) -> int:
    """Read a decimal number."""
    try:
        return parse_units(text, decimals)
    except UnitsError:
        raise malformed(SCENE, name) from None


def parse_ratio(name: str, text: str) -> int:
    """Read a ratio: 0.1 is a tenth."""
    return parse_decimal(name, text, RATIO_DECIMALS)


def parse_rate(name: str, text: str) -> int:
    """Read a daily rate as a ratio."""
    return parse_decimal(name, text, RATE_DECIMALS)


def parse_number(name: str, text: str, digits: int = 9) -> int:
    """Read a whole number, 0 or more."""
    if not (text.isascii() and text.isdigit() and len(text) <= digits):
        raise malformed(SCENE, name)
    return int(text)


def parse_user(call: Call, text: str, name: str = "userId") -> int:
    """Read the id of a user there is."""
    user = parse_number(name, text, 12)
    if not queries.user_exists(call.state, user):
        raise malformed(SCENE, name)
    return user


def value_of(value_e26: int) -> str:
    """Write a value in USDT, rounded down to 1e-8."""
    return value_text(value_e26 // 10**18)


def place_of(call: Call, account: int) -> tuple[str, str]:
    """Say of which kind an account is, and of which pair an isolated one."""
    slot = slot_of(account)
    if slot < SLOT_ISOLATED:
        return ACCOUNT_TYPES[slot], ""
    return ACCOUNT_TYPES[SLOT_ISOLATED], queries.pairs(call.state)[slot - SLOT_ISOLATED].symbol


def chosen(said: bool | None, as_is: bool) -> bool:
    """Return a flag as it was said, or as it is."""
    return as_is if said is None else said
