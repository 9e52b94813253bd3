"""The catalogue of errors: what the wire says when something was refused.

One sentence for each code, as the dialect has it, and one code for each `Refusal`, for each part of
the wire that words it in its own way. A sentence with a slot has it filled with the particulars;
any other has them appended, so that whoever reads it learns which limit it was, and how much.
"""

from enum import Enum
from typing import Final, final

from lombard.api.ports import Overloaded, Stopped, WorldRefused
from lombard.core.refusals import Refusal
from lombard.history.faults import HistoryError
from lombard.identity import (
    KEYS_MAX,
    AllowListError,
    CodeNeeded,
    EmailTaken,
    TooManyChecks,
    TooManyFailures,
    TooManyKeys,
    TotpState,
    WeakPassword,
    WrongCode,
    WrongPassword,
    WrongToken,
)

SENTENCES: Final[dict[str, str]] = {
    # the request
    "429": "Too many requests",
    "30004": "User needs to log in",
    "00001": "startTime and endTime interval cannot be greater than {0} days",
    "40001": "ACCESS_KEY cannot be empty",
    "40002": "ACCESS_SIGN cannot be empty",
    "40005": "Invalid ACCESS_TIMESTAMP",
    "40006": "Invalid ACCESS_KEY",
    "40007": "Invalid Content_Type",
    "40008": "Request timestamp expired",
    "40009": "sign signature error",
    "40011": "ACCESS_PASSPHRASE cannot be empty",
    "40012": "apikey/password is incorrect",
    "40014": "Incorrect permissions, need {0} permissions",
    "40015": "System is abnormal, please try again later",
    "40017": "Parameter verification failed {0}",
    "40018": "Invalid IP",
    "40019": "Parameter {0} cannot be empty",
    "40020": "Parameter {0} error",
    "40025": "The user does not have this permission",
    "40037": "Apikey does not exist",
    "40070": "passphrase 8-32 characters with letters and numbers",
    "40078": "Timestamp for this request is outside of the ME receiveWindow.",
    "40079": "receiveWindow timestamp must be less than 60s",
    "40084": "You are in Classic Account mode, and the Unified Account API is not supported",
    "40200": "Server upgrade, please try again later",
    "40304": "clientOid or clientOrderId length cannot greater than 50",
    "40305": (
        "clientOid or clientOrderId length cannot greater than 64, and cannot be Martian characters"
    ),
    "40404": "Request URL NOT FOUND",
    "40705": "The start and end time cannot exceed 90 days",
    "40707": "Start time is greater than end time",
    "40725": "service return an error",
    "40808": "Parameter verification exception {0}",
    "40912": "single cancel cannot exceed 50",
    "40924": "orderId and clientOid must have one",
    "41103": "param {0} error",
    "45115": "The price you enter should be a multiple of {0}",
    "400172": "{0} is empty",
    # accounts, coins and pairs
    "40102": "Symbol does not exist",
    "40805": "Unsupported operation",
    "40806": "Unsupported currency",
    "40710": "The Account has been frozen",
    "40807": "The account does not exist",
    "41114": (
        "The current trading pair is under maintenance, "
        "please refer to the official announcement for the opening time"
    ),
    "43129": "Transfer coin not support or invalid coin",
    "50001": "coin {0} does not support cross",
    "50002": "symbol {0} does not support isolated",
    "50004": "symbol {0} does not support cross",
    "50021": "The margin trading account does not exist",
    "50022": "The account is liquidated",
    "50024": "The trading pair does not exist",
    "50027": "The trading pair is suspended for maintenance",
    "50032": "The currency does not exist",
    "50039": "The currency and the trading pair do not match",
    "50061": "There is a problem with the parameter you requested",
    "50064": "Your account is temporarily frozen",
    "50063": "Token precision must less than or equal to eight",
    # money
    "43012": "Insufficient balance",
    "43050": "Leverage exceeds the effective range",
    "43117": "Exceeds the maximum amount that can be transferred",
    "45009": "The account is at risk and cannot perform trades temporarily",
    "45044": "Leverage is not within the suitable range after adjustment",
    "50020": "Insufficient balance",
    "50034": "The borrowing amount must be over 0.00000001",
    "50035": "The maximum borrowing amount is exceeded",
    "50037": "This currency cannot be borrowed",
    "50038": "The system limit is exceeded",
    "50040": "The repayment amount must be more than 0",
    "50041": "The repayment amount must be less than your available balance",
    "50042": "The repayment amount must be more than the interest",
    "50059": "This currency cannot be transferred",
    # orders
    "01001": "{0} must be greater than 0",
    "22002": "No position to close",
    "22045": "Insufficient liquidity in the market, please operate later",
    "40706": "Wrong order price",
    "43001": "The order does not exist",
    "43002": "Pending order failed",
    "43005": "Exceed the maximum number of orders",
    "43006": "The order quantity is less than the minimum transaction quantity",
    "43007": "The order quantity is greater than the maximum transaction quantity",
    "43008": "The current order price cannot be less than {0}",
    "43009": "The current order price exceeds the limit {0}",
    "43025": "Plan order does not exist",
    "43026": "The planned order has been closed",
    "43034": "The trigger price should be ≤ the current market price",
    "43035": "The trigger price should be ≥ the current market price",
    "43118": "clientOrderId duplicate",
    "45052": "Trigger price parameter verification anbormal",
    "45110": "less than the minimum amount {0}",
    "50016": ("The number of open orders is smaller than the minimum limit of the trading pair"),
    "50017": "The number of open orders is bigger than the maximum limit of the trading pair",
    "50018": "The price must be 0 or higher",
    "50046": "The price is too low",
    "50047": "The price is too high",
    "50048": "The maximum number of orders is exceeded",
    "50060": "Duplicated clientOid",
}

