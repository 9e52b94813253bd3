"""Every refusal over the wire: its code, its sentence, and a state that has not changed."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from lombard.core.commands import AnnounceDelisting, SetCoin, SetIndexPrices, SetPair, SetParameter
from lombard.core.refusals import Refusal
from lombard.journal.codec import KINDS
from lombard.sandbox.catalogue import example, genesis, read
from tests.api.house import START_MS, Client, Street, run, street

CROSSED = "/api/v2/margin/crossed"
ISOLATED = "/api/v2/margin/isolated"
TRANSFER = "/api/v2/spot/wallet/transfer"
SPOT = "/api/v2/spot/trade"

OWN = "/lombard/v1/margin/crossed"

Setting = Callable[[Street, Client], Awaitable[None]]


def plan(**changes: str) -> dict[str, str]:
    """Word a plan order."""
    words = {"symbol": "BTCUSDT", "side": "sell", "orderType": "limit", "executePrice": "19000"}
    waits = {"triggerPrice": "19500", "triggerType": "mark_price", "size": "0.1"}
    return {**words, **waits, **changes}


def oco(**changes: str) -> dict[str, str]:
    """Word an OCO."""
    words = {"symbol": "BTCUSDT", "side": "sell", "price": "21000", "size": "0.1"}
    return {**words, "triggerPrice": "19000", "triggerType": "mark_price", **changes}


async def nothing(_place: Street, _client: Client) -> None:
    """Leave the street as it is."""


def terms_of(command: SetPair | SetCoin) -> dict[str, Any]:
    """Return a command's fields by name, as the journal lists them."""
    kind = next(kind for kind in KINDS if kind.command is type(command))
    return {name: getattr(command, name) for name in kind.fields}


def pair_terms(**changes: Any) -> Setting:
    """Change terms of BTCUSDT."""

    async def change(place: Street, _client: Client) -> None:
        for command in genesis(read(example())):
            if isinstance(command, SetPair) and command.symbol == "BTCUSDT":
                terms = terms_of(command)
                place.house.done(SetPair(**{**terms, **changes}))

    return change


def coin_terms(coin: str, **changes: Any) -> Setting:
    """Change terms of a coin."""

    async def change(place: Street, _client: Client) -> None:
        for command in genesis(read(example())):
            if isinstance(command, SetCoin) and command.name == coin:
                terms = terms_of(command)
                place.house.done(SetCoin(**{**terms, **changes}))

    return change


async def stale_index(place: Street, _client: Client) -> None:
    """Let the index of BTC grow old."""
    place.house.done(SetIndexPrices([(place.house.coin("BTC"), 20_000 * 10**12, 3, 0, 1_000)]))
    place.house.move_to(START_MS + 5_000)


async def delisted_bitcoin(place: Street, _client: Client) -> None:
    """Let a delisting of BTC come to where margin orders only reduce."""
    soon_ms, later_ms = START_MS + 1_000, START_MS + 3_600_000
    place.house.done(AnnounceDelisting(place.house.coin("BTC"), -1, soon_ms, later_ms))
    place.house.move_to(soon_ms)


async def indebted(_place: Street, client: Client) -> None:
    """Borrow USDT to the limit."""
    await client.done(f"{CROSSED}/account/borrow", coin="USDT", borrowAmount="20000")


async def indebted_in_bitcoin(_place: Street, client: Client) -> None:
    """Borrow BTC and send it away, so that little is left of it."""
    await client.done(f"{CROSSED}/account/borrow", coin="BTC", borrowAmount="0.1")
    back = {"fromType": "crossed_margin", "toType": "spot"}
    await client.done(TRANSFER, **back, coin="BTC", amount="0.05")


async def an_hour_of_debt(place: Street, client: Client) -> None:
    """Owe an hour's interest and more."""
    await indebted(place, client)
    place.house.move_to(START_MS + 3_600_000)


async def a_small_pool(place: Street, client: Client) -> None:
    """Make the pool of PEPE worth less than what anybody may borrow."""
    everything = 10**12 * 10**8
    tiers = [(everything, 3, 100_000)]
    place.house.done(SetParameter("caution_half_life_ms", 0))
    await coin_terms("PEPE", user_limit_units=everything, cross_tiers=tiers)(place, client)
    place.house.price("PEPE", "0.000000001")


