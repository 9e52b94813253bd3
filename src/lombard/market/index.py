"""Index prices over the length of a recording.

BTC follows the closes of BTCUSDT; USDC is BTCUSDT divided by BTCUSDC where both were traded in a
minute and stays where it was where one was not. The recording has no other coin: ETH, DOGE and
PEPE walk at random (as does USDC beside a recording of one's own), with BTC's moves and some of
their own, drawn from the seed, and are drawn back towards a fixed proportion to BTC.

No price moves by more than its cap in a minute. A wick is no close and so never in the index; a
close that is far off comes in by the minute, and only while it lasts. All of it is integers at
1e-12 USDT: the same recording and seed give the same prices on every machine.
"""

import hashlib
from dataclasses import dataclass
from math import isqrt
from typing import Final, NamedTuple

from lombard.core.units import PRICE_ONE_E12, RATIO_ONE_E6
from lombard.market.recording import Candle, Recording

MINUTE_MS: Final = 60_000
# The most a price moves in a minute. BTC's largest move from close to close in the recording is
# 1.7 %, so it is followed; USDC lost 12 % within hours, and 0.5 % a minute is fast enough for it.
CAP_E6: Final = 20_000
CAPS_E6: Final = {"USDC": 5_000}

_ONE_E9: Final = 10**9
# `_normal` returns 4 for one standard deviation.
_SIGMA: Final = 4


class Walk(NamedTuple):
    """How a coin without a recording moves.

    It takes `beta_e6` of BTC's returns and `sigma_e9` a minute of its own, and loses one part in
    `pull_minutes` of its distance to its proportion (to its start when `beta_e6` is 0) a minute.
    """

    start_e12: int
    beta_e6: int
    sigma_e9: int
    pull_minutes: int


# About what they cost on 1 March 2023; PEPE is younger than that.
WALKS: Final = {
    "ETH": Walk(1_605 * 10**12, 1_050_000, 450_000, 10_000),
    "DOGE": Walk(81 * 10**9, 1_100_000, 800_000, 10_000),
    "PEPE": Walk(10**6, 1_400_000, 1_600_000, 10_000),
}
STABLE_WALK: Final = Walk(PRICE_ONE_E12, 0, 40_000, 60)


@dataclass(frozen=True)
class Index:
    """Prices at the ends of candles: `prices_e12[coin][k]` before candle k and after candle k - 1.

    Every coin has one more price than the recording has candles.
    """

    interval_ms: int
    prices_e12: dict[str, list[int]]

    def price_e12(self, coin: str, candle: int, part: int, parts: int) -> int:
        """Return a price `part / parts` of the way through a candle, on a line between closes."""
        prices = self.prices_e12[coin]
        before = prices[candle]
        return before + (prices[candle + 1] - before) * part // parts if part else before


def draw(seed: int, label: str, number: int) -> int:
    """Draw 64 bits that depend on nothing but the arguments."""
    text = f"{seed}/{label}/{number}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


def capped_e12(before_e12: int, target_e12: int, cap_e6: int, interval_ms: int) -> int:
    """Move from a price towards another, at most `cap_e6` of the lower one a minute."""
    room = cap_e6 * interval_ms
    whole = RATIO_ONE_E6 * MINUTE_MS
    most = before_e12 + before_e12 * room // whole
    least = -(-before_e12 * whole // (whole + room))
    return max(least, min(target_e12, most))


def build_index(btc: Recording, btcusdc: Recording | None, seed: int) -> Index:
    """Make the index of a recording of BTCUSDT and, where there is one, of BTCUSDC beside it."""
    interval_ms = btc.interval_ms
    closes = [candle.close_e12 for candle in btc.candles]
    prices = {"BTC": _follow(btc.candles[0].open_e12, closes, CAP_E6, interval_ms)}
    cap_e6 = CAPS_E6["USDC"]
    if btcusdc is None:
        prices["USDC"] = _walk("USDC", STABLE_WALK, cap_e6, prices["BTC"], interval_ms, seed)
    else:
        targets = _dollars(btc, btcusdc)
        prices["USDC"] = _follow(targets[0], targets, cap_e6, interval_ms)
    for coin, walk in WALKS.items():
        cap_e6 = CAPS_E6.get(coin, CAP_E6)
        prices[coin] = _walk(coin, walk, cap_e6, prices["BTC"], interval_ms, seed)
    return Index(interval_ms, prices)


def _follow(start_e12: int, targets: list[int], cap_e6: int, interval_ms: int) -> list[int]:
    prices = [start_e12]
    for target_e12 in targets:
        prices.append(capped_e12(prices[-1], target_e12, cap_e6, interval_ms))
    return prices


def _dollars(btc: Recording, btcusdc: Recording) -> list[int]:
    """Return what a USDC was worth at each close; nobody having traded, what it was before."""
    assert (btc.first_ms, btc.interval_ms, len(btc.candles)) == (
        btcusdc.first_ms,
        btcusdc.interval_ms,
        len(btcusdc.candles),
    ), "Refused: the recordings of BTCUSDT and BTCUSDC are not of the same minutes"

    def traded(usdt: Candle, usdc: Candle) -> bool:
        return usdt.volume_e8 > 0 and usdc.volume_e8 > 0

    pairs = list(zip(btc.candles, btcusdc.candles, strict=True))
    first = next((pair for pair in pairs if traded(*pair)), pairs[0])
    worth_e12 = first[0].close_e12 * PRICE_ONE_E12 // first[1].close_e12
    targets = []
    for usdt, usdc in pairs:
        if traded(usdt, usdc):
            worth_e12 = usdt.close_e12 * PRICE_ONE_E12 // usdc.close_e12
        targets.append(worth_e12)
    return targets


def _walk(
    coin: str, walk: Walk, cap_e6: int, btc_e12: list[int], interval_ms: int, seed: int
) -> list[int]:
    sigma_e9 = spread_e9(walk.sigma_e9, interval_ms)
    price_e12 = walk.start_e12
    prices = [price_e12]
    for number in range(1, len(btc_e12)):
        before_e12, now_e12 = btc_e12[number - 1], btc_e12[number]
        home_e12 = walk.start_e12
        if walk.beta_e6:
            home_e12 = max(1, walk.start_e12 * now_e12 // btc_e12[0])
        returned_e9 = (now_e12 - before_e12) * _ONE_E9 // before_e12
        pull_e9 = (home_e12 - price_e12) * _ONE_E9 // home_e12
        # No more than half of the way back at once, however long a candle is.
        pull_e9 = pull_e9 * min(interval_ms, walk.pull_minutes * MINUTE_MS // 2)
        move_e9 = walk.beta_e6 * returned_e9 // RATIO_ONE_E6
        move_e9 += pull_e9 // (walk.pull_minutes * MINUTE_MS)
        move_e9 += _normal(draw(seed, coin, number)) * sigma_e9 // _SIGMA
        target_e12 = price_e12 + price_e12 * move_e9 // _ONE_E9
        price_e12 = max(1, capped_e12(price_e12, target_e12, cap_e6, interval_ms))
        prices.append(price_e12)
    return prices


def spread_e9(sigma_e9: int, interval_ms: int) -> int:
    """Return the standard deviation over an interval of what has `sigma_e9` in a minute."""
    return sigma_e9 * isqrt(interval_ms * 10**6 // MINUTE_MS) // 1_000


def _normal(bits: int) -> int:
    """Turn 64 bits into a number of mean 0, about normally spread with deviation 4."""
    return bits.bit_count() - 32
