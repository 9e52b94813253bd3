"""Announced changes: what raises risk is said first, and holds from its hour on (RULES 8.7).

New terms are checked when they are announced and again when they come into force, by the handlers
of the venue's own commands. Margin calls go out at the announcement, on the new values; nothing is
locked before they hold. A delisting is three stages of one announcement: nothing more is lent at
once, then margin orders only reduce, then `delisting` has what is owed repaid.
"""

from __future__ import annotations

from typing import Final

from lombard.core.commands import (
    AnnounceCoinTerms,
    AnnounceDelisting,
    AnnouncePairTerms,
    SetCoin,
    SetPair,
    WithdrawAnnouncement,
)
from lombard.core.delisting import (
    LENDING_ENDS,
    REDUCE_ONLY,
    REPAYMENT,
    enter_stage,
    force_all,
    withdraw_increasing,
)
from lombard.core.events import (
    AnnouncedChangeMade,
    AnnouncementWithdrawn,
    ChangeAnnounced,
    Event,
    MarginCalled,
)
from lombard.core.interest import turn_hours
from lombard.core.refusals import Refusal
from lombard.core.risk import assess, may_liquidate
from lombard.core.state import NEVER_MS, Account, Announcement, Coin, Pair, Reply, State
from lombard.core.venue import coin_problem, pair_problem, set_coin, set_pair
from lombard.core.watch import watch_all

ANNOUNCEMENTS_MAX: Final = 1_000
# The kinds of change, as events name them.
KIND_COIN: Final = "coin"
KIND_PAIR: Final = "pair"
KIND_REDUCE_ONLY: Final = "reduce_only"
KIND_REPAY: Final = "repay"
_STAGES: Final = {KIND_REDUCE_ONLY: REDUCE_ONLY, KIND_REPAY: REPAYMENT}


def announce_coin_terms(state: State, cmd: AnnounceCoinTerms, events: list[Event]) -> Reply:
    """Announce terms of a coin; call those whom they would bring to the call line."""
    if not 0 <= cmd.coin < len(state.coins):
        return Reply(Refusal.COIN_UNKNOWN)
    refusal = _refuse_time(state, cmd.effective_ms)
    if refusal is not None:
        return refusal
    coin = state.coins[cmd.coin]
    change = Announcement(KIND_COIN, cmd.coin, -1, state.time_ms, cmd.effective_ms)
    change.collateral_steps = [(row[0], row[1]) for row in cmd.collateral_steps]
    change.cross_tiers = [(row[0], row[1], row[2]) for row in cmd.cross_tiers]
    change.user_limit_units = cmd.user_limit_units
    problem = coin_problem(state, _new_coin(coin, change), coin)
    if problem:
        return Reply(Refusal.CONFIGURATION_INVALID, detail=problem)

    # From here the change is announced.
    _add(state, state.take_id(), [change], coin.name, events)
    steps, tiers = coin.collateral_steps, coin.cross_tiers
    coin.collateral_steps, coin.cross_tiers = change.collateral_steps, change.cross_tiers
    _call(state, [a for a in _debtors(state) if a.pair is None and a.find(coin)], events)
    coin.collateral_steps, coin.cross_tiers = steps, tiers
    return Reply(None, change.id)


def announce_pair_terms(state: State, cmd: AnnouncePairTerms, events: list[Event]) -> Reply:
    """Announce the isolated tiers of a pair; call those whom they would bring to the call line."""
    if not 0 <= cmd.pair < len(state.pairs):
        return Reply(Refusal.PAIR_UNKNOWN)
    refusal = _refuse_time(state, cmd.effective_ms)
    if refusal is not None:
        return refusal
    pair = state.pairs[cmd.pair]
    change = Announcement(KIND_PAIR, -1, cmd.pair, state.time_ms, cmd.effective_ms)
    change.isolated_tiers = [(row[0], row[1], row[2], row[3]) for row in cmd.isolated_tiers]
    problem = pair_problem(state, _new_pair(pair, change), pair)
    if problem:
        return Reply(Refusal.CONFIGURATION_INVALID, detail=problem)

    # From here the change is announced.
    _add(state, state.take_id(), [change], pair.symbol, events)
    tiers = pair.isolated_tiers
    pair.isolated_tiers = change.isolated_tiers
    _call(state, [account for account in _debtors(state) if account.pair is pair], events)
    pair.isolated_tiers = tiers
    return Reply(None, change.id)


def announce_delisting(state: State, cmd: AnnounceDelisting, events: list[Event]) -> Reply:
    """Announce that a coin, or a pair's isolated margin, ends; nothing of it is lent any more."""
    if (cmd.coin >= 0) == (cmd.pair >= 0):
        return Reply(Refusal.CONFIGURATION_INVALID, detail="one of coin and pair")
    if not -1 <= cmd.coin < len(state.coins):
        return Reply(Refusal.COIN_UNKNOWN)
    if not -1 <= cmd.pair < len(state.pairs):
        return Reply(Refusal.PAIR_UNKNOWN)
    for time_ms in (cmd.reduce_only_ms, cmd.repay_ms):
        refusal = _refuse_time(state, time_ms)
        if refusal is not None:
            return refusal
    if cmd.repay_ms < cmd.reduce_only_ms:
        return Reply(Refusal.CONFIGURATION_INVALID, detail="repayment comes after reduce-only")
    coin = state.coins[cmd.coin] if cmd.coin >= 0 else None
    pair = state.pairs[cmd.pair] if cmd.pair >= 0 else None
    stage = _stage(coin, pair)
    if stage:
        return Reply(Refusal.CONFIGURATION_INVALID, detail="it is being delisted")

    # From here the delisting is announced.
    now_ms = state.time_ms
    stages = [
        Announcement(KIND_REDUCE_ONLY, cmd.coin, cmd.pair, now_ms, cmd.reduce_only_ms),
        Announcement(KIND_REPAY, cmd.coin, cmd.pair, now_ms, cmd.repay_ms),
    ]
    announcement_id = state.take_id()
    _add(state, announcement_id, stages, _name(state, stages[0]), events)
    enter_stage(state, coin, pair, LENDING_ENDS)
    return Reply(None, announcement_id)


