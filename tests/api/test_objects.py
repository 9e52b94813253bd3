"""Every endpoint that takes a name of something, with the names of another's: from the table.

A stranger sends what the owner could. The answer says what an unknown name says, shows nothing of
the owner's, and the owner's accounts are as before. A new endpoint is held to it by being there.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx
import msgspec
import pytest

from lombard.api.endpoints import ENDPOINTS
from lombard.api.errors import SENTENCES
from lombard.api.table import GET, Access, Endpoint
from lombard.core import queries
from lombard.core.commands import SLOT_SPOT, account_id
from tests.api.browser import IDENTITY, PASSWORD, trader
from tests.api.house import START_MS, Client, House, OpenStreet, Street, run, street
from tests.api.test_ownership import owner_of_everything

# What an endpoint asks for besides; whatever it does not take is not sent.
STOCK: Final[dict[str, Any]] = {
    "symbol": "BTCUSDT",
    "coin": "USDT",
    "startTime": str(START_MS - 1_000),
    "endTime": str(START_MS + 86_400_000),
    "side": "buy",
    "orderType": "limit",
    "force": "gtc",
    "loanType": "normal",
    "price": "19000",
    "baseSize": "0.001",
    "size": "0.001",
    "triggerPrice": "18000",
    "executePrice": "17990",
    "triggerType": "fill_price",
    "planType": "amount",
    "stopPrice": "17990",
    "presetTakeProfitPrice": "25000",
    "presetStopLossPrice": "15000",
    "fromType": "spot",
    "toType": "crossed_margin",
    "amount": "1",
    "borrowAmount": "1",
    "repayAmount": "1",
    "mode": "crossed",
}
# Parameters that name a thing of somebody's.
SINGLE: Final = ("orderId", "clientOid", "loanId", "repayId", "planOrderId", "liqId", "idLessThan")
LISTS: Final = ("orderIdList", "orderList", "idList")
# What whoever names one thing of another's is told; lists are empty, and what makes a thing works.
UNKNOWN: Final = {
    "cancel-order": "43001",
    "cancel-replace-order": "43001",
    "cancel-plan-order": "43025",
    "modify-plan-order": "43025",
    "plan-sub-order": "43025",
    "liquidation": "50061",
}
MAKES: Final = (
    "borrow",
    "repay",
    "place-order",
    "place-plan-order",
    "place-oco-order",
    "place-exit-order",
    "transfer",
    "close-position",
    "order",
)
BATCHES: Final = {
    "batch-cancel-order": "43001",
    "batch-cancel-replace-order": "43001",
    # Orders of the stranger's own, under the owner's client id.
    "batch-place-order": "",
    "batch-orders": "",
    "query-flash-repay-status": "",
}


# What people name of their own in a browser; whoever names another's is told that there is none.
OF_BROWSERS: Final = {
    "keys/change": ("apiKey",),
    "keys/delete": ("apiKey",),
    "sessions/revoke": ("sessionId",),
    # A place in one's own log, and no name of anything.
    "audit": ("idLessThan",),
}


class Case(NamedTuple):
    """An endpoint, and the parameter that names something."""

    row: Endpoint
    name: str


def cases() -> Iterator[Case]:
    """List every parameter of the table that names something of somebody's."""
    for row in ENDPOINTS:
        if row.access is Access.SIGNED:
            fields = [field.encode_name for field in msgspec.structs.fields(row.request)]
            for name in (*SINGLE, *LISTS):
                if name in fields:
                    yield Case(row, name)


def test_every_list_and_name_is_known_to_this_page() -> None:
    found = {(case.row.path.rsplit("/", 1)[1], case.name) for case in cases()}

    assert len(list(cases())) > 100
    for action, name in found:
        if name in LISTS:
            assert action in BATCHES
    for row in ENDPOINTS:
        for field in msgspec.structs.fields(row.request):
            name = field.encode_name
            if row.access is Access.SIGNED and name.lower().endswith(("id", "oid", "idlist")):
                assert name in (*SINGLE, *LISTS, "campaignId", "newClientOid"), row.path
            elif name.lower().endswith(("id", "key")):
                assert name in OF_BROWSERS.get(row.path.removeprefix(f"{IDENTITY}/"), ()), row.path


def test_another_s_keys_and_sessions_are_nothing(open_street: OpenStreet) -> None:
    async def test(place: Street) -> None:
        ann, bob = await trader(place), await trader(place, "bob@example.org")
        await ann.done("confirm", password=PASSWORD)
        await bob.done("confirm", password=PASSWORD)
        key = (await ann.done("keys/create", permissions=["read"]))["apiKey"]
        (session,) = await ann.read("sessions")
        before = [await ann.read(each) for each in ("keys", "sessions", "audit")]
        for call, code in {"keys/change": "40037", "keys/delete": "40037"}.items():
            assert code == (await bob.refused(call, apiKey=key))[0]
            assert code == (await bob.refused(call, apiKey="lk_none"))[0]
        for name in (session["sessionId"], "x"):
            assert "40020" == (await bob.refused("sessions/revoke", sessionId=name))[0]
        after = [await ann.read(each) for each in ("keys", "sessions", "audit")]
        assert before == after

    open_street.run(test)


