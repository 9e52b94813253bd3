"""What goes wrong, and who means harm: one function for each, listed in `FAULTS` by name.

Each makes a command of what is there, like the traffic's own kinds. Clients send again what was
answered, or under the same id something else, or late; the feed stops, spikes, or sends nonsense;
users wash, pump, run off with what they borrowed, and borrow what they borrowed against.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lombard.core import commands as c
from lombard.core import queries as q
from lombard.core.commands import Command, account_id

if TYPE_CHECKING:
    from lombard.sim.traffic import Traffic

Asked = tuple[int, Command]
HOUR_MS = 3_600_000
# How far back a client's retry reaches.
RECENT = 200


def retry(t: Traffic) -> Asked:
    """Send again what was sent before, byte for byte."""
    envelope = t.random.choice(t.world.log[-RECENT:])
    t.command_id_next = envelope.command_id or t.new_command_id(envelope.account)
    return envelope.account, envelope.command


def conflict(t: Traffic) -> Asked:
    """Use a client id again for something else."""
    named = [each for each in t.world.log[-RECENT:] if isinstance(each.command, c.Borrow)]
    envelope = t.random.choice(named or t.world.log[-RECENT:])
    if isinstance(envelope.command, c.Borrow):
        cmd = envelope.command
        return envelope.account, c.Borrow(cmd.coin, cmd.units + 1, cmd.client_oid or "a")
    return envelope.account, c.Transfer(envelope.account + 1, 0, 1, "a")


def late(t: Traffic) -> Asked:
    """Let a command arrive out of order, stamped before the one before it."""
    t.time_next_ms = t.world.engine.time_ms - t.random.randrange(1, 2 * HOUR_MS)
    return t.order()


def outage(t: Traffic) -> Asked:
    """Let the venue be down for up to three days, or until a full hour exactly."""
    now_ms = t.world.engine.time_ms
    hours = t.random.choice([1, 1, 5, 24, 72])
    to_the_hour = t.random.randrange(2)
    t.time_next_ms = now_ms + hours * HOUR_MS - (now_ms % HOUR_MS if to_the_hour else 0)
    return c.VENUE, c.Tick()


def spike(t: Traffic) -> Asked:
    """Publish what one venue alone says, 30 % away."""
    coin = t.random.choice(t.world.state.coins[1:])
    price = coin.price_e12 * t.random.choice([70, 130]) // 100
    return c.VENUE, c.SetIndexPrices([(coin.id, price, 1, 300_000, 0)])


def stop(t: Traffic) -> Asked:
    """Let a coin's feed stop: its price is old at once."""
    coin = t.random.choice(t.world.state.coins)
    return c.VENUE, c.SetIndexPrices([(coin.id, coin.price_e12, 2, 0, 1)])


def wrong_price(t: Traffic) -> Asked:
    """Publish a price that is none, beside one that would be right."""
    coins = t.world.state.coins
    wrong = t.random.choice([0, -1, -coins[2].price_e12, 10**31])
    return c.VENUE, c.SetIndexPrices([(1, coins[1].price_e12, 2, 0, 0), (2, wrong, 2, 0, 0)])


def wash(t: Traffic) -> Asked:
    """Trade with oneself: an order that meets the user's own, from another account."""
    user = t.random.choice(t.users)
    own = [account.id for account in t.world.state.users[user].accounts]
    resting = [order for account in own for order in q.open_orders(t.world.state, account)]
    if not resting:
        return t.order()
    order = t.random.choice(resting)
    margin = int(order.pair.crossed and t.random.randrange(2))
    account = account_id(user, c.SLOT_CROSSED if margin else c.SLOT_SPOT)
    cmd = c.PlaceOrder(
        order.pair.id, 1 - order.side, c.LIMIT, t.random.randrange(2),
        t.random.randrange(4) if margin else 0, t.random.randrange(4), order.price_ticks,
        order.remaining_steps + t.random.choice([0, 0, 1]), 0, "", c.SOURCE_API,
    )  # fmt: skip
    return account, cmd


