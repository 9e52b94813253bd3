"""The table of endpoints: what is there, who may call it, how often; and nobody else may."""

from pathlib import Path

import pytest

from lombard.api.decoding import empty
from lombard.api.endpoints import ENDPOINTS
from lombard.api.table import Access, Counted
from lombard.identity import ALL_PERMISSIONS, Permission, Role
from tests.api.browser import IDENTITY as IDENTITY_PREFIX
from tests.api.browser import PASSWORD, Browser, trader
from tests.api.house import fault_in, run, street

READ, TRADE, TRANSFER = Permission.READ, Permission.TRADE, Permission.TRANSFER
USER, ADDRESS = Counted.USER, Counted.ADDRESS
MARGIN = {
    "POST account/borrow": (TRADE, 10, USER),
    "POST account/repay": (TRADE, 10, USER),
    "POST account/flash-repay": (TRADE, 10, USER),
    "POST account/query-flash-repay-status": (READ, 10, USER),
    "GET account/assets": (READ, 10, USER),
    "GET account/risk-rate": (READ, 10, USER),
    "GET account/max-borrowable-amount": (READ, 10, USER),
    "GET account/max-transfer-out-amount": (READ, 10, USER),
    "GET interest-rate-and-limit": (READ, 10, USER),
    "GET tier-data": (READ, 10, USER),
    "POST place-order": (TRADE, 10, USER),
    "POST batch-place-order": (TRADE, 10, USER),
    "POST cancel-order": (TRADE, 10, USER),
    "POST batch-cancel-order": (TRADE, 10, USER),
    "GET open-orders": (READ, 10, USER),
    "GET history-orders": (READ, 10, USER),
    "GET fills": (READ, 10, USER),
    "GET liquidation-order": (READ, 10, USER),
    "GET borrow-history": (READ, 10, USER),
    "GET repay-history": (READ, 10, USER),
    "GET interest-history": (READ, 10, USER),
    "GET liquidation-history": (READ, 10, USER),
    "GET financial-records": (READ, 10, USER),
}
PLANS = {
    "POST place-plan-order": (TRADE, 10, USER),
    "POST modify-plan-order": (TRADE, 10, USER),
    "POST cancel-plan-order": (TRADE, 10, USER),
    "POST batch-cancel-plan-order": (TRADE, 5, USER),
    "POST cancel-everything": (TRADE, 5, USER),
    "POST place-oco-order": (TRADE, 10, USER),
    "POST place-exit-order": (TRADE, 10, USER),
    "GET current-plan-order": (READ, 10, USER),
    "GET history-plan-order": (READ, 10, USER),
}
# People about themselves: no key has a permission for it.
IDENTITY = {
    "POST sign-up": (None, 1, ADDRESS),
    "POST log-in": (None, 5, ADDRESS),
    "POST password-reset": (None, 5, ADDRESS),
    "POST log-out": (None, 10, USER),
    "POST socket-ticket": (None, 10, USER),
    "GET me": (None, 10, USER),
    "POST confirm": (None, 10, USER),
    "POST password": (None, 10, USER),
    "POST totp/enrol": (None, 10, USER),
    "POST totp/confirm": (None, 10, USER),
    "POST totp/remove": (None, 10, USER),
    "POST totp/recovery-codes": (None, 10, USER),
    "GET keys": (None, 10, USER),
    "POST keys/create": (None, 10, USER),
    "POST keys/change": (None, 10, USER),
    "POST keys/delete": (None, 10, USER),
    "GET sessions": (None, 10, USER),
    "POST sessions/revoke": (None, 10, USER),
    "POST sessions/revoke-others": (None, 10, USER),
    "GET audit": (None, 10, USER),
}
# The permission of each endpoint (None: anybody), calls a second, and whose they are counted as.
TABLE = {
    "GET /api/v2/public/time": (None, 20, ADDRESS),
    "GET /api/v2/spot/public/coins": (None, 3, ADDRESS),
    "GET /api/v2/spot/public/symbols": (None, 20, ADDRESS),
    "GET /api/v2/margin/currencies": (None, 10, ADDRESS),
    "GET /api/v2/margin/interest-rate-record": (None, 10, ADDRESS),
    "GET /api/v2/mix/market/contracts": (None, 20, ADDRESS),
    "GET /api/v2/common/trade-rate": (READ, 10, USER),
    "GET /api/v2/common/all-trade-rate": (READ, 10, USER),
    "GET /api/v2/account/all-account-balance": (READ, 1, USER),
    "GET /api/v2/tax/margin-record": (READ, 1, USER),
    "GET /lombard/v1/statement": (READ, 1, USER),
    "GET /api/v3/account/settings": (READ, 10, USER),
    "GET /api/v2/spot/market/tickers": (None, 20, ADDRESS),
    "GET /api/v2/spot/market/orderbook": (None, 20, ADDRESS),
    "GET /api/v2/spot/market/fills": (None, 10, ADDRESS),
    "GET /api/v2/spot/market/fills-history": (None, 10, ADDRESS),
    "GET /api/v2/spot/market/merge-depth": (None, 20, ADDRESS),
    "GET /api/v2/spot/market/vip-fee-rate": (None, 10, ADDRESS),
    "GET /api/v2/spot/market/auction": (None, 20, ADDRESS),
    "GET /api/v2/margin/market/long-short-ratio": (None, 1, ADDRESS),
    "GET /api/v2/margin/market/loan-growth": (None, 1, ADDRESS),
    "GET /api/v2/mix/market/isolated-borrow-rate": (None, 1, ADDRESS),
    "GET /api/v2/spot/market/candles": (None, 20, ADDRESS),
    "GET /api/v2/spot/market/history-candles": (None, 20, ADDRESS),
    **{
        f"{call.split()[0]} /api/v2/margin/{mode}/{call.split()[1]}": row
        for mode in ("crossed", "isolated")
        for call, row in MARGIN.items()
    },
    "GET /api/v2/margin/crossed/interest-rate-and-limit": (READ, 10, ADDRESS),
    "GET /api/v2/margin/crossed/tier-data": (READ, 10, ADDRESS),
    "GET /api/v2/margin/crossed/repay-history": (READ, 10, ADDRESS),
    "POST /api/v2/spot/wallet/transfer": (TRANSFER, 10, USER),
    "GET /api/v2/spot/wallet/transfer-coin-info": (READ, 10, USER),
    "GET /api/v2/spot/account/transferRecords": (READ, 20, USER),
    "GET /api/v2/spot/account/assets": (READ, 10, USER),
    "GET /api/v2/spot/account/bills": (READ, 10, USER),
    "GET /api/v2/spot/account/info": (READ, 1, USER),
    "GET /api/v2/spot/account/deduct-info": (READ, 10, USER),
    "POST /api/v2/spot/account/switch-deduct": (TRADE, 10, USER),
    "POST /api/v2/spot/trade/place-order": (TRADE, 10, USER),
    "POST /api/v2/spot/trade/batch-orders": (TRADE, 5, USER),
    "POST /api/v2/spot/trade/cancel-order": (TRADE, 10, USER),
    "POST /api/v2/spot/trade/batch-cancel-order": (TRADE, 10, USER),
    "POST /api/v2/spot/trade/cancel-symbol-order": (TRADE, 5, USER),
    "POST /api/v2/spot/trade/cancel-replace-order": (TRADE, 5, USER),
    "POST /api/v2/spot/trade/batch-cancel-replace-order": (TRADE, 5, USER),
    "POST /api/v2/spot/trade/place-plan-order": (TRADE, 20, USER),
    "POST /api/v2/spot/trade/modify-plan-order": (TRADE, 20, USER),
    "POST /api/v2/spot/trade/cancel-plan-order": (TRADE, 20, USER),
    "POST /api/v2/spot/trade/batch-cancel-plan-order": (TRADE, 5, USER),
    "GET /api/v2/spot/trade/current-plan-order": (READ, 20, USER),
    "GET /api/v2/spot/trade/history-plan-order": (READ, 20, USER),
    "GET /api/v2/spot/trade/plan-sub-order": (READ, 20, USER),
    **{
        f"{call.split()[0]} /lombard/v1/{desk}/{call.split()[1]}": row
        for desk in ("spot", "margin/crossed", "margin/isolated")
        for call, row in PLANS.items()
    },
    "GET /api/v2/spot/trade/orderInfo": (READ, 20, USER),
    "GET /api/v2/spot/trade/unfilled-orders": (READ, 20, USER),
    "GET /api/v2/spot/trade/history-orders": (READ, 20, USER),
    "GET /api/v2/spot/trade/fills": (READ, 10, USER),
    "GET /lombard/v1/public/coupon-campaigns": (None, 10, ADDRESS),
    "GET /lombard/v1/coupons": (READ, 10, USER),
    "POST /lombard/v1/coupons/claim": (TRADE, 10, USER),
    "GET /lombard/v1/margin/crossed/interest-receipts": (READ, 10, USER),
    "GET /lombard/v1/margin/crossed/liquidation": (READ, 10, USER),
    "GET /lombard/v1/margin/isolated/liquidation": (READ, 10, USER),
    "GET /lombard/v1/margin/isolated/interest-receipts": (READ, 10, USER),
    "POST /lombard/v1/margin/close-position": (TRADE, 10, USER),
    "GET /lombard/v1/margin/explain/max-borrowable": (READ, 10, USER),
    "GET /lombard/v1/margin/explain/max-transfer-out": (READ, 10, USER),
    "POST /lombard/v1/margin/explain/order": (READ, 2, USER),
    "GET /lombard/v1/margin/explain/liquidation": (READ, 10, USER),
    "POST /lombard/v1/margin/what-if": (READ, 5, USER),
    "GET /lombard/v1/margin/pay-off": (READ, 10, USER),
    "GET /lombard/v1/margin/positions": (READ, 10, USER),
    "GET /lombard/v1/margin/leverage": (READ, 10, USER),
    "POST /lombard/v1/margin/leverage": (TRADE, 10, USER),
    "GET /lombard/v1/announcements": (None, 10, ADDRESS),
    "GET /lombard/v1/notices": (READ, 10, USER),
    "GET /lombard/v1/margin/crossed/fills": (READ, 10, USER),
    "GET /lombard/v1/margin/isolated/fills": (READ, 10, USER),
    "GET /lombard/v1/transfers": (READ, 10, USER),
    **{
        f"{call.split()[0]} /lombard/v1/identity/{call.split()[1]}": row
        for call, row in IDENTITY.items()
    },
    "GET /lombard/v1/health": (None, 0, ADDRESS),
    "GET /lombard/v1/public/interest-rates": (None, 10, ADDRESS),
    "GET /lombard/v1/public/interest-rate-history": (None, 10, ADDRESS),
    "GET /lombard/v1/ready": (None, 0, ADDRESS),
}
# Questions too long for a query string; nothing is changed.
READ_BY_POST = [
    "/lombard/v1/margin/explain/order",
    "/lombard/v1/margin/what-if",
    "/api/v2/margin/crossed/account/query-flash-repay-status",
    "/api/v2/margin/isolated/account/query-flash-repay-status",
]
OPERATOR = Permission.OPERATOR
# What asks for the password again before anything else.
CONFIRMED = [f"{IDENTITY_PREFIX}/keys/{call}" for call in ("create", "change")]
KEYS = [Permission(0), READ, TRADE, TRANSFER, READ | TRADE, ALL_PERMISSIONS, OPERATOR]


