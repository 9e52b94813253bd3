"""Notice: which changes of terms raise risk, and so need to be announced (RULES 8.7)."""

from __future__ import annotations

from lombard.core.commands import SetCoin, SetPair
from lombard.core.state import Coin, Pair, State


def needs_notice(state: State, cmd: SetCoin | SetPair) -> bool:
    """Say whether a change may not hold at once: it raises risk, and the venue gives notice."""
    if state.parameters["notice_ms"] == 0:
        return False
    if isinstance(cmd, SetCoin):
        coin_id = state.coin_ids.get(cmd.name)
        return coin_id is not None and coin_risk_rises(state.coins[coin_id], cmd)
    pair_id = state.pair_ids.get(cmd.symbol)
    return pair_id is not None and pair_risk_rises(state.pairs[pair_id], cmd)


def coin_risk_rises(coin: Coin, cmd: SetCoin) -> bool:
    """Say whether new terms lower a collateral ratio, leverage or limit, or raise an MMR."""
    if cmd.user_limit_units < coin.user_limit_units or (coin.borrowable and not cmd.borrowable):
        return True
    floors = [0]
    floors += [row[0] for row in coin.collateral_steps]
    floors += [row[0] for row in cmd.collateral_steps]
    for floor in floors:
        if _ratio_above(cmd.collateral_steps, floor) < _ratio_above(coin.collateral_steps, floor):
            return True
    return tiers_rise(coin.cross_tiers, cmd.cross_tiers)


def pair_risk_rises(pair: Pair, cmd: SetPair) -> bool:
    """Say whether new isolated tiers lower leverage or a limit, or raise an MMR, on either side."""
    for side in (0, 1):
        old = [(row[side], row[2], row[3]) for row in pair.isolated_tiers]
        new = [(row[side], row[2], row[3]) for row in cmd.isolated_tiers]
        if tiers_rise(old, new):
            return True
    return False


def tiers_rise(old: list[tuple[int, int, int]], new: list[tuple[int, int, int]]) -> bool:
    """Say whether some principal has less leverage, or a higher MMR, in new tiers than in old."""
    floors = [0]
    floors += [row[0] for row in old]
    floors += [row[0] for row in new]
    for floor in floors:
        before, after = _tier_above(old, floor), _tier_above(new, floor)
        if before[0] > after[0] or (before[0] and before[1] < after[1]):
            return True
    return False


def _ratio_above(steps: list[tuple[int, int]], floor: int) -> int:
    """Return the collateral ratio of what is held just above an amount."""
    for up_to, ratio_e6 in steps:
        if up_to == 0 or floor < up_to:
            return ratio_e6
    return 0


def _tier_above(tiers: list[tuple[int, int, int]], floor: int) -> tuple[int, int]:
    """Return leverage and MMR of what is owed just above an amount; no leverage beyond the last."""
    for max_units, leverage, mmr_e6 in tiers:
        if floor < max_units:
            return leverage, mmr_e6
    return 0, 0
