"""Traps of loan pools and interest, as scenarios: each must close on nobody."""

from fractions import Fraction

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core import queries as q
from lombard.core.commands import account_id
from lombard.core.refusals import Refusal
from lombard.sim.incidents import leveraged, locked, opened, refused, worth
from lombard.sim.law import hold
from lombard.sim.loan import half_up
from lombard.sim.run import Run
from lombard.sim.stage import BTC, BTCUSDT, USDT

LOOPS = 1_000
BORROWERS = 1_000


def round_the_sum() -> None:
    """Three hours at 0.1 % and one at 0.05 % of 1 BTC are 14 583 units, not hours rounded up."""
    run = opened()
    run.rate("BTC", "0.001")
    debtor = run.crossed(USDT="100000")
    run.tick("01:29")
    run.borrow(debtor, "BTC", "1", at="01:30")
    run.rate("BTC", "0.0005", at="03:40")
    run.tick("04:50")
    hold("the sum is rounded, not its parts", 100_014_583, run.debt(debtor, "BTC"))


def dust_loops() -> None:
    """Borrowing and repaying dust a thousand times costs what its exact interest rounds to."""
    run = opened()
    debtor = run.crossed(USDT="1000", BTC="0.1")
    rate = Fraction(70_000_000, 24 * 10**12)
    before = run.available(debtor, "BTC")
    units = 150_000
    for _ in range(LOOPS):
        run.ok(debtor, c.Borrow(BTC, units, ""))
        run.ok(debtor, c.Repay(BTC, 10**9, ""))
    paid = before - run.available(debtor, "BTC")
    hold("a loop gains nobody a unit", half_up(rate * units * LOOPS), paid)


def self_dealing() -> None:
    """Borrow, move it to another own account, borrow again: credit is for net worth, once."""
    run = opened()
    crossed = run.crossed(USDT="10000")
    isolated = account_id(c.user_of(crossed), c.SLOT_ISOLATED + BTCUSDT)
    owed = []
    for _ in range(20):
        for account, other in ((crossed, isolated), (isolated, crossed)):
            most = q.max_borrowable(run.state, account, USDT).units
            if most:
                run.ok(account, c.Borrow(USDT, most, ""))
            units = q.max_transferable(run.state, account, USDT)
            if units:
                run.ok(account, c.Transfer(other, USDT, units, ""))
        owed.append(run.debt(crossed, "USDT") + run.debt(isolated, "USDT"))
    hold("debts stay within what the leverage allows", True, owed[-1] <= 9 * 10**12)
    hold("the ladder ends", owed[-2], owed[-1])
    wealth = worth(run, crossed, isolated)
    hold("nothing was made", True, wealth <= 10_000)
    run.price("USDT", "1")
    hold("and nobody is below a line", [], locked(run))


def last_unit() -> None:
    """A thousand borrowers ask for the last unit of a pool: exactly one has it."""
    run = opened()
    rich = run.crossed(USDT="100000")
    accounts = [run.crossed(USDT="10") for _ in range(BORROWERS)]
    terms = c.SetCoin("TINY", 8, [(0, 10**6)], [(10**12, 3, 10**5)], 10**12, 1, True, True)
    run.ok(c.VENUE, terms)
    tiny = run.coin("TINY").id
    run.rate("TINY", "0.0001")
    run.price("TINY", "1")
    run.ok(c.VENUE, c.FundPool(tiny, 10**8 + 1))
    run.ok(rich, c.Borrow(tiny, 10**8, ""))
    replies = [run.do(account, c.Borrow(tiny, 1, "")).refusal for account in accounts]
    hold("the first has it", None, replies[0])
    hold("nobody else", {Refusal.BORROW_OVER_POOL}, set(replies[1:]))
    hold("the pool is empty, not less", 0, run.state.coins[tiny].pool_units)