def test_the_table_is_the_one_that_is_documented() -> None:
    found = {
        f"{row.method} {row.path}": (row.permission, row.per_second, row.counted)
        for row in ENDPOINTS
    }

    assert TABLE == found
    for row in ENDPOINTS:
        assert (row.permission is None) == (row.access is not Access.SIGNED)
        assert row.access is not Access.LOCAL
        assert row.permission is not Permission.OPERATOR
        # What changes anything is never public, but for what makes somebody out of nobody.
        reads = row.method == "GET" or row.path in READ_BY_POST
        assert (
            reads
            or row.permission in (TRADE, TRANSFER)
            or row.access is Access.SESSION
            or (
                row.path.removeprefix(f"{IDENTITY_PREFIX}/")
                in ("sign-up", "log-in", "password-reset")
                and row.access is Access.ENTRY
            )
        )


@pytest.mark.parametrize("permissions", KEYS, ids=str)
def test_every_endpoint_with_every_key(tmp_path: Path, permissions: Permission) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            user = -1 if permissions & Permission.OPERATOR else 0
            if user:
                await place.house.directory.create_operator("op@example.org")
            client = await place.client(permissions, user=user)
            before = place.house.engine.state_hash()
            for row in ENDPOINTS:
                answer = await (
                    client.get(row.path) if row.method == "GET" else client.post(row.path)
                )
                if row.access is Access.SESSION:
                    # What people do about themselves is not for programs, whatever their key.
                    expected = ("30004", "User needs to log in")
                    assert (401, *expected) == (answer.status_code, *fault_in(answer)), row.path
                elif row.permission is not None and not permissions & row.permission:
                    name = str(row.permission.name).lower()
                    sentence = f"Incorrect permissions, need {name} permissions"
                    assert ("40014", sentence) == fault_in(answer), row.path
                elif row.required:
                    # Let in, and told what is missing first.
                    missing = empty(row.scene, row.required[0])
                    assert (missing.code, missing.sentence) == fault_in(answer), row.path
                else:
                    assert answer.json()["code"] not in ("40014", "40725", "30004"), row.path
            if not permissions & (TRADE | TRANSFER):
                assert before == place.house.engine.state_hash()

    run(test())


