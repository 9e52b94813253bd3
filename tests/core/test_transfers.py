"""Deposits, and what may leave an account (RULES 2.3, 8.1, 9.1)."""

import pytest

from lombard.core import commands as c
from lombard.core import events as e
from lombard.core import queries as q
from lombard.core.commands import Command
from lombard.core.refusals import Refusal
from lombard.core.units import VALUE_MAX, format_units
from tests.core.world import BTC, BTCUSDT, DOGE, ETH, ETHUSDT, USDT, World


def transferable(world: World, account: int, coin: str) -> str:
    units = q.max_transferable(world.state, account, world.coin(coin).id)
    return format_units(units, world.coin(coin).decimals)


def without_interest() -> World:
    """Return a world in which USDT and BTC cost no interest."""
    world = World()
    world.rate("USDT", "0")
    world.rate("BTC", "0")
    world.tick("01:00")
    return world


# --- deposits ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slot", "cmd", "refusal"),
    [
        # Each row is wrong in every later way too.
        (None, c.Deposit(99, 0), Refusal.ACCOUNT_UNKNOWN),
        (c.SLOT_CROSSED, c.Deposit(99, 0), Refusal.COIN_UNKNOWN),
        (c.SLOT_CROSSED, c.Deposit(-1, 0), Refusal.COIN_UNKNOWN),
        (c.SLOT_CROSSED, c.Deposit(USDT, 0), Refusal.NOT_TRANSFERABLE),
        (c.SLOT_SPOT, c.Deposit(USDT, 0), Refusal.AMOUNT_NOT_POSITIVE),
        (c.SLOT_SPOT, c.Deposit(USDT, -1), Refusal.AMOUNT_NOT_POSITIVE),
        (c.SLOT_SPOT, c.Deposit(USDT, VALUE_MAX + 1), Refusal.AMOUNT_TOO_LARGE),
    ],
)
def test_a_deposit_is_refused_in_this_order(
    slot: int | None, cmd: Command, refusal: Refusal
) -> None:
    world = World()
    user = world.user()
    account = 77 if slot is None else c.account_id(user, slot)

    assert refusal == world.refused(account, cmd).refusal


def test_a_deposit_is_complete_in_one_step() -> None:
    world = World()
    spot = world.spot()
    external = world.coin("USDT").external_units

    reply = world.ok(spot, c.Deposit(USDT, VALUE_MAX))

    (row,) = world.of_type(e.Deposited)
    assert (reply.id, spot, USDT, VALUE_MAX) == (row.deposit_id, row.account, row.coin, row.units)
    assert VALUE_MAX == world.available(spot, "USDT")
    assert external - VALUE_MAX == world.coin("USDT").external_units


# --- transfers: refusals, in their order -------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "to", "coin", "units", "client_oid", "refusal"),
    [
        # Each row is wrong in every later way too, as far as one transfer can be.
        ("nobody", "stranger", 99, 0, "used", Refusal.ACCOUNT_UNKNOWN),
        ("locked", "stranger", 99, 0, "used", Refusal.CLIENT_OID_REUSED),
        ("locked", "stranger", 99, 0, "", Refusal.ACCOUNT_UNKNOWN),
        ("locked", "venue", 99, 0, "", Refusal.ACCOUNT_UNKNOWN),
        ("locked", "negative", 99, 0, "", Refusal.ACCOUNT_UNKNOWN),
        ("locked", "locked", 99, 0, "", Refusal.SAME_ACCOUNT),
        ("locked", "no pair", 99, 0, "", Refusal.ACCOUNT_UNKNOWN),
        ("locked", "eth", 99, 0, "", Refusal.COIN_UNKNOWN),
        ("locked", "eth", -1, 0, "", Refusal.COIN_UNKNOWN),
        # Neither the giver nor the taker may hold what is not its pair's.
        ("locked", "spot", DOGE, 0, "", Refusal.COIN_NOT_IN_ACCOUNT),
        ("locked", "eth", BTC, 0, "", Refusal.COIN_NOT_IN_ACCOUNT),
        ("locked", "spot", BTC, 0, "", Refusal.NOT_TRANSFERABLE),
        ("locked", "spot", USDT, 0, "", Refusal.AMOUNT_NOT_POSITIVE),
        ("locked", "spot", USDT, -1, "", Refusal.AMOUNT_NOT_POSITIVE),
        ("locked", "spot", USDT, VALUE_MAX, "", Refusal.IN_LIQUIDATION),
        ("debtor", "spot of debtor", USDT, VALUE_MAX, "", Refusal.INSUFFICIENT_BALANCE),
        ("debtor", "spot of debtor", USDT, 1000 * 10**8, "", Refusal.INDEX_STALE),
        ("sound", "spot of sound", USDT, 1000 * 10**8, "", Refusal.TRANSFER_OVER_MAXIMUM),
    ],
)
def test_a_transfer_is_refused_in_this_order(
    source: str, to: str, coin: int, units: int, client_oid: str, refusal: Refusal
) -> None:
    world = without_interest()
    locked = world.isolated("BTCUSDT", BTC="1")
    world.borrow(locked, "USDT", "10000")
    spot = c.account_id(c.user_of(locked), c.SLOT_SPOT)
    world.ok(locked, c.Transfer(spot, USDT, 1, "used"))
    world.price("BTC", "1")
    world.price("BTC", "20000", max_age_ms=1000)
    debtor = world.crossed(BTC="1")
    sound = world.crossed(ETH="1")
    world.borrow(debtor, "USDT", "1000")
    world.borrow(sound, "USDT", "1000")
    world.tick(world.time_ms + 1001)
    terms = (world.coin("BTC").cross_tiers, 10**10, 1, True, False)
    world.ok(c.VENUE, c.SetCoin("BTC", 8, [(0, 10**6)], *terms))
    accounts = {
        "nobody": 77,
        "venue": c.VENUE,
        "negative": -locked,
        "stranger": sound,
        "locked": locked,
        "debtor": debtor,
        "sound": sound,
        "spot": spot,
        "spot of debtor": c.account_id(c.user_of(debtor), c.SLOT_SPOT),
        "spot of sound": c.account_id(c.user_of(sound), c.SLOT_SPOT),
        "eth": c.account_id(c.user_of(locked), c.SLOT_ISOLATED + ETHUSDT),
        "no pair": c.account_id(c.user_of(locked), c.SLOT_ISOLATED + 99),
    }

    cmd = c.Transfer(accounts[to], coin, units, client_oid)

    assert refusal == world.refused(accounts[source], cmd).refusal