# Everything else is 400, as the venue does it.
STATUSES: Final[dict[str, int]] = {
    "429": 429,
    "30004": 401,
    "40025": 403,
    "40404": 404,
    "40200": 503,
    "40725": 500,
}


class Scene(Enum):
    """Which part of the wire words a refusal."""

    CROSSED = "crossed"
    CROSSED_BORROW = "crossed borrow"
    CROSSED_REPAY = "crossed repay"
    ISOLATED = "isolated"
    ISOLATED_BORROW = "isolated borrow"
    ISOLATED_REPAY = "isolated repay"
    SPOT = "spot"
    WALLET = "wallet"


_MARGIN: Final[dict[Refusal, str]] = {
    Refusal.USER_UNKNOWN: "40807",
    Refusal.ACCOUNT_UNKNOWN: "50021",
    Refusal.MARGIN_NOT_OPENED: "50021",
    Refusal.COIN_UNKNOWN: "50032",
    Refusal.PAIR_UNKNOWN: "50024",
    Refusal.PAIR_NOT_TRADING: "50027",
    Refusal.PAIR_NOT_MARGIN: "50004",
    Refusal.COIN_NOT_IN_ACCOUNT: "50001",
    Refusal.IN_LIQUIDATION: "50022",
    Refusal.ACCOUNT_FROZEN: "50064",
    Refusal.CLIENT_OID_REUSED: "50060",
    Refusal.AMOUNT_NOT_POSITIVE: "50016",
    Refusal.AMOUNT_TOO_LARGE: "50061",
    Refusal.INSUFFICIENT_BALANCE: "50020",
    Refusal.SAME_ACCOUNT: "50061",
    Refusal.NOT_TRANSFERABLE: "50059",
    Refusal.TRANSFER_OVER_MAXIMUM: "43117",
    Refusal.NOT_BORROWABLE: "50037",
    Refusal.BORROW_UNDER_MINIMUM: "50034",
    Refusal.BORROW_OVER_LEVERAGE: "50035",
    Refusal.BORROW_OVER_RATIO: "50035",
    Refusal.BORROW_OVER_USER_LIMIT: "50035",
    Refusal.BORROW_OVER_POOL: "50038",
    # A pause that ends by itself: the code that tells clients to try again.
    Refusal.INDEX_STALE: "40015",
    Refusal.REPAY_OVER_AVAILABLE: "50041",
    Refusal.REPAY_UNDER_INTEREST: "50042",
    Refusal.NO_DEBT: "50040",
    Refusal.LEVERAGE_OUT_OF_RANGE: "43050",
    Refusal.LEVERAGE_BELOW_DEBT: "45044",
    # Nothing of the dialect: it has no call for coupons.
    Refusal.CAMPAIGN_UNKNOWN: "40805",
    Refusal.CLAIM_WINDOW_CLOSED: "40805",
    Refusal.COUPON_CLAIMED: "40805",
    Refusal.COUPON_NOT_GRANTED: "40805",
    Refusal.COUPONS_GONE: "40805",
    Refusal.ORDER_INVALID: "50061",
    Refusal.PRICE_NOT_POSITIVE: "50018",
    Refusal.SIZE_UNDER_MINIMUM: "50016",
    Refusal.SIZE_OVER_MAXIMUM: "50017",
    Refusal.VALUE_UNDER_MINIMUM: "45110",
    Refusal.PRICE_ABOVE_BAND: "50047",
    Refusal.PRICE_BELOW_BAND: "50046",
    Refusal.TOO_MANY_OPEN_ORDERS: "50048",
    Refusal.POST_ONLY_WOULD_TAKE: "43002",
    Refusal.FOK_WOULD_NOT_FILL: "22045",
    Refusal.RISK_TOO_HIGH: "45009",
    Refusal.NO_POSITION: "22002",
    Refusal.NO_LIQUIDITY: "22045",
    Refusal.ORDER_UNKNOWN: "43001",
    Refusal.TRIGGER_UNKNOWN: "43025",
    Refusal.ORDER_CLOSED: "43026",
    Refusal.TRIGGER_PRICE_UNKNOWN: "45052",
    Refusal.TRIGGER_PRICE_REACHED: "45052",
    Refusal.TRIGGER_PRICE_TOO_HIGH: "43034",
    Refusal.TRIGGER_PRICE_TOO_LOW: "43035",
    Refusal.REDUCE_ONLY: "50027",
    Refusal.PROPOSAL_UNKNOWN: "40805",
    Refusal.OWN_PROPOSAL: "40805",
    Refusal.TOO_MANY_PROPOSALS: "40805",
    Refusal.NOTICE_TOO_SHORT: "40805",
    Refusal.CONFIGURATION_INVALID: "40017",
    Refusal.PRECISION_IN_USE: "40805",
    Refusal.RULES_VERSION_UNKNOWN: "40805",
    Refusal.COMMAND_UNKNOWN: "40805",
}
_ISOLATED: Final[dict[Refusal, str]] = {
    **_MARGIN,
    Refusal.PAIR_NOT_MARGIN: "50002",
    Refusal.COIN_NOT_IN_ACCOUNT: "50039",
}
_BORROW: Final[dict[Refusal, str]] = {Refusal.AMOUNT_NOT_POSITIVE: "50034"}
_REPAY: Final[dict[Refusal, str]] = {Refusal.AMOUNT_NOT_POSITIVE: "50040"}
_SPOT: Final[dict[Refusal, str]] = {
    **_MARGIN,
    Refusal.ACCOUNT_UNKNOWN: "40807",
    Refusal.COIN_UNKNOWN: "40806",
    Refusal.PAIR_UNKNOWN: "40102",
    Refusal.PAIR_NOT_TRADING: "41114",
    Refusal.ACCOUNT_FROZEN: "40710",
    Refusal.CLIENT_OID_REUSED: "43118",
    Refusal.AMOUNT_NOT_POSITIVE: "01001",
    Refusal.AMOUNT_TOO_LARGE: "40017",
    Refusal.INSUFFICIENT_BALANCE: "43012",
    Refusal.ORDER_INVALID: "40017",
    Refusal.PRICE_NOT_POSITIVE: "40706",
    Refusal.SIZE_UNDER_MINIMUM: "43006",
    Refusal.SIZE_OVER_MAXIMUM: "43007",
    Refusal.PRICE_ABOVE_BAND: "43009",
    Refusal.PRICE_BELOW_BAND: "43008",
    Refusal.TOO_MANY_OPEN_ORDERS: "43005",
}
_WALLET: Final[dict[Refusal, str]] = {
    **_SPOT,
    Refusal.ACCOUNT_UNKNOWN: "50021",
    Refusal.COIN_UNKNOWN: "43129",
    Refusal.PAIR_UNKNOWN: "50024",
    Refusal.COIN_NOT_IN_ACCOUNT: "50039",
    Refusal.SAME_ACCOUNT: "40020",
}

