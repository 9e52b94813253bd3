"""Where a request comes from: behind proxies that are the venue's, and only behind these."""

import pytest

from lombard.api.errors import Fault
from lombard.api.visit import COOKIE, address_of, token_in

PROXIES = frozenset({"10.0.0.1", "10.0.0.2"})


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "expected"),
    [
        ("192.0.2.1", b"", frozenset(), "192.0.2.1"),
        # Anybody can write this header.
        ("192.0.2.1", b"203.0.113.9", frozenset(), "192.0.2.1"),
        ("192.0.2.1", b"203.0.113.9", PROXIES, "192.0.2.1"),
        ("10.0.0.1", b"203.0.113.9", PROXIES, "203.0.113.9"),
        # What came to the last proxy counts, not what the caller made up before.
        ("10.0.0.1", b"198.51.100.1, 203.0.113.9", PROXIES, "203.0.113.9"),
        ("10.0.0.1", b"203.0.113.9, 10.0.0.2", PROXIES, "203.0.113.9"),
        ("10.0.0.1", b"", PROXIES, "10.0.0.1"),
        ("10.0.0.1", b" , ,", PROXIES, "10.0.0.1"),
        ("10.0.0.1", b"10.0.0.2, 10.0.0.1", PROXIES, "10.0.0.1"),
        ("10.0.0.1", b"2001:db8::1", PROXIES, "2001:db8::1"),
        ("10.0.0.1", b"\xff" * 500, PROXIES, "ÿ" * 45),
        ("", b"203.0.113.9", PROXIES, ""),
    ],
)
def test_addresses(peer: str, forwarded: bytes, proxies: frozenset[str], expected: str) -> None:
    assert expected == address_of(peer, forwarded, proxies)


@pytest.mark.parametrize(
    ("cookies", "expected"),
    [
        (b"", ""),
        (b"lombard_session=abc", "abc"),
        (b"a=b; lombard_session=abc ;c=d", "abc"),
        (b"xlombard_session=abc", ""),
        (b"__Host-lombard_session=abc", ""),
        (b"lombard_session", ""),
        (b"lombard_session=a=b", "a=b"),
        (b"lombard_session=\xff", "ÿ"),
        (b";;;=;", ""),
    ],
)
def test_tokens_among_cookies(cookies: bytes, expected: str) -> None:
    assert expected == token_in(cookies, COOKIE)


@pytest.mark.parametrize(
    ("cookies", "status"),
    [(b"lombard_session=a; lombard_session=a", 400), (b"x=" + b"y" * 9_000, 431)],
)
def test_cookies_that_are_not_read(cookies: bytes, status: int) -> None:
    with pytest.raises(Fault) as refused:
        token_in(cookies, COOKIE)
    assert status == refused.value.status