def test_a_pair_without_isolated_margin_has_no_accounts() -> None:
    world = World()
    terms = c.SetPair("ETHBTC", ETH, BTC, 10**8, 10**4, 0, 0, 0, 1, 10**12, 200, [], 0, True, True)
    pair = world.ok(c.VENUE, terms).id
    spot = world.spot(BTC="1")
    to = c.account_id(c.user_of(spot), c.SLOT_ISOLATED + pair)

    assert Refusal.ACCOUNT_UNKNOWN == world.refused(spot, c.Transfer(to, BTC, 1, "")).refusal


# --- what may leave (RULES 9.1; reference, 12.3) -----------------------------------------------


def test_assets_of_1000_and_a_debt_of_300_let_400_go() -> None:
    world = without_interest()
    account = world.crossed(USDT="700")
    world.borrow(account, "USDT", "300")
    spot = c.account_id(c.user_of(account), c.SLOT_SPOT)

    assert "400" == transferable(world, account, "USDT")
    reply = world.refused(account, c.Transfer(spot, USDT, 400 * 10**8 + 1, ""))
    assert (Refusal.TRANSFER_OVER_MAXIMUM, 400 * 10**8) == (reply.refusal, reply.units)
    world.ok(account, c.Transfer(spot, USDT, 400 * 10**8, ""))
    assert "0" == transferable(world, account, "USDT")


def test_interest_due_is_debt_too() -> None:
    world = World()
    world.parameter("interest_profile", 1)
    account = world.crossed(BTC="0.00014995")
    world.borrow(account, "BTC", "0.0001")

    balance = world.balance(account, "BTC")
    assert ("0.00024995", 1) == (format_units(balance.available_units, 8), balance.interest_units)
    assert "0.00014994" == format_units(balance.net_units, 8)
    assert "0.00004993" == transferable(world, account, "BTC")


def test_everything_available_may_leave_without_debt() -> None:
    world = without_interest()
    account = world.crossed(USDT="700", BTC="1")
    world.buy(account, "BTCUSDT", "0.01", "20000")
    # Even when nobody knows what it is worth.
    world.price("BTC", "20000", max_age_ms=1000)
    world.tick(world.time_ms + 5000)

    assert "500" == transferable(world, account, "USDT")
    assert "1" == transferable(world, account, "BTC")
    assert "0" == transferable(world, account, "ETH")


