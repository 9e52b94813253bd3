"""Incidents of real venues, played against this one: each must end harmlessly.

What happened, and where it is told, is in the docstrings' names; every command is under the eyes of
the auditor and the laws, so a scenario says only what is particular to it.
"""

from fractions import Fraction

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core import queries as q
from lombard.core.commands import account_id
from lombard.core.refusals import Refusal
from lombard.core.state import Reply
from lombard.core.units import VALUE_MAX
from lombard.sim.law import hold
from lombard.sim.run import Run
from lombard.sim.stage import BTC, BTCUSDT, DOGE, DOGEUSDT, PEPE, USDT, pair_terms

TEN_MINUTES_MS = 600_000


def opened() -> Run:
    """Return a venue that is open, with the catalogue listed."""
    run = Run()
    run.list_catalogue()
    return run


def refused(run: Run, account: int, cmd: c.Command, refusal: Refusal) -> Reply:
    """Ask for what must be refused, and leave no trace."""
    before = run.engine.state_hash()
    reply = run.do(account, cmd)
    hold(f"{type(cmd).__name__} is refused", refusal, reply.refusal)
    hold("a refusal leaves no trace", before, run.engine.state_hash())
    return reply


def worth(run: Run, *accounts: int) -> Fraction:
    """Return what accounts have at the index, less what they owe, in USDT."""
    total = Fraction(0)
    for account in accounts:
        for view in q.balances(run.state, account):
            total += run.auditor.terms.unit_value(view.coin) * view.net_units
    return total


def leveraged(run: Run, slot: int = c.SLOT_CROSSED) -> int:
    """Return an account of 10 000 USDT that owes 18 000 for its 1.4 BTC."""
    seller = run.spot(BTC="1.4")
    run.sell(seller, "BTCUSDT", "1.4", "20000")
    account = run.margin(slot, USDT="10000")
    run.ok(account, run.order("BTCUSDT", c.BUY, "1.4", "20000", loan_type=c.AUTO_LOAN))
    return account


def locked(run: Run) -> list[int]:
    """Return the accounts in liquidation."""
    return sorted(run.state.liquidations)


def poloniex_clam() -> None:
    """Poloniex, May 2019: a thin coin falls 77 % with no buyers; fund, then pool, take the loss."""
    run = opened()
    lender = run.crossed(USDT="5000")
    run.borrow(lender, "USDT", "100")
    untouched = run.available(lender, "USDT")
    run.sell(run.spot(DOGE="3600000"), "DOGEUSDT", "3600000", "0.1")
    for _ in range(4):
        gambler = run.crossed(DOGE="1000000")
        buy = run.order("DOGEUSDT", c.BUY, "900000", "0.1", loan_type=c.AUTO_LOAN)
        run.ok(gambler, buy)
    usdt, doge = run.state.coins[USDT], run.state.coins[DOGE]
    pool, fund = usdt.pool_units + usdt.lent_units, usdt.insurance_units
    run.price("DOGE", "0.023")
    hold("all four are locked", 4, len(locked(run)))
    run.liquidate()
    run.tick(run.time_ms + TEN_MINUTES_MS)
    run.liquidate()
    hold("every liquidation ends", [], locked(run))
    hold("the fund paid all it had", (0, True), (usdt.insurance_units, fund > 0))
    lost = pool - usdt.pool_units - usdt.lent_units
    hold("the pool lost the rest, as booked", (usdt.loss_units, True), (lost, lost > 0))
    hold("the fund has the collateral", True, doge.insurance_units > 4 * 10**10)
    hold("nobody else's balance moves", untouched, run.available(lender, "USDT"))
    run.close()


