"""Snapshots: the whole state as canonical lines, and back (DESIGN 2).

Each line is a JSON array; whole numbers of any size are exact there. The same state gives the same
lines, whatever path led to it: balances that were never used, and prices at which nothing stands,
leave no trace, and whatever has an order of its own is written in it.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any, Final

from lombard.core.book import Order
from lombard.core.bounds import set_price_bounds, set_ratio_bounds
from lombard.core.campaigns import Campaign
from lombard.core.commands import SLOT_ISOLATED, slot_of, stamp_of, user_of
from lombard.core.coupon_snapshot import campaign_row, coupon_row, read_campaign, read_coupon
from lombard.core.coupons import resume as resume_coupons
from lombard.core.delisting import set_reduce_only
from lombard.core.index import set_bands
from lombard.core.matching import resting_side
from lombard.core.state import (
    PARAMETERS,
    RULES_VERSION,
    Account,
    Announcement,
    Coin,
    Liquidation,
    Pair,
    Proposal,
    Remembered,
    Reply,
    State,
    User,
)
from lombard.core.trigger_snapshot import read_due, read_trigger, trigger_rows
from lombard.core.units import HOUR_MS, net_interest_units

FORMAT: Final = 1
# A line as parsed: its values are checked by what reads them.
Row = list[Any]


def lines(state: State) -> Iterator[str]:
    """Write the state, one line after another."""
    yield _line(["lombard", FORMAT])
    yield _line(["clock", state.seq, state.time_ms, state.reminded_minute])
    yield from _body(state)
    for segment in state.replies.segments:
        for command_id, reply in zip(segment.ids, segment.replies, strict=True):
            yield _line(["reply", command_id.hex(), reply.id, reply.units, reply.remaining])


def state_hash(state: State) -> str:
    """Return BLAKE2b-256 over the lines, without sequence number, time and command ids.

    Command ids come from signatures, and those from the machine's clock: the same run signed again
    is the same run.
    """
    digest = blake2b(digest_size=32)
    for line in _body(state):
        digest.update(line.encode())
        digest.update(b"\n")
    return digest.hexdigest()


def _line(row: Row) -> str:
    return json.dumps(row, separators=(",", ":"))


def _body(state: State) -> Iterator[str]:
    yield _line(_venue_row(state))
    yield _line(["hours", *state.hour_ids])
    for coin in state.coins:
        yield _line(_coin_row(coin))
    for pair in state.pairs:
        yield _line(_pair_row(pair))
    for user_id in sorted(state.users):
        yield _line(_user_row(state.users[user_id]))
    for account_id in sorted(state.accounts):
        yield from _account_lines(state.accounts[account_id])
    for campaign_id in sorted(state.campaigns):
        yield _line(campaign_row(state.campaigns[campaign_id]))
    for user_id in sorted(state.users):
        coupons = state.users[user_id].coupons
        for campaign_id in sorted(coupons):
            yield _line(coupon_row(coupons[campaign_id]))
    for pair in state.pairs:
        for side in (pair.bids, pair.asks):
            for order in side.orders():
                yield _line(_order_row(order))
    for account_id in sorted(state.liquidations):
        yield _line(_liquidation_row(state.liquidations[account_id]))
    yield _line(["queue", *sorted(state.liquidation_queue)])
    yield _line(["waiting", *state.waiting])
    for change in state.announcements:
        yield _line(_announcement_row(change))
    yield from map(_line, _frozen_rows(list(state.accounts.values())))
    for proposal in state.proposals.values():
        yield _line(_proposal_row(proposal))
    for row in trigger_rows(state):
        yield _line(row)
    if state.audit_entry:
        yield _line(["audit", state.audit_entry, state.audit_digest])


def _venue_row(state: State) -> Row:
    return [
        "venue",
        state.rules_version,
        state.first_hour,
        state.hour,
        state.next_id,
        state.next_user,
        sorted(state.parameters.items()),
        state.vip_levels,
    ]


# The fields of a coin, a pair and an order that are written as they are.
_COIN: Final = [
    "user_limit_units",
    "min_borrow_units",
    "borrowable",
    "transferable",
    "price_e12",
    "slow_price_e12",
    "slow_time_ms",
    "price_time_ms",
    "price_sources",
    "price_spread_e6",
    "price_max_age_ms",
    "pool_units",
    "lent_units",
    "supplied_units",
    "loss_units",
    "insurance_units",
    "fee_units",
    "interest_units",
    "external_units",
    "has_rate",
    "lent_ms",
    "supplied_ms",
    "delisting",
]
_PAIR: Final = [
    "maker_fee_e6",
    "taker_fee_e6",
    "min_value_units",
    "min_size_steps",
    "max_size_steps",
    "max_open_orders",
    "liquidation_fee_e6",
    "crossed",
    "trading",
    "last_price_ticks",
    "delisting",
]
_ORDER: Final = [
    "remaining_steps",
    "frozen_units",
    "filled_steps",
    "filled_quote_units",
    "received_units",
    "fee_numerator",
    "fee_units",
    "borrowed_units",
]


def _coin_row(coin: Coin) -> Row:
    terms: Row = ["coin", coin.id, coin.name, coin.decimals]
    values: Row = [getattr(coin, name) for name in _COIN]
    return [
        *terms,
        coin.collateral_steps,
        coin.cross_tiers,
        coin.prefix_e12,
        coin.rate_curve,
        *values,
    ]


def _pair_row(pair: Pair) -> Row:
    terms: Row = ["pair", pair.id, pair.symbol, pair.base.id, pair.quote.id]
    values: Row = [getattr(pair, name) for name in _PAIR]
    return [*terms, pair.tick_e12, pair.step_units, pair.isolated_tiers, *values]


def _user_row(user: User) -> Row:
    return ["user", user.id, user.level, user.next_level, user.next_level_hour]


def _order_row(order: Order) -> Row:
    terms: Row = ["order", order.id, order.account.id, order.pair.id, order.side, order.kind]
    terms += [order.force, order.loan_type, order.stp, order.price_ticks, order.size_steps]
    terms += [order.quote_units, order.client_oid, order.source, order.time_ms]
    values: Row = [getattr(order, name) for name in _ORDER]
    return [*terms, *values]


def _announcement_row(change: Announcement) -> Row:
    terms: Row = ["announcement", change.id, change.kind, change.coin, change.pair]
    terms += [change.announced_ms, change.effective_ms, change.collateral_steps]
    return [*terms, change.cross_tiers, change.user_limit_units, change.isolated_tiers]


def _account_row(account: Account) -> Row:
    balances: Row = []
    for balance in account.balances:
        row = [balance.available_units, balance.frozen_units, balance.principal_units]
        row += [balance.charged, balance.saved, balance.paid_units]
        if any(row):
            # The hour says something only while there is principal.
            hour = balance.hour if balance.principal_units else 0
            balances.append([balance.coin.id, *row, hour])
    return ["account", account.id, account.leverage, account.called, balances]


def _account_lines(account: Account) -> Iterator[str]:
    yield _line(_account_row(account))
    for key, first in account.client_oids.items():
        body = [first.time_ms, first.content, first.id, first.units, first.remaining]
        yield _line(["client_oid", account.id, key, *body])


def _liquidation_row(job: Liquidation) -> Row:
    row = ["liquidation", job.account.id, job.id, job.started_ms, job.step]
    return [*row, job.fee_value_e26, job.stalled, job.forced]


def _frozen_rows(accounts: list[Account]) -> list[Row]:
    """Say which accounts are frozen: nothing, as before there was freezing, when none is."""
    frozen = sorted([account.id for account in accounts if account.frozen])
    return [["frozen", *frozen]] if frozen else []


def _proposal_row(made: Proposal) -> Row:
    terms: Row = ["proposal", made.id, made.operator, made.proposed_ms, made.kind]
    return [*terms, made.user, made.coin, made.units]


def copy_part(
    state: State,
    accounts: list[Account],
    orders: list[Order],
    claimed: Campaign | None = None,
) -> State:
    """Copy the venue's terms, some accounts, and some of their orders in their order of trading.

    Coupons come with the accounts they are bound to; `claimed` is one more campaign.

    Client ids stay behind. Lists of numbers by hour are shared with the original: they grow only
    when an hour turns, which must not happen to the copy.
    """
    part = State()
    part.seq, part.time_ms = state.seq, state.time_ms
    rows: list[Row] = [_venue_row(state), ["hours", *state.hour_ids]]
    rows += [_coin_row(coin) for coin in state.coins]
    rows += [_pair_row(pair) for pair in state.pairs]
    users = {account.user.id: account.user for account in accounts}
    rows += [_user_row(user) for user in users.values()]
    rows += [_account_row(account) for account in accounts]
    rows += _frozen_rows(accounts)
    rows += [_order_row(order) for order in orders]
    copied = {account.id: True for account in accounts}
    copied[0] = True
    held = [coupon for user in users.values() for coupon in user.coupons.values()]
    held = [coupon for coupon in held if coupon.account in copied]
    campaigns = {coupon.campaign.id: coupon.campaign for coupon in held}
    if claimed is not None:
        campaigns[claimed.id] = claimed
    rows += [campaign_row(campaign) for campaign in campaigns.values()]
    rows += [coupon_row(coupon) for coupon in held]
    jobs = [account.liquidation for account in accounts if account.liquidation is not None]
    rows += [_liquidation_row(job) for job in jobs]
    for row in rows:
        _READERS[row[0]](part, row)
    _finish(part)
    return part


def restore(lines: Iterable[str]) -> State:
    """Make a state from its lines. Raises `ValueError` on anything malformed."""
    try:
        return _restore(iter(lines))
    except ValueError:
        raise
    except Exception as error:
        # Whatever a damaged line made of the readers, it is the snapshot's fault.
        raise ValueError(f"a malformed snapshot: {error!r}") from error


def _restore(rows: Iterator[str]) -> State:
    state = State()
    if _row(next(rows, "[]")) != ["lombard", FORMAT]:
        raise ValueError("not a snapshot of a format this build knows")
    kind, state.seq, state.time_ms, state.reminded_minute = _row(next(rows, "[]"))
    if kind != "clock":
        raise ValueError("a snapshot without a clock")
    for line in rows:
        row = _row(line)
        _READERS[row[0]](state, row)
    _finish(state)
    # Whose reply it was is not written: until it is passed, every account looks.
    for account in state.accounts.values():
        account.latest_stamp = state.replies.highest()
    return state


def _finish(state: State) -> None:
    """Work out what rows alone do not say."""
    for pair in state.pairs:
        set_bands(state, pair)
        set_reduce_only(pair)
    resume_coupons(state)


def _row(line: str) -> Row:
    row: Row = json.loads(line, parse_float=_refuse_number, parse_constant=_refuse_number)
    return row


def _refuse_number(text: str) -> None:
    raise ValueError(f"{text} in a snapshot: its numbers are whole")


def _read_venue(state: State, row: Row) -> None:
    if row[1] > RULES_VERSION:
        raise ValueError(f"rules version {row[1]} is newer than this build's {RULES_VERSION}")
    state.rules_version, state.first_hour, state.hour = row[1], row[2], row[3]
    state.next_id, state.next_user = row[4], row[5]
    for name, value in row[6]:
        if name not in PARAMETERS:
            raise ValueError(f"unknown parameter {name}")
        state.set_parameter(name, value)
    state.vip_levels = [(discount, multiplier) for discount, multiplier in row[7]]
    state.next_hour_ms = (state.first_hour + state.hour + 1) * HOUR_MS
    if state.first_hour < 0:
        state.next_hour_ms = 0


def _read_hours(state: State, row: Row) -> None:
    state.hour_ids = row[1:]


def _read_coin(state: State, row: Row) -> None:
    coin = Coin(row[1], row[2], row[3])
    coin.collateral_steps = [(up_to, ratio) for up_to, ratio in row[4]]
    coin.cross_tiers = [(most, leverage, mmr) for most, leverage, mmr in row[5]]
    coin.prefix_e12 = row[6]
    base, kink, at_kink, at_full, premium = row[7]
    coin.rate_curve = (base, kink, at_kink, at_full, premium)
    for name, value in zip(_COIN, row[8:], strict=True):
        setattr(coin, name, value)
    set_ratio_bounds(coin)
    set_price_bounds(coin)
    state.coins.append(coin)
    state.coin_ids[coin.name] = coin.id


def _read_pair(state: State, row: Row) -> None:
    base, quote = state.coins[row[3]], state.coins[row[4]]
    if type(row[5]) is not int or type(row[6]) is not int:
        # Anything else could be multiplied too, and fill the memory.
        raise TypeError("a pair's precision")
    pair = Pair(row[1], row[2], base, quote, row[5], row[6])
    pair.isolated_tiers = [(base, quote, leverage, mmr) for base, quote, leverage, mmr in row[7]]
    for name, value in zip(_PAIR, row[8:], strict=True):
        setattr(pair, name, value)
    state.pairs.append(pair)
    state.pair_ids[pair.symbol] = pair.id


def _read_user(state: State, row: Row) -> None:
    user = User(row[1])
    user.level, user.next_level, user.next_level_hour = row[2], row[3], row[4]
    state.users[user.id] = user


def _read_account(state: State, row: Row) -> None:
    account_id = row[1]
    slot = slot_of(account_id)
    pair = state.pairs[slot - SLOT_ISOLATED] if slot >= SLOT_ISOLATED else None
    user = state.users[user_of(account_id)]
    account = Account(account_id, user, pair)
    account.leverage, account.called = row[2], row[3]
    for coin_id, available, frozen, principal, charged, saved, paid, hour in row[4]:
        balance = account.balance(state.coins[coin_id])
        balance.available_units, balance.frozen_units = available, frozen
        balance.principal_units, balance.charged, balance.saved = principal, charged, saved
        balance.paid_units, balance.hour = paid, hour
        balance.shown_units = net_interest_units(charged, saved)
        if principal:
            account.debts += 1
            state.indebted[account_id] = account
            state.remember_debt(account)
    state.open_account(account)


def _read_client_oid(state: State, row: Row) -> None:
    first = Remembered(row[3], row[4], row[5], row[6], row[7])
    state.accounts[row[1]].client_oids[row[2]] = first


def _read_order(state: State, row: Row) -> None:
    account, pair, side = state.accounts[row[2]], state.pairs[row[3]], row[4]
    base, quote = account.balance(pair.base), account.balance(pair.quote)
    pay, get = (base, quote) if side else (quote, base)
    order = Order(
        row[1], account, pair, pay, get, side, row[5], row[6], row[7], row[8], row[9], row[10],
        row[11], row[12], row[13], row[14],
    )  # fmt: skip
    for name, value in zip(_ORDER, row[15:], strict=True):
        setattr(order, name, value)
    account.keep(order)
    resting_side(order).add(order)


def _read_liquidation(state: State, row: Row) -> None:
    account = state.accounts[row[1]]
    job = Liquidation(row[2], account, row[3])
    job.step, job.fee_value_e26, job.stalled, job.forced = row[4], row[5], row[6], row[7]
    account.liquidation = job
    state.liquidations[account.id] = job


def _read_queue(state: State, row: Row) -> None:
    state.liquidation_queue = [(ratio, account_id) for ratio, account_id in row[1:]]
    heapq.heapify(state.liquidation_queue)


def _read_waiting(state: State, row: Row) -> None:
    state.waiting = row[1:]
    for account_id in state.waiting:
        state.liquidations[account_id].waiting = True


def _read_announcement(state: State, row: Row) -> None:
    change = Announcement(row[2], row[3], row[4], row[5], row[6])
    change.id = row[1]
    change.collateral_steps = [(up_to, ratio) for up_to, ratio in row[7]]
    change.cross_tiers = [(most, leverage, mmr) for most, leverage, mmr in row[8]]
    change.user_limit_units = row[9]
    change.isolated_tiers = [(base, quote, leverage, mmr) for base, quote, leverage, mmr in row[10]]
    state.announcements.append(change)
    state.next_change_ms = state.announcements[0].effective_ms


def _read_frozen(state: State, row: Row) -> None:
    for account_id in row[1:]:
        state.accounts[account_id].frozen = True


def _read_proposal(state: State, row: Row) -> None:
    made = Proposal(row[1], row[2], row[3], row[4], row[5], row[6], row[7])
    state.proposals[made.id] = made


def _read_audit(state: State, row: Row) -> None:
    state.audit_entry, state.audit_digest = row[1], row[2]


def _read_reply(state: State, row: Row) -> None:
    command_id = bytes.fromhex(row[1])
    state.replies.keep(command_id, stamp_of(command_id), Reply(None, row[2], row[3], row[4]))


_READERS: Final = {
    "venue": _read_venue,
    "hours": _read_hours,
    "coin": _read_coin,
    "pair": _read_pair,
    "user": _read_user,
    "account": _read_account,
    "campaign": read_campaign,
    "coupon": read_coupon,
    "client_oid": _read_client_oid,
    "order": _read_order,
    "liquidation": _read_liquidation,
    "queue": _read_queue,
    "trigger": read_trigger,
    "due": read_due,
    "waiting": _read_waiting,
    "announcement": _read_announcement,
    "frozen": _read_frozen,
    "proposal": _read_proposal,
    "audit": _read_audit,
    "reply": _read_reply,
}
