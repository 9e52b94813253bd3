"""The codec: every command there and back, big integers, and nothing malformed read or written."""

import ast
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lombard._build
from lombard.core import commands
from lombard.core.commands import (
    Borrow,
    Command,
    Deposit,
    Envelope,
    PlaceOrder,
    SetCoin,
    SetIndexPrices,
    SetParameter,
    Tick,
)
from lombard.journal.codec import FORMAT, KINDS, CodecError, Kind, RecordTooNew, decode, encode
from tests.journal.records import ACCOUNT, envelope

# No record of a released format may ever read differently: a row is added, never changed.
CODES = {
    1: "PlaceOrder",
    2: "CancelOrder",
    3: "CancelAllOrders",
    4: "ReplaceOrder",
    5: "Borrow",
    6: "Repay",
    7: "SetLeverage",
    8: "Transfer",
    9: "Deposit",
    20: "Tick",
    21: "ContinueLiquidation",
    22: "SetIndexPrices",
    23: "SetRate",
    40: "AddUser",
    41: "SetUserLevel",
    42: "SetCoin",
    43: "SetPair",
    44: "SetParameter",
    45: "SetVipLevels",
    46: "FundPool",
    47: "FundInsurance",
    48: "Upgrade",
    60: "SetRateModel",
    61: "CreateCampaign",
    62: "GrantCoupons",
    63: "EnterDraw",
    64: "DrawCoupons",
    65: "ClaimCoupon",
    110: "ClosePosition",
    111: "FlashRepay",
    90: "PlaceTrigger",
    91: "ModifyTrigger",
    92: "CancelTrigger",
    93: "CancelAllTriggers",
    94: "FireTriggers",
    95: "PlaceWithExits",
    96: "PlaceOco",
    80: "AnnounceCoinTerms",
    81: "AnnouncePairTerms",
    82: "AnnounceDelisting",
    83: "WithdrawAnnouncement",
    97: "CancelEverything",
    120: "MoveFunds",
    121: "ProposeMove",
    122: "ApproveMove",
    123: "RejectMove",
    124: "FreezeAccount",
    125: "RestrictCoin",
    130: "SealAudit",
}


def fields_in_source() -> dict[str, dict[str, str]]:
    """Read the names and types of every command's fields from the sources of the core."""
    core = Path(lombard._build.__file__).parent / "core"
    nodes: list[ast.stmt] = []
    for source in sorted(core.glob("*commands.py")):
        nodes += ast.parse(source.read_text()).body
    fields: dict[str, dict[str, str]] = {}
    for node in nodes:
        if isinstance(node, ast.ClassDef) and node.name != "Envelope":
            fields[node.name] = {}
            for item in node.body:
                if isinstance(item, ast.FunctionDef) and item.name == "__init__":
                    fields[node.name] = {
                        arg.arg: ast.unparse(arg.annotation)
                        for arg in item.args.args[1:]
                        if arg.annotation
                    }
    return fields


def shown(annotation: object) -> str:
    return (
        annotation.__name__
        if isinstance(annotation, type) and not get_args(annotation)
        else (str(annotation))
    )


def rows(command: Command) -> list[Any]:
    """List the values of a command's fields."""
    kind = next(kind for kind in KINDS if kind.command is type(command))
    return list(kind.values(command))


def same(one: Envelope, other: Envelope) -> bool:
    heads = [(e.seq, e.time_ms, e.command_id, e.account, type(e.command)) for e in (one, other)]
    return heads[0] == heads[1] and rows(one.command) == rows(other.command)


def test_every_command_has_a_code() -> None:
    assert {kind.command for kind in KINDS} == set(get_args(Command))
    assert CODES == {kind.code: kind.command.__name__ for kind in KINDS}


def test_the_table_has_the_fields_of_the_commands() -> None:
    source = fields_in_source()

    table = {
        kind.command.__name__: {name: shown(kind.fields[name]) for name in kind.fields}
        for kind in KINDS
    }

    assert source == table
    for name, fields in table.items():
        # The order is part of the format.
        assert list(source[name]) == list(fields)