@pytest.mark.timeout(300)
def test_another_s_things_are_nothing(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            owner, ids = await owner_of_everything(place)
            ids |= await plans_of(owner)
            stranger = await neighbour(place)
            before = belongings(place.house, owner.user)
            names = sorted(set(all_ids(ids)))
            assert len(names) >= 12
            # Those that make things of the stranger's own come last.
            for case in sorted(cases(), key=makes):
                for value in ["mine"] if case.name == "clientOid" else names:
                    answer = await sent(stranger, case, value)
                    check(case, value, answer, names)
                    assert before == belongings(place.house, owner.user), case
            # The owner finds them: the names were right.
            found = await owner.read(
                "/api/v2/spot/trade/orderInfo", orderId=ids["spot order"]["orderId"]
            )
            assert 1 == len(found)

    run(test(), 280)


def makes(case: Case) -> bool:
    """Say whether a call makes something that is its sender's."""
    action = case.row.path.rsplit("/", 1)[1]
    return case.row.method != GET and (action in MAKES or BATCHES.get(action) == "")


def check(case: Case, value: str, answer: httpx.Response, names: list[str]) -> None:
    """Look at what a stranger is told."""
    row, name = case
    action = row.path.rsplit("/", 1)[1]
    body = answer.json()
    where = (row.method, row.path, name, value, body)
    if row.method == GET:
        assert UNKNOWN.get(action, "00000") == body["code"], where
        assert not seen(body["data"], names), where
    elif name in LISTS:
        assert "00000" == body["code"], where
        result = body["data"]
        if isinstance(result, dict) and BATCHES[action]:
            codes = {entry["errorCode"] for entry in result["failureList"]}
            assert ({BATCHES[action]}, []) == (codes, result["successList"]), where
        elif BATCHES[action]:
            said = {(entry["success"], entry["msg"]) for entry in result}
            assert {("failure", SENTENCES[BATCHES[action]])} == said, where
        else:
            assert not seen(result, names), where
    elif action in UNKNOWN:
        assert UNKNOWN[action] == body["code"], where
    else:
        assert action in MAKES, where
        assert not seen(body["data"], names), where


async def sent(stranger: Client, case: Case, value: str) -> httpx.Response:
    """Send what the owner could send."""
    row, name = case
    fields = [field.encode_name for field in msgspec.structs.fields(row.request)]
    wish = {each: STOCK[each] for each in fields if each in STOCK}
    if row.path.endswith("cancel-replace-order"):
        # It brings no exits.
        wish = {each: wish[each] for each in wish if not each.startswith("preset")}
    if "idList" == name:
        wish[name] = [value]
    elif "batch-place-order" in row.path or "batch-orders" in row.path:
        entry = {each: STOCK[each] for each in ("side", "orderType", "force", "price", "loanType")}
        wish[name] = [{**entry, "symbol": "BTCUSDT", "size": "0.001", "baseSize": "0.001"}]
        wish[name][0]["clientOid"] = "mine"
    elif name in LISTS:
        entry = {"symbol": "BTCUSDT", "price": "19000", "size": "0.001"}
        wish[name] = [{**entry, "orderId": value}]
    else:
        wish[name] = value
    if row.method == GET:
        return await stranger.get(row.path, **wish)
    return await stranger.post(row.path, **wish)


async def plans_of(owner: Client) -> dict[str, Any]:
    """Place one trigger in each kind of account."""
    wish = {name: STOCK[name] for name in ("symbol", "side", "orderType", "triggerPrice", "size")}
    wish |= {"executePrice": "17990", "triggerType": "fill_price", "clientOid": "mine"}
    made = {}
    for desk in ("spot", "margin/crossed", "margin/isolated"):
        path = f"/lombard/v1/{desk}/place-plan-order"
        made[f"plan {desk}"] = await owner.done(path, **wish)
    return made


async def neighbour(place: Street) -> Client:
    """Admit somebody who has every account that the owner has, and nothing in any order."""
    stranger = await place.client(USDT="1000", BTC="1")
    for account in ("crossed", "isolated"):
        wish = {"fromType": "spot", "toType": f"{account}_margin", "coin": "USDT"}
        await stranger.done("/api/v2/spot/wallet/transfer", **wish, amount="100", symbol="BTCUSDT")
    return stranger


def belongings(house: House, user: int) -> list[object]:
    """Write down all that a user has."""
    state = house.state
    accounts = {*queries.accounts_of(state, user), account_id(user, SLOT_SPOT)}
    found: list[object] = []
    for account in sorted(accounts):
        for balance in queries.balances(state, account):
            found.append([getattr(balance, name) for name in dir(balance) if name[0] != "_"])
        for order in queries.open_orders(state, account):
            found.append((order.id, order.frozen_units, order.filled_steps))
    for trigger in state.triggers.by_id.values():
        if trigger.account.id in accounts:
            found.append((trigger.id, trigger.account.id))
    return found


def all_ids(tree: object) -> Iterator[str]:
    """Find the ids in what the owner was answered."""
    if isinstance(tree, dict):
        for value in tree.values():
            yield from all_ids(value)
    elif isinstance(tree, str) and tree.isdigit() and len(tree) > 3:
        yield tree


def seen(tree: object, names: list[str]) -> list[str]:
    """List the owner's ids that an answer shows; bills have numbers of their own."""
    if isinstance(tree, dict):
        tree = [value for name, value in tree.items() if name != "billId"]
    if isinstance(tree, list):
        return [each for part in tree for each in seen(part, names)]
    return [tree] if isinstance(tree, str) and tree in names else []
