"""Codes of a second device: the published ones, the window, and that each is good once."""

import pyotp
import pytest

from lombard.identity import totp

# RFC 6238, appendix B, SHA-1: seconds, and the last six of the eight digits.
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
NOW_MS = 1_750_000_000_000
NOW = NOW_MS // 30_000


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ],
)
def test_the_published_codes(seconds: int, code: str) -> None:
    assert seconds // 30 == totp.step_of(RFC_SECRET, code, seconds * 1000, used=0)


@pytest.mark.parametrize(
    ("step", "used", "expected"),
    [
        (NOW, 0, NOW),
        (NOW - 1, 0, NOW - 1),
        (NOW + 1, 0, NOW + 1),
        (NOW - 2, 0, None),
        (NOW + 2, 0, None),
        (NOW, NOW, None),
        (NOW, NOW - 1, NOW),
        # What is older than the last code is used up with it.
        (NOW - 1, NOW, None),
        (NOW + 1, NOW, NOW + 1),
    ],
)
def test_a_code_is_good_around_its_time_and_once(
    step: int, used: int, expected: int | None
) -> None:
    code = pyotp.TOTP(RFC_SECRET).generate_otp(step)

    assert expected == totp.step_of(RFC_SECRET, code, NOW_MS, used)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", " 12345", "-12345"])
def test_what_is_no_code(code: str) -> None:
    assert totp.step_of(RFC_SECRET, code, NOW_MS, 0) is None


def test_a_device_reads_what_is_shown() -> None:
    secret = totp.new_secret()
    device = pyotp.parse_uri(totp.uri(secret, "ann@example.org"))

    assert isinstance(device, pyotp.TOTP)
    assert ("ann@example.org", "Lombard", 6, 30) == (
        device.name,
        device.issuer,
        device.digits,
        device.interval,
    )
    assert NOW == totp.step_of(secret, device.at(NOW_MS // 1000), NOW_MS, 0)


def test_recovery_codes_are_long_and_each_is_one_user_s() -> None:
    codes = totp.new_recovery_codes()

    assert (10, {19}) == (len(set(codes)), {len(code) for code in codes})
    assert totp.recovery_digest(1, codes[0]) == totp.recovery_digest(1, f" {codes[0].lower()} ")
    digests = {totp.recovery_digest(owner, code) for owner in (1, 2) for code in codes}
    assert 20 == len(digests)
