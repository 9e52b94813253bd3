"""The venue's own commands: coins, pairs, tiers, pools and levels, changed while running.

A configuration that would make a rule false is refused whole (RULES 1.2, 7.4, 8.2).
"""

from __future__ import annotations

from lombard.core.bounds import set_ratio_bounds
from lombard.core.commands import (
    SLOT_CROSSED,
    SLOT_ISOLATED,
    SLOT_OPERATOR,
    SLOT_SPOT,
    FundInsurance,
    FundPool,
    SetCoin,
    SetPair,
    SetParameter,
    SetUserLevel,
    SetVipLevels,
    Upgrade,
    account_id,
)
from lombard.core.events import (
    Event,
    InsuranceFunded,
    PoolFunded,
    UserAdded,
    VenueChanged,
)
from lombard.core.index import relax, set_bands
from lombard.core.interest import bring_up_to_date
from lombard.core.ledger import fund_insurance, fund_pool
from lombard.core.matching import pair_is_free
from lombard.core.rates import add_levels, note_supplied
from lombard.core.refusals import Refusal
from lombard.core.safe_bands import terms_changed
from lombard.core.state import (
    PARAMETERS,
    RULES_VERSION,
    Account,
    Coin,
    Pair,
    Reply,
    State,
    User,
    quote_per_tick_step,
)
from lombard.core.units import DECIMALS_MAX, RATIO_ONE_E6, VALUE_MAX

NAME_LENGTH_MAX = 20
LEVERAGE_MAX = 100


def add_user(state: State, events: list[Event]) -> Reply:
    """Admit a user with a spot and a crossed account."""
    user = User(state.next_user)
    state.next_user += 1
    state.users[user.id] = user
    for slot in (SLOT_SPOT, SLOT_CROSSED):
        state.open_account(Account(account_id(user.id, slot), user, None))
    events.append(UserAdded(user.id))
    return Reply(None, user.id)


def set_coin(state: State, cmd: SetCoin, events: list[Event]) -> Reply:
    """Add a coin or change its terms; its precision never changes."""
    known = state.coin_ids.get(cmd.name)
    problem = coin_problem(state, cmd, None if known is None else state.coins[known])
    if problem:
        return Reply(Refusal.CONFIGURATION_INVALID, detail=problem)

    # From here the change succeeds.
    if known is None:
        coin = Coin(len(state.coins), cmd.name, cmd.decimals)
        hours = state.hour + 2
        coin.prefix_e12 = [[0] * hours for _ in state.vip_levels]
        state.coins.append(coin)
        state.coin_ids[cmd.name] = coin.id
    else:
        coin = state.coins[known]
    steps, tiers = coin.collateral_steps, coin.cross_tiers
    coin.collateral_steps = [(row[0], row[1]) for row in cmd.collateral_steps]
    coin.cross_tiers = [(row[0], row[1], row[2]) for row in cmd.cross_tiers]
    coin.user_limit_units = cmd.user_limit_units
    coin.min_borrow_units = cmd.min_borrow_units
    coin.borrowable = cmd.borrowable and coin.delisting == 0
    coin.transferable = cmd.transferable
    set_ratio_bounds(coin)
    if steps != coin.collateral_steps or tiers != coin.cross_tiers:
        terms_changed(state, coin, None)
    events.append(VenueChanged("coin", cmd.name))
    return Reply(None, coin.id)


def _name_problem(name: str) -> str:
    ok = 0 < len(name) <= NAME_LENGTH_MAX and name.isascii() and name.isalnum()
    return "" if ok and name == name.upper() else "name"