def withdraw_announcement(state: State, cmd: WithdrawAnnouncement, events: list[Event]) -> Reply:
    """Take an announcement back; a delisting ends where no stage of it is in force yet."""
    doomed = [change for change in state.announcements if change.id == cmd.announcement]
    if not doomed:
        return Reply(Refusal.CONFIGURATION_INVALID, detail="no such announcement")

    # From here it is withdrawn.
    state.announcements = [row for row in state.announcements if row.id != cmd.announcement]
    _look_ahead(state)
    first = doomed[0]
    if first.kind in _STAGES:
        coin, pair = _target(state, first)
        if _stage(coin, pair) == LENDING_ENDS:
            enter_stage(state, coin, pair, 0)
    events.append(AnnouncementWithdrawn(cmd.announcement))
    return Reply(None, cmd.announcement)


def make_due_changes(state: State, time_ms: int, events: list[Event]) -> None:
    """Make the announced changes that are due, each at its own time, after that time's hour."""
    while state.next_change_ms <= time_ms:
        change = state.announcements.pop(0)
        _look_ahead(state)
        at_ms = max(change.effective_ms, state.time_ms)
        turned = at_ms >= state.next_hour_ms and turn_hours(state, at_ms, events)
        state.time_ms = at_ms
        if turned:
            watch_all(state, events)
        problem = _make(state, change, events)
        events.append(
            AnnouncedChangeMade(
                change.id, change.kind, _name(state, change), change.effective_ms, problem
            )
        )
        watch_all(state, events)


def _make(state: State, change: Announcement, events: list[Event]) -> str:
    """Bring a change into force; return why that cannot be, or nothing."""
    coin, pair = _target(state, change)
    if change.kind == KIND_COIN:
        assert coin is not None
        return set_coin(state, _new_coin(coin, change), events).detail
    if change.kind == KIND_PAIR:
        assert pair is not None
        return set_pair(state, _new_pair(pair, change), events).detail
    enter_stage(state, coin, pair, _STAGES[change.kind])
    withdraw_increasing(state, events)
    if change.kind == KIND_REPAY:
        force_all(state, events)
    return ""


def _refuse_time(state: State, effective_ms: int) -> Reply | None:
    """Refuse a time that is past, or before the notice has run out."""
    earliest = state.time_ms + max(1, state.parameters["notice_ms"])
    if not earliest <= effective_ms < NEVER_MS:
        return Reply(Refusal.CONFIGURATION_INVALID, detail="effective time")
    if len(state.announcements) >= ANNOUNCEMENTS_MAX:
        return Reply(Refusal.CONFIGURATION_INVALID, detail="too many announcements")
    return None


def _add(
    state: State, announcement_id: int, changes: list[Announcement], name: str, events: list[Event]
) -> None:
    for change in changes:
        change.id = announcement_id
        # By time, and in the order in which they were announced.
        place = len(state.announcements)
        while place and state.announcements[place - 1].effective_ms > change.effective_ms:
            place -= 1
        state.announcements.insert(place, change)
        events.append(ChangeAnnounced(change.id, change.kind, name, change.effective_ms))
    _look_ahead(state)


def _look_ahead(state: State) -> None:
    waiting = state.announcements
    state.next_change_ms = waiting[0].effective_ms if waiting else NEVER_MS


def _debtors(state: State) -> list[Account]:
    return [state.indebted[account_id] for account_id in sorted(state.indebted)]


def _call(state: State, accounts: list[Account], events: list[Event]) -> None:
    """Call whom the terms now set, which do not hold yet, bring to the call line."""
    for account in accounts:
        if account.called or account.liquidation is not None or not may_liquidate(state, account):
            continue
        risk = assess(state, account)
        if risk.to_call():
            events.append(MarginCalled(account.id, risk.ratio_e6()))


def _target(state: State, change: Announcement) -> tuple[Coin | None, Pair | None]:
    coin = state.coins[change.coin] if change.coin >= 0 else None
    pair = state.pairs[change.pair] if change.pair >= 0 else None
    return coin, pair


def _name(state: State, change: Announcement) -> str:
    return state.coins[change.coin].name if change.coin >= 0 else state.pairs[change.pair].symbol


def _stage(coin: Coin | None, pair: Pair | None) -> int:
    if coin is not None:
        return coin.delisting
    assert pair is not None
    return pair.delisting


def _new_coin(coin: Coin, change: Announcement) -> SetCoin:
    """Return the coin's terms with the announced ones in their place."""
    return SetCoin(
        coin.name,
        coin.decimals,
        change.collateral_steps,
        change.cross_tiers,
        change.user_limit_units,
        coin.min_borrow_units,
        coin.borrowable,
        coin.transferable,
    )


def _new_pair(pair: Pair, change: Announcement) -> SetPair:
    """Return the pair's terms with the announced tiers in their place."""
    return SetPair(
        pair.symbol,
        pair.base.id,
        pair.quote.id,
        pair.tick_e12,
        pair.step_units,
        pair.maker_fee_e6,
        pair.taker_fee_e6,
        pair.min_value_units,
        pair.min_size_steps,
        pair.max_size_steps,
        pair.max_open_orders,
        change.isolated_tiers,
        pair.liquidation_fee_e6,
        pair.crossed,
        pair.trading,
    )