CODES: Final[dict[Scene, dict[Refusal, str]]] = {
    Scene.CROSSED: _MARGIN,
    Scene.CROSSED_BORROW: {**_MARGIN, **_BORROW},
    Scene.CROSSED_REPAY: {**_MARGIN, **_REPAY},
    Scene.ISOLATED: _ISOLATED,
    Scene.ISOLATED_BORROW: {**_ISOLATED, **_BORROW},
    Scene.ISOLATED_REPAY: {**_ISOLATED, **_REPAY},
    Scene.SPOT: _SPOT,
    Scene.WALLET: _WALLET,
}

# What a refusal's particulars say, where the reply's own words would not do.
PARTICULARS: Final[dict[Refusal, str]] = {
    Refusal.BORROW_UNDER_MINIMUM: "at least {limit}",
    Refusal.BORROW_OVER_LEVERAGE: "at most {limit} ({detail})",
    Refusal.BORROW_OVER_RATIO: "at most {limit} ({detail})",
    Refusal.BORROW_OVER_USER_LIMIT: "at most {limit} ({detail})",
    Refusal.BORROW_OVER_POOL: "at most {limit} ({detail})",
    Refusal.TRANSFER_OVER_MAXIMUM: "at most {limit}",
    Refusal.REPAY_OVER_AVAILABLE: "at most {limit}",
    Refusal.REPAY_UNDER_INTEREST: "at least {limit}",
    Refusal.LEVERAGE_OUT_OF_RANGE: "at most {limit}",
    Refusal.LEVERAGE_BELOW_DEBT: "repay at least {limit} first",
    Refusal.SIZE_UNDER_MINIMUM: "at least {limit}",
    Refusal.SIZE_OVER_MAXIMUM: "at most {limit}",
    Refusal.VALUE_UNDER_MINIMUM: "{limit}",
    Refusal.PRICE_ABOVE_BAND: "{limit}",
    Refusal.PRICE_BELOW_BAND: "{limit}",
    Refusal.TOO_MANY_OPEN_ORDERS: "at most {limit}",
    Refusal.INDEX_STALE: "the index price of {detail} is missing or stale",
    Refusal.NO_DEBT: "no {detail} is owed",
    Refusal.SAME_ACCOUNT: "toType",
    Refusal.CAMPAIGN_UNKNOWN: "there is no such campaign",
    Refusal.CLAIM_WINDOW_CLOSED: "coupons of this campaign cannot be claimed now",
    Refusal.COUPON_CLAIMED: "the coupon was claimed before",
    Refusal.COUPON_NOT_GRANTED: "no coupon of this campaign was granted",
    Refusal.COUPONS_GONE: "no coupons of this campaign are left",
    Refusal.PROPOSAL_UNKNOWN: "there is no such request, or it was decided",
    Refusal.OWN_PROPOSAL: "another operator has to approve it",
    Refusal.TOO_MANY_PROPOSALS: "more requests wait than the {limit} there may be",
    Refusal.NOTICE_TOO_SHORT: "what raises risk is announced, to hold after notice_ms at least",
    Refusal.POST_ONLY_WOULD_TAKE: "post_only would take at {limit}",
    Refusal.FOK_WOULD_NOT_FILL: "fok cannot fill",
    Refusal.TRIGGER_PRICE_UNKNOWN: "{detail} has no price yet",
    Refusal.TRIGGER_PRICE_REACHED: "the price is {limit} now",
    Refusal.TRIGGER_PRICE_TOO_HIGH: "below {limit}",
    Refusal.TRIGGER_PRICE_TOO_LOW: "above {limit}",
}


