"""The venue's users as operators see them: accounts, balances, statements; admitting, freezing."""

from typing import Final

import msgspec

from lombard.api.amounts import coin_text, parse_count, ratio_text
from lombard.api.context import Call
from lombard.api.decoding import empty, malformed
from lombard.api.errors import Fault
from lombard.api.lookup import coin_of, pair_of
from lombard.api.operator.hand import (
    SCENE,
    give,
    give_once,
    parse_number,
    parse_user,
    reads,
    value_of,
    writes,
)
from lombard.api.paging import PageQuery, parse_page
from lombard.api.table import Endpoint, NoParameters
from lombard.api.wallet import ACCOUNT_TYPES, CROSSED_TYPE, ISOLATED_TYPE, SPOT_TYPE
from lombard.core import queries
from lombard.core.commands import (
    ALL_SLOTS,
    SLOT_CROSSED,
    SLOT_ISOLATED,
    SLOT_SPOT,
    AddUser,
    FreezeAccount,
    account_id,
    slot_of,
)
from lombard.history import rows as past
from lombard.identity import ALL_PERMISSIONS, UnknownUser

PAGE_MAX: Final = 500
AUDIT_PAGE_MAX: Final = 100
PAGE: Final = 100
LEDGER_NAMES: Final = {
    past.LEDGER_DEPOSIT: "deposit",
    past.LEDGER_WITHDRAWAL: "withdrawal",
    past.LEDGER_TRANSFER_IN: "transfer_in",
    past.LEDGER_TRANSFER_OUT: "transfer_out",
    past.LEDGER_BORROW: "borrow",
    past.LEDGER_REPAY: "repay",
    past.LEDGER_BUY_IN: "buy_in",
    past.LEDGER_BUY_OUT: "buy_out",
    past.LEDGER_SELL_IN: "sell_in",
    past.LEDGER_SELL_OUT: "sell_out",
    past.LEDGER_LIQUIDATION_FEE: "liquidation_fee",
    past.LEDGER_COMPENSATE: "compensate",
    past.LEDGER_CONFISCATED: "confiscated",
}


class NewUser(msgspec.Struct):
    """A user who was admitted, with a key to act as it; shown this once."""

    userId: str
    apiKey: str
    secretKey: str
    passphrase: str


class UsersQuery(msgspec.Struct):
    """A page of users by rising id: those after one, so many."""

    after: str = ""
    limit: str = ""


class UserRow(msgspec.Struct):
    """A user; `vipLevel` of this hour, `nextVipLevel` of the next."""

    userId: str
    vipLevel: str
    nextVipLevel: str
    accounts: str
    inDebt: bool
    inLiquidation: bool
    frozen: bool


class UserQuery(msgspec.Struct):
    """Which user."""

    userId: str = ""


class BalanceRow(msgspec.Struct):
    """What an account has and owes of a coin."""

    coin: str
    available: str
    frozen: str
    borrow: str
    interest: str
    net: str


class AccountRow(msgspec.Struct):
    """One of a user's accounts; `accountType` and `symbol` name it. Values in USDT at the index.

    `netValue` is N of RULES 7.2, `debtValue` D, `riskRate` K ÷ N: 0 without debt, 1 at the line.
    """

    accountType: str
    symbol: str
    frozen: bool
    inLiquidation: bool
    leverage: str
    netValue: str
    debtValue: str
    riskRate: str
    openOrders: str
    balances: list[BalanceRow]


class ResetToken(msgspec.Struct):
    """What a user sets a new password with, once, before `endsAt`; shown this once."""

    userId: str
    email: str
    token: str
    endsAt: str


class AuditQuery(msgspec.Struct):
    """A page of the audit log: of one user (operators are below zero), or of all."""

    userId: str = ""
    idLessThan: str = ""
    limit: str = ""


class AuditLine(msgspec.Struct):
    """What was done, by whom and from where; `userId` is empty where nobody was recognised."""

    id: str
    time: str
    userId: str
    action: str
    detail: str
    address: str


class LedgerQuery(PageQuery):
    """A page of an account's statement."""

    userId: str = ""
    accountType: str = ""
    symbol: str = ""
    coin: str = ""
    kind: str = ""


class LedgerLine(msgspec.Struct):
    """What one event changed in one holding, and the holding after it."""

    ledgerId: str
    kind: str
    coin: str
    amount: str
    fee: str
    balance: str
    referenceId: str
    cTime: str


class FreezeBody(msgspec.Struct):
    """Which of a user's accounts; all that are open when no `accountType` is given."""

    userId: str = ""
    accountType: str = ""
    symbol: str = ""
    frozen: bool | None = None


class Frozen(msgspec.Struct):
    """How many accounts were changed: those that were so already are not counted."""

    userId: str
    changed: str


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    return [
        reads("users", UsersQuery, (), list[UserRow], users),
        writes("users", NoParameters, (), NewUser, admit),
        reads("users/accounts", UserQuery, ("userId",), list[AccountRow], accounts),
        reads("users/ledger", LedgerQuery, ("userId",), list[LedgerLine], ledger),
        reads("audit", AuditQuery, (), list[AuditLine], audit),
        writes("users/password-reset", UserQuery, ("userId",), ResetToken, reset_password),
        writes("users/freeze", FreezeBody, ("userId",), Frozen, freeze),
    ]


