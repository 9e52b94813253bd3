"""Why: every limit term by term, the one that binds, and the refusal just beyond it.

What is said here is what the engine decides: borrowing and transfers are explained from the very
terms their limits are made of, an order's largest size is found by giving the engine orders on a
fork. So the largest allowed amount is accepted, and one unit more is refused, for the reason named.
"""

from __future__ import annotations

from typing import Final, final

from lombard.core.borrow_limit import Limit, borrow_terms, least
from lombard.core.commands import (
    AUTO_LOAN,
    BUY,
    MARKET,
    SLOT_CROSSED,
    SLOT_SPOT,
    Borrow,
    Envelope,
    PlaceOrder,
    Transfer,
    account_id,
    slot_of,
)
from lombard.core.engine import Engine
from lombard.core.fork import fork
from lombard.core.lending import decide_borrow, refuse_lending
from lombard.core.liquidation_price import LiquidationPrice, liquidation_price
from lombard.core.refusals import Refusal
from lombard.core.risk import Risk, assess, debt_units, needed_e6, weighted_e6
from lombard.core.state import Account, Coin, Pair, Reply, State
from lombard.core.terms import Term
from lombard.core.transfers import decide_transfer, transfer_terms
from lombard.core.units import RATIO_ONE_E6, VALUE_MAX

BY_MINIMUM: Final = "minimum"
# What a limit says of itself when it is the amount that was too much.
_LIMITS: Final = [
    Refusal.BORROW_OVER_LEVERAGE,
    Refusal.BORROW_OVER_RATIO,
    Refusal.BORROW_OVER_USER_LIMIT,
    Refusal.BORROW_OVER_POOL,
    Refusal.TRANSFER_OVER_MAXIMUM,
    Refusal.INSUFFICIENT_BALANCE,
]


@final
class Explanation:
    """The most that is allowed, its terms, which one binds, and what stands in the way of all.

    `blocked` is the refusal that any amount would have; then nothing is allowed, whatever the terms
    say. `tier` is the binding term's, 0 for none.
    """

    __slots__ = ("binding", "blocked", "terms", "tier", "units")

    def __init__(
        self, units: int, binding: str, tier: int, terms: list[Term], blocked: Reply | None
    ) -> None:
        self.units: Final = units
        self.binding: Final = binding
        self.tier: Final = tier
        self.terms: Final = terms
        self.blocked: Final = blocked


@final
class OrderExplanation:
    """What an order would come to, and the largest one like it.

    `most` is in steps, or in quote units for a market buy, 0 when none is allowed; `beyond` is the
    reply to the next larger one; `terms` are what it could be paid with: own coins, and, with
    auto-borrow, the terms of a loan. `risk` is the account's now, `after` with the largest order.
    """

    __slots__ = ("after", "beyond", "borrow", "most", "own_units", "pay", "reply", "risk")

    def __init__(
        self,
        reply: Reply,
        most: int,
        beyond: Reply,
        pay: Coin,
        own_units: int,
        borrow: Explanation | None,
        risk: Risk,
        after: Risk,
    ) -> None:
        self.reply: Final = reply
        self.most: Final = most
        self.beyond: Final = beyond
        self.pay: Final = pay
        self.own_units: Final = own_units
        self.borrow: Final = borrow
        self.risk: Final = risk
        self.after: Final = after


@final
class Part:
    """What one coin adds to N and K, in 1e-26 USDT, and where its price would end the account."""

    __slots__ = (
        "coin",
        "debt_units",
        "held_units",
        "liquidation_price",
        "maintenance_e26",
        "net_e26",
    )

    def __init__(
        self,
        coin: Coin,
        held_units: int,
        debt_units_: int,
        net_e26: int,
        maintenance_e26: int,
        price: LiquidationPrice | None,
    ) -> None:
        self.coin: Final = coin
        self.held_units: Final = held_units
        self.debt_units: Final = debt_units_
        self.net_e26: Final = net_e26
        self.maintenance_e26: Final = maintenance_e26
        self.liquidation_price: Final = price