@pytest.mark.parametrize(
    ("coin", "expected"),
    [
        # 1 BTC of 20 000 and 3000 of 10 000 USDT borrowed: net 20 000, debt 10 000.
        ("USDT", "3000"),
        ("BTC", "0.5"),
        # At most what is there: 2 ETH of 1500, weighed at 0.95, make it 22 850 - 10 000.
        ("ETH", "0"),
    ],
)
def test_what_may_leave_is_valued_in_the_coin(coin: str, expected: str) -> None:
    world = without_interest()
    account = world.crossed(BTC="1")
    world.borrow(account, "USDT", "10000")
    world.buy(account, "BTCUSDT", "0.35", "20000")

    assert expected == transferable(world, account, coin)


def test_a_weighed_coin_leaves_at_its_full_price() -> None:
    world = without_interest()
    account = world.crossed(BTC="0.1", ETH="2")
    world.borrow(account, "USDT", "4000")

    # N = 2000 + 0.95 x 3000 = 4850, D = 4000: 850 USDT at 1500 each, rounded down.
    assert "0.56666666" == transferable(world, account, "ETH")
    assert "0.0425" == transferable(world, account, "BTC")
    assert "850" == transferable(world, account, "USDT")


def test_the_ratio_stays_at_one_half_at_most() -> None:
    world = without_interest()
    # A high MMR makes 2 K the stricter bound: debt 1000, K 500 (leverage 2).
    usdt = world.coin("USDT")
    terms = (usdt.user_limit_units, 1, True, True)
    world.ok(c.VENUE, c.SetCoin("USDT", 8, [(0, 10**6)], [(10**15, 2, 500_000)], *terms))
    account = world.crossed(BTC="0.1")
    world.borrow(account, "USDT", "1000")
    assert "1000" == transferable(world, account, "USDT")
    world.ok(c.VENUE, c.SetCoin("USDT", 8, [(0, 10**6)], [(10**15, 1, 900_000)], *terms))

    # K is 900 now: N = 2000 may fall to 1800, not to 1000.
    assert "200" == transferable(world, account, "USDT")
    spot = c.account_id(c.user_of(account), c.SLOT_SPOT)
    world.ok(account, c.Transfer(spot, USDT, 200 * 10**8, ""))
    assert 500_000 == q.risk(world.state, account).ratio_e6()


def test_nothing_leaves_a_locked_account_and_anything_may_come() -> None:
    world = without_interest()
    account = world.isolated("BTCUSDT", BTC="1", USDT="10")
    world.borrow(account, "USDT", "10000")
    world.price("BTC", "1")
    spot = c.account_id(c.user_of(account), c.SLOT_SPOT)
    world.fund(spot, "USDT", "100")

    assert "0" == transferable(world, account, "USDT")
    world.ok(spot, c.Transfer(account, USDT, 100 * 10**8, ""))
    assert 10_110 * 10**8 == world.available(account, "USDT")


def test_nothing_leaves_on_a_stale_index_and_anything_may_come() -> None:
    world = without_interest()
    account = world.crossed(USDT="700")
    world.borrow(account, "USDT", "300")
    spot = c.account_id(c.user_of(account), c.SLOT_SPOT)
    world.fund(spot, "USDT", "100")
    world.price("USDT", "1", max_age_ms=1000)
    world.tick(world.time_ms + 1000)
    assert "400" == transferable(world, account, "USDT")

    world.tick(world.time_ms + 1)

    assert "0" == transferable(world, account, "USDT")
    world.ok(spot, c.Transfer(account, USDT, 100 * 10**8, ""))


def test_an_isolated_account_opens_with_its_first_transfer() -> None:
    world = World()
    spot = world.spot(USDT="100", BTC="1")
    user = c.user_of(spot)
    isolated = c.account_id(user, c.SLOT_ISOLATED + BTCUSDT)
    assert not q.account_exists(world.state, isolated)

    reply = world.ok(spot, c.Transfer(isolated, USDT, 10**8, "mine"))

    (row,) = world.of_type(e.Transferred)
    assert (reply.id, "mine") == (row.transfer_id, row.client_oid)
    expected = (spot, isolated, USDT, 10**8)
    assert expected == (row.from_account, row.to_account, row.coin, row.units)
    assert sorted([spot, spot + 1, isolated]) == q.accounts_of(world.state, user)
    # And coins may move straight from margin to margin.
    world.ok(isolated, c.Transfer(spot + 1, USDT, 10**7, ""))
    assert 10**7 == world.available(spot + 1, "USDT")


def test_what_is_frozen_cannot_leave() -> None:
    world = World()
    spot = world.spot(USDT="100")
    world.buy(spot, "BTCUSDT", "0.0025", "20000")

    cmd = c.Transfer(spot + 1, USDT, 50 * 10**8 + 1, "")

    assert Refusal.INSUFFICIENT_BALANCE == world.refused(spot, cmd).refusal
    world.ok(spot, c.Transfer(spot + 1, USDT, 50 * 10**8, ""))