def mango() -> None:
    """Mango, October 2022: two own accounts pump a thin coin; what it buys on credit is nothing."""
    run = opened()
    one, other = run.crossed(USDT="10000", PEPE="100000000"), run.crossed(USDT="10000")
    spot = run.spot(USDT="100000", PEPE="1000000000")
    before = q.max_borrowable(run.state, one, USDT).units
    wealth = worth(run, one, other, spot)
    for price in ("0.00000102", "0.00000104", "0.00000105"):
        run.sell(spot, "PEPEUSDT", "10000000", price)
        run.ok(other, run.order("PEPEUSDT", c.BUY, "10000000", price, loan_type=c.AUTO_LOAN))
    refused(
        run,
        other,
        run.order("PEPEUSDT", c.BUY, "10000000", "0.00000106"),
        Refusal.PRICE_ABOVE_BAND,
    )
    hold("own trades never set the index", 10**6, run.state.coins[PEPE].price_e12)
    hold("a pump buys no credit", before, q.max_borrowable(run.state, one, USDT).units)
    hold("a pump costs its maker", True, worth(run, one, other, spot) < wealth)


def binance_usde() -> None:
    """Binance, October 2025: our own book at a dollar; nobody is liquidated by it."""
    run = opened()
    leveraged(run)
    run.buy(run.spot(USDT="10"), "BTCUSDT", "1", "1")
    run.sell(run.spot(BTC="1"), "BTCUSDT", "1", "1")
    run.tick()
    hold("the last price is what was traded", 100, run.state.pairs[BTCUSDT].last_price_ticks)
    hold("our own book liquidates nobody", [], locked(run))


def compound_dai() -> None:
    """Compound, November 2020: one venue alone says 1.30; nobody is liquidated or called."""
    run = opened()
    run.sell(run.spot(BTC="1"), "BTCUSDC", "1", "20000")
    debtor = run.isolated("BTCUSDC", BTC="0.05")
    run.ok(debtor, run.order("BTCUSDC", c.BUY, "0.25", "20000", loan_type=c.AUTO_LOAN))
    run.seen.clear()
    run.price("USDC", "1.3", sources=1)
    run.tick(run.time_ms + 1_000)
    hold("one venue liquidates nobody", [], locked(run))
    hold("one venue calls nobody", 0, run.seen["MarginCalled"])
    run.price("USDC", "1.3", sources=2)
    hold("two do", [debtor], locked(run))


def gdax_eth() -> None:
    """GDAX, June 2017: one large sale of borrowed ETH stops at the band, however thin the book."""
    run = opened()
    for price in ("1495", "1440", "1430", "1000", "10", "0.1"):
        run.buy(run.spot(USDT="100000"), "ETHUSDT", "10", price)
    whale = run.crossed(USDT="100000")
    run.ok(whale, run.order("ETHUSDT", c.SELL, "60", loan_type=c.AUTO_LOAN))
    prices = [trade.price_ticks for trade in run.of_type(e.Traded)]
    hold("a margin order stops at its band", [149_500, 144_000, 143_000], prices)


def quoine_b2c2() -> None:
    """Quoine, April 2017: the index feed is dead; no liquidation, and none far from the index."""
    run = opened()
    debtor = leveraged(run)
    run.price("BTC", "20000", max_age_ms=5_000)
    run.tick(run.time_ms + 60_000)
    refused(run, debtor, c.Borrow(USDT, 10**8, ""), Refusal.INDEX_STALE)
    run.sell(run.spot(BTC="1"), "BTCUSDT", "0.5", "250")
    run.price("BTC", "14000", max_age_ms=5_000)
    hold("a fresh index locks", [debtor], locked(run))
    run.tick(run.time_ms + 60_000)
    run.seen.clear()
    run.liquidate()
    hold("on a dead feed a liquidation waits", 0, run.seen["Traded"])
    hold("and is not forgotten", [debtor], locked(run))
    run.price("BTC", "14000", max_age_ms=5_000)
    run.buy(run.spot(USDT="100"), "BTCUSDT", "0.1", "60")
    run.liquidate()
    hold("nothing is sold far from the index", 0, run.seen["Traded"])