def pump(t: Traffic) -> Asked:
    """Bid the most that can be borrowed at the band's very edge."""
    account, pair, side, _, _ = t.spender()
    pays = pair.quote if side == c.BUY else pair.base
    spend = q.balance(t.world.state, account, pays.id).available_units
    spend += q.max_borrowable(t.world.state, account, pays.id).units + t.random.choice([0, 0, 1])
    price = pair.band_high_ticks if side == c.BUY else pair.band_low_ticks
    price = max(1, price + t.random.choice([0, 0, 0, 1, -1]))
    size = spend // (price * pair.quote_per_tick_step if side == c.BUY else pair.step_units)
    loan_type = c.AUTO_LOAN if c.slot_of(account) else c.NORMAL
    cmd = c.PlaceOrder(
        pair.id, side, c.LIMIT, t.random.choice([c.GTC, c.IOC]), loan_type, 0, price,
        size, 0, "", c.SOURCE_API,
    )  # fmt: skip
    return account, cmd


def debtor(t: Traffic) -> int:
    """Choose an account that owes something, or any when nobody does."""
    indebted = sorted(t.world.state.indebted)
    return t.random.choice(indebted) if indebted else t.account()


def run_off(t: Traffic) -> Asked:
    """Carry off what was borrowed: all that is there, all that may leave, and one unit more."""
    account = debtor(t)
    coin = t.coin_of(account)
    available = q.balance(t.world.state, account, coin).available_units
    most = q.max_transferable(t.world.state, account, coin)
    spot = account_id(c.user_of(account), c.SLOT_SPOT)
    return account, c.Transfer(spot, coin, t.random.choice([available, most, most + 1]), "")


def ladder(t: Traffic) -> Asked:
    """Move what was borrowed to another own account, to borrow against it again."""
    account = debtor(t)
    coin = t.coin_of(account)
    slots = [c.SLOT_CROSSED, c.SLOT_ISOLATED, c.SLOT_ISOLATED + 2]
    other = account_id(c.user_of(account), t.random.choice(slots))
    most = q.max_transferable(t.world.state, account, coin)
    return account, c.Transfer(other, coin, most + t.random.choice([0, 0, 0, 1]), "")


def drain(t: Traffic) -> Asked:
    """Ask for the last unit of a pool."""
    account = t.account()
    coin = t.coin_of(account)
    pool = t.world.state.coins[coin].pool_units
    return account, c.Borrow(coin, pool + t.random.choice([0, 0, 1]), "")


def all_in(t: Traffic) -> Asked:
    """Order on margin what the account cannot carry, or only just."""
    account = debtor(t)
    pair = t.slot_pair(account)
    side = t.random.randrange(2)
    pays = pair.quote if side == c.BUY else pair.base
    spend = q.balance(t.world.state, account, pays.id).available_units
    price = t.price_ticks(pair, side)
    cost = max(1, price * pair.quote_per_tick_step if side == c.BUY else pair.step_units)
    cmd = c.PlaceOrder(
        pair.id, side, c.LIMIT, t.random.choice([0, 0, 1, 3]), t.random.randrange(4), 0, price,
        spend // cost, 0, "", c.SOURCE_API,
    )  # fmt: skip
    return account, cmd


def empty_book(t: Traffic) -> Asked:
    """Let whoever makes the market withdraw."""
    return t.quoter, c.CancelAllOrders(t.random.choice(t.world.state.pairs).id)


def nonsense(t: Traffic) -> Asked:
    """Ask for what is not there, of whom it is not."""
    r = t.random
    wrong: list[Command] = [
        c.Borrow(99, 1, ""),
        c.Repay(-1, 1, ""),
        c.Tick(),
        c.AddUser(),
        c.Transfer(-1, 0, 1, ""),
        c.Transfer(account_id(t.users[0], 60_000), 0, 1, ""),
        c.Deposit(-1, 5),
        c.Upgrade(2),
        c.PlaceOrder(0, 2, 0, 0, 0, 0, 1, 1, 0, "", 0),
        c.PlaceOrder(0, 0, 0, 0, 9, 0, 10**40, 1, 0, "", 0),
        c.SetVipLevels([]),
    ]
    cmd = r.choice(wrong)
    account = r.choice([c.VENUE, t.account(), t.account(), 77, -5])
    if account == c.VENUE and isinstance(cmd, c.AddUser) and len(t.world.state.users) > 9:
        return c.VENUE, c.Tick()
    return account, cmd


FAULTS: dict[str, Callable[[Traffic], Asked]] = {
    "retry": retry,
    "conflict": conflict,
    "late": late,
    "outage": outage,
    "spike": spike,
    "stop": stop,
    "wrong_price": wrong_price,
    "wash": wash,
    "pump": pump,
    "run_off": run_off,
    "ladder": ladder,
    "drain": drain,
    "all_in": all_in,
    "empty_book": empty_book,
    "nonsense": nonsense,
}
