"""How the venue's own commands must be answered: which configuration is refused, and when.

What is refused is foretold, not how the refusal words it.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lombard.core import commands as c
from lombard.core.refusals import Refusal
from lombard.core.state import PARAMETERS
from lombard.core.units import VALUE_MAX
from lombard.sim import coupon_oracle
from lombard.sim.venue import DONE, Answer

if TYPE_CHECKING:
    from lombard.sim.auditor import Auditor

INVALID = Answer(Refusal.CONFIGURATION_INVALID)
ONE = 10**6
STEPS_MAX = 10_000
RULES_VERSION = 1


def always(a: Auditor, account: int, cmd: c.Command) -> Answer:
    """Some commands are never refused."""
    return DONE


def proceed(a: Auditor, account: int, cmd: c.ContinueLiquidation) -> Answer:
    """RULES 8.3."""
    if not 1 <= cmd.max_steps <= STEPS_MAX:
        return Answer(Refusal.AMOUNT_TOO_LARGE, STEPS_MAX)
    return DONE


def set_index_prices(a: Auditor, account: int, cmd: c.SetIndexPrices) -> Answer:
    """RULES 7.1: all or none."""
    seen: list[int] = []
    for coin, price_e12, sources, spread_e6, max_age_ms in cmd.prices:
        if coin not in range(len(a.terms.coins)) or coin in seen:
            return Answer(Refusal.COIN_UNKNOWN)
        if price_e12 <= 0:
            return Answer(Refusal.PRICE_NOT_POSITIVE)
        if price_e12 > VALUE_MAX:
            return Answer(Refusal.AMOUNT_TOO_LARGE)
        if sources < 1 or min(spread_e6, max_age_ms) < 0:
            return INVALID
        seen.append(coin)
    return DONE


def set_rate(a: Auditor, account: int, cmd: c.SetRate) -> Answer:
    """RULES 5.1."""
    if cmd.coin not in range(len(a.terms.coins)):
        return Answer(Refusal.COIN_UNKNOWN)
    return DONE if 0 <= cmd.rate_e12 <= 10**12 else INVALID


def set_rate_model(a: Auditor, account: int, cmd: c.SetRateModel) -> Answer:
    """RULES 5.1: a curve that never falls, of at most 100 % a day."""
    if cmd.coin not in range(len(a.terms.coins)):
        return Answer(Refusal.COIN_UNKNOWN)
    right = 1 <= cmd.kink_e6 <= ONE
    right = right and falling([cmd.at_full_e12, cmd.at_kink_e12, cmd.base_e12, 0])
    right = right and 0 <= cmd.premium_e12 <= 10**12 - cmd.at_full_e12
    return DONE if right else INVALID


def fund(a: Auditor, account: int, cmd: c.FundPool | c.FundInsurance) -> Answer:
    """RULES 2."""
    if cmd.coin not in range(len(a.terms.coins)):
        return Answer(Refusal.COIN_UNKNOWN)
    return DONE if 0 < cmd.units <= VALUE_MAX else Answer(Refusal.AMOUNT_NOT_POSITIVE)


def set_coin(a: Auditor, account: int, cmd: c.SetCoin) -> Answer:
    """RULES 7.2, 7.4, 8.2: ratios fall, tiers rise, precision stays."""
    known = a.terms.coin_ids.get(cmd.name)
    if known is not None and raises_coin_risk(a.terms.coins[known], cmd):
        refusal = refuse_notice(a)
        if refusal is not None:
            return refusal
    return DONE if coin_is_right(a, cmd) else INVALID


def coin_is_right(a: Auditor, cmd: c.SetCoin) -> bool:
    """Say whether the terms of a coin are possible."""
    known = a.terms.coin_ids.get(cmd.name)
    ups = [up_to for up_to, _ in cmd.collateral_steps]
    ratios = [ratio for _, ratio in cmd.collateral_steps]
    tops = [row[0] for row in cmd.cross_tiers]
    fee = a.terms.parameters["crossed_liquidation_fee_e6"]
    right = is_name(cmd.name) and 0 <= cmd.decimals <= 8
    right = right and bool(ups) and ups[-1] == 0 and all(up > 0 for up in ups[:-1])
    right = right and rising(ups[:-1]) and falling([ONE, *ratios, 0]) and rising([0, *tops])
    right = right and 0 <= cmd.user_limit_units <= VALUE_MAX
    right = right and 1 <= cmd.min_borrow_units <= VALUE_MAX
    for _, leverage, mmr in cmd.cross_tiers:
        right = right and is_tier(leverage, mmr) and improves(a, mmr, fee, highest_taker(a))
    if known is not None:
        lent = any(loan.principal for (_, coin), loan in a.loans.items() if coin == known)
        right = right and cmd.decimals == a.terms.coins[known].decimals
        right = right and bool(tops or not lent)
    return right


def set_pair(a: Auditor, account: int, cmd: c.SetPair) -> Answer:
    """RULES 1.2, 7.4, 8.2: a trade never rounds; a slice of a liquidation improves its account."""
    known = a.terms.pair_ids.get(cmd.symbol)
    if known is not None and raises_pair_risk(a.terms.pairs[known].terms, cmd):
        refusal = refuse_notice(a)
        if refusal is not None:
            return refusal
    if not pair_is_right(a, cmd):
        return INVALID
    if known is not None:
        old = a.terms.pairs[known]
        finer = (cmd.tick_e12, cmd.step_units) != (old.terms.tick_e12, old.terms.step_units)
        used = {order.pair for order in a.book.orders.values()}
        used |= {one.placed.pair for one in a.triggers.alive.values()}
        if finer and known in used:
            return Answer(Refusal.PRECISION_IN_USE)
    return DONE


def pair_is_right(a: Auditor, cmd: c.SetPair) -> bool:
    """Say whether the terms of a pair are possible."""
    known = a.terms.pair_ids.get(cmd.symbol)
    coins = range(len(a.terms.coins))
    right = is_name(cmd.symbol) and cmd.base in coins and cmd.quote in coins
    if not right or cmd.base == cmd.quote:
        return False
    right = 0 < cmd.tick_e12 <= VALUE_MAX and 0 < cmd.step_units <= VALUE_MAX
    base, quote = a.terms.coins[cmd.base], a.terms.coins[cmd.quote]
    tick, step = Fraction(cmd.tick_e12, 10**12), Fraction(cmd.step_units, 10**base.decimals)
    right = right and (tick * step * 10**quote.decimals).denominator == 1
    right = right and 0 <= cmd.maker_fee_e6 < ONE // 10 and 0 <= cmd.taker_fee_e6 < ONE // 10
    right = right and cmd.min_value_units >= 0
    right = right and 1 <= cmd.min_size_steps <= cmd.max_size_steps <= VALUE_MAX
    right = right and 1 <= cmd.max_open_orders <= 10_000 and 0 <= cmd.liquidation_fee_e6 < ONE
    for column in (0, 1):
        right = right and rising([0, *(row[column] for row in cmd.isolated_tiers)])
    taker = highest_taker(a, cmd.taker_fee_e6, known)
    for _, _, leverage, mmr in cmd.isolated_tiers:
        right = right and is_tier(leverage, mmr)
        right = right and improves(a, mmr, cmd.liquidation_fee_e6, taker)
    if known is not None:
        old = a.terms.pairs[known]
        right = right and (cmd.base, cmd.quote) == (old.base, old.quote)
        right = right and bool(cmd.isolated_tiers or not old.terms.isolated_tiers)
    return right and all_improve(a, taker, known)


def set_parameter(a: Auditor, account: int, cmd: c.SetParameter) -> Answer:
    """Within its range, with no tier made impossible; the profile while nothing is lent."""
    if cmd.name not in PARAMETERS:
        return INVALID
    _, least, most = PARAMETERS[cmd.name]
    if not least <= cmd.value <= most:
        return INVALID
    if cmd.name == "interest_profile" and any(loan.principal for loan in a.loans.values()):
        return INVALID
    before = a.terms.parameters[cmd.name]
    a.terms.parameters[cmd.name] = cmd.value
    right = all_improve(a, highest_taker(a), None)
    a.terms.parameters[cmd.name] = before
    return DONE if right else INVALID


def set_vip_levels(a: Auditor, account: int, cmd: c.SetVipLevels) -> Answer:
    """RULES 4.4, 5.1: levels are only added; discounts lower rates, multipliers raise limits."""
    right = len(cmd.levels) >= len(a.terms.discounts) and cmd.levels[0] == (ONE, ONE)
    for discount, multiplier in cmd.levels:
        right = right and 0 <= discount <= ONE <= multiplier <= 1000 * ONE
    return DONE if right else INVALID


def set_user_level(a: Auditor, account: int, cmd: c.SetUserLevel) -> Answer:
    """RULES 4.4."""
    if cmd.user not in a.venue.users:
        return Answer(Refusal.USER_UNKNOWN)
    return DONE if cmd.level in range(len(a.terms.discounts)) else INVALID


def upgrade(a: Auditor, account: int, cmd: c.Upgrade) -> Answer:
    """RULES 3.4."""
    if a.venue.rules_version <= cmd.rules_version <= RULES_VERSION:
        return DONE
    return Answer(Refusal.RULES_VERSION_UNKNOWN, RULES_VERSION)


# --- what must be announced -----------------------------------------------------------------------


def refuse_notice(a: Auditor) -> Answer | None:
    """Refuse what raises risk at once where the venue gives notice of it (RULES 8.7)."""
    notice_ms = a.terms.parameters["notice_ms"]
    return Answer(Refusal.NOTICE_TOO_SHORT, notice_ms) if notice_ms else None


def raises_coin_risk(old: c.SetCoin, new: c.SetCoin) -> bool:
    """Say whether somebody may borrow less, or what somebody has counts less or needs more."""
    if new.user_limit_units < old.user_limit_units or new.borrowable < old.borrowable:
        return True
    held = {0} | {up_to for up_to, _ in old.collateral_steps + new.collateral_steps}
    for units in held:
        if ratio_above(new, units) < ratio_above(old, units):
            return True
    return raises_tier_risk(old.cross_tiers, new.cross_tiers)


def raises_pair_risk(old: c.SetPair, new: c.SetPair) -> bool:
    """Say so of a pair's isolated tiers, for either coin."""
    return any(
        raises_tier_risk(
            [(row[side], *row[2:]) for row in old.isolated_tiers],
            [(row[side], *row[2:]) for row in new.isolated_tiers],
        )
        for side in (0, 1)
    )