async def users(call: Call, query: UsersQuery) -> list[UserRow]:
    """GET users"""
    state = call.state
    limit = parse_count(SCENE, "limit", query.limit, PAGE, PAGE_MAX)
    after = parse_number("after", query.after, 12) if query.after else 0
    rows = []
    for user in queries.users_after(state, after, limit):
        mine = queries.accounts_of(state, user)
        level, following = queries.user_levels(state, user)
        rows.append(
            UserRow(
                str(user),
                str(level),
                str(following),
                str(len(mine)),
                any(queries.risk(state, each).debt_e26 for each in mine),
                any(queries.in_liquidation(state, each) for each in mine),
                any(queries.is_frozen(state, each) for each in mine),
            )
        )
    return rows


async def admit(call: Call, _: NoParameters) -> NewUser:
    """POST users: for those who do not sign up by themselves"""
    give_once(call)
    user = (await give(call, AddUser())).id
    key = await call.context.directory.create_key(user, ALL_PERMISSIONS)
    return NewUser(str(user), key.key, key.secret, key.passphrase)


async def reset_password(call: Call, body: UserQuery) -> ResetToken:
    """POST users/password-reset: to be handed to its user, by whatever way is safe"""
    give_once(call)
    user = parse_user(call, body.userId)
    accounts = call.context.directory.accounts
    # The second device stays: whoever gives this cannot come in by it.
    try:
        made = await accounts.issue_reset(user, by=call.user, address=call.visit.address)
    except UnknownUser:
        raise Fault("40807", "nobody of this number can log in") from None
    return ResetToken(str(user), made.email, made.token, str(made.ends_ms))


async def audit(call: Call, query: AuditQuery) -> list[AuditLine]:
    """GET audit: newest first; what people and operators did to accounts, not to the venue"""
    limit = parse_count(SCENE, "limit", query.limit, AUDIT_PAGE_MAX, AUDIT_PAGE_MAX)
    before = parse_number("idLessThan", query.idLessThan, 18) if query.idLessThan else 0
    user = None
    if query.userId:
        digits = query.userId.removeprefix("-")
        user = parse_number("userId", digits, 12)
        user = -user if digits != query.userId else user
    found = await call.context.directory.accounts.audit(user, before, limit)
    return [
        AuditLine(
            str(line.id),
            str(line.at_ms),
            "" if line.user is None else str(line.user),
            line.action,
            line.detail,
            line.address,
        )
        for line in found
    ]


async def accounts(call: Call, query: UserQuery) -> list[AccountRow]:
    """GET users/accounts: all that are open"""
    user = parse_user(call, query.userId)
    return [_account(call, account) for account in queries.accounts_of(call.state, user)]


def _account(call: Call, account: int) -> AccountRow:
    state = call.state
    coins = queries.coins(state)
    slot = slot_of(account)
    risk = queries.risk(state, account)
    kind, symbol = ACCOUNT_TYPES[min(slot, SLOT_ISOLATED)], ""
    if slot >= SLOT_ISOLATED:
        symbol = queries.pairs(state)[slot - SLOT_ISOLATED].symbol
    return AccountRow(
        kind,
        symbol,
        queries.is_frozen(state, account),
        queries.in_liquidation(state, account),
        str(queries.leverage(state, account) if slot != SLOT_SPOT else 0),
        value_of(risk.net_e26),
        value_of(risk.debt_e26),
        ratio_text(risk.ratio_e6()),
        str(len(queries.open_orders(state, account))),
        [_balance(coins[view.coin], view) for view in queries.balances(state, account)],
    )


def _balance(coin: queries.Coin, view: queries.BalanceView) -> BalanceRow:
    amounts = (
        view.available_units,
        view.frozen_units,
        view.principal_units,
        view.interest_units,
        view.net_units,
    )
    return BalanceRow(coin.name, *[coin_text(coin, units) for units in amounts])


async def ledger(call: Call, query: LedgerQuery) -> list[LedgerLine]:
    """GET users/ledger: newest first; the spot account's when nothing else is said"""
    page = parse_page(SCENE, query)
    user = parse_user(call, query.userId)
    slot = slot_of_type(call, query.accountType or SPOT_TYPE, query.symbol)
    coin = coin_of(call, query.coin).id if query.coin else None
    kinds = None
    if query.kind:
        kinds = [number for number, name in LEDGER_NAMES.items() if name == query.kind]
        if not kinds:
            raise malformed(SCENE, "kind")
    read = call.context.reader.ledger
    rows = await call.past(read, account_id(user, slot), page, coin, kinds)
    coins = queries.coins(call.state)
    return [
        LedgerLine(
            str(row.ledger_id),
            LEDGER_NAMES[row.kind],
            coins[row.coin].name,
            coin_text(coins[row.coin], row.delta_units),
            coin_text(coins[row.coin], row.fee_units),
            coin_text(coins[row.coin], row.balance_units),
            str(row.reference_id),
            str(row.time_ms),
        )
        for row in rows
    ]


async def freeze(call: Call, body: FreezeBody) -> Frozen:
    """POST users/freeze: and unfreeze (RULES 7.9)"""
    if body.frozen is None:
        raise empty(SCENE, "frozen")
    user = parse_user(call, body.userId)
    slot = slot_of_type(call, body.accountType, body.symbol) if body.accountType else ALL_SLOTS
    reply = await give(call, FreezeAccount(user, slot, body.frozen))
    return Frozen(str(user), str(reply.units))


def slot_of_type(call: Call, account_type: str, symbol: str) -> int:
    """Read which of a user's accounts is meant."""
    if account_type == SPOT_TYPE:
        return SLOT_SPOT
    if account_type == CROSSED_TYPE:
        return SLOT_CROSSED
    if account_type != ISOLATED_TYPE:
        raise malformed(SCENE, "accountType")
    if not symbol:
        raise empty(SCENE, "symbol")
    return SLOT_ISOLATED + pair_of(call, symbol).id