async def standing_orders(place: Street, _client: Client) -> None:
    """Put a bid and an ask of another into the book."""
    maker = await place.client(USDT="100000", BTC="10")
    words = {"symbol": "BTCUSDT", "orderType": "limit", "force": "gtc", "size": "1"}
    await maker.done(f"{SPOT}/place-order", **words, side="buy", price="19990")
    await maker.done(f"{SPOT}/place-order", **words, side="sell", price="20010")


async def one_order(_place: Street, client: Client) -> None:
    """Have an order in the book, in either account."""
    await client.done(f"{CROSSED}/place-order", **limit("buy", "19000", "0.01"))
    await client.done(f"{SPOT}/place-order", **limit("buy", "19000", "0.01"))


async def one_order_allowed(place: Street, client: Client) -> None:
    """Have as many orders as there may be."""
    await one_order(place, client)
    await pair_terms(max_open_orders=1)(place, client)


async def a_named_order(_place: Street, client: Client) -> None:
    """Have used a client id."""
    named = limit("buy", "19000", "0.01", clientOid="mine")
    await client.done(f"{CROSSED}/place-order", **named)
    await client.done(f"{SPOT}/place-order", **named)


def limit(side: str, price: str, size: str, **more: str) -> dict[str, str]:
    words = {"symbol": "BTCUSDT", "orderType": "limit", "force": "gtc", "loanType": "normal"}
    # Margin calls it one thing and spot another.
    return {**words, "side": side, "price": price, "baseSize": size, "size": size, **more}


def move(from_type: str, to_type: str, amount: str, coin: str = "USDT", **more: str) -> Any:
    return {"fromType": from_type, "toType": to_type, "amount": amount, "coin": coin, **more}


BORROW = f"{CROSSED}/account/borrow"
REPAY = f"{CROSSED}/account/repay"
PLACE = f"{CROSSED}/place-order"
IN, OUT = ("spot", "crossed_margin"), ("crossed_margin", "spot")
R = Refusal
usdt = {"coin": "USDT"}

