"""Numbers of the wire and numbers of the core: decimal strings here, units, ticks, steps there."""

from functools import cache
from typing import Final

from lombard.api.decoding import empty, malformed
from lombard.api.errors import Fault, Scene
from lombard.core.queries import Coin, Pair
from lombard.core.refusals import Refusal
from lombard.core.units import POW10, UnitsError, div_half_up, format_units, parse_units

PRICE_DECIMALS: Final = 12
RATIO_DECIMALS: Final = 6
VALUE_DECIMALS: Final = 8
# Rates are shown with 8 decimals; interest is charged at the full rate (reference §2.12).
RATE_DECIMALS: Final = 12
RATE_SHOWN_DECIMALS: Final = 8
DAYS_PER_YEAR: Final = 365
# Spot order rows pad their numbers (reference §5.1).
PADDED_DECIMALS: Final = 16
TIME_DIGITS_MAX: Final = 15
ID_MAX: Final = (1 << 63) - 1


# The refusals whose limit is a price.
PRICE_LIMITS: Final = frozenset(
    {
        Refusal.PRICE_ABOVE_BAND,
        Refusal.PRICE_BELOW_BAND,
        Refusal.POST_ONLY_WOULD_TAKE,
        Refusal.TRIGGER_PRICE_REACHED,
        Refusal.TRIGGER_PRICE_TOO_HIGH,
        Refusal.TRIGGER_PRICE_TOO_LOW,
    }
)


def parse_amount(scene: Scene, name: str, text: str, coin: Coin) -> int:
    """Read an amount of a coin as units."""
    try:
        return parse_units(text, coin.decimals)
    except UnitsError as error:
        if error.excess_digits:
            raise Fault("50063", f"{name} {text}") from None
        raise malformed(scene, name) from None


def parse_size(scene: Scene, name: str, text: str, pair: Pair) -> int:
    """Read a size in base coins as steps of the pair."""
    try:
        units = parse_units(text, pair.base.decimals)
    except UnitsError as error:
        if error.excess_digits:
            raise _size_scale(name, text, pair) from None
        raise malformed(scene, name) from None
    steps, rest = divmod(units, pair.step_units)
    if rest:
        raise _size_scale(name, text, pair)
    return steps


def parse_price(scene: Scene, name: str, text: str, pair: Pair) -> int:
    """Read a price in quote coins as ticks of the pair."""
    try:
        price_e12 = parse_units(text, PRICE_DECIMALS)
    except UnitsError as error:
        if error.excess_digits:
            raise Fault("41103", f"{name} scale error {text}") from None
        raise malformed(scene, name) from None
    ticks, rest = divmod(price_e12, pair.tick_e12)
    if rest:
        if price_e12 % POW10[PRICE_DECIMALS - price_precision(pair)]:
            raise Fault("41103", f"{name} scale error {text}")
        raise Fault("45115", format_units(pair.tick_e12, PRICE_DECIMALS))
    return ticks


def parse_id(scene: Scene, name: str, text: str) -> int:
    """Read an id; 0 when there is none."""
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and 0 < int(text[:20]) <= ID_MAX):
        raise Fault("40020", name)
    return int(text)


def parse_time(scene: Scene, name: str, text: str) -> int | None:
    """Read a time in milliseconds; None when there is none."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= TIME_DIGITS_MAX):
        raise malformed(scene, name)
    return int(text)


def parse_count(scene: Scene, name: str, text: str, default: int, most: int) -> int:
    """Read how many are wanted; more than `most` means as many as there may be."""
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) > 0):
        raise malformed(scene, name)
    return min(int(text), most)


def price_text(pair: Pair, ticks: int) -> str:
    """Write a price."""
    return format_units(ticks * pair.tick_e12, PRICE_DECIMALS)


def size_text(pair: Pair, steps: int) -> str:
    """Write a size in base coins."""
    return format_units(steps * pair.step_units, pair.base.decimals)


def base_text(pair: Pair, units: int) -> str:
    """Write an amount of a pair's base coin."""
    return format_units(units, pair.base.decimals)


def quote_text(pair: Pair, units: int) -> str:
    """Write an amount of a pair's quote coin."""
    return format_units(units, pair.quote.decimals)


def coin_text(coin: Coin, units: int) -> str:
    """Write an amount of a coin."""
    return format_units(units, coin.decimals)


def average_text(pair: Pair, base_units: int, quote_units: int) -> str:
    """Write the average price of what traded; `"0"` for nothing."""
    if base_units == 0:
        return "0"
    price_e12 = div_half_up(
        quote_units * POW10[PRICE_DECIMALS + pair.base.decimals],
        base_units * POW10[pair.quote.decimals],
    )
    return format_units(price_e12, PRICE_DECIMALS)


def padded(text: str, decimals: int = PADDED_DECIMALS) -> str:
    """Write a decimal with a fixed number of decimals."""
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.ljust(decimals, '0')}"


def rate_text(rate_e12: int) -> str:
    """Write the daily rate interest is charged at, in full."""
    return format_units(rate_e12, RATE_DECIMALS)


def shown_rate_e8(rate_e12: int) -> int:
    """Cut a daily rate to the 8 decimals in which rates are quoted."""
    return rate_e12 // POW10[RATE_DECIMALS - RATE_SHOWN_DECIMALS]


def ratio_text(ratio_e6: int) -> str:
    """Write a ratio."""
    return format_units(ratio_e6, RATIO_DECIMALS)


def price_precision(pair: Pair) -> int:
    """Say how many decimals a price of the pair has."""
    return PRICE_DECIMALS - trailing_zeros(pair.tick_e12, PRICE_DECIMALS)


def size_precision(pair: Pair) -> int:
    """Say how many decimals a size of the pair has."""
    return pair.base.decimals - trailing_zeros(pair.step_units, pair.base.decimals)


@cache
def trailing_zeros(number: int, most: int) -> int:
    """Count the zeros a positive number ends in, up to `most`."""
    assert number > 0
    zeros = 0
    while zeros < most and number % POW10[zeros + 1] == 0:
        zeros += 1
    return zeros


def explain_coin(coin: Coin, _refusal: Refusal, units: int) -> str:
    """Word a limit that is an amount of a coin."""
    return f"{coin_text(coin, units)} {coin.name}"


def explain_order(pair: Pair, pays: Coin, refusal: Refusal, units: int) -> str:
    """Word a limit that an order ran into."""
    if refusal in PRICE_LIMITS:
        return price_text(pair, units)
    if refusal in (Refusal.SIZE_UNDER_MINIMUM, Refusal.SIZE_OVER_MAXIMUM):
        return f"{size_text(pair, units)} {pair.base.name}"
    if refusal is Refusal.VALUE_UNDER_MINIMUM:
        return f"{quote_text(pair, units)} {pair.quote.name}"
    if refusal is Refusal.TOO_MANY_OPEN_ORDERS:
        return str(units)
    return explain_coin(pays, refusal, units)


def need(scene: Scene, name: str, text: str) -> str:
    """Return a parameter that may not be missing here."""
    if not text:
        raise empty(scene, name)
    return text


def _size_scale(name: str, text: str, pair: Pair) -> Fault:
    particulars = f"{name} checkBDScale error value={text} checkScale={size_precision(pair)}"
    if pair.step_units % POW10[pair.base.decimals] == 0:
        particulars += f" multiple of {size_text(pair, 1)}"
    return Fault("40808", particulars)


def value_text(value_e8: int) -> str:
    """Write a value in USDT."""
    return format_units(value_e8, VALUE_DECIMALS)