integers = st.integers(-(2**63), 2**64 - 1) | st.integers(-(2**200), 2**200) | st.integers(-9, 9)


def values(annotation: object) -> st.SearchStrategy[Any]:
    if annotation is int:
        return integers
    if annotation is str:
        return st.text(st.characters(codec="utf-8"), max_size=40)
    if annotation is bool:
        return st.booleans()
    (row,) = get_args(annotation)
    if not get_args(row):
        return st.lists(values(row), max_size=4)
    return st.lists(st.tuples(*map(values, get_args(row))), max_size=4)


def commands_of(kind: Kind) -> st.SearchStrategy[Command]:
    fields = map(values, kind.fields.values())
    return st.tuples(*fields).map(lambda row: kind.command(*row))


envelopes = st.builds(
    Envelope,
    integers,
    integers,
    st.binary(max_size=16),
    integers,
    st.sampled_from(KINDS).flatmap(commands_of),
)


@given(envelopes)
def test_every_envelope_comes_back(written: Envelope) -> None:
    payload = encode(written)

    assert same(written, decode(payload))
    assert payload == encode(decode(payload))


def test_what_a_record_looks_like() -> None:
    command = PlaceOrder(0, 1, 0, 2, 3, 1, 6_000_000, 1000, 0, "mine", 2)

    payload = encode(Envelope(7, 1_700_000_000_000, b"0123456789abcdef", ACCOUNT, command))

    row = [FORMAT, 7, 1_700_000_000_000, b"0123456789abcdef", ACCOUNT, 1]
    assert [*row, 0, 1, 0, 2, 3, 1, 6_000_000, 1000, 0, "mine", 2] == msgspec.msgpack.decode(
        payload
    )


@pytest.mark.parametrize("units", [2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**40, -(10**40)])
def test_big_integers_are_exact(units: int) -> None:
    found = decode(encode(Envelope(1, 2, b"", 3, Deposit(0, units)))).command

    assert isinstance(found, Deposit)
    assert units == found.units


def test_big_integers_inside_rows_are_exact() -> None:
    price = (1, 10**30, 2, -(10**30), 0)

    found = decode(encode(Envelope(1, 2, b"", 3, SetIndexPrices([price, price])))).command

    assert isinstance(found, SetIndexPrices)
    assert [price, price] == found.prices


@pytest.mark.parametrize(
    "make",
    [
        lambda: Deposit(0, 1.5),  # type: ignore[arg-type]
        lambda: Deposit(0, 2.0),  # type: ignore[arg-type]
        lambda: Deposit(2.0, 10**30),  # type: ignore[arg-type]
        lambda: Deposit(0, None),  # type: ignore[arg-type]
        lambda: Borrow(0, 1, b"bytes"),  # type: ignore[arg-type]
        lambda: Borrow(0, 1, "\ud800"),
        lambda: Borrow(0, 10**30, "\ud800"),
        lambda: SetIndexPrices([(1, 2, 3, 4)]),  # type: ignore[list-item]
        lambda: SetCoin("A", 8, [], [], 1, 1, 1, True),  # type: ignore[arg-type]
        lambda: "text",
        lambda: commands,
    ],
)
def test_what_could_not_be_read_is_not_written(make: Any) -> None:
    try:
        command = make()
    except TypeError:
        # The compiled commands do not even take it.
        return
    try:
        written = Envelope(1, 2, b"", 3, command)
    except TypeError:
        return

    with pytest.raises(CodecError, match=r"cannot be written|is not a command"):
        encode(written)


@pytest.mark.parametrize("units", [1, 10**30])
def test_true_is_no_number(units: int) -> None:
    command = Deposit(True, units)
    written = Envelope(1, 2, b"", 3, command)
    if type(command.coin) is int:
        # A compiled field has made a number of it.
        assert same(written, decode(encode(written)))
        return

    with pytest.raises(CodecError, match="cannot be written"):
        encode(written)