# What refuses, the street it takes, where it is asked, what, the code, and what the sentence says.
ROWS: list[tuple[Refusal, Setting, str, dict[str, Any], str, str]] = [
    (
        R.ACCOUNT_UNKNOWN,
        nothing,
        f"{ISOLATED}/account/borrow",
        {"symbol": "ETHUSDT", "coin": "ETH", "borrowAmount": "1"},
        "50021",
        "does not exist",
    ),
    (R.COIN_UNKNOWN, nothing, BORROW, {"coin": "X", "borrowAmount": "1"}, "50032", "X"),
    (R.PAIR_UNKNOWN, nothing, PLACE, limit("buy", "1", "1", symbol="X"), "50024", "X"),
    (
        R.PAIR_NOT_TRADING,
        pair_terms(trading=False),
        PLACE,
        limit("buy", "19900", "0.1"),
        "50027",
        "BTCUSDT",
    ),
    (
        R.PAIR_NOT_TRADING,
        pair_terms(trading=False),
        f"{SPOT}/place-order",
        limit("buy", "19900", "0.1"),
        "41114",
        "maintenance",
    ),
    (
        R.PAIR_NOT_MARGIN,
        pair_terms(crossed=False),
        PLACE,
        limit("buy", "19900", "0.1"),
        "50004",
        "symbol BTCUSDT does not support cross",
    ),
    (
        R.COIN_NOT_IN_ACCOUNT,
        nothing,
        f"{ISOLATED}/account/borrow",
        {"symbol": "BTCUSDT", "coin": "ETH", "borrowAmount": "1"},
        "50039",
        "ETH",
    ),
    (
        R.CLIENT_OID_REUSED,
        a_named_order,
        PLACE,
        limit("buy", "18000", "0.1", clientOid="mine"),
        "50060",
        "mine",
    ),
    (
        R.CLIENT_OID_REUSED,
        a_named_order,
        f"{SPOT}/place-order",
        limit("buy", "18000", "0.1", clientOid="mine"),
        "43118",
        "mine",
    ),
    (R.AMOUNT_NOT_POSITIVE, nothing, BORROW, {**usdt, "borrowAmount": "0"}, "50034", "over"),
    (R.AMOUNT_NOT_POSITIVE, nothing, REPAY, {**usdt, "repayAmount": "0"}, "50040", "than 0"),
    (R.AMOUNT_NOT_POSITIVE, nothing, PLACE, limit("buy", "19900", "0"), "50016", "smaller"),
    (
        R.AMOUNT_NOT_POSITIVE,
        nothing,
        f"{SPOT}/place-order",
        limit("buy", "19900", "0"),
        "01001",
        "greater than 0",
    ),
    (R.AMOUNT_NOT_POSITIVE, nothing, TRANSFER, move(*IN, "0"), "01001", "greater than 0"),
    (R.AMOUNT_TOO_LARGE, nothing, BORROW, {**usdt, "borrowAmount": "9" * 30}, "50061", "problem"),
    (R.AMOUNT_TOO_LARGE, nothing, PLACE, limit("buy", "19900", "9" * 30), "50061", "problem"),
    (R.INSUFFICIENT_BALANCE, nothing, PLACE, limit("buy", "19900", "1"), "50020", "USDT"),
    (
        R.INSUFFICIENT_BALANCE,
        nothing,
        f"{SPOT}/place-order",
        limit("sell", "20000", "1"),
        "43012",
        "BTC",
    ),
    (R.INSUFFICIENT_BALANCE, nothing, TRANSFER, move(*IN, "9999999"), "43012", "USDT"),
    (R.SAME_ACCOUNT, nothing, TRANSFER, move("spot", "spot", "1"), "40020", "toType"),
    (
        R.NOT_TRANSFERABLE,
        coin_terms("USDT", transferable=False),
        TRANSFER,
        move(*IN, "1"),
        "50059",
        "USDT",
    ),
    (
        R.TRANSFER_OVER_MAXIMUM,
        indebted,
        TRANSFER,
        move(*OUT, "0.1"),
        "43117",
        "at most 0 USDT",
    ),
    (
        R.NOT_BORROWABLE,
        coin_terms("DOGE", borrowable=False),
        BORROW,
        {"coin": "DOGE", "borrowAmount": "1"},
        "50037",
        "DOGE",
    ),
    (
        R.BORROW_UNDER_MINIMUM,
        nothing,
        BORROW,
        {**usdt, "borrowAmount": "0.0009"},
        "50034",
        "at least 0.001 USDT",
    ),
    (
        R.BORROW_OVER_LEVERAGE,
        nothing,
        BORROW,
        {**usdt, "borrowAmount": "20000.1"},
        "50035",
        "at most 20000 USDT (leverage)",
    ),
    (
        R.BORROW_OVER_LEVERAGE,
        nothing,
        PLACE,
        limit("buy", "20000", "2", loanType="autoLoan"),
        "50035",
        "at most 20000 USDT (leverage)",
    ),
    (
        R.BORROW_OVER_RATIO,
        coin_terms("USDT", cross_tiers=[(30_000 * 10**8, 2, 500_000), (10**13, 6, 100_000)]),
        BORROW,
        {**usdt, "borrowAmount": "10001"},
        "50035",
        "at most 10000 USDT (ratio)",
    ),
    (
        R.BORROW_OVER_USER_LIMIT,
        coin_terms("USDT", user_limit_units=50 * 10**8),
        BORROW,
        {**usdt, "borrowAmount": "51"},
        "50035",
        "at most 50 USDT (user_limit)",
    ),
    (
        R.BORROW_OVER_POOL,
        a_small_pool,
        BORROW,
        {"coin": "PEPE", "borrowAmount": "200000000001"},
        "50038",
        "at most 200000000000 PEPE (pool)",
    ),
    (
        R.INDEX_STALE,
        stale_index,
        BORROW,
        {"coin": "BTC", "borrowAmount": "0.01"},
        "40015",
        "the index price of BTC is missing or stale",
    ),
    (
        R.REPAY_OVER_AVAILABLE,
        indebted_in_bitcoin,
        REPAY,
        {"coin": "BTC", "repayAmount": "0.1"},
        "50041",
        "at most 0.05 BTC",
    ),
    (
        R.REPAY_UNDER_INTEREST,
        an_hour_of_debt,
        REPAY,
        {**usdt, "repayAmount": "0.01"},
        "50042",
        "at least 0.68491667 USDT",
    ),
    (R.NO_DEBT, nothing, REPAY, {**usdt, "repayAmount": "1"}, "50040", "no USDT is owed"),
    (R.PRICE_NOT_POSITIVE, nothing, PLACE, limit("buy", "0", "0.1"), "50018", "price"),
    (
        R.PRICE_NOT_POSITIVE,
        nothing,
        f"{SPOT}/place-order",
        limit("buy", "0", "0.1"),
        "40706",
        "price",
    ),
    (
        R.SIZE_UNDER_MINIMUM,
        pair_terms(min_size_steps=1000),
        PLACE,
        limit("buy", "19900", "0.0009"),
        "50016",
        "at least 0.001 BTC",
    ),
    (
        R.SIZE_UNDER_MINIMUM,
        pair_terms(min_size_steps=1000),
        f"{SPOT}/place-order",
        limit("buy", "19900", "0.0009"),
        "43006",
        "at least 0.001 BTC",
    ),
    (
        R.SIZE_OVER_MAXIMUM,
        pair_terms(max_size_steps=1000),
        PLACE,
        limit("buy", "19900", "0.002"),
        "50017",
        "at most 0.001 BTC",
    ),
    (
        R.SIZE_OVER_MAXIMUM,
        pair_terms(max_size_steps=1000),
        f"{SPOT}/place-order",
        limit("buy", "19900", "0.002"),
        "43007",
        "at most 0.001 BTC",
    ),
    (
        R.VALUE_UNDER_MINIMUM,
        nothing,
        PLACE,
        limit("buy", "19900", "0.00005"),
        "45110",
        "less than the minimum amount 1 USDT",
    ),
    (
        R.PRICE_ABOVE_BAND,
        nothing,
        PLACE,
        limit("buy", "21000.01", "0.01"),
        "50047",
        "The price is too high: 21000",
    ),
    (
        R.PRICE_BELOW_BAND,
        nothing,
        PLACE,
        limit("sell", "18999.99", "0.01"),
        "50046",
        "The price is too low: 19000",
    ),
    (
        R.TOO_MANY_OPEN_ORDERS,
        one_order_allowed,
        PLACE,
        limit("buy", "19900", "0.01"),
        "50048",
        "at most 1",
    ),
    (
        R.TOO_MANY_OPEN_ORDERS,
        one_order_allowed,
        f"{SPOT}/place-order",
        limit("buy", "19900", "0.01"),
        "43005",
        "at most 1",
    ),
    (
        R.POST_ONLY_WOULD_TAKE,
        standing_orders,
        PLACE,
        limit("buy", "20010", "0.01", force="post_only"),
        "43002",
        "post_only would take at 20010",
    ),
    (
        R.FOK_WOULD_NOT_FILL,
        standing_orders,
        PLACE,
        limit("buy", "20000", "0.01", force="FOK"),
        "22045",
        "fok cannot fill",
    ),
    (
        R.NO_POSITION,
        nothing,
        "/lombard/v1/margin/close-position",
        {"symbol": "BTCUSDT"},
        "22002",
        "BTCUSDT",
    ),
    (
        R.NO_LIQUIDITY,
        indebted_in_bitcoin,
        "/lombard/v1/margin/close-position",
        {"symbol": "BTCUSDT"},
        "22045",
        "BTCUSDT",
    ),
    (
        R.REDUCE_ONLY,
        delisted_bitcoin,
        PLACE,
        limit("buy", "20000", "0.01"),
        "50027",
        "BTCUSDT",
    ),
    (
        R.ORDER_UNKNOWN,
        nothing,
        f"{CROSSED}/cancel-order",
        {"symbol": "BTCUSDT", "orderId": "5"},
        "43001",
        "does not exist",
    ),
    (
        R.ORDER_UNKNOWN,
        nothing,
        f"{SPOT}/cancel-replace-order",
        {"symbol": "BTCUSDT", "clientOid": "x", "price": "19000", "size": "1"},
        "43001",
        "does not exist",
    ),
    (
        R.ORDER_INVALID,
        nothing,
        f"{OWN}/place-plan-order",
        plan(callbackRatio="0.0005", orderType="market"),
        "50061",
        "callbackRatio",
    ),
    (
        R.TRIGGER_UNKNOWN,
        nothing,
        f"{OWN}/cancel-plan-order",
        {"orderId": "5"},
        "43025",
        "does not exist",
    ),
    (
        R.TRIGGER_PRICE_UNKNOWN,
        nothing,
        f"{OWN}/place-plan-order",
        plan(triggerType="fill_price"),
        "45052",
        "BTCUSDT has no price yet",
    ),
    (
        R.TRIGGER_PRICE_REACHED,
        nothing,
        f"{OWN}/place-plan-order",
        plan(triggerPrice="20000"),
        "45052",
        "the price is 20000 now",
    ),
    (
        R.TRIGGER_PRICE_TOO_HIGH,
        nothing,
        f"{OWN}/place-oco-order",
        oco(triggerPrice="20000.01"),
        "43034",
        "below 20000",
    ),
    (
        R.TRIGGER_PRICE_TOO_LOW,
        nothing,
        f"{OWN}/place-oco-order",
        oco(side="buy", triggerPrice="19999"),
        "43035",
        "above 20000",
    ),
]
# No request can bring these about: the gateway never asks so, or has no endpoint for it (yet).
UNREACHABLE = {
    R.USER_UNKNOWN,
    R.MARGIN_NOT_OPENED,
    # A trigger that is due fires with the next command: too soon for a request to change it.
    R.ORDER_CLOSED,
    R.CONFIGURATION_INVALID,
    R.NOTICE_TOO_SHORT,
    R.PRECISION_IN_USE,
    R.RULES_VERSION_UNKNOWN,
    R.COMMAND_UNKNOWN,
}
# Shown below, each with a street of its own.
BELOW = {R.IN_LIQUIDATION, R.RISK_TOO_HIGH}
# Shown in `test_account.py`.
OF_LEVERAGE = {R.LEVERAGE_OUT_OF_RANGE, R.LEVERAGE_BELOW_DEBT}
# Shown in `test_coupons.py`: these name a campaign.
OF_COUPONS = {
    R.CAMPAIGN_UNKNOWN,
    R.CLAIM_WINDOW_CLOSED,
    R.COUPON_CLAIMED,
    R.COUPON_NOT_GRANTED,
    R.COUPONS_GONE,
}
# Shown in `test_operator_money.py`: what operators ask for, and what they have stopped.
OF_OPERATORS = {
    R.ACCOUNT_FROZEN,
    R.PROPOSAL_UNKNOWN,
    R.OWN_PROPOSAL,
    R.TOO_MANY_PROPOSALS,
}