def frozen_with_borrowed() -> None:
    """What is frozen in an order cannot repay the loan it was borrowed with; cancelled, it can."""
    run = opened()
    debtor = run.crossed(USDT="1000")
    buy = run.order("BTCUSDT", c.BUY, "0.1", "19500", loan_type=c.AUTO_LOAN)
    order = run.ok(debtor, buy).id
    debt = run.debt(debtor, "USDT")
    hold("it borrowed ahead", True, debt > 950 * 10**8)
    hold("all is frozen", 0, run.available(debtor, "USDT"))
    refused(run, debtor, c.Repay(USDT, debt, ""), Refusal.REPAY_OVER_AVAILABLE)
    run.ok(debtor, c.CancelOrder(BTCUSDT, order, ""))
    run.ok(debtor, c.Repay(USDT, debt, ""))
    hold("the debt is paid", 0, run.debt(debtor, "USDT"))


def transfer_against_everything() -> None:
    """What may leave is at most N - D, and leaves a ratio of 0.5, whatever came just before."""
    run = opened()
    run.sell(run.spot(BTC="100"), "BTCUSDT", "50", "20000")
    debtor = run.crossed(USDT="1000")
    spot = account_id(c.user_of(debtor), c.SLOT_SPOT)
    pace = ["borrow", "order", "price", "hour", "repay"]
    for number in range(60):
        step = pace[number % len(pace)]
        if step == "borrow":
            run.do(debtor, c.Borrow(USDT, 30 * 10**8, ""))
        elif step == "order":
            run.do(debtor, run.order("BTCUSDT", c.BUY, "0.002", "20000", loan_type=c.AUTO_LOAN))
        elif step == "price":
            run.price("BTC", str(20_000 + (number * 7_919) % 700))
        elif step == "hour":
            run.tick(run.time_ms + 3_600_000)
        else:
            run.do(debtor, c.Repay(USDT, 20 * 10**8, ""))
        for coin in (USDT, BTC):
            most = q.max_transferable(run.state, debtor, coin)
            available = q.balance(run.state, debtor, coin).available_units
            if most < available:
                refused(run, debtor, c.Transfer(spot, coin, most + 1, ""), over(run, debtor))
            if most >= 10:
                run.ok(debtor, c.Transfer(spot, coin, most // 10, ""))
        net, debt, needed = run.auditor.risk(debtor)
        hold("the ratio stays at 0.5 or below", True, 2 * needed <= net or step != "repay")
        hold("what is owed is covered", True, net > 0 or not debt)


def over(run: Run, account: int) -> Refusal:
    """Say why more cannot leave an account."""
    return (
        Refusal.IN_LIQUIDATION if account in run.auditor.locked else Refusal.TRANSFER_OVER_MAXIMUM
    )


def liquidation_against_oneself() -> None:
    """A liquidation steps over its user's own orders, in whichever account they rest."""
    run = opened()
    debtor = leveraged(run)
    spot = account_id(c.user_of(debtor), c.SLOT_SPOT)
    run.ok(spot, c.Deposit(USDT, 10**13))
    own = run.buy(spot, "BTCUSDT", "1", "14000")
    other = run.buy(run.spot(USDT="100000"), "BTCUSDT", "1", "13990")
    run.price("BTC", "14000")
    hold("it is locked", [debtor], locked(run))
    run.seen.clear()
    makers: set[int] = set()
    while run.engine.liquidation_due():
        run.ok(c.VENUE, c.ContinueLiquidation(1))
        makers |= {trade.maker_order_id for trade in run.of_type(e.Traded)}
    hold("it sells to others only", {other}, makers)
    hold("the own order still rests", [own], [o.id for o in q.open_orders(run.state, spot)])


def rate_change_on_the_hour() -> None:
    """Of several rates within an hour the last before the turn counts; at the turn is too late."""
    run = opened()
    debtor = run.crossed(USDT="100000")
    run.rate("BTC", "0.0024")
    run.tick("00:59")
    run.borrow(debtor, "BTC", "1", at="01:00")
    hold("the hour's rate is charged", 100_010_000, run.debt(debtor, "BTC"))
    run.rate("BTC", "0.24", at="01:10")
    run.rate("BTC", "0.0048", at="01:59")
    run.rate("BTC", "0.24", at="02:00")
    hold("the last before the turn counts", 100_030_000, run.debt(debtor, "BTC"))
    run.rate("BTC", "0.0024", at="02:59:59.999")
    run.tick("03:00")
    hold("changing back changes nothing", 100_040_000, run.debt(debtor, "BTC"))
