"""The catalogue of refusals: why a command changed nothing.

One name for each reason, in the order of the ladders that check them. The wire codes and sentences
beside them are the gateway's (`lombard.api.errors`).
"""

from enum import Enum


class Refusal(Enum):
    """Why a command changed nothing."""

    # who and where
    USER_UNKNOWN = "user_unknown"
    ACCOUNT_UNKNOWN = "account_unknown"
    MARGIN_NOT_OPENED = "margin_not_opened"
    COIN_UNKNOWN = "coin_unknown"
    PAIR_UNKNOWN = "pair_unknown"
    PAIR_NOT_TRADING = "pair_not_trading"
    PAIR_NOT_MARGIN = "pair_not_margin"
    COIN_NOT_IN_ACCOUNT = "coin_not_in_account"
    IN_LIQUIDATION = "in_liquidation"
    ACCOUNT_FROZEN = "account_frozen"
    CLIENT_OID_REUSED = "client_oid_reused"
    # amounts and balances
    AMOUNT_NOT_POSITIVE = "amount_not_positive"
    AMOUNT_TOO_LARGE = "amount_too_large"
    INSUFFICIENT_BALANCE = "insufficient_balance"
    # transfers
    SAME_ACCOUNT = "same_account"
    NOT_TRANSFERABLE = "not_transferable"
    TRANSFER_OVER_MAXIMUM = "transfer_over_maximum"
    # borrowing
    NOT_BORROWABLE = "not_borrowable"
    BORROW_UNDER_MINIMUM = "borrow_under_minimum"
    BORROW_OVER_LEVERAGE = "borrow_over_leverage"
    BORROW_OVER_RATIO = "borrow_over_ratio"
    BORROW_OVER_USER_LIMIT = "borrow_over_user_limit"
    BORROW_OVER_POOL = "borrow_over_pool"
    INDEX_STALE = "index_stale"
    # repaying
    REPAY_OVER_AVAILABLE = "repay_over_available"
    REPAY_UNDER_INTEREST = "repay_under_interest"
    NO_DEBT = "no_debt"
    LEVERAGE_OUT_OF_RANGE = "leverage_out_of_range"
    LEVERAGE_BELOW_DEBT = "leverage_below_debt"
    # coupons
    CAMPAIGN_UNKNOWN = "campaign_unknown"
    CLAIM_WINDOW_CLOSED = "claim_window_closed"
    COUPON_CLAIMED = "coupon_claimed"
    COUPON_NOT_GRANTED = "coupon_not_granted"
    COUPONS_GONE = "coupons_gone"
    # orders
    ORDER_INVALID = "order_invalid"
    PRICE_NOT_POSITIVE = "price_not_positive"
    SIZE_UNDER_MINIMUM = "size_under_minimum"
    SIZE_OVER_MAXIMUM = "size_over_maximum"
    VALUE_UNDER_MINIMUM = "value_under_minimum"
    PRICE_ABOVE_BAND = "price_above_band"
    PRICE_BELOW_BAND = "price_below_band"
    TOO_MANY_OPEN_ORDERS = "too_many_open_orders"
    POST_ONLY_WOULD_TAKE = "post_only_would_take"
    FOK_WOULD_NOT_FILL = "fok_would_not_fill"
    RISK_TOO_HIGH = "risk_too_high"
    NO_POSITION = "no_position"
    NO_LIQUIDITY = "no_liquidity"
    ORDER_UNKNOWN = "order_unknown"
    # triggers
    TRIGGER_UNKNOWN = "trigger_unknown"
    ORDER_CLOSED = "order_closed"
    TRIGGER_PRICE_UNKNOWN = "trigger_price_unknown"
    TRIGGER_PRICE_REACHED = "trigger_price_reached"
    TRIGGER_PRICE_TOO_HIGH = "trigger_price_too_high"
    TRIGGER_PRICE_TOO_LOW = "trigger_price_too_low"
    # the venue's own commands
    PROPOSAL_UNKNOWN = "proposal_unknown"
    OWN_PROPOSAL = "own_proposal"
    TOO_MANY_PROPOSALS = "too_many_proposals"
    REDUCE_ONLY = "reduce_only"
    NOTICE_TOO_SHORT = "notice_too_short"
    CONFIGURATION_INVALID = "configuration_invalid"
    PRECISION_IN_USE = "precision_in_use"
    RULES_VERSION_UNKNOWN = "rules_version_unknown"
    COMMAND_UNKNOWN = "command_unknown"
