"""Bodies and queries: strings, numbers that mean their digits, and what is refused."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lombard.api.decoding import DEPTH_MAX, body_decoder, query_decoder
from lombard.api.errors import Fault, Scene


class Entry(msgspec.Struct):
    """An entry of a batch."""

    size: str = ""


class Body(msgspec.Struct):
    """A body."""

    coin: str = ""
    amount: str = ""
    entries: list[Entry] = []


read_body = body_decoder(Scene.CROSSED, Body, ("coin", "amount"))
read_query = query_decoder(Scene.SPOT, Body, ("coin",))


def fault_of_body(body: bytes) -> tuple[str, str]:
    with pytest.raises(Fault) as caught:
        read_body(body)
    return caught.value.code, caught.value.sentence


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        ('"10"', "10"),
        ("10", "10"),
        ("10.50", "10.50"),
        # Every digit counts: none of these goes through a float.
        ("0.1234567890123456789", "0.1234567890123456789"),
        ("100000000000000000000000001", "100000000000000000000000001"),
        # As Python and JavaScript write 0.0000001.
        ("1e-07", "0.0000001"),
        ("1e-7", "0.0000001"),
        ("2.5E+3", "2500"),
        # Too long to be written out: left for the reader of amounts to refuse.
        ("1e400", "1e400"),
        ("1e-400", "1e-400"),
    ],
)
def test_numbers_mean_their_digits(amount: str, expected: str) -> None:
    body = read_body(b'{"coin":"USDT","amount":%s}' % amount.encode())

    assert expected == body.amount


def test_numbers_within_entries_too() -> None:
    body = read_body(b'{"coin":"USDT","amount":"1","entries":[{"size":1},{"size":"2"}]}')

    assert ["1", "2"] == [entry.size for entry in body.entries]


@pytest.mark.parametrize(
    ("body", "code", "sentence"),
    [
        (b"", "400172", "coin is empty"),
        (b"{}", "400172", "coin is empty"),
        (b'{"coin":""}', "400172", "coin is empty"),
        (b'{"coin":null}', "400172", "coin is empty"),
        (b'{"coin":"USDT"}', "400172", "amount is empty"),
        (b'{"coin":"USDT","amount":true}', "50061", "amount"),
        (b'{"coin":"USDT","amount":[1]}', "50061", "amount"),
        (b'{"coin":"USDT","amount":"1","entries":{}}', "50061", "entries"),
        (b'{"coin":"USDT","amount":"1","entries":[1]}', "50061", "entries[0]"),
        (b"[]", "50061", "body"),
        (b"1", "50061", "body"),
        (b"null", "50061", "body"),
        (b"{", "50061", "body"),
        (b'{"coin":"USDT","amount":1}x', "50061", "body"),
        (b'{"coin":"USDT","amount":NaN}', "50061", "body"),
        (b'{"coin":"USDT","amount":01}', "50061", "body"),
        (b'{"coin":"\xff","amount":"1"}', "50061", "body"),
        (b'{"coin":"USDT","x":' + b"[" * 60_000, "50061", "body is nested too deeply"),
        (b'{"coin":"USDT","x":' + b'{"a":' * 17 + b"1" + b"}" * 18, "50061", "nested too deeply"),
    ],
)
def test_bodies_that_are_none(body: bytes, code: str, sentence: str) -> None:
    found, said = fault_of_body(body)

    assert code == found
    assert sentence in said


def test_depth_is_counted_outside_of_strings() -> None:
    braces = "[" * 100
    assert braces == read_body(json.dumps({"coin": braces, "amount": "1"}).encode()).coin
    quoted = '\\"[' * 50
    assert quoted == read_body(json.dumps({"coin": quoted, "amount": "1"}).encode()).coin

    deep = b'{"coin":"a","amount":"1","x":' + b"[" * (DEPTH_MAX - 1) + b"]" * (DEPTH_MAX - 1) + b"}"
    assert "a" == read_body(deep).coin


def test_what_is_not_asked_for_is_ignored() -> None:
    assert "a" == read_body(b'{"coin":"a","amount":"1","uid":5,"feeRate":"0"}').coin


@given(st.binary(max_size=300))
def test_any_bytes_are_a_body_or_a_fault(body: bytes) -> None:
    codes = []
    try:
        read_body(body)
    except Fault as fault:
        codes.append(fault.code)
    assert codes in ([], ["400172"], ["50061"])


@pytest.mark.parametrize(
    ("query", "code", "named"),
    [
        (b"", "40019", "coin"),
        (b"coin=", "40019", "coin"),
        (b"coin=a&coin=b", "40020", "coin"),
        (b"coin=%ff", "40020", "query"),
        (b"coin=\xff", "40020", "query"),
        (b"&".join(b"a%d=1" % number for number in range(60)), "40020", "query"),
        (b"coin=" + b"a" * 5_000, "40017", "query"),
    ],
)
def test_queries_that_are_none(query: bytes, code: str, named: str) -> None:
    with pytest.raises(Fault) as caught:
        read_query(query)

    assert code == caught.value.code
    assert named in caught.value.sentence


def test_a_query_is_percent_decoded() -> None:
    assert "a#b c" == read_query(b"coin=a%23b%20c&unknown=1").coin