def coin_problem(state: State, cmd: SetCoin, known: Coin | None) -> str:
    """Return what is wrong with a coin's terms, or nothing."""
    if _name_problem(cmd.name):
        return "name"
    if not 0 <= cmd.decimals <= DECIMALS_MAX:
        return "decimals"
    if known is not None and cmd.decimals != known.decimals:
        return "decimals cannot change"
    floor, ratio_before = 0, RATIO_ONE_E6
    last = len(cmd.collateral_steps) - 1
    for index, (up_to, ratio_e6) in enumerate(cmd.collateral_steps):
        if not 0 <= ratio_e6 <= ratio_before or (up_to == 0) != (index == last):
            return "collateral steps"
        if up_to and up_to <= floor:
            return "collateral steps"
        floor, ratio_before = up_to, ratio_e6
    if last < 0:
        return "collateral steps"
    floor = 0
    for max_units, leverage, mmr_e6 in cmd.cross_tiers:
        if max_units <= floor:
            return "tiers must rise"
        floor = max_units
        fee_e6 = state.parameters["crossed_liquidation_fee_e6"]
        problem = _tier_problem(state, leverage, mmr_e6, fee_e6, _highest_taker_e6(state, None, 0))
        if problem:
            return problem
    if known is not None and not cmd.cross_tiers and known.lent_units:
        return "tiers of a lent coin cannot vanish"
    if not 0 <= cmd.user_limit_units <= VALUE_MAX or not 1 <= cmd.min_borrow_units <= VALUE_MAX:
        return "limits"
    return ""


def _highest_taker_e6(state: State, changed: Pair | None, taker_e6: int) -> int:
    """Return the highest taker fee of any pair, with `taker_e6` for the one that is changed."""
    others = [pair.taker_fee_e6 for pair in state.pairs if pair is not changed]
    return max(taker_e6, max(others, default=0))


def _tier_problem(state: State, leverage: int, mmr_e6: int, fee_e6: int, taker_e6: int) -> str:
    """Check RULES 7.4 and the inequality of RULES 8.2 for a tier, at a collateral ratio of 1."""
    if not 1 <= leverage <= LEVERAGE_MAX or not 0 < mmr_e6 < RATIO_ONE_E6:
        return "leverage or maintenance margin rate out of range"
    if 2 * (leverage - 1) * mmr_e6 > RATIO_ONE_E6:
        return "(leverage - 1) x maintenance margin rate exceeds 0.5"
    cost_e6 = state.parameters["system_band_e6"] + taker_e6 + fee_e6
    if (RATIO_ONE_E6 - cost_e6) * (RATIO_ONE_E6 + mmr_e6) <= RATIO_ONE_E6 * RATIO_ONE_E6:
        return "a liquidation slice would not improve the account"
    return ""


def set_pair(state: State, cmd: SetPair, events: list[Event]) -> Reply:
    """Add a pair or change its terms; its precision cannot change while orders rest."""
    known_id = state.pair_ids.get(cmd.symbol)
    known = None if known_id is None else state.pairs[known_id]
    problem = pair_problem(state, cmd, known)
    if problem:
        return Reply(Refusal.CONFIGURATION_INVALID, detail=problem)
    if (
        known is not None
        and (cmd.tick_e12 != known.tick_e12 or cmd.step_units != known.step_units)
        and not (pair_is_free(known) and not state.triggers.on_pair(known.id))
    ):
        return Reply(Refusal.PRECISION_IN_USE, detail=cmd.symbol)

    # From here the change succeeds.
    base, quote = state.coins[cmd.base], state.coins[cmd.quote]
    pair = known
    if pair is None:
        pair = Pair(len(state.pairs), cmd.symbol, base, quote, cmd.tick_e12, cmd.step_units)
        state.pairs.append(pair)
        state.pair_ids[cmd.symbol] = pair.id
    if cmd.tick_e12 != pair.tick_e12:
        pair.last_price_ticks = pair.last_price_ticks * pair.tick_e12 // cmd.tick_e12
    pair.tick_e12 = cmd.tick_e12
    pair.step_units = cmd.step_units
    pair.quote_per_tick_step = quote_per_tick_step(base, quote, cmd.tick_e12, cmd.step_units)
    pair.maker_fee_e6 = cmd.maker_fee_e6
    pair.taker_fee_e6 = cmd.taker_fee_e6
    pair.min_value_units = cmd.min_value_units
    pair.min_size_steps = cmd.min_size_steps
    pair.max_size_steps = cmd.max_size_steps
    pair.max_open_orders = cmd.max_open_orders
    tiers = pair.isolated_tiers
    pair.isolated_tiers = [(row[0], row[1], row[2], row[3]) for row in cmd.isolated_tiers]
    pair.liquidation_fee_e6 = cmd.liquidation_fee_e6
    pair.crossed = cmd.crossed
    pair.trading = cmd.trading
    set_bands(state, pair)
    if tiers != pair.isolated_tiers:
        terms_changed(state, None, pair)
    events.append(VenueChanged("pair", cmd.symbol))
    return Reply(None, pair.id)


