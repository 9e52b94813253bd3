"""Which error codes an endpoint can answer with, read from the code that answers.

A handler is followed through the functions it names, down to the codes and refusals in them. What
becomes of a command is for the core to say: a handler that submits one can be refused for any
reason its part of the wire has a code for.
"""

from collections.abc import Iterator
from functools import partial
from types import CodeType, FunctionType
from typing import Final

from lombard.api.context import Call
from lombard.api.decoding import empty, malformed
from lombard.api.errors import CODES, IDENTITY, SENTENCES, STATUSES, Fault
from lombard.api.lookup import Mode
from lombard.api.table import Access, Endpoint, NoParameters
from lombard.core.refusals import Refusal

# What any request can meet, whatever it asks for.
ALWAYS: Final = ("429", "40017", "40200", "40725")
_HEADERS: Final = ("40001", "40002", "40005", "40006", "40008", "40009", "40011")
SIGNED: Final = (*_HEADERS, "40012", "40014", "40018")
LOCAL: Final = ("40014", "40018")
NO_SESSION: Final = "30004"
# What identity has against a person, whoever asks it.
_OF_PEOPLE: Final = tuple(code for code, _ in IDENTITY.values())
_OF_ACCESS: Final[dict[Access, tuple[str, ...]]] = {
    Access.PUBLIC: (),
    # A browser may call what is signed as well, with its session.
    Access.SIGNED: (*SIGNED, NO_SESSION),
    Access.SESSION: (NO_SESSION, "40014", *_OF_PEOPLE),
    Access.ENTRY: _OF_PEOPLE,
    Access.LOCAL: LOCAL,
}
# A code that comes with other statuses than its own as well.
MORE_STATUSES: Final[dict[str, tuple[int, ...]]] = {"40007": (415,), "40017": (400, 408, 413, 414)}
FORBIDDEN: Final = 403
# A page of another site, or cookies that are too long; sign-up that is closed.
_OF_BROWSERS: Final[dict[str, tuple[int, ...]]] = {"40017": (FORBIDDEN, 431), "40805": (FORBIDDEN,)}
# What hands a command to the node: a call's own, and those of a sandbox's world.
_SUBMITTING: Final = frozenset(
    {"submit", "submit_all", "operate", "deposit", "set_index_price", "set_rate"}
)
_METHODS: Final = {
    name: method
    for owner in (Call, Mode)
    for name, method in vars(owner).items()
    if isinstance(method, FunctionType)
}


def codes_of(endpoint: Endpoint) -> list[str]:
    """List the codes an endpoint can answer with, in the catalogue's order."""
    found = {*ALWAYS, *_parsing(endpoint)}
    found.update(_OF_ACCESS[endpoint.access])
    handler = endpoint.handler
    while isinstance(handler, partial):
        handler = handler.func
    codes = CODES[endpoint.scene]
    refusals = Refusal.__members__
    for name in _named_by(handler, set()):
        if name in refusals:
            found.add(codes[refusals[name]])
        elif name in SENTENCES:
            found.add(name)
        elif name in _SUBMITTING:
            found.update(codes.values())
    return [code for code in SENTENCES if code in found]


def statuses_of(endpoint: Endpoint) -> dict[int, list[str]]:
    """Group the codes of an endpoint by the HTTP status they come with."""
    found: dict[int, list[str]] = {}
    for code in codes_of(endpoint):
        statuses = MORE_STATUSES.get(code, (STATUSES.get(code, 400),))
        if code in LOCAL and endpoint.access is Access.LOCAL:
            statuses = (FORBIDDEN,)
        elif endpoint.access not in (Access.PUBLIC, Access.LOCAL):
            statuses += _OF_BROWSERS.get(code, ())
        for status in statuses:
            found.setdefault(status, []).append(code)
    return dict(sorted(found.items()))


def _parsing(endpoint: Endpoint) -> Iterator[str]:
    """Yield the codes of a request that cannot be read."""
    # A GET may carry a body: it is read, and then left alone.
    yield "40007"
    yield malformed(endpoint.scene, "").code
    if endpoint.request is not NoParameters:
        yield empty(endpoint.scene, "").code


def _named_by(function: object, seen: set[object]) -> Iterator[str]:
    """Yield the words in a function, and in those of this package that it names."""
    if not isinstance(function, FunctionType) or function in seen:
        return
    seen.add(function)
    if not function.__module__.startswith("lombard.api") or function in (empty, malformed):
        return
    for code in _parts_of(function.__code__):
        yield from (word for word in code.co_consts if isinstance(word, str))
        for name in code.co_names:
            yield name
            named = function.__globals__.get(name, _METHODS.get(name))
            if named is not Fault:
                yield from _named_by(named, seen)
    for cell in function.__closure__ or ():
        yield from _named_by(cell.cell_contents, seen)


def _parts_of(code: CodeType) -> Iterator[CodeType]:
    yield code
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from _parts_of(part)
