"""Announced changes as the auditor sees them: answered now, made at their time (RULES 8.7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core.refusals import Refusal
from lombard.sim import terms_oracle
from lombard.sim.law import hold
from lombard.sim.terms import LENDING_ENDS, REDUCE_ONLY, REPAYMENT, What
from lombard.sim.venue import Answer, is_beside_the_command

if TYPE_CHECKING:
    from lombard.sim.auditor import Auditor

INVALID = Answer(Refusal.CONFIGURATION_INVALID)
MOST = 1_000
NEVER_MS = 2**61
STAGES = {"reduce_only": REDUCE_ONLY, "repay": REPAYMENT}


@dataclass
class Announced:
    """A change that is to come: new terms, or a stage of a delisting."""

    id: int
    kind: str
    what: What
    effective_ms: int
    cmd: c.AnnounceCoinTerms | c.AnnouncePairTerms | None = None

    def terms(self, a: Auditor) -> c.SetCoin | c.SetPair:
        """Return the terms of now with the announced ones in their place."""
        if isinstance(self.cmd, c.AnnounceCoinTerms):
            coin = a.terms.coins[self.cmd.coin]
            return c.SetCoin(
                coin.name, coin.decimals, self.cmd.collateral_steps, self.cmd.cross_tiers,
                self.cmd.user_limit_units, coin.min_borrow_units, coin.borrowable,
                coin.transferable,
            )  # fmt: skip
        assert self.cmd is not None
        pair = a.terms.pairs[self.cmd.pair].terms
        return c.SetPair(
            pair.symbol, pair.base, pair.quote, pair.tick_e12, pair.step_units, pair.maker_fee_e6,
            pair.taker_fee_e6, pair.min_value_units, pair.min_size_steps, pair.max_size_steps,
            pair.max_open_orders, self.cmd.isolated_tiers, pair.liquidation_fee_e6, pair.crossed,
            pair.trading,
        )  # fmt: skip

    def right(self, a: Auditor) -> bool:
        """Say whether the announced terms are possible now."""
        terms = self.terms(a)
        if isinstance(terms, c.SetCoin):
            return terms_oracle.coin_is_right(a, terms)
        return terms_oracle.pair_is_right(a, terms)

    def name(self, a: Auditor) -> str:
        """Name what is changed."""
        kind, number = self.what
        return a.terms.coins[number].name if kind == "coin" else a.terms.pairs[number].terms.symbol


# --- announcing -----------------------------------------------------------------------------------


def coin_terms(a: Auditor, account: int, cmd: c.AnnounceCoinTerms) -> Answer:
    """RULES 8.7: checked now, and again when they come into force."""
    if cmd.coin not in range(len(a.terms.coins)):
        return Answer(Refusal.COIN_UNKNOWN)
    return announce_terms(
        a, Announced(a.reply.id, "coin", ("coin", cmd.coin), cmd.effective_ms, cmd)
    )


def pair_terms(a: Auditor, account: int, cmd: c.AnnouncePairTerms) -> Answer:
    """RULES 8.7: the isolated tiers of a pair."""
    if cmd.pair not in range(len(a.terms.pairs)):
        return Answer(Refusal.PAIR_UNKNOWN)
    return announce_terms(
        a, Announced(a.reply.id, "pair", ("pair", cmd.pair), cmd.effective_ms, cmd)
    )


def announce_terms(a: Auditor, change: Announced) -> Answer:
    """Announce terms that are possible, and call whom they would bring to the call line."""
    if not in_time(a, change.effective_ms) or not change.right(a):
        return INVALID
    add(a, [change])
    before, new = a.terms.terms_of(change.what), change.terms(a)
    a.terms.put(change.what, new)
    a.callable = {account for account in debtors(a, change.what) if at_call_line(a, account)}
    a.terms.put(change.what, before)
    return Answer(None)


def delisting(a: Auditor, account: int, cmd: c.AnnounceDelisting) -> Answer:
    """RULES 8.7: nothing more of it is lent at once; the rest comes in two stages."""
    if (cmd.coin >= 0) == (cmd.pair >= 0):
        return INVALID
    if cmd.coin not in range(-1, len(a.terms.coins)):
        return Answer(Refusal.COIN_UNKNOWN)
    if cmd.pair not in range(-1, len(a.terms.pairs)):
        return Answer(Refusal.PAIR_UNKNOWN)
    what: What = ("coin", cmd.coin) if cmd.coin >= 0 else ("pair", cmd.pair)
    right = in_time(a, cmd.reduce_only_ms) and in_time(a, cmd.repay_ms)
    if not right or cmd.repay_ms < cmd.reduce_only_ms or a.terms.stages[what]:
        return INVALID
    first = Announced(a.reply.id, "reduce_only", what, cmd.reduce_only_ms)
    add(a, [first, Announced(a.reply.id, "repay", what, cmd.repay_ms)])
    a.terms.enter(what, LENDING_ENDS)
    return Answer(None)


def withdraw(a: Auditor, account: int, cmd: c.WithdrawAnnouncement) -> Answer:
    """Take back what has not come into force; a delisting ends if no stage of it has."""
    doomed = [change for change in a.announced if change.id == cmd.announcement]
    if not doomed:
        return INVALID
    a.announced = [change for change in a.announced if change not in doomed]
    what = doomed[0].what
    if doomed[0].kind in STAGES and a.terms.stages[what] == LENDING_ENDS:
        a.terms.stages[what] = 0
    a.expect(e.AnnouncementWithdrawn, announcement_id=cmd.announcement)
    return Answer(None, None, None, cmd.announcement)


def in_time(a: Auditor, effective_ms: int) -> bool:
    """Say whether a time is later than the notice, and the venue has not announced too much."""
    earliest = a.time_ms + max(1, a.terms.parameters["notice_ms"])
    return earliest <= effective_ms < NEVER_MS and len(a.announced) < MOST


def add(a: Auditor, changes: list[Announced]) -> None:
    """Announce changes; those of one time are made in the order of their announcement."""
    for change in changes:
        name = change.name(a)
        a.expect(
            e.ChangeAnnounced,
            announcement_id=change.id,
            kind=change.kind,
            what=name,
            effective_ms=change.effective_ms,
        )
    a.announced = sorted([*a.announced, *changes], key=lambda change: change.effective_ms)


def debtors(a: Auditor, what: What) -> list[int]:
    """List the debtors whom the terms of a coin or a pair concern."""
    kind, number = what
    slots = {c.SLOT_CROSSED} if kind == "coin" else {c.SLOT_ISOLATED + number}
    return [account for account in sorted(a.venue.accounts) if a.indebted(account)
            and c.slot_of(account) in slots]  # fmt: skip


def at_call_line(a: Auditor, account: int) -> bool:
    """Say whether an account that is watched would be called (RULES 7.3)."""
    net, _, needed = a.risk(account)
    return account not in a.locked and a.trusts_prices(account) and 4 * net <= 5 * needed


# --- in force -------------------------------------------------------------------------------------


def reach(a: Auditor, event: e.Event, change: Announced) -> None:
    """Begin with a change that is due, when its first event comes."""
    watched = is_beside_the_command(event) and is_watched(a, event)
    if isinstance(event, e.HourTurned):
        a.time_ms = max(a.time_ms, change.effective_ms)
    elif not (a.changing or watched):
        a.time_ms = max(a.time_ms, change.effective_ms)
        a.changing = True
        begin(a, change)


def is_watched(a: Auditor, event: e.Event) -> bool:
    """Say whether an event is what watching brings, not what a delisting does."""
    if not isinstance(event, e.LiquidationStarted):
        return True
    net, _, needed = a.risk(event.account)
    return net <= needed and a.trusts_prices(event.account)


def begin(a: Auditor, change: Announced) -> None:
    """Bring a change into force: say what must happen first."""
    if change.kind not in STAGES:
        if change.right(a):
            new = change.terms(a)
            a.terms.change(new)
            a.expect(e.VenueChanged, kind=change.kind, what=change.name(a))
        return
    a.terms.enter(change.what, STAGES[change.kind])
    for number in range(len(a.terms.pairs)):
        for side in (c.BUY, c.SELL):
            for order in a.book.side(number, side):
                if increases(a, order.account, number, side):
                    a.take_out(order, e.CLOSED_BY_VENUE)


def increases(a: Auditor, account: int, pair_id: int, side: int) -> bool:
    """Say whether a resting margin order brings more of what may only be reduced."""
    pair = a.terms.pairs[pair_id]
    pays, gets = (pair.quote, pair.base) if side == c.BUY else (pair.base, pair.quote)
    slot = c.slot_of(account)
    if slot == c.SLOT_SPOT or a.loans[account, gets].principal:
        return False
    pay_ends, get_ends = (a.terms.stages["coin", coin] >= REDUCE_ONLY for coin in (pays, gets))
    if get_ends:
        return True
    pair_ends = a.terms.stages["pair", pair_id] >= REDUCE_ONLY
    return pair_ends and slot >= c.SLOT_ISOLATED and not pay_ends


def made(a: Auditor, event: e.AnnouncedChangeMade, change: Announced) -> None:
    """See that a change is the one that was due, and has been made whole."""
    told = (event.announcement_id, event.kind, event.effective_ms, event.what)
    due = (change.id, change.kind, change.effective_ms, change.name(a))
    hold("announced changes are made in their order", due, told)
    if change.kind == "repay":
        for account in sorted(a.venue.accounts):
            overlooked = owes_delisted(a, account) and account not in a.locked
            hold("who owes what is delisted is locked", False, overlooked)


def owes_delisted(a: Auditor, account: int) -> bool:
    """Say whether an account owes something that is repaid by force."""
    slot = c.slot_of(account)
    if a.terms.stages["pair", slot - c.SLOT_ISOLATED] >= REPAYMENT and a.indebted(account):
        return True
    coins = range(len(a.terms.coins))
    ends = [coin for coin in coins if a.terms.stages["coin", coin] >= REPAYMENT]
    return any(a.loans[account, coin].principal for coin in ends)


def turn_to_liquidation(a: Auditor, event: e.Event) -> None:
    """See a repayment by force become a liquidation, when a step finds its account at the line."""
    account = getattr(event, "account", 0)
    if isinstance(event, e.LiquidationStepped):
        a.stepping = 0
    elif account in a.forced and account != a.stepping:
        a.stepping = account
        net, _, needed = a.risk(account)
        if net <= needed and a.trusts_prices(account):
            a.forced.discard(account)


def refuse_increase(a: Auditor, account: int, cmd: c.PlaceOrder) -> Answer | None:
    """Refuse a margin order that does more than reduce what is being delisted."""
    slot = c.slot_of(account)
    if slot == c.SLOT_SPOT:
        return None
    pair = a.terms.pairs[cmd.pair]
    pays, gets = (pair.quote, pair.base) if cmd.side == c.BUY else (pair.base, pair.quote)
    pay_ends, get_ends = (a.terms.stages["coin", coin] >= REDUCE_ONLY for coin in (pays, gets))
    pair_ends = slot >= c.SLOT_ISOLATED and a.terms.stages["pair", cmd.pair] >= REDUCE_ONLY
    if not (pay_ends or get_ends or pair_ends):
        return None
    refusal = Answer(Refusal.REDUCE_ONLY, None, pair.terms.symbol)
    if cmd.loan_type & c.AUTO_LOAN:
        return refusal
    if pay_ends and not get_ends:
        return None
    owed = a.loans[account, gets].debt
    if not owed:
        return refusal
    low, high = 0, 0
    if pair.base in a.terms.prices and pair.quote in a.terms.prices:
        low, high = a.terms.band(cmd.pair, "band_e6")
    edge = high if cmd.side == c.BUY else low
    price = max(1, cmd.price_ticks if cmd.kind == c.LIMIT else edge)
    steps = cmd.size_steps
    if cmd.side == c.BUY and cmd.kind != c.LIMIT:
        steps = cmd.quote_units // (price * pair.quote_per_tick_step)
    brings = pair.step_units if cmd.side == c.BUY else price * pair.quote_per_tick_step
    wanted = ceil(owed / (1 - max(pair.maker_fee, pair.taker_fee)))
    return refusal if (steps - 1) * brings >= wanted else None


FORESEEN: dict[type[c.Command], Callable[[Auditor, int, Any], Answer]] = {
    c.AnnounceCoinTerms: coin_terms,
    c.AnnouncePairTerms: pair_terms,
    c.AnnounceDelisting: delisting,
    c.WithdrawAnnouncement: withdraw,
}