def pair_problem(state: State, cmd: SetPair, known: Pair | None) -> str:
    """Return what is wrong with a pair's terms, or nothing."""
    if _name_problem(cmd.symbol):
        return "name"
    coins = range(len(state.coins))
    if cmd.base not in coins or cmd.quote not in coins or cmd.base == cmd.quote:
        return "coins"
    base, quote = state.coins[cmd.base], state.coins[cmd.quote]
    if known is not None and (known.base is not base or known.quote is not quote):
        return "coins cannot change"
    if known is None and SLOT_ISOLATED + len(state.pairs) >= SLOT_OPERATOR:
        return "too many pairs"
    if not (0 < cmd.tick_e12 <= VALUE_MAX and 0 < cmd.step_units <= VALUE_MAX):
        return "precision"
    if quote_per_tick_step(base, quote, cmd.tick_e12, cmd.step_units) == 0:
        return "tick x step is not a whole number of quote units"
    if not (0 <= cmd.maker_fee_e6 < 100_000 and 0 <= cmd.taker_fee_e6 < 100_000):
        return "fees"
    if not (0 <= cmd.min_value_units and 1 <= cmd.min_size_steps <= cmd.max_size_steps):
        return "sizes"
    if cmd.max_size_steps > VALUE_MAX or not 1 <= cmd.max_open_orders <= 10_000:
        return "sizes"
    if not 0 <= cmd.liquidation_fee_e6 < RATIO_ONE_E6:
        return "liquidation fee"
    taker_e6 = _highest_taker_e6(state, known, cmd.taker_fee_e6)
    floor = (0, 0)
    for base_max, quote_max, leverage, mmr_e6 in cmd.isolated_tiers:
        if base_max <= floor[0] or quote_max <= floor[1]:
            return "tiers must rise"
        floor = (base_max, quote_max)
        problem = _tier_problem(state, leverage, mmr_e6, cmd.liquidation_fee_e6, taker_e6)
        if problem:
            return problem
    if known is not None and known.isolated_tiers and not cmd.isolated_tiers:
        return "isolated margin cannot vanish"
    return _tiers_problem(state, taker_e6, known)


def set_parameter(state: State, cmd: SetParameter, events: list[Event]) -> Reply:
    """Set a named number of the venue."""
    bounds = PARAMETERS.get(cmd.name)
    if bounds is None or not bounds[1] <= cmd.value <= bounds[2]:
        return Reply(Refusal.CONFIGURATION_INVALID, detail=cmd.name)
    if cmd.name == "interest_profile" and state.indebted:
        return Reply(Refusal.CONFIGURATION_INVALID, detail="loans are open")
    before = state.parameters[cmd.name]
    state.set_parameter(cmd.name, cmd.value)
    problem = _tiers_problem(state, _highest_taker_e6(state, None, 0), None)
    if problem:
        state.set_parameter(cmd.name, before)
        return Reply(Refusal.CONFIGURATION_INVALID, detail=problem)

    # From here the change succeeds.
    relax(state)
    for pair in state.pairs:
        set_bands(state, pair)
    events.append(VenueChanged("parameter", cmd.name))
    return Reply(None)