GOOD = [FORMAT, 1, 2, b"", 3, 9, 0, 100]  # a Deposit
EXT = msgspec.msgpack.Ext


@pytest.mark.parametrize(
    "row",
    [
        [],
        GOOD[:5],
        GOOD[:6],
        GOOD[:7],
        [*GOOD, 1],
        [0, *GOOD[1:]],
        [True, *GOOD[1:]],
        ["1", *GOOD[1:]],
        [FORMAT, 1.0, *GOOD[2:]],
        [FORMAT, None, *GOOD[2:]],
        [FORMAT, 1, 2, "text", *GOOD[4:]],
        [FORMAT, 1, 2, b"", 3, 9.0, 0, 100],
        [FORMAT, 1, 2, b"", 3, True, 0, 100],
        [*GOOD[:7], 100.0],
        [*GOOD[:7], "100"],
        [*GOOD[:7], True],
        [*GOOD[:7], None],
        [*GOOD[:7], [100]],
        # Extensions: of another kind, of a number that needs none, too long, empty.
        [*GOOD[:7], EXT(2, (10**30).to_bytes(13, "big"))],
        [*GOOD[:7], EXT(1, b"\x64")],
        [*GOOD[:7], EXT(1, (10**30).to_bytes(14, "big"))],
        [*GOOD[:7], EXT(1, b"")],
        [EXT(1, (10**30).to_bytes(13, "big")), *GOOD[1:]],
        [EXT(1, b"\x01" + bytes(9_999)), *GOOD[1:]],
        {"format": 1},
        "text",
        1,
        None,
    ],
)
def test_what_is_malformed_is_refused(row: object) -> None:
    with pytest.raises(CodecError) as refusal:
        decode(msgspec.msgpack.encode(row))
    assert not isinstance(refusal.value, RecordTooNew)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ([FORMAT + 1, *GOOD[1:]], "has format 2"),
        ([FORMAT + 1], "has format 2"),
        ([FORMAT + 1, {"all": "is"}, "different"], "has format 2"),
        ([*GOOD[:5], 999, "x"], "has type code 999"),
        ([*GOOD[:5], -1], "has type code -1"),
    ],
)
def test_what_is_newer_is_said_to_be(row: object, says: str) -> None:
    with pytest.raises(RecordTooNew, match=says):
        decode(msgspec.msgpack.encode(row))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xc1",
        b"\x91" * 100_000,
        b"\xdd\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\x98\x01\x01\x02\xc4\x00\x03\x05\x00\x64\xa1\xff",
        encode(envelope(3)) + b"\0",
    ],
)
def test_what_is_no_messagepack_is_refused(payload: bytes) -> None:
    with pytest.raises(CodecError):
        decode(payload)


@given(st.binary(max_size=80))
def test_noise_is_refused_or_read(noise: bytes) -> None:
    for payload in (noise, encode(envelope(3))[:6] + noise):
        try:
            decode(payload)
        except CodecError:
            continue


def test_every_changed_bit_is_refused_or_read_as_something_else() -> None:
    for written in (envelope(1), envelope(3), Envelope(1, 2, b"", 3, SetParameter("x", 2**70))):
        payload = encode(written)
        for bit in range(len(payload) * 8):
            changed = bytearray(payload)
            changed[bit // 8] ^= 1 << bit % 8
            try:
                found = decode(bytes(changed))
            except CodecError:
                continue
            assert not same(written, found)


def test_a_cut_record_is_refused() -> None:
    payload = encode(envelope(3))
    for end in range(len(payload)):
        with pytest.raises(CodecError):
            decode(payload[:end])


def test_ticks_are_small() -> None:
    assert len(encode(Envelope(10**9, 1_700_000_000_000, b"", 0, Tick()))) < 25