def explain_borrow(state: State, account: Account, coin: Coin) -> Explanation:
    """Explain the most an account may borrow of a coin now (RULES 6.1, 6.2)."""
    least_loan = Borrow(coin.id, coin.min_borrow_units, "")
    blocked = _blocked(decide_borrow(state, account, least_loan))
    if coin.price_e12 == 0 or not account.margin or not account.holds(coin):
        return Explanation(0, "", 0, [], blocked)
    terms = borrow_terms(state, account, coin)
    limit = least(terms)
    terms.append(Term(BY_MINIMUM, coin.min_borrow_units))
    if blocked is not None:
        return Explanation(0, "", 0, terms, blocked)
    if 0 < limit.units < coin.min_borrow_units:
        limit = Limit(0, BY_MINIMUM)
    return Explanation(min(limit.units, VALUE_MAX), limit.binding, limit.tier, terms, None)


def explain_transfer(state: State, account: Account, coin: Coin) -> Explanation:
    """Explain the most of a coin that may leave an account now (RULES 9.1)."""
    slot = SLOT_CROSSED if slot_of(account.id) == SLOT_SPOT else SLOT_SPOT
    one = Transfer(account_id(account.user.id, slot), coin.id, 1, "")
    blocked = _blocked(decide_transfer(state, account, one))
    if not account.holds(coin):
        return Explanation(0, "", 0, [], blocked)
    terms = transfer_terms(state, account, coin)
    if blocked is not None:
        return Explanation(0, "", 0, terms, blocked)
    binding = terms[0]
    for term in terms:
        # What is exceeded allows nothing, as does having nothing, which is looked at first.
        if max(0, term.units) < binding.units:
            binding = term
    return Explanation(max(0, binding.units), binding.name, 0, terms, None)


def _blocked(reply: Reply | None) -> Reply | None:
    """Return a refusal that has nothing to do with the amount."""
    if reply is None or reply.refusal in _LIMITS:
        return None
    return reply


def explain_account(state: State, account: Account) -> list[Part]:
    """Return what each coin adds to an account's N and K; their sums are `assess` (RULES 7.2)."""
    parts: list[Part] = []
    for balance in account.balances:
        coin = balance.coin
        held = balance.available_units + balance.frozen_units
        owed = debt_units(state, account, balance)
        if held == 0 and owed == 0:
            continue
        price = coin.price_e12 * coin.value_scale
        excess = held - owed
        net = price * excess * RATIO_ONE_E6
        if excess > 0:
            net = price * weighted_e6(account, coin, excess)
        needed = 0
        if owed:
            needed = price * needed_e6(account, coin, balance.principal_units, owed)
        ends = liquidation_price(state, account, coin)
        parts.append(Part(coin, held, owed, net, needed, ends))
    return parts


def explain_order(state: State, account: Account, cmd: PlaceOrder) -> OrderExplanation | None:
    """Explain an order: why it would be refused, and how large one like it may be.

    None for a pair that does not exist. The client id is not looked at.
    """
    if not 0 <= cmd.pair < len(state.pairs):
        return None
    pair = state.pairs[cmd.pair]
    pay = pair.quote if cmd.side == BUY else pair.base
    balance = account.find(pay)
    own = 0 if balance is None else balance.available_units
    borrow: Explanation | None = None
    loan = 0
    if cmd.loan_type & AUTO_LOAN and account.margin and account.holds(pay):
        borrow = _explain_auto_borrow(state, account, pay)
        loan = borrow.units
    most_ever = _affordable(pair, cmd, own + loan)
    trial = _Trial(state, account, cmd, most_ever + 1)
    most = trial.largest(most_ever)
    after = assess(state, account) if most == 0 else trial.risk_after(most)
    return OrderExplanation(
        trial.asked(),
        most,
        trial.reply(most + 1),
        pay,
        own,
        borrow,
        assess(state, account),
        after,
    )


