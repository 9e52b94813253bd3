"""Signatures: the published vectors, what is signed, and that nothing near one passes."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lombard.api.signing import (
    WINDOW_MS,
    command_id,
    entry_id,
    is_signed,
    is_timely,
    keyed_with,
    parse_timestamp,
    prehash,
    sign,
)
from lombard.core.commands import stamp_of

SECRET = keyed_with(b"secret")
STAMP = b"1695636742119"
ASSETS = b"/api/v2/margin/crossed/account/assets"
BORROW = b"/api/v2/margin/crossed/account/borrow"
BODY = b'{"coin":"USDT","borrowAmount":"4"}'


@pytest.mark.parametrize(
    ("message", "signature"),
    [
        # reference §12.1
        (
            prehash(STAMP, b"GET", ASSETS, b"coin=USDT", b""),
            b"16RW4P0TUTJvCQ8ChsDiDJBa+5ayYY0zerryH3RJ7dw=",
        ),
        (
            prehash(STAMP, b"GET", b"/api/v2/margin/crossed/account/risk-rate", b"", b""),
            b"pnbaqezCzD4ZTPNf9WAohyR2PoIXQj3WQUJJHgPYvqQ=",
        ),
        (
            prehash(STAMP, b"POST", BORROW, b"", BODY),
            b"XZdv5z79gdYTKnQzwSW3wOUHLRktQM0Sw36f6RdPubo=",
        ),
        (
            prehash(b"1695636742", b"GET", b"/user/verify", b"", b""),
            b"B9r5F/+twwfXu14hia1yiGHnse1sUMLffv4lwg8jJWI=",
        ),
    ],
)
def test_the_published_vectors(message: bytes, signature: bytes) -> None:
    assert signature == sign(SECRET, message)


@pytest.mark.parametrize(
    ("signed_query", "sent_query", "expected"),
    [
        (b"coin=USDT", b"coin=USDT", True),
        # ccxt signs the decoded query and sends it encoded.
        (b"clientOid=a#b c", b"clientOid=a%23b%20c", True),
        (b"clientOid=a%23b", b"clientOid=a%23b", True),
        (b"coin=USDT", b"coin=BTC", False),
        (b"coin=USDT", b"", False),
        # Decoded once, not until it fits.
        (b"clientOid=a#b", b"clientOid=a%2523b", False),
    ],
)
def test_a_query_is_signed_as_sent_or_decoded(
    signed_query: bytes, sent_query: bytes, expected: bool
) -> None:
    signature = sign(SECRET, prehash(STAMP, b"GET", ASSETS, signed_query, b""))

    assert expected == is_signed(SECRET, signature, STAMP, b"GET", ASSETS, sent_query, b"")


@given(st.data())
def test_no_mutation_of_a_signed_request_passes(data: st.DataObject) -> None:
    signature = sign(SECRET, prehash(STAMP, b"POST", BORROW, b"x=1", BODY))
    parts = [b"secret", signature, STAMP, b"POST", BORROW, b"x=1", BODY]
    assert is_signed(keyed_with(parts[0]), *parts[1:])

    which = data.draw(st.integers(0, len(parts) - 1))
    at = data.draw(st.integers(0, len(parts[which]) - 1))
    changed = bytearray(parts[which])
    changed[at] ^= data.draw(st.integers(1, 255))
    parts[which] = bytes(changed)

    assert not is_signed(keyed_with(parts[0]), *parts[1:])


@given(st.binary(max_size=80))
def test_no_other_bytes_pass_as_a_signature(signature: bytes) -> None:
    right = sign(SECRET, prehash(STAMP, b"POST", BORROW, b"", BODY))

    assert (signature == right) == is_signed(SECRET, signature, STAMP, b"POST", BORROW, b"", BODY)


def test_a_signature_in_another_spelling_does_not_pass() -> None:
    right = sign(SECRET, prehash(STAMP, b"POST", BORROW, b"", BODY))
    others = [
        right.rstrip(b"="),
        right + b"\n",
        base64.b64decode(right),
        base64.b64decode(right).hex().encode(),
        base64.urlsafe_b64encode(base64.b64decode(right)).replace(b"=", b""),
    ]
    for other in others:
        assert not is_signed(SECRET, other, STAMP, b"POST", BORROW, b"", BODY)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"1695636742119", 1695636742119),
        (b"0", 0),
        (b"", None),
        (b"-1", None),
        (b"1e3", None),
        (b" 1", None),
        (b"1.0", None),
        (b"\xd9\xa1", None),
        (b"9" * 17, None),
    ],
)
def test_timestamps(text: bytes, expected: int | None) -> None:
    assert expected == parse_timestamp(text)


@pytest.mark.parametrize(
    ("off_ms", "expected"),
    [(0, True), (WINDOW_MS, True), (-WINDOW_MS, True), (WINDOW_MS + 1, False), (-30_001, False)],
)
def test_the_window_is_thirty_seconds_either_way(off_ms: int, expected: bool) -> None:
    assert expected == is_timely(1_700_000_000_000 + off_ms, 1_700_000_000_000)


def test_a_command_is_named_by_key_time_and_signature() -> None:
    name = command_id(b"k", b"1", b"s")

    assert 16 == len(name)
    assert name == command_id(b"k", b"1", b"s")
    others = [
        command_id(b"K", b"1", b"s"),
        command_id(b"k", b"2", b"s"),
        command_id(b"k", b"1", b"t"),
        # Parts cannot run into each other.
        command_id(b"k1", b"", b"s"),
        entry_id(name, 0),
        entry_id(name, 1),
    ]
    assert len({name, *others}) == 7


def test_the_ids_of_later_requests_and_entries_have_later_stamps() -> None:
    first, second = (command_id(b"k", time, b"s") for time in (b"1700000000000", b"1700000000001"))
    ids = [first, entry_id(first, 0), entry_id(first, 49), second, entry_id(second, 0)]

    stamps = [stamp_of(id_) for id_ in ids]

    assert sorted(set(stamps)) == stamps