def poloniex_withdrawals() -> None:
    """Poloniex, March 2014: a thousand withdrawals of the same coins; the balance covers ten."""
    run = opened()
    spot = run.spot(USDT="10")
    crossed = account_id(c.user_of(spot), c.SLOT_CROSSED)
    done = sum(
        run.do(spot, c.Transfer(crossed, USDT, 10**8, "")).refusal is None for _ in range(1_000)
    )
    hold("as many leave as there are", 10, done)
    hold("nothing is left", 0, run.available(spot, "USDT"))


def poloniex_client_ids() -> None:
    """Poloniex, February 2020: orders with a client id settle as those without one do."""
    balances = []
    for oid in ("", "a", "x" * 200):
        run = opened()
        maker, taker = run.spot(BTC="1"), run.spot(USDT="30000")
        run.ok(maker, run.order("BTCUSDT", c.SELL, "0.5", "20000", client_oid=oid))
        run.ok(taker, run.order("BTCUSDT", c.BUY, "0.2", "20000", client_oid=oid))
        if oid:
            run.ok(maker, c.CancelOrder(BTCUSDT, 0, oid))
        else:
            run.ok(maker, c.CancelAllOrders(BTCUSDT))
        run.close()
        views = [q.balance(run.state, a, coin) for a in (maker, taker) for coin in (USDT, BTC)]
        balances.append([(view.available_units, view.frozen_units) for view in views])
    hold("a client id changes nothing", [balances[0]] * 2, balances[1:])


def coinbase_accounts() -> None:
    """Coinbase, February 2022: an account pays for its own orders, with its own coins only."""
    run = opened()
    owner, thief = run.spot(BTC="1"), run.spot(DOGE="100")
    order = run.sell(owner, "BTCUSDT", "1", "21000")
    refused(run, thief, c.CancelOrder(BTCUSDT, order, ""), Refusal.ORDER_UNKNOWN)
    replaced = c.ReplaceOrder(BTCUSDT, order, "", 100, 1_000_000, "")
    refused(run, thief, replaced, Refusal.ORDER_UNKNOWN)
    refused(run, owner, c.CancelOrder(DOGEUSDT, order, ""), Refusal.ORDER_UNKNOWN)
    sale = run.order("BTCUSDT", c.SELL, "1", "20000")
    refused(run, thief, sale, Refusal.INSUFFICIENT_BALANCE)
    isolated = run.isolated("DOGEUSDT", DOGE="1000")
    refused(run, isolated, sale, Refusal.COIN_NOT_IN_ACCOUNT)
    refused(run, thief, c.Transfer(owner, DOGE, 1, ""), Refusal.ACCOUNT_UNKNOWN)
    refused(run, account_id(999, 0), sale, Refusal.ACCOUNT_UNKNOWN)


def kraken_deposit() -> None:
    """Kraken, June 2024: a deposit that is not complete credits nothing."""
    run = opened()
    spot = run.spot()
    for coin, units, refusal in [
        (99, 1, Refusal.COIN_UNKNOWN),
        (USDT, 0, Refusal.AMOUNT_NOT_POSITIVE),
        (USDT, -1, Refusal.AMOUNT_NOT_POSITIVE),
        (USDT, VALUE_MAX + 1, Refusal.AMOUNT_TOO_LARGE),
    ]:
        refused(run, spot, c.Deposit(coin, units), refusal)
    hold("nothing is credited", [], q.balances(run.state, spot))
    run.ok(spot, c.Deposit(USDT, 5))
    hold("a deposit is one step", 5, run.available(spot, "USDT"))


def bzx_self_transfer() -> None:
    """bZx, September 2020: moving coins to oneself, or trading with oneself, makes none."""
    run = opened()
    spot = run.spot(USDT="1000", BTC="1")
    refused(run, spot, c.Transfer(spot, USDT, 10**8, ""), Refusal.SAME_ACCOUNT)
    wealth = worth(run, spot)
    run.sell(spot, "BTCUSDT", "0.01", "20000")
    run.buy(spot, "BTCUSDT", "0.01", "20000")
    fees = [trade.taker_fee_units + trade.maker_fee_units for trade in run.of_type(e.Traded)]
    hold("it is traded", 1, len(fees))
    hold("and costs the fees", wealth - Fraction(4, 10), worth(run, spot))