def _explain_auto_borrow(state: State, account: Account, coin: Coin) -> Explanation:
    """Explain what an order may borrow: as by hand, without a minimum (RULES 6.2)."""
    if account.liquidation is not None:
        return Explanation(0, "", 0, [], Reply(Refusal.IN_LIQUIDATION))
    if account.frozen:
        return Explanation(0, "", 0, [], Reply(Refusal.ACCOUNT_FROZEN))
    blocked = refuse_lending(state, account, coin)
    if blocked is not None:
        return Explanation(0, "", 0, [], blocked)
    terms = borrow_terms(state, account, coin)
    limit = least(terms)
    return Explanation(limit.units, limit.binding, limit.tier, terms, None)


def _affordable(pair: Pair, cmd: PlaceOrder, units: int) -> int:
    """Return the largest size, or quote amount, that `units` pay for."""
    if cmd.side != BUY:
        return min(units // pair.step_units, pair.max_size_steps)
    if cmd.kind == MARKET:
        return min(units, VALUE_MAX)
    cost = max(1, cmd.price_ticks) * pair.quote_per_tick_step
    return min(units // cost, pair.max_size_steps)


@final
class _Trial:
    """Gives the engine orders of one kind and many sizes, on forks."""

    def __init__(self, state: State, account: Account, cmd: PlaceOrder, largest: int) -> None:
        self._account = account.id
        self._cmd = cmd
        # The whole of the book that the largest could reach is in it, so it serves for all.
        wide = _sized(cmd, max(largest, cmd.size_steps, cmd.quote_units))
        self._venue = fork(state, account.id, wide)
        self._wide = wide
        self._engine = Engine()
        self._fresh = False

    def asked(self) -> Reply:
        """Return the reply to the order as it was asked for."""
        return self._try(_sized(self._cmd, -1))

    def reply(self, size: int) -> Reply:
        """Return the reply to an order of a size."""
        return self._try(_sized(self._cmd, size))

    def risk_after(self, size: int) -> Risk:
        """Return the account's risk after an order of a size."""
        self.reply(size)
        after = self._engine.state
        return assess(after, after.accounts[self._account])

    def largest(self, most_ever: int) -> int:
        """Return the largest size that is accepted, where the next larger one is refused."""
        refused = most_ever + 1
        accepted = 0
        probe = most_ever
        # Downwards by halves to one that is accepted, then between it and the last refused.
        while probe > 0:
            if self.reply(probe).refusal is None:
                accepted = probe
                break
            refused = probe
            probe //= 2
        while refused - accepted > 1:
            probe = (accepted + refused) // 2
            if self.reply(probe).refusal is None:
                accepted = probe
            else:
                refused = probe
        return accepted

    def _try(self, cmd: PlaceOrder) -> Reply:
        if not self._fresh:
            self._engine.state = fork(self._venue, self._account, self._wide)
        state = self._engine.state
        envelope = Envelope(state.seq + 1, state.time_ms, b"", self._account, cmd)
        reply, _ = self._engine.apply(envelope)
        # A refused order has changed nothing: the next may be tried on the same fork.
        self._fresh = reply.refusal is not None
        return reply


def _sized(cmd: PlaceOrder, size: int) -> PlaceOrder:
    """Return an order with another size, without a client id; -1 leaves the size as it is."""
    by_quote = cmd.kind == MARKET and cmd.side == BUY
    steps, quote_units = cmd.size_steps, cmd.quote_units
    if size >= 0:
        steps, quote_units = (0, size) if by_quote else (size, 0)
    return PlaceOrder(
        cmd.pair,
        cmd.side,
        cmd.kind,
        cmd.force,
        cmd.loan_type,
        cmd.stp,
        cmd.price_ticks,
        steps,
        quote_units,
        "",
        cmd.source,
    )
