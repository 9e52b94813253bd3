"""Who waits for which price: the triggers of the venue, kept so that a price finds them at once.

For each pair and price there are two ladders, of triggers that wait for it to rise and to fall, the
nearest last. Trailing stops are grouped by side and callback ratio, of which there are at most 200,
and within a group by the high they have seen: a new high merges all it exceeds, so that a stop is
re-keyed a logarithmic number of times in its life, however often the price moves. A price costs
what it reaches, and a look at each end; never a walk over all that wait.

Nothing here places an order or knows what one costs.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from typing import TYPE_CHECKING, Final, final

from lombard.core.trigger_commands import PLAN_TRAILING
from lombard.core.units import RATIO_ONE_E6, div_ceil

if TYPE_CHECKING:
    from lombard.core.state import Account, Pair

# Which way the price must go.
RISES: Final = 1
FALLS: Final = -1
# Where a trigger stands.
DORMANT: Final = 0  # its order has not filled yet
WAITING: Final = 1
TRAILING: Final = 2
DUE: Final = 3
CLOSED: Final = 4
# A callback ratio is a multiple of 0.1 %, up to 10 %.
CALLBACK_STEP_E6: Final = 1_000
CALLBACK_MAX_E6: Final = 100_000


@final
class Trigger:
    """An order that waits for a price.

    `direction` is RISES or FALLS; of a trailing stop, the way to where it begins to follow.
    `order_id` is the order it belongs to (0: none), `filled_units` what that one has opened so far,
    in base. `reached_ticks` is the price that made it due.
    """

    __slots__ = (
        "account",
        "callback_e6",
        "client_oid",
        "crest",
        "direction",
        "filled_units",
        "force",
        "id",
        "kind",
        "loan_type",
        "order_id",
        "pair",
        "plan",
        "price_source",
        "price_ticks",
        "quote_units",
        "reached_ticks",
        "side",
        "size_steps",
        "source",
        "stage",
        "stp",
        "time_ms",
        "trigger_ticks",
    )

    def __init__(
        self,
        trigger_id: int,
        account: Account,
        pair: Pair,
        plan: int,
        price_source: int,
        direction: int,
        trigger_ticks: int,
        callback_e6: int,
        side: int,
        kind: int,
        force: int,
        loan_type: int,
        stp: int,
        price_ticks: int,
        size_steps: int,
        quote_units: int,
        order_id: int,
        client_oid: str,
        source: int,
        time_ms: int,
    ) -> None:
        self.id: Final = trigger_id
        self.account: Final = account
        self.pair: Final = pair
        self.plan: Final = plan
        self.price_source: Final = price_source
        self.direction = direction
        self.trigger_ticks = trigger_ticks
        self.callback_e6: Final = callback_e6
        self.side: Final = side
        self.kind = kind
        self.force: Final = force
        self.loan_type: Final = loan_type
        self.stp: Final = stp
        self.price_ticks = price_ticks
        self.size_steps = size_steps
        self.quote_units = quote_units
        self.order_id: Final = order_id
        self.client_oid: Final = client_oid
        self.source: Final = source
        self.time_ms: Final = time_ms
        self.stage = DORMANT
        self.filled_units = 0
        self.reached_ticks = 0
        self.crest: Crest | None = None

    def crest_ticks(self) -> int:
        """Return the best price a trailing stop has seen since it began to follow, 0 before."""
        return 0 if self.crest is None else self.crest.price_ticks


@final
class Ladder:
    """Triggers that wait for a price to go one way; the one it meets first is last, then the older.

    Entries are `(key, -id)`, the key rising towards the price.
    """

    __slots__ = ("direction", "entries")

    def __init__(self, direction: int) -> None:
        self.direction: Final = direction
        self.entries: list[tuple[int, int]] = []

    def add(self, trigger: Trigger) -> None:
        """Let a trigger wait."""
        insort(self.entries, (-self.direction * trigger.trigger_ticks, -trigger.id))

    def remove(self, trigger: Trigger) -> None:
        """Take a waiting trigger out."""
        entry = (-self.direction * trigger.trigger_ticks, -trigger.id)
        index = bisect_left(self.entries, entry)
        assert self.entries[index] == entry, "Invariant: a trigger waits that is not there"
        del self.entries[index]

    def take_reached(self, price_ticks: int) -> list[int]:
        """Take out the ids of the triggers a price has reached, in the order it met them."""
        bound = -self.direction * price_ticks
        entries = self.entries
        taken: list[int] = []
        while entries and entries[-1][0] >= bound:
            taken.append(-entries.pop()[1])
        return taken


@final
class Crest:
    """Trailing stops of one group that have seen the same best price."""

    __slots__ = ("members", "price_ticks", "trail")

    def __init__(self, trail: Trail, price_ticks: int) -> None:
        self.trail: Final = trail
        self.price_ticks = price_ticks
        self.members: dict[int, Trigger] = {}


@final
class Trail:
    """Trailing stops of one callback ratio: sells follow highs (`sign` 1), buys lows (-1).

    Who began earlier has seen at least as much: from the first crest to the last the best price
    only falls, and so does the price at which each fires.
    """

    __slots__ = ("callback_e6", "crests", "sign")

    def __init__(self, sign: int, callback_e6: int) -> None:
        self.sign: Final = sign
        self.callback_e6: Final = callback_e6
        self.crests: list[Crest] = []

    def level_ticks(self, price_ticks: int) -> int:
        """Return where a stop that has seen a best price fires, rounded away from that price."""
        if self.sign > 0:
            return price_ticks * (RATIO_ONE_E6 - self.callback_e6) // RATIO_ONE_E6
        return div_ceil(price_ticks * (RATIO_ONE_E6 + self.callback_e6), RATIO_ONE_E6)

    def follow(self, price_ticks: int) -> None:
        """Note a price: every crest it exceeds becomes one with it."""
        best = self.sign * price_ticks
        crests = self.crests
        if not crests or self.sign * crests[-1].price_ticks > best:
            return
        merged = crests.pop()
        while crests and self.sign * crests[-1].price_ticks <= best:
            other = crests.pop()
            # The smaller goes into the larger, so nobody moves often.
            if len(other.members) > len(merged.members):
                merged, other = other, merged
            for trigger in other.members.values():
                trigger.crest = merged
                merged.members[trigger.id] = trigger
        merged.price_ticks = price_ticks
        crests.append(merged)

    def add(self, trigger: Trigger, price_ticks: int) -> None:
        """Put a stop among those that have seen the same best price, the best prices first.

        Nobody else sees that price by it: it may be one that is not to be trusted (RULES 7.7).
        """
        best = self.sign * price_ticks
        index = 0
        while index < len(self.crests) and self.sign * self.crests[index].price_ticks > best:
            index += 1
        if index == len(self.crests) or self.crests[index].price_ticks != price_ticks:
            self.crests.insert(index, Crest(self, price_ticks))
        crest = self.crests[index]
        crest.members[trigger.id] = trigger
        trigger.crest = crest

    def remove(self, trigger: Trigger) -> None:
        """Take a stop out."""
        crest = trigger.crest
        assert crest is not None, "Invariant: a stop trails that follows nothing"
        del crest.members[trigger.id]
        trigger.crest = None
        if not crest.members:
            self.crests.remove(crest)

    def take_reached(self, price_ticks: int) -> list[int]:
        """Take out the ids of the stops a price has reached: the earliest level, then the older."""
        taken: list[int] = []
        while self.crests:
            level = self.level_ticks(self.crests[0].price_ticks)
            if self.sign * price_ticks > self.sign * level:
                break
            crest = self.crests.pop(0)
            for trigger_id in sorted(crest.members):
                crest.members[trigger_id].crest = None
                taken.append(trigger_id)
        return taken


@final
class Market:
    """What waits for one price of one pair."""

    __slots__ = ("falling", "rising", "trails")

    def __init__(self) -> None:
        self.rising: Final = Ladder(RISES)
        self.falling: Final = Ladder(FALLS)
        # By side and callback ratio.
        self.trails: dict[tuple[int, int], Trail] = {}

    def trail(self, side: int, callback_e6: int) -> Trail:
        """Return the group of a side (0 buy, 1 sell) and callback ratio."""
        key = (side, callback_e6)
        trail = self.trails.get(key)
        if trail is None:
            trail = self.trails[key] = Trail(1 if side else -1, callback_e6)
        return trail


@final
class TriggerBook:
    """Every trigger of the venue that has not ended."""

    __slots__ = ("by_id", "due", "markets", "of_account", "of_order")

    def __init__(self) -> None:
        self.by_id: dict[int, Trigger] = {}
        self.of_account: dict[int, dict[int, Trigger]] = {}
        # Those that belong to an order that has not ended.
        self.of_order: dict[int, list[Trigger]] = {}
        self.markets: dict[tuple[int, int], Market] = {}
        # Reached and not fired yet, in their order; those that were cancelled since are CLOSED.
        self.due: deque[Trigger] = deque()

    def market(self, pair: int, price_source: int) -> Market:
        """Return what waits for a price of a pair."""
        key = (pair, price_source)
        market = self.markets.get(key)
        if market is None:
            market = self.markets[key] = Market()
        return market

    def add(self, trigger: Trigger) -> None:
        """Take a trigger in, dormant."""
        assert trigger.id not in self.by_id, "Invariant: a trigger is there twice"
        self.by_id[trigger.id] = trigger
        self.of_account.setdefault(trigger.account.id, {})[trigger.id] = trigger
        if trigger.order_id:
            self.of_order.setdefault(trigger.order_id, []).append(trigger)

    def wait(self, trigger: Trigger) -> None:
        """Let a trigger wait for its price."""
        assert trigger.stage in (DORMANT, WAITING)
        trigger.stage = WAITING
        market = self.market(trigger.pair.id, trigger.price_source)
        ladder = market.rising if trigger.direction == RISES else market.falling
        ladder.add(trigger)

    def trail(self, trigger: Trigger, price_ticks: int) -> None:
        """Let a trailing stop follow its price."""
        assert trigger.plan == PLAN_TRAILING
        trigger.stage = TRAILING
        market = self.market(trigger.pair.id, trigger.price_source)
        market.trail(trigger.side, trigger.callback_e6).add(trigger, price_ticks)

    def make_due(self, trigger: Trigger, reached_ticks: int) -> None:
        """Queue a trigger that was taken out of its ladder or trail."""
        trigger.stage = DUE
        trigger.reached_ticks = reached_ticks
        self.due.append(trigger)

    def unplace(self, trigger: Trigger) -> None:
        """Take a trigger out of where it stands; if it is due, its turn will be passed over."""
        if trigger.stage == WAITING:
            market = self.market(trigger.pair.id, trigger.price_source)
            ladder = market.rising if trigger.direction == RISES else market.falling
            ladder.remove(trigger)
        elif trigger.stage == TRAILING:
            market = self.market(trigger.pair.id, trigger.price_source)
            trail = market.trail(trigger.side, trigger.callback_e6)
            trail.remove(trigger)
            if not trail.crests:
                del market.trails[trigger.side, trigger.callback_e6]

    def drop(self, trigger: Trigger) -> None:
        """End a trigger, wherever it stands."""
        assert trigger.stage != CLOSED, "Invariant: a trigger ends twice"
        self.unplace(trigger)
        trigger.stage = CLOSED
        del self.by_id[trigger.id]
        mine = self.of_account[trigger.account.id]
        del mine[trigger.id]
        if not mine:
            del self.of_account[trigger.account.id]
        siblings = self.of_order.get(trigger.order_id)
        if siblings is not None:
            siblings.remove(trigger)
            if not siblings:
                del self.of_order[trigger.order_id]

    def next_due(self) -> Trigger | None:
        """Return the trigger that fires next; it leaves the queue."""
        while self.due:
            trigger = self.due.popleft()
            if trigger.stage == DUE:
                return trigger
        return None

    def has_due(self) -> bool:
        """Say whether a trigger is to be fired."""
        while self.due and self.due[0].stage != DUE:
            self.due.popleft()
        return bool(self.due)

    def check(self) -> None:
        """Audit: every trigger stands in one place, and every place holds live triggers."""
        standing = {WAITING: 0, TRAILING: 0, DUE: 0}
        for market in self.markets.values():
            for ladder in (market.rising, market.falling):
                assert ladder.entries == sorted(ladder.entries), "Invariant: a ladder's order"
                standing[WAITING] += len(ladder.entries)
                for key, negative_id in ladder.entries:
                    trigger = self.by_id[-negative_id]
                    assert trigger.stage == WAITING, "Invariant: a trigger waits twice"
                    assert key == -ladder.direction * trigger.trigger_ticks
                    assert ladder.direction == trigger.direction
            for trail in market.trails.values():
                highs = [trail.sign * crest.price_ticks for crest in trail.crests]
                assert highs == sorted(highs, reverse=True), "Invariant: a trail's order"
                for crest in trail.crests:
                    assert crest.members, "Invariant: a crest that nobody follows"
                    standing[TRAILING] += len(crest.members)
                    for trigger in crest.members.values():
                        assert trigger.crest is crest, "Invariant: a stop follows two crests"
                        assert trigger.stage == TRAILING
        standing[DUE] = len([1 for trigger in self.due if trigger.stage == DUE])
        for stage, count in standing.items():
            there = len([1 for trigger in self.by_id.values() if trigger.stage == stage])
            assert there == count, f"Invariant: triggers at stage {stage}"

    def count_on(self, account: int, pair: int) -> int:
        """Count an account's triggers on a pair."""
        mine = self.of_account.get(account)
        if mine is None:
            return 0
        return sum([1 for trigger in mine.values() if trigger.pair.id == pair])

    def on_pair(self, pair: int) -> bool:
        """Say whether anything waits on a pair."""
        return any(trigger.pair.id == pair for trigger in self.by_id.values())