@pytest.mark.parametrize("role", list(Role), ids=str)
def test_every_endpoint_with_a_session(tmp_path: Path, role: Role) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            if role is Role.OPERATOR:
                made = await place.house.directory.create_operator("op@example.org")
                browser, password = Browser(place), made.password
                await browser.done("log-in", email="op@example.org", password=password)
            else:
                browser, password = await trader(place), PASSWORD
            for row in ENDPOINTS:
                if row.path == f"{IDENTITY_PREFIX}/log-out":
                    continue
                answer = await (
                    browser.get(row.path) if row.method == "GET" else browser.post(row.path)
                )
                if role is Role.OPERATOR and row.permission is not None:
                    assert "40014" == fault_in(answer)[0], row.path
                elif row.required and row.path not in CONFIRMED:
                    missing = empty(row.scene, row.required[0])
                    assert (missing.code, missing.sentence) == fault_in(answer), row.path
                else:
                    assert answer.json()["code"] not in ("40014", "40725", "30004"), row.path
            # Without the token nothing that is a POST, whoever has the cookie.
            browser.csrf_token = ""
            for row in ENDPOINTS:
                if row.method == "POST" and row.access in (Access.SIGNED, Access.SESSION):
                    answer = await browser.post(row.path)
                    assert (403, "40017") == (answer.status_code, fault_in(answer)[0]), row.path

    run(test())


def test_every_endpoint_asks_who_calls(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            before = place.house.engine.state_hash()
            for row in ENDPOINTS:
                answer = await place.http.request(row.method, row.path)
                expected = {Access.SIGNED: "40001", Access.SESSION: "30004"}.get(row.access)
                if expected is not None:
                    assert expected == fault_in(answer)[0], row.path
            assert before == place.house.engine.state_hash()

    run(test())