# What identity says no with.
IDENTITY: Final[dict[type[BaseException], tuple[str, str]]] = {
    WrongPassword: ("40012", ""),
    WrongCode: ("40020", "code"),
    WrongToken: ("40020", "token"),
    CodeNeeded: ("40019", "code"),
    TotpState: ("40805", "a second device is set up once, and removed before another"),
    EmailTaken: ("40017", "email is taken"),
    TooManyKeys: ("40805", f"a user has at most {KEYS_MAX} keys"),
}


@final
class Fault(Exception):
    """A request is refused: the code and sentence of the answer, and its HTTP status."""

    def __init__(self, code: str, particulars: str = "", status: int = 0) -> None:
        super().__init__(code, particulars)
        self.code: Final = code
        self.particulars: Final = particulars
        self.sentence: Final = sentence_of(code, particulars)
        self.status: Final = status or STATUSES.get(code, 400)


def sentence_of(code: str, particulars: str = "") -> str:
    """Word an error; the particulars fill the sentence's slot or follow it."""
    sentence = SENTENCES[code]
    if "{0}" in sentence:
        return sentence.replace("{0}", particulars).strip()
    return f"{sentence}: {particulars}" if particulars else sentence


def refused(scene: Scene, refusal: Refusal, detail: str = "", limit: str = "") -> Fault:
    """Word a refusal; `limit` is the amount that bounds it, with its coin."""
    template = PARTICULARS.get(refusal)
    if template is None:
        return Fault(CODES[scene][refusal], detail)
    return Fault(CODES[scene][refusal], template.format(detail=detail, limit=limit))


def fault_of(error: BaseException) -> Fault | None:
    """Word what is no matter of the request; None for what is a bug."""
    if isinstance(error, Fault):
        return error
    if isinstance(error, Overloaded | TooManyChecks):
        return Fault("429")
    if isinstance(error, Stopped | HistoryError):
        return Fault("40200")
    if isinstance(error, WorldRefused):
        return Fault("40017", str(error))
    if isinstance(error, TooManyFailures):
        return Fault("429", f"try again in {error.seconds} s")
    if isinstance(error, AllowListError | WeakPassword):
        return Fault("40017", str(error))
    identity = IDENTITY.get(type(error))
    return None if identity is None else Fault(*identity)
