"""Money in the core is a whole number of a coin's smallest unit.

No float and no Decimal enters this package. A name carries its scale: `_units` is an amount of a
coin, `_ticks` a price and `_steps` a size of a pair, `_e12` a daily rate or an index price, `_e6`
a ratio. No operator rounds in silence: a call site picks the helper whose name says the direction,
and says whom the direction favours (RULES 1.1).
"""

from typing import Final

from mypy_extensions import i64

RATE_ONE_E12: Final = 10**12
PRICE_ONE_E12: Final = 10**12
RATIO_ONE_E6: Final = 10**6
HOUR_MS: Final = 3_600_000
MINUTE_MS: Final = 60_000
# Of a day.
MINUTES: Final = 1_440
# An hour's interest is principal * rate_e12 / INTEREST_DENOMINATOR (RULES 4.1).
INTEREST_DENOMINATOR: Final = 24 * RATE_ONE_E12
# What coupons save of it: that, times a discount in 1e-6 (RULES 9.3).
SAVING_DENOMINATOR: Final = INTEREST_DENOMINATOR * RATIO_ONE_E6
DECIMALS_MAX: Final = 8
WHOLE_DIGITS_MAX: Final = 30
POW10: Final[list[int]] = [10**n for n in range(64)]
# No amount, price or size in a command is larger; products of them are exact at any size.
VALUE_MAX: Final = 10**30
# Numbers below this fit a machine word, and so do products of a factor of each kind.
_WORD: Final = 1 << 61
_FACTOR: Final = 1 << 40
_OTHER_FACTOR: Final = 1 << 21


class UnitsError(ValueError):
    """A decimal string that is no amount; `excess_digits` when only its precision is."""

    def __init__(self, text: str, excess_digits: bool = False) -> None:
        super().__init__(text)
        self.excess_digits = excess_digits


def too_large(value: int) -> bool:
    """Say whether a number of a command is beyond `VALUE_MAX`."""
    return value >= _WORD and value > VALUE_MAX


def times(one: int, other: int) -> int:
    """Multiply two numbers; in a machine word where that cannot wrap, exact at any size."""
    if 0 <= one < _FACTOR and 0 <= other < _OTHER_FACTOR:
        return _word_times(one, other)
    return one * other


def _word_times(one: i64, other: i64) -> i64:
    """Multiply within 62 bits, which the caller has made sure of."""
    assert 0 <= one < _FACTOR
    assert 0 <= other < _OTHER_FACTOR
    return one * other


def div_half_up(numerator: int, divisor: int) -> int:
    """Divide a non-negative numerator, rounding halves up."""
    assert numerator >= 0
    assert divisor > 0
    return (2 * numerator + divisor) // (2 * divisor)


def interest_units(charged: int) -> int:
    """Return an interest numerator in units, rounded half up (RULES 4.2)."""
    # The denominator is even: half of it is a whole number.
    return (charged + INTEREST_DENOMINATOR // 2) // INTEREST_DENOMINATOR


def net_interest_units(charged: int, saved: int) -> int:
    """Return interest less what coupons save of it, in units, rounded half up (RULES 9.3)."""
    if saved == 0:
        return interest_units(charged)
    net = charged * RATIO_ONE_E6 - saved
    return (net + SAVING_DENOMINATOR // 2) // SAVING_DENOMINATOR


def div_ceil(numerator: int, divisor: int) -> int:
    """Divide, rounding towards plus infinity."""
    assert divisor > 0
    return -(-numerator // divisor)


def div_floor(numerator: int, divisor: int) -> int:
    """Divide, rounding towards minus infinity."""
    assert divisor > 0
    return numerator // divisor


def parse_units(text: str, decimals: int) -> int:
    """Read `"12.5"` as units. Signs, exponents, spaces and excess digits raise `UnitsError`.

    Zeros beyond the precision are no excess: clients pad.
    """
    whole, _, fraction = text.partition(".")
    if not (whole.isascii() and whole.isdigit() and len(whole) <= WHOLE_DIGITS_MAX):
        raise UnitsError(text)
    if fraction and not (fraction.isascii() and fraction.isdigit()):
        raise UnitsError(text)
    fraction = fraction.rstrip("0")
    if len(fraction) > decimals:
        raise UnitsError(text, excess_digits=len(fraction) <= WHOLE_DIGITS_MAX)
    return int(whole) * POW10[decimals] + int(fraction.ljust(decimals, "0") or "0")


def format_units(units: int, decimals: int) -> str:
    """Write units as the shortest exact decimal string: `"12.5"`, `"0"`, `"-0.00000001"`."""
    sign = "-" if units < 0 else ""
    whole, fraction = divmod(abs(units), POW10[decimals])
    if not fraction:
        return f"{sign}{whole}"
    return f"{sign}{whole}." + str(fraction).rjust(decimals, "0").rstrip("0")
