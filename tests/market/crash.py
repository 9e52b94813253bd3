"""March 2023 once more, with ten thousand leveraged accounts in it.

The recordings are played by the market as the sandbox plays them, in the exchange time they were
recorded in. Seeded users open longs and shorts of 3x to 10x at seeded minutes, isolated and
crossed, on USDT or on USDC, which lost its peg on 11 March; some borrow to bet on the peg itself.
Some put up more when they are called. `tests.market.inquest` is told everything that happens and
adds it up beside the venue.

    python -m tests.market.crash [--accounts N] [--first-day D] [--days D] [--seed N]

prints one line of JSON: what the run came to, and its state hash.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import lombard.core
from lombard.core import commands as c
from lombard.core import events as e
from lombard.core import queries as q
from lombard.core.commands import Command, Envelope, account_id
from lombard.core.engine import Engine
from lombard.core.state import Reply
from lombard.market import Makers, ReplayMarket, StateView, Tape, build_tape, funding
from lombard.sandbox import catalogue
from tests.market.inquest import Inquest

# 2023-03-01T00:00:00Z, where the recordings begin.
MARCH_MS = 1_677_628_800_000
DAY_MS = 86_400_000
MINUTE_MS = 60_000
# Put forward by so much at a time, a minute's candle is played in four moments.
HOP_MS = 180 * MINUTE_MS
USDT, USDC, BTC = range(3)
BTCUSDT, BTCUSDC = range(2)
# The fund holds little of each coin, so that the pool must bear some of the losses.
INSURANCE = {"USDT": "2000", "USDC": "500", "BTC": "0.05"}
# More than the sandbox's 3x: (L - 1) x MMR is at most 0.5 (RULES 7.4).
CROSSED_LEVERAGE = 6
POOL = {"USDT": "90000000", "USDC": "90000000", "BTC": "5000"}


@dataclass
class Plan:
    """A user who comes: when, and with what to bet which way."""

    opens_ms: int
    account: int
    pair: int
    side: int
    leverage: int
    collateral: int
    units: int
    # Of those who are called: whether they put up more.
    tops_up: bool
    # Bets on the peg: borrows USDT for USDC, by way of BTC, since no pair trades the two.
    on_the_peg: bool


class Crash:
    """A venue of three coins, the replayed market, and `accounts` users from a seed."""

    def __init__(self, tape: Tape, accounts: int, first_day: int, days: int, seed: int) -> None:
        self.engine = Engine()
        self.random = Random(seed)
        self.now_ms = MARCH_MS + first_day * DAY_MS
        self.until_ms = self.now_ms + days * DAY_MS
        self.inquest = Inquest(self.engine)
        self.commands = 0
        self.refused: dict[str, int] = {}
        for command in catalogue.genesis(terms()):
            self.ok(c.VENUE, command)
        self.makers = Makers(self.user(), self.user())
        self.view = StateView(self.engine.state)
        for account, deposit in funding(self.view, self.makers):
            self.ok(account, deposit)
        self.market = ReplayMarket(tape, MARCH_MS, self.makers, self.now_ms)
        self.plans = sorted(self.draw(accounts, days), key=lambda plan: plan.opens_ms)
        self.by_account = {plan.account: plan for plan in self.plans}

    # --- the cast ------------------------------------------------------------------------------

    def draw(self, accounts: int, days: int) -> Iterator[Plan]:
        """Draw the users: they come in the first half, most of them on the first day."""
        r = self.random
        for _ in range(accounts):
            spot = self.user()
            late = DAY_MS if r.randrange(3) else days * DAY_MS // 2
            opens_ms = self.now_ms + MINUTE_MS + r.randrange(late)
            crossed = r.randrange(4) == 0
            collateral = USDC if r.randrange(3) == 0 else USDT
            pair = r.choice([BTCUSDT, BTCUSDC]) if crossed else int(collateral == USDC)
            slot = c.SLOT_CROSSED if crossed else c.SLOT_ISOLATED + pair
            leverage = r.randrange(3, CROSSED_LEVERAGE + 1 if crossed else 11)
            units = r.randrange(20, 2_000) * 10**8
            self.ok(spot, c.Deposit(collateral, 2 * units))
            account = account_id(c.user_of(spot), slot)
            side = r.randrange(2)
            tops_up = r.randrange(4) == 0
            peg = crossed and collateral == USDC and r.randrange(2) == 0
            yield Plan(opens_ms, account, pair, side, leverage, collateral, units, tops_up, peg)

    def open(self, plan: Plan) -> None:
        """Move the collateral in, and take the whole position at the market with a loan."""
        spot = account_id(c.user_of(plan.account), c.SLOT_SPOT)
        self.ok(spot, c.Transfer(plan.account, plan.collateral, plan.units, ""))
        self.do(plan.account, c.SetLeverage(plan.leverage))
        if plan.on_the_peg:
            # Bit by bit: what is bought on the way is risk of its own.
            for _ in range(4):
                self.bet(plan.account, BTCUSDT, c.BUY, 300)
                self.bet(plan.account, BTCUSDC, c.SELL, 0)
        else:
            self.bet(plan.account, plan.pair, plan.side, self.random.randrange(800, 990))

    def bet(self, account: int, pair_id: int, side: int, thousandths: int) -> None:
        """Spend at the market what an account has of a coin, and so much of what it may borrow."""
        state = self.engine.state
        pair = state.pairs[pair_id]
        pays = pair.quote if side == c.BUY else pair.base
        spend = q.balance(state, account, pays.id).available_units
        spend += q.max_borrowable(state, account, pays.id).units * thousandths // 1000
        size = spend // pair.step_units if side == c.SELL else 0
        quote = spend if side == c.BUY else 0
        loan_type = c.AUTO_LOAN if thousandths else c.NORMAL
        self.do(
            account,
            c.PlaceOrder(pair.id, side, c.MARKET, c.IOC, loan_type, 0, 0, size, quote, "", 0),
        )

    def answer(self, event: e.MarginCalled) -> None:
        """Let those who would put up more when they are called."""
        plan = self.by_account.get(event.account)
        if plan is not None and plan.tops_up:
            spot = account_id(c.user_of(plan.account), c.SLOT_SPOT)
            units = q.balance(self.engine.state, spot, plan.collateral).available_units // 2
            if units:
                self.do(spot, c.Transfer(plan.account, plan.collateral, units, ""))

    # --- the run -------------------------------------------------------------------------------

    def run(self) -> None:
        """Play the market to its end, users and liquidations between its moments."""
        waiting = list(reversed(self.plans))
        while self.now_ms < self.until_ms:
            target_ms = min(self.now_ms + HOP_MS, self.until_ms)
            while self.market.next_due_ms() <= target_ms:
                self.now_ms = self.market.next_due_ms()
                for each in self.market.commands_until(target_ms, self.view):
                    self.do(each.account, each.command)
                while waiting and waiting[-1].opens_ms <= self.now_ms:
                    self.open(waiting.pop())
                self.liquidate()
            self.now_ms = target_ms
            self.do(c.VENUE, c.Tick())
            self.liquidate()
            self.inquest.check_books()
        self.inquest.close()

    def liquidate(self) -> None:
        """Let liquidations go on, a few steps at a time, until those that can have."""
        while self.engine.liquidation_due():
            self.ok(c.VENUE, c.ContinueLiquidation(20))

    def do(self, account: int, command: Command) -> Reply:
        """Apply a command now."""
        self.commands += 1
        seq = self.engine.state.seq + 1
        reply, events = self.engine.apply(Envelope(seq, self.now_ms, b"", account, command))
        self.inquest.note(command, events)
        if reply.refusal is not None:
            name = f"{type(command).__name__} {reply.refusal.value}"
            self.refused[name] = self.refused.get(name, 0) + 1
        for event in events:
            if isinstance(event, e.MarginCalled):
                self.answer(event)
        return reply

    def ok(self, account: int, command: Command) -> Reply:
        reply = self.do(account, command)
        assert reply.refusal is None, (command, reply.refusal, reply.detail)
        return reply

    def user(self) -> int:
        return account_id(self.ok(c.VENUE, c.AddUser()).id, c.SLOT_SPOT)

    def figures(self) -> dict[str, object]:
        """Say what the run came to."""
        return {
            "commands": self.commands,
            "refused": self.refused,
            **self.inquest.figures(),
            "state_hash": self.engine.state_hash(),
        }


def terms() -> catalogue.Catalogue:
    """Return the sandbox's catalogue without the coins that were not recorded."""
    full = catalogue.read(catalogue.example())
    names = ["USDT", "USDC", "BTC"]
    full.coins = [coin for name in names for coin in full.coins if coin.name == name]
    full.pairs = [pair for pair in full.pairs if pair.symbol in ("BTCUSDT", "BTCUSDC")]
    for coin in full.coins:
        coin.insurance, coin.pool = INSURANCE[coin.name], POOL[coin.name]
        coin.tiers = [
            catalogue.CrossTier(tier.up_to, CROSSED_LEVERAGE, tier.mmr) for tier in coin.tiers
        ]
    return full


def main() -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--accounts", type=int, default=300)
    parser.add_argument("--first-day", type=int, default=7, help="days after 1 March")
    parser.add_argument("--days", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    begun = time.monotonic()
    crash = Crash(build_tape(), chosen.accounts, chosen.first_day, chosen.days, chosen.seed)
    crash.run()
    print(json.dumps(crash.figures(), sort_keys=True))
    print(lombard.core.__impl__, f"{time.monotonic() - begun:.1f} s")


if __name__ == "__main__":
    main()