def test_no_refusal_is_left_out() -> None:
    elsewhere = UNREACHABLE | BELOW | OF_COUPONS | OF_OPERATORS | OF_LEVERAGE
    assert set(Refusal) == {row[0] for row in ROWS} | elsewhere


@pytest.mark.parametrize(
    ("setting", "path", "body", "code", "sentence"),
    [row[1:] for row in ROWS],
    ids=[f"{row[0].value}-{row[4]}" for row in ROWS],
)
def test_a_refusal(
    tmp_path: Path, setting: Setting, path: str, body: dict[str, Any], code: str, sentence: str
) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client(USDT="20000")
            await client.done(TRANSFER, **move(*IN, "10000"))
            await client.done(TRANSFER, **move("spot", "isolated_margin", "1000", symbol="BTCUSDT"))
            await setting(place, client)
            await unchanged(place, client, path, body, code, sentence)

    run(test())


async def unchanged(
    place: Street, client: Client, path: str, body: dict[str, Any], code: str, sentence: str
) -> None:
    """Ask for what is refused, and look at the state before and after."""
    before = place.house.engine.state_hash()
    found, said = await client.refused(path, **body)
    assert code == found, said
    assert sentence in said
    assert before == place.house.engine.state_hash()
    place.house.engine.check()


def test_in_liquidation(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client(BTC="1", USDT="100")
            await client.done(TRANSFER, **move(*IN, "1", "BTC"))
            await client.done(BORROW, coin="USDT", borrowAmount="5000")
            await client.done(TRANSFER, **move(*OUT, "5000"))
            place.house.price("BTC", "5000")
            # Nobody buys: the lock stays until the fund takes over (RULES 8.4).
            for path, body in [
                (BORROW, {**usdt, "borrowAmount": "1"}),
                (PLACE, limit("buy", "2000", "0.01")),
                (TRANSFER, move(*OUT, "1")),
            ]:
                await unchanged(place, client, path, body, "50022", "liquidated")

    run(test())


def test_risk_too_high(tmp_path: Path) -> None:
    """RULES 7.6: of 30 000 in PEPE half would count, against a debt of 20 000."""

    async def test() -> None:
        async with street(tmp_path) as place:
            client = await place.client(USDT="10000")
            await client.done(TRANSFER, **move(*IN, "10000"))
            await client.done(BORROW, coin="USDT", borrowAmount="20000")
            order = limit("buy", "0.000001", "29000000000", symbol="PEPEUSDT")
            await unchanged(place, client, PLACE, order, "45009", "at risk")

    run(test())
