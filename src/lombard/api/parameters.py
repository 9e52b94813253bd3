"""What the words of requests and answers mean: their form, for the OpenAPI document.

On the wire every value is a string. What a string holds is told by its name, which is the same
wherever it stands: an amount is a decimal, a time is milliseconds.
"""

import re
from typing import Final, NamedTuple


class Meaning(NamedTuple):
    """A parameter in words, its form if it has one, and some values it can have."""

    text: str
    form: str = ""
    examples: tuple[str, ...] = ()


DECIMAL: Final = "decimal"
TIME: Final = "milliseconds"
COUNT: Final = "count"
ID: Final = "id"
COIN: Final = "coin"
SYMBOL: Final = "symbol"

_SIDES: Final = ("buy", "sell")
_ACCOUNTS: Final = ("spot", "crossed_margin", "isolated_margin")
_TRIGGERS: Final = ("fill_price", "mark_price")

MEANINGS: Final[dict[str, Meaning]] = {
    "access": Meaning("how coupons are given out", "", ("open", "named", "draw")),
    "account": Meaning("an account of the system, or `debt`", "", ("pool", "fees", "debt")),
    "accountType": Meaning("a kind of account; all kinds if empty", "", _ACCOUNTS),
    "amount": Meaning("an amount of the coin", DECIMAL, ("0.01", "100")),
    "announcementId": Meaning("names an announcement", ID, ("1",)),
    "assetType": Meaning("all coins, or those that are held", "", ("hold_only", "all")),
    "baseRate": Meaning("the daily rate of an unused pool, as a ratio", DECIMAL, ("0.0001",)),
    "baseSize": Meaning("the size in base coins", DECIMAL, ("0.01",)),
    "batchMode": Meaning("whether the entries are of one pair", "", ("single", "multiple")),
    "before": Meaning("the latest moment, in ms; now if empty", TIME, ("1704067800000",)),
    "borrow": Meaning("a loan to be taken"),
    "borrowAmount": Meaning("how much to borrow", DECIMAL, ("100", "0.01")),
    "businessType": Meaning("the kind of business", "", ("spot", "margin")),
    "callbackRatio": Meaning("how far the price may come back, as a ratio", DECIMAL, ("0.01",)),
    "campaignId": Meaning("names a coupon campaign", ID, ("1",)),
    "caps": Meaning("how much a coupon covers, coin by coin"),
    "claimFrom": Meaning("when claiming begins, in ms", TIME, ("1704067800000",)),
    "claimUntil": Meaning("when claiming ends, in ms", TIME, ("1704154200000",)),
    "clientOid": Meaning("the client's own name for it, at most 50 characters", "", ("mine-1",)),
    "coin": Meaning("names a coin", COIN, ("USDT", "BTC")),
    "collateralRatio": Meaning("what counts of the coin's value, as a ratio", DECIMAL, ("0.9",)),
    "count": Meaning("how many", COUNT, ("1",)),
    "dailyInterestRate": Meaning("the daily rate, as a ratio", DECIMAL, ("0.0001",)),
    "discountRate": Meaning("what is taken off the interest: 1 is all", DECIMAL, ("1", "0.5")),
    "durationHours": Meaning("for how many hours a coupon lasts", COUNT, ("24",)),
    "effectiveTime": Meaning("when it comes into force, in ms", TIME, ("1705000000000",)),
    "endTime": Meaning("not after this moment, in ms", TIME, ("1704070800000",)),
    "enterPointSource": Meaning("where the order came from", "", ("API",)),
    "executePrice": Meaning("the price of the order it will place", DECIMAL, ("19000",)),
    "executeStopLossPrice": Meaning("the price of the stop's order", DECIMAL, ("18900",)),
    "executeTakeProfitPrice": Meaning("the price of the profit's order", DECIMAL, ("21100",)),
    "force": Meaning("how long it may wait", "", ("gtc", "ioc", "fok", "post_only")),
    "format": Meaning("the form of a statement", "", ("rows", "csv")),
    "fromType": Meaning("the account it leaves", "", _ACCOUNTS),
    "granularity": Meaning("the length of a candle", "", ("1min", "1h", "1day", "1Mutc")),
    "groupType": Meaning("the group of the records", "", ("deposit", "transaction", "transfer")),
    "idLessThan": Meaning("only what has a smaller id: go on below the last page", ID, ("100",)),
    "idList": Meaning("names flash repayments"),
    "kink": Meaning("the utilisation from which the rate rises faster", DECIMAL, ("0.8",)),
    "limit": Meaning("at most so many; more than the most means the most", COUNT, ("10",)),
    "loanId": Meaning("names a loan", ID, ("1",)),
    "loanType": Meaning(
        "whether it borrows before and repays after",
        "",
        ("normal", "autoLoan", "autoRepay", "autoLoanAndRepay"),
    ),
    "maintenanceMarginRate": Meaning("as a ratio", DECIMAL, ("0.05",)),
    "marginType": Meaning("the type of the records", "", ("borrow", "repay", "transfer_in")),
    "mode": Meaning(
        "`crossed` or `isolated`; of a clock, how it runs", "", ("crossed", "isolated")
    ),
    "ms": Meaning("by how many milliseconds", COUNT, ("3600000",)),
    "name": Meaning("what it is called", "", ("welcome",)),
    "newClientOid": Meaning("the client's own name for the new order", "", ("mine-2",)),
    "order": Meaning("an order to be placed"),
    "orderId": Meaning("names an order", ID, ("1",)),
    "orderIdList": Meaning("names orders, by id or client id"),
    "orderList": Meaning("the entries, at most 50"),
    "orderType": Meaning("at a price, or at the market's", "", ("limit", "market")),
    "pageNum": Meaning("which page, from 1", COUNT, ("1",)),
    "pageSize": Meaning("how many to a page", COUNT, ("100",)),
    "planOrderId": Meaning("names a plan order", ID, ("1",)),
    "planType": Meaning("what the size counts", "", ("amount", "total")),
    "premium": Meaning("added to the rate everywhere, as a ratio", DECIMAL, ("0",)),
    "presetStopLossPrice": Meaning("the price at which losses are stopped", DECIMAL, ("19000",)),
    "presetTakeProfitPrice": Meaning("the price at which a profit is taken", DECIMAL, ("21000",)),
    "price": Meaning("in quote coins", DECIMAL, ("20000", "19990")),
    "prices": Meaning("index prices as they might become"),
    "quoteSize": Meaning("the size in quote coins, for a market buy", DECIMAL, ("100",)),
    "rateAtFull": Meaning("the daily rate of a pool lent out in full", DECIMAL, ("0.003",)),
    "rateAtKink": Meaning("the daily rate at the kink", DECIMAL, ("0.0005",)),
    "reduceOnlyTime": Meaning("from when orders only reduce, in ms", TIME, ("1705000000000",)),
    "repay": Meaning("a repayment to be made"),
    "repayAmount": Meaning(
        "how much to pay back; more than the debt pays it all", DECIMAL, ("10",)
    ),
    "repayId": Meaning("names a repayment", ID, ("1",)),
    "repayTime": Meaning("when what is left is repaid by force, in ms", TIME, ("1705600000000",)),
    "seed": Meaning("the seed of the draw, in hex", "", ("00",)),
    "seedHash": Meaning("SHA-256 of the seed of the draw, in hex"),
    "side": Meaning("buy or sell the base coin", "", _SIDES),
    "size": Meaning("base coins, or quote coins for a market buy", DECIMAL, ("0.01",)),
    "speed": Meaning("how many times as fast as the machine's clock", DECIMAL, ("60",)),
    "startsFrom": Meaning("when a coupon begins to count", "", ("firstUse", "claim")),
    "startTime": Meaning("not before this moment, in ms", TIME, ("1704067200000",)),
    "status": Meaning("only what stands so", "", ("live", "executed", "cancelled")),
    "stopPrice": Meaning("the price at which losses are stopped", DECIMAL, ("19000",)),
    "stpMode": Meaning(
        "which order goes when one's own would trade with each other",
        "",
        ("none", "cancel_taker", "cancel_maker", "cancel_both"),
    ),
    "symbol": Meaning("names a pair", SYMBOL, ("BTCUSDT", "ETHUSDT")),
    "symbolList": Meaning("names pairs; all when left out"),
    "to": Meaning("to when: ms, or ISO 8601 in UTC", "", ("2024-01-02T00:00:00Z",)),
    "toSymbol": Meaning("the pair of an isolated account it goes to", SYMBOL, ("BTCUSDT",)),
    "toType": Meaning("the account it goes to", "", _ACCOUNTS),
    "tpslType": Meaning("a plain order, or one that waits for its price", "", ("normal", "tpsl")),
    "transfer": Meaning("a transfer out of the account"),
    "triggerPrice": Meaning("the price it waits for", DECIMAL, ("19500",)),
    "triggerType": Meaning("whose price that is", "", _TRIGGERS),
    "type": Meaning("the type that is asked for", "", ("step0",)),
    "userId": Meaning("names a user", ID, ("1",)),
    "userIds": Meaning("names users"),
}

# Names that say what they hold by how they end, in requests and answers alike.
_DECIMAL_NAMES: Final = re.compile(
    r"(?:^|[a-z])(?:Amount|Price|Size|Rate|Ratio|Volume|Fee|Pr|Borrow|Interest|Profit)$"
    r"|^(?:amount|price|size|fee|available|frozen|locked|borrow|interest|net|coupon|balance)$"
    r"|^(?:principal|transferable|totalAmount|kink|premium|utilization)$"
)
_TIME_NAMES: Final = re.compile(r"(?:^[cu]|[a-z])Time$|^ts$")


def meaning_of(name: str) -> Meaning:
    """Say what a parameter means; nothing but its form for one that nobody has described."""
    return MEANINGS.get(name, Meaning("", form_of(name)))


def form_of(name: str) -> str:
    """Say what form the values of a name have; empty for any text."""
    if _DECIMAL_NAMES.search(name):
        return DECIMAL
    return TIME if _TIME_NAMES.search(name) else ""