def _tiers_problem(state: State, taker_e6: int, besides: Pair | None) -> str:
    """Check the tiers of every coin, and of every pair but one, at the highest taker fee."""
    fee_e6 = state.parameters["crossed_liquidation_fee_e6"]
    for coin in state.coins:
        for _, leverage, mmr_e6 in coin.cross_tiers:
            if _tier_problem(state, leverage, mmr_e6, fee_e6, taker_e6):
                return f"{coin.name}: a liquidation slice would not improve the account"
    for pair in state.pairs:
        if pair is besides:
            continue
        for _, _, leverage, mmr_e6 in pair.isolated_tiers:
            if _tier_problem(state, leverage, mmr_e6, pair.liquidation_fee_e6, taker_e6):
                return f"{pair.symbol}: a liquidation slice would not improve the account"
    return ""


def set_vip_levels(state: State, cmd: SetVipLevels, events: list[Event]) -> Reply:
    """Set the VIP schedule; levels are only ever added. Rates follow at the next hour turn."""
    if len(cmd.levels) < len(state.vip_levels) or cmd.levels[0] != (RATIO_ONE_E6, RATIO_ONE_E6):
        return Reply(Refusal.CONFIGURATION_INVALID, detail="levels")
    for discount_e6, multiplier_e6 in cmd.levels:
        if not 0 <= discount_e6 <= RATIO_ONE_E6 <= multiplier_e6 <= 1000 * RATIO_ONE_E6:
            return Reply(Refusal.CONFIGURATION_INVALID, detail="levels")

    # From here the change succeeds.
    state.vip_levels = [(row[0], row[1]) for row in cmd.levels]
    add_levels(state)
    events.append(VenueChanged("vip_levels", str(len(cmd.levels))))
    return Reply(None)


def set_user_level(state: State, cmd: SetUserLevel, events: list[Event]) -> Reply:
    """Put a user on a VIP level from the next hour turn on (RULES 4.4)."""
    user = state.users.get(cmd.user)
    if user is None:
        return Reply(Refusal.USER_UNKNOWN)
    if not 0 <= cmd.level < len(state.vip_levels):
        return Reply(Refusal.CONFIGURATION_INVALID, detail="level")

    # From here the change succeeds.
    # In an order that does not depend on which account or balance was used first.
    for account in sorted(user.accounts, key=lambda account: account.id):
        for balance in account.balances:
            bring_up_to_date(state, account, balance, events)
    if state.hour >= user.next_level_hour:
        user.level = user.next_level
    user.next_level = cmd.level
    user.next_level_hour = state.hour + 1
    events.append(VenueChanged("user_level", str(user.id)))
    return Reply(None, user.id)


def fund(state: State, cmd: FundPool | FundInsurance, events: list[Event]) -> Reply:
    """Take coins from outside into a pool or the insurance fund."""
    if not 0 <= cmd.coin < len(state.coins):
        return Reply(Refusal.COIN_UNKNOWN)
    if not 0 < cmd.units <= VALUE_MAX:
        return Reply(Refusal.AMOUNT_NOT_POSITIVE)

    # From here the funding succeeds.
    coin = state.coins[cmd.coin]
    if isinstance(cmd, FundPool):
        fund_pool(coin, cmd.units)
        note_supplied(state, coin, cmd.units)
        events.append(PoolFunded(coin.id, cmd.units))
    else:
        fund_insurance(coin, cmd.units)
        events.append(InsuranceFunded(coin.id, cmd.units))
    return Reply(None)


def upgrade(state: State, cmd: Upgrade, events: list[Event]) -> Reply:
    """Put a version of the rules in force that this build knows (RULES 3.4)."""
    if not state.rules_version <= cmd.rules_version <= RULES_VERSION:
        return Reply(Refusal.RULES_VERSION_UNKNOWN, units=RULES_VERSION)
    state.rules_version = cmd.rules_version
    events.append(VenueChanged("rules_version", str(cmd.rules_version)))
    return Reply(None)