def raises_tier_risk(old: list[tuple[int, int, int]], new: list[tuple[int, int, int]]) -> bool:
    """Say whether some debt has less leverage than it had, or a higher maintenance margin."""
    for units in {0} | {row[0] for row in old + new}:
        was = next((row for row in old if units < row[0]), None)
        will_be = next((row for row in new if units < row[0]), None)
        if was is None:
            continue
        if will_be is None or will_be[1] < was[1] or will_be[2] > was[2]:
            return True
    return False


def ratio_above(coin: c.SetCoin, units: int) -> int:
    """Return the collateral ratio of the unit above so many, 0 where the steps say nothing."""
    return next((r for up_to, r in coin.collateral_steps if not up_to or units < up_to), 0)


# --- what a configuration must be -----------------------------------------------------------------


def is_name(name: str) -> bool:
    """Say whether a coin or a pair may be called so."""
    return 0 < len(name) <= 20 and all(ch in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" for ch in name)


def rising(numbers: list[int]) -> bool:
    """Say whether each number is larger than the one before."""
    return all(one < other for one, other in pairwise(numbers))


def falling(numbers: list[int]) -> bool:
    """Say whether no number is larger than the one before."""
    return all(one >= other for one, other in pairwise(numbers))


def is_tier(leverage: int, mmr: int) -> bool:
    """Say whether a tier is possible (RULES 7.4)."""
    if not (1 <= leverage <= 100 and 0 < mmr < ONE):
        return False
    return (leverage - 1) * Fraction(mmr, ONE) <= Fraction(1, 2)


def improves(a: Auditor, mmr: int, fee: int, taker: int) -> bool:
    """Say whether a slice improves an account: c < 1 - 1 / (1 + MMR), at w = 1 (RULES 8.2)."""
    cost = Fraction(a.terms.parameters["system_band_e6"] + taker + fee, ONE)
    return cost < 1 - 1 / (1 + Fraction(mmr, ONE))


def all_improve(a: Auditor, taker: int, besides: int | None) -> bool:
    """Say so of the tiers of every coin, and of every pair but one."""
    fee = a.terms.parameters["crossed_liquidation_fee_e6"]
    rates = [(row[2], fee) for coin in a.terms.coins for row in coin.cross_tiers]
    for number, pair in enumerate(a.terms.pairs):
        if number != besides:
            own = pair.terms.liquidation_fee_e6
            rates += [(row[3], own) for row in pair.terms.isolated_tiers]
    return all(improves(a, mmr, own, taker) for mmr, own in rates)


def highest_taker(a: Auditor, fee: int = 0, besides: int | None = None) -> int:
    """Return the highest taker fee of any pair, with `fee` for the one that changes."""
    fees = [p.terms.taker_fee_e6 for n, p in enumerate(a.terms.pairs) if n != besides]
    return max([fee, *fees])


FORESEEN: dict[type[c.Command], Callable[[Auditor, int, Any], Answer]] = {
    c.Tick: always,
    c.AddUser: always,
    c.FireTriggers: always,
    c.ContinueLiquidation: proceed,
    c.SetIndexPrices: set_index_prices,
    c.SetRate: set_rate,
    c.SetRateModel: set_rate_model,
    c.CreateCampaign: coupon_oracle.create_campaign,
    c.GrantCoupons: coupon_oracle.grant,
    c.EnterDraw: coupon_oracle.enter,
    c.DrawCoupons: coupon_oracle.draw,
    c.FundPool: fund,
    c.FundInsurance: fund,
    c.SetCoin: set_coin,
    c.SetPair: set_pair,
    c.SetParameter: set_parameter,
    c.SetVipLevels: set_vip_levels,
    c.SetUserLevel: set_user_level,
    c.Upgrade: upgrade,
}