def balancer_rounding() -> None:
    """Balancer, November 2025: whatever is split into parts, the user never gains a unit by it."""
    whole, parts = opened(), opened()
    paid = []
    for run, sizes in ((whole, [7_777]), (parts, [1] * 77 + [770] * 10)):
        maker, taker = run.spot(DOGE="10000"), run.spot(USDT="10000")
        run.sell(maker, "DOGEUSDT", "7777", "0.10001")
        run.ok(c.VENUE, pair_terms(run.pair("DOGEUSDT"), min_value_units=0))
        for size in sizes:
            run.buy(taker, "DOGEUSDT", str(size), "0.10001")
        debtor = run.crossed(USDT="100")
        for size in sizes:
            run.ok(debtor, c.Borrow(DOGE, size, ""))
        run.tick(run.time_ms + 7 * 3_600_000)
        paid.append((run.available(taker, "DOGE"), run.debt(debtor, "DOGE")))
    hold("a trade in parts brings no more", True, paid[1][0] <= paid[0][0])
    hold("a loan in parts costs no less", paid[0][1], paid[1][1])


def hundred_empty_pool() -> None:
    """Hundred, April 2023: a pool of no, one or two units lends what it has and no more."""
    for units in (0, 1, 2):
        run = opened()
        terms = c.SetCoin("TINY", 8, [(0, 10**6)], [(10**12, 3, 10**5)], 10**12, 1, True, True)
        run.ok(c.VENUE, terms)
        tiny = run.coin("TINY").id
        run.rate("TINY", "0.5")
        run.price("TINY", "1000")
        if units:
            run.ok(c.VENUE, c.FundPool(tiny, units))
        debtor = run.crossed(USDT="1000")
        reply = refused(run, debtor, c.Borrow(tiny, units + 1, ""), Refusal.BORROW_OVER_POOL)
        hold("the limit is the pool", units, reply.units)
        for _ in range(units):
            run.ok(debtor, c.Borrow(tiny, 1, ""))
        run.tick(run.time_ms + 3_600_000)
        while run.debt(debtor, "TINY"):
            run.ok(debtor, c.Repay(tiny, 1, ""))
        hold("the pool is whole again", units, run.state.coins[tiny].pool_units)


def ftx_no_exemption() -> None:
    """FTX, November 2022: every account below its line is locked, whoever's it is."""
    run = opened()
    accounts = []
    for slot in (c.SLOT_CROSSED, c.SLOT_ISOLATED, c.SLOT_CROSSED):
        accounts.append(leveraged(run, slot))
    # A high level, a full spot account, and orders of a market maker's make no difference.
    run.ok(c.VENUE, c.SetVipLevels([(10**6, 10**6), (10**5, 5 * 10**6)]))
    run.ok(c.VENUE, c.SetUserLevel(c.user_of(accounts[0]), 1))
    for account in accounts:
        run.ok(account_id(c.user_of(account), c.SLOT_SPOT), c.Deposit(USDT, 10**15))
    run.sell(accounts[2], "BTCUSDT", "0.1", "20900")
    run.price("BTC", "13400")
    hold("no account is exempt", sorted(accounts), locked(run))


def bitget_voxel() -> None:
    """Bitget, April 2025: a market maker gone wild is stopped by the limits that hold for all."""
    run = opened()
    bot = run.crossed(USDT="10000", BTC="1")
    far = run.order("BTCUSDT", c.BUY, "0.001", "30000")
    refused(run, bot, far, Refusal.PRICE_ABOVE_BAND)
    placed = 0
    while run.do(bot, run.order("BTCUSDT", c.BUY, "0.0001", "19999")).refusal is None:
        placed += 1
    hold("open orders are bounded", 200, placed)
    run.seen.clear()
    loop = run.order("BTCUSDT", c.SELL, "0.01", "19999", force=c.IOC, stp=c.STP_CANCEL_MAKER)
    run.ok(bot, loop)
    hold("it does not trade with itself", 0, run.seen["Traded"])
