"""What every pair's price does, candle by candle, for as long as the market runs.

A recording is played to its end, then backwards to its start, and so on: the price never jumps
where the recording ends, and never drifts away over many rounds. Inside a candle a price goes
from the open by way of the low and the high (the one that the close is further from comes first)
to the close. It keeps within `STRAY_E6` of the line between the index prices at both ends, so that
a wick of a single venue neither leaves the bands that orders keep to nor empties the book.

Pairs without a recording, and minutes in which a recorded pair was not traded, follow the index of
their two coins.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from lombard.core.units import PRICE_ONE_E12, RATIO_ONE_E6
from lombard.market.index import WALKS, Index, build_index, draw, spread_e9
from lombard.market.recording import Candle, Recording, shipped_recording

STRAY_E6: Final = 15_000
LOOKED_AT_MAX: Final = 64
SEED: Final = 20_230_301

# What is traded in a pair without a recording, as a part of what BTCUSDT turns over.
_TURNOVER_E6: Final = {"ETHUSDT": 400_000, "BTCUSDC": 60_000}
_TURNOVER_E6_ELSE: Final = 50_000
_ONE_E9: Final = 10**9


class Market(NamedTuple):
    """A pair, as the tape knows it: by the names of its coins."""

    symbol: str
    base: str
    quote: str


class Path(NamedTuple):
    """Where a price goes within a candle, or several taken as one, and what is traded."""

    open_e12: int
    first_e12: int
    second_e12: int
    close_e12: int
    volume_e8: int


@dataclass(frozen=True)
class Tape:
    """The index and the recordings behind it, as one endless market."""

    interval_ms: int
    digest: str
    index: Index
    recorded: dict[str, list[Candle]]
    seed: int

    def index_e12(self, coin: str, candle: int, part: int = 0, parts: int = 1) -> int:
        """Return a coin's index price `part / parts` through a candle counted from the start."""
        place, backwards = self._fold(candle)
        if coin == "USDT":
            return PRICE_ONE_E12
        if backwards:
            return self.index.price_e12(coin, place, parts - part, parts)
        return self.index.price_e12(coin, place, part, parts)

    def coins(self) -> list[str]:
        """Return the coins that have an index price; USDT, which is 1, is not among them."""
        return list(self.index.prices_e12)

    def knows(self, market: Market) -> bool:
        """Say whether there are prices for a pair."""
        known = [*self.index.prices_e12, "USDT"]
        return market.base in known and market.quote in known

    def cross_e12(self, market: Market, candle: int, part: int = 0, parts: int = 1) -> int:
        """Return the price of a pair that its coins' index prices make."""
        base_e12 = self.index_e12(market.base, candle, part, parts)
        return base_e12 * PRICE_ONE_E12 // self.index_e12(market.quote, candle, part, parts)

    def path(self, market: Market, candle: int, count: int = 1) -> Path:
        """Return a pair's path through `count` candles from one on.

        Of more than `LOOKED_AT_MAX` only about so many are looked at, evenly: a year is too.
        """
        stride = -(-count // LOOKED_AT_MAX)
        numbers = range(candle, candle + count, stride)
        candles = [self._candle(market, number) for number in numbers]
        opened = candles[0].open_e12
        closed = self._candle(market, candle + count - 1).close_e12
        low = min(closed, *(each.low_e12 for each in candles))
        high = max(closed, *(each.high_e12 for each in candles))
        first, second = (low, high) if opened <= closed else (high, low)
        volume_e8 = sum(each.volume_e8 for each in candles) * count // len(candles)
        return Path(opened, first, second, closed, volume_e8)

    def price_e12(
        self, market: Market, path: Path, candle: int, count: int, part: int, parts: int
    ) -> int:
        """Return where a pair is at `part / parts` of its path through `count` candles.

        The open is at 0, the lowest and highest at thirds, the close at `part == parts`.
        """
        knots = path[:4]
        leg, along = divmod(3 * part, parts)
        price_e12 = knots[leg]
        if along:
            price_e12 += (knots[leg + 1] - price_e12) * along // parts
        whole, rest = divmod(part * count, parts)
        # The end of a candle is the beginning of the next.
        line_e12 = self.cross_e12(market, candle + whole, rest, parts)
        stray_e12 = line_e12 * STRAY_E6 // RATIO_ONE_E6
        return max(line_e12 - stray_e12, min(price_e12, line_e12 + stray_e12))

    def _fold(self, candle: int) -> tuple[int, bool]:
        """Return which recorded candle plays as the `candle`-th, and whether backwards."""
        length = len(self.recorded["BTCUSDT"])
        rounds, place = divmod(candle, length)
        return (length - 1 - place, True) if rounds % 2 else (place, False)

    def _candle(self, market: Market, candle: int) -> Candle:
        place, backwards = self._fold(candle)
        recorded = self.recorded.get(market.symbol)
        if recorded is not None and recorded[place].volume_e8 > 0:
            found = recorded[place]
            if backwards:
                return found._replace(open_e12=found.close_e12, close_e12=found.open_e12)
            return found
        opened_e12 = self.cross_e12(market, candle)
        closed_e12 = self.cross_e12(market, candle + 1)
        low_e12, high_e12 = min(opened_e12, closed_e12), max(opened_e12, closed_e12)
        if recorded is not None:
            return Candle(opened_e12, high_e12, low_e12, closed_e12, 0)
        bits = draw(self.seed, market.symbol, place)
        sigma_e9 = self._sigma_e9(market)
        high_e12 += high_e12 * sigma_e9 * (bits & 0xFF) // (_ONE_E9 << 8)
        low_e12 -= low_e12 * sigma_e9 * (bits >> 8 & 0xFF) // (_ONE_E9 << 8)
        volume_e8 = self._volume_e8(market, place, bits >> 16)
        return Candle(opened_e12, high_e12, max(1, low_e12), closed_e12, volume_e8)

    def _sigma_e9(self, market: Market) -> int:
        walk = WALKS.get(market.base)
        return min(_ONE_E9, spread_e9(walk.sigma_e9 if walk else 100_000, self.interval_ms))

    def _volume_e8(self, market: Market, place: int, bits: int) -> int:
        """Turn over a part of what BTCUSDT does, between half and one and a half of its usual."""
        prices = self.index.prices_e12
        turnover = self.recorded["BTCUSDT"][place].volume_e8 * prices["BTC"][place]
        part_e6 = _TURNOVER_E6.get(market.symbol, _TURNOVER_E6_ELSE)
        base_e12 = prices[market.base][place] if market.base in prices else PRICE_ONE_E12
        return turnover * part_e6 * (50 + bits % 101) // (base_e12 * RATIO_ONE_E6 * 100)


def build_tape(recording: Recording | None = None, seed: int = SEED) -> Tape:
    """Make the market of a recording of BTC in USDT; without one, of those carried along."""
    if recording is None:
        btc, btcusdc = shipped_recording("BTCUSDT"), shipped_recording("BTCUSDC")
        recorded = {"BTCUSDT": btc.candles, "BTCUSDC": btcusdc.candles}
        index = build_index(btc, btcusdc, seed)
        return Tape(btc.interval_ms, btc.digest, index, recorded, seed)
    index = build_index(recording, None, seed)
    recorded = {"BTCUSDT": recording.candles}
    return Tape(recording.interval_ms, recording.digest, index, recorded, seed)
