"""Where keys may be used from: IPv4, IPv6, networks, and what a mapped address is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lombard.identity.allowlist import (
    ENTRIES_MAX,
    AllowListError,
    parse_allowed,
    permits,
    write_allowed,
)


@pytest.mark.parametrize(
    ("entries", "address", "expected"),
    [
        ([], "192.0.2.1", True),
        ([], "", True),
        (["192.0.2.1"], "192.0.2.1", True),
        (["192.0.2.1"], "192.0.2.2", False),
        (["192.0.2.0/24"], "192.0.2.200", True),
        (["192.0.2.0/24"], "192.0.3.1", False),
        (["192.0.2.1"], "::ffff:192.0.2.1", True),
        (["2001:db8::/32"], "2001:db8::7", True),
        (["2001:db8::/32"], "2001:db9::7", False),
        (["2001:db8::7"], "2001:0db8:0:0::7", True),
        (["::/0"], "192.0.2.1", False),
        (["0.0.0.0/0"], "192.0.2.1", True),
        (["192.0.2.1"], "", False),
        (["192.0.2.1"], "localhost", False),
        (["192.0.2.1", "198.51.100.0/24"], "198.51.100.9", True),
    ],
)
def test_who_is_let_in(entries: list[str], address: str, expected: bool) -> None:
    assert expected == permits(parse_allowed(entries), address)


@pytest.mark.parametrize(
    "entries",
    [
        ["everywhere"],
        [""],
        ["192.0.2.1/24"],
        ["192.0.2"],
        ["1.2.3.4/33"],
        ["::1"] * 31,
        ["01.2.3.4"],
    ],
)
def test_what_is_no_list(entries: list[str]) -> None:
    with pytest.raises(AllowListError):
        parse_allowed(entries)


@given(st.lists(st.ip_addresses().map(str), max_size=ENTRIES_MAX))
def test_a_list_is_written_as_it_was_read(entries: list[str]) -> None:
    found = parse_allowed(entries)

    assert list(dict.fromkeys(entries)) == write_allowed(found)
    assert found == parse_allowed(write_allowed(found))
