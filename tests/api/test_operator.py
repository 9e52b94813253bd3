"""The operators' calls: who may make them, what they change, and what they refuse."""

from pathlib import Path
from typing import Any

import pytest

from lombard.api.endpoints import ENDPOINTS
from lombard.api.operator import door, money
from lombard.api.operator.endpoints import operator_endpoints
from lombard.api.operator.people import LEDGER_NAMES
from lombard.api.table import GET, Access
from lombard.cli.config import Operators
from lombard.core.commands import operator_id
from lombard.history import rows as past
from lombard.identity import ALL_PERMISSIONS, Permission
from tests.api.browser import IDENTITY
from tests.api.house import START_MS, Client, fault_in, run
from tests.api.office import PREFIX, Office, at, office

DAY_MS = 86_400_000
ROWS = operator_endpoints()
OWN_ROWS = [row for row in ROWS if row.access is Access.SIGNED]
# Every call that changes anything, with a body that would; and each refusal by the form of it.
CALLS: dict[str, dict[str, Any]] = {
    "coins": {"coin": "BTC", "userLimit": "27"},
    "coins/restrict": {"coin": "BTC", "borrowable": False},
    "pairs": {"symbol": "BTCUSDT", "takerFee": "0.0005"},
    "rates": {"coin": "USDT", "dailyInterestRate": "0.0005"},
    "rate-models": {
        "coin": "USDT", "baseRate": "0.0001", "kink": "0.8", "rateAtKink": "0.0004",
        "rateAtFull": "0.003",
    },
    "parameters": {"name": "takeover_after_ms", "value": "60000"},
    "vip-levels": {
        "levels": [
            {"rate": "1", "limit": "1"}, {"rate": "0.97", "limit": "1.5"},
            {"rate": "0.9", "limit": "2"}, {"rate": "0.8", "limit": "3"},
            {"rate": "0.7", "limit": "3"}, {"rate": "0.6", "limit": "3"},
        ]
    },
    "users/level": {"userId": "1000001", "level": "1"},
    "index-prices": {"coin": "BTC", "price": "21000", "sources": "2"},
    "announcements/coin-terms": {
        "coin": "BTC", "effectiveTime": str(START_MS + DAY_MS), "userLimit": "5",
    },
    "announcements/pair-terms": {
        "symbol": "BTCUSDT", "effectiveTime": str(START_MS + DAY_MS),
        "isolatedTiers": [
            {
                "baseUpTo": "1", "quoteUpTo": "20000", "leverage": "2",
                "maintenanceMarginRate": "0.2",
            }
        ],
    },
    "announcements/delisting": {
        "coin": "PEPE", "reduceOnlyTime": str(START_MS + DAY_MS),
        "repayTime": str(START_MS + 2 * DAY_MS),
    },
    "announcements/withdraw": {"announcementId": "1"},
    "movements": {"kind": "deposit", "userId": "1000001", "coin": "USDT", "amount": "5"},
    "movements/approve": {"movementId": "1"},
    "movements/reject": {"movementId": "1"},
    "users": {},
    "users/password-reset": {"userId": "1000001"},
    "users/freeze": {"userId": "1000001", "frozen": True},
    "campaigns": {
        "name": "May", "discountRate": "0.5", "caps": [{"coin": "USDT", "amount": "100"}],
        "durationHours": "24", "claimUntil": str(START_MS + DAY_MS),
    },
    "campaigns/grants": {"campaignId": "1", "userIds": ["1000001"]},
    "campaigns/entries": {"campaignId": "1", "userIds": ["1000001"]},
    "campaigns/draws": {"campaignId": "1", "seed": "00"},
}  # fmt: skip
# What is asked with a body, and changes nothing.
QUESTIONS: dict[str, dict[str, Any]] = {"stress": {"moves": [{"coin": "BTC", "change": "-0.2"}]}}


# Calls about people, which the engine does not know: identity's own log has them (decision 0025).
OF_PEOPLE = ["users/password-reset"]


def test_the_table_is_whole() -> None:
    writes = {row.path.removeprefix(f"{PREFIX}/") for row in OWN_ROWS if row.method != GET}

    assert set(CALLS | QUESTIONS) == writes
    for row in OWN_ROWS:
        assert row.path.startswith(f"{PREFIX}/")
        assert Permission.OPERATOR == row.permission
    # Whoever watches the process may ask whether it is up; nothing else is for everybody.
    public = {row.path for row in ROWS if row.access is Access.PUBLIC}
    assert {"/lombard/v1/health", "/lombard/v1/ready"} == public
    # The rest is how operators come in with a browser; nobody signs up here.
    others = {row.path for row in ROWS if row.access in (Access.ENTRY, Access.SESSION)}
    assert len(ROWS) == len(OWN_ROWS) + len(public) + len(others)
    assert door.KEPT | {f"{IDENTITY}/log-in"} == others


def test_no_public_port_has_an_operator_s_call() -> None:
    assert not [row.path for row in ENDPOINTS if row.permission == Permission.OPERATOR]
    assert not [row.path for row in ENDPOINTS if row.path.startswith(PREFIX)]


def test_settings_name_the_movements_there_are() -> None:
    assert set(Operators().needs_approval) <= set(money.KINDS)
    assert set(past_ledger_kinds()) == set(LEDGER_NAMES)
    assert () == Operators().needs_two
    assert Operators().needs_approval == Operators(approvals=2).needs_two


def past_ledger_kinds() -> list[int]:
    return [number for name, number in vars(past).items() if name.startswith("LEDGER_")]


KEYS = [
    Permission(0), Permission.READ, Permission.TRADE, Permission.TRANSFER, ALL_PERMISSIONS,
]  # fmt: skip


@pytest.mark.parametrize("permissions", KEYS, ids=str)
def test_no_trader_s_key_is_let_in(tmp_path: Path, permissions: Permission) -> None:
    async def test() -> None:
        async with office(tmp_path) as desk:
            made = await desk.place.client(permissions)
            trader = Client(desk.http, made.user, made.key, made.secret, made.passphrase)
            before = desk.state_hash
            for row in OWN_ROWS:
                path = row.path.removeprefix(f"{PREFIX}/")
                answer = await (
                    trader.get(row.path)
                    if row.method == GET
                    else trader.post(row.path, **(CALLS | QUESTIONS)[path])
                )
                sentence = "Incorrect permissions, need operator permissions"
                assert ("40014", sentence) == fault_in(answer), row.path
                unsigned = await desk.http.request(row.method, row.path)
                assert "40001" == fault_in(unsigned)[0]
            assert before == desk.state_hash

    run(test())


def test_an_operator_s_key_trades_nothing(tmp_path: Path) -> None:
    async def test() -> None:
        async with office(tmp_path) as desk:
            ann = desk.ann
            outside = Client(desk.place.http, ann.user, ann.key, ann.secret, ann.passphrase)
            before = desk.state_hash
            for row in ENDPOINTS:
                if row.access is Access.SIGNED:
                    answer = await (
                        outside.get(row.path) if row.method == GET else outside.post(row.path)
                    )
                    assert "40014" == fault_in(answer)[0], row.path
            for path in CALLS:
                assert "40404" == fault_in(await outside.post(at(path)))[0]
            assert before == desk.state_hash

    run(test())


# --- what is refused ------------------------------------------------------------------------------


def test_every_call_says_which_operator_it_was(tmp_path: Path) -> None:
    """What is asked goes into the log under the operator's number, refused or not."""

    async def test() -> None:
        async with office(tmp_path) as desk:
            await desk.place.house.create_user()
            asked = []
            submit = desk.place.house.submit

            async def note(account: int, command: Any, command_id: bytes = b"") -> Any:
                asked.append((account, len(command_id)))
                return await submit(account, command, command_id)

            desk.place.house.submit = note  # type: ignore[method-assign]
            for path in [each for each in CALLS if each not in OF_PEOPLE]:
                body = CALLS[path]
                code = (await desk.ben.post(at(path), **body)).json()["code"]
                assert code in ("00000", "40805", "40017"), (path, code)
            # Ben is the second: -2 to identity, 2 in the log. All have a name to be retried by.
            assert [(operator_id(2), 16)] * (len(CALLS) - len(OF_PEOPLE)) == asked

    run(test())


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("coins", {}, "40019"),
        ("coins", {"coin": "NEW"}, "40019"),
        ("coins", {"coin": "BTC", "userLimit": "x"}, "40020"),
        ("coins", {"coin": "BTC", "decimals": "3"}, "40017"),
        ("coins", {"coin": "BTC", "collateral": []}, "40017"),
        ("coins", {"coin": "BTC", "collateral": "all"}, "40020"),
        (
            "coins",
            {
                "coin": "BTC",
                "tiers": [{"upTo": "1", "leverage": "9", "maintenanceMarginRate": "0.1"}],
            },
            "40017",
        ),
        ("coins/restrict", {"coin": "XYZ"}, "43129"),
        ("coins/restrict", {"coin": "BTC", "borrowable": "perhaps"}, "40020"),
        ("pairs", {"symbol": "NEWUSDT"}, "40019"),
        ("pairs", {"symbol": "BTCUSDT", "takerFee": "1"}, "40017"),
        ("pairs", {"symbol": "BTCUSDT", "step": "0"}, "40019"),
        ("pairs", {"symbol": "BTCUSDT", "base": "ETH"}, "40017"),
        ("rates", {"coin": "USDT", "dailyInterestRate": "-1"}, "40020"),
        ("rates", {"coin": "USDT", "dailyInterestRate": "1.1"}, "40017"),
        ("parameters", {"name": "nothing", "value": "1"}, "40017"),
        ("parameters", {"name": "band_e6", "value": "0.1"}, "40020"),
        ("parameters", {"name": "band_e6", "value": "900000"}, "40017"),
        ("vip-levels", {"levels": []}, "40019"),
        ("vip-levels", {"levels": [{"rate": "0.5", "limit": "1"}]}, "40017"),
        ("users/level", {"userId": "7", "level": "1"}, "40020"),
        ("users/level", {"userId": "1000001", "level": "99"}, "40017"),
        ("index-prices", {"coin": "BTC", "price": "0"}, "40706"),
        ("index-prices", {"coin": "BTC", "price": "1", "sources": "0"}, "40017"),
        ("announcements/coin-terms", {"coin": "BTC", "effectiveTime": "soon"}, "40020"),
        ("announcements/coin-terms", {"coin": "BTC", "effectiveTime": "1"}, "40017"),
        (
            "announcements/pair-terms",
            {"symbol": "BTCUSDT", "effectiveTime": str(START_MS + 1), "isolatedTiers": []},
            "40019",
        ),
        ("announcements/delisting", {"reduceOnlyTime": "1", "repayTime": "2"}, "40017"),
        ("announcements/withdraw", {"announcementId": "x"}, "40020"),
        ("announcements/withdraw", {"announcementId": "77"}, "40017"),
        ("movements", {"kind": "gift", "coin": "USDT", "amount": "1"}, "40020"),
        ("movements", {"kind": "deposit", "coin": "USDT", "amount": "1"}, "40019"),
        ("movements", {"kind": "deposit", "userId": "7", "coin": "USDT", "amount": "1"}, "40020"),
        (
            "movements",
            {"kind": "pool-funding", "userId": "1000001", "coin": "USDT", "amount": "1"},
            "40020",
        ),
        ("movements", {"kind": "pool-funding", "coin": "XYZ", "amount": "1"}, "43129"),
        ("movements", {"kind": "pool-funding", "coin": "USDT", "amount": "0"}, "01001"),
        ("movements", {"kind": "pool-funding", "coin": "USDT", "amount": "0.000000001"}, "50063"),
        ("movements", {"kind": "pool-withdrawal", "coin": "USDT", "amount": "99999999"}, "43012"),
        (
            "movements",
            {"kind": "withdrawal", "userId": "1000001", "coin": "USDT", "amount": "1"},
            "43012",
        ),
        ("movements/approve", {"movementId": "5"}, "40805"),
        ("movements/approve", {"movementId": "x"}, "40020"),
        ("movements/reject", {"movementId": "5"}, "40805"),
        ("users/freeze", {"userId": "1000001"}, "40019"),
        ("users/freeze", {"userId": "1000001", "frozen": True, "accountType": "p2p"}, "40020"),
        (
            "users/freeze",
            {"userId": "1000001", "frozen": True, "accountType": "isolated_margin"},
            "40019",
        ),
        (
            "users/freeze",
            {
                "userId": "1000001",
                "frozen": True,
                "accountType": "isolated_margin",
                "symbol": "BTCUSDT",
            },
            "50021",
        ),
        ("campaigns", {**CALLS["campaigns"], "discountRate": "2"}, "40017"),
        ("campaigns/grants", CALLS["campaigns/grants"], "40805"),
        ("campaigns/draws", CALLS["campaigns/draws"], "40805"),
    ],
)
def test_a_wrong_call_changes_nothing(path: str, body: dict[str, Any], code: str) -> None:
    async def test() -> None:
        before = OPEN.desk.state_hash
        assert code == fault_in(await OPEN.desk.ann.post(at(path), **body))[0]
        assert before == OPEN.desk.state_hash

    OPEN.run(test())


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("users", {"after": "x"}, "40020"),
        ("users", {"limit": "x"}, "40020"),
        ("users/accounts", {"userId": "7"}, "40020"),
        ("users/ledger", {"userId": "1000001", "kind": "gift"}, "40020"),
        ("users/ledger", {"userId": "1000001", "coin": "XYZ"}, "43129"),
        ("books", {}, "40019"),
        ("books", {"account": "purse"}, "40020"),
        ("books", {"account": "pool", "coin": "XYZ"}, "43129"),
        ("books", {"account": "pool", "userId": "1000001"}, "40020"),
        ("books", {"account": "debt"}, "40019"),
        ("books", {"account": "debt", "userId": "1000001"}, "40019"),
        ("books", {"account": "debt", "userId": "1000001", "accountType": "x"}, "40020"),
        ("liquidations", {"limit": "x"}, "40020"),
        ("liquidations/record", {"liqId": "5"}, "40020"),
        ("liquidations/record", {}, "40019"),
    ],
)
def test_a_wrong_question_is_refused(path: str, query: dict[str, str], code: str) -> None:
    async def test() -> None:
        assert code == fault_in(await OPEN.desk.ann.get(at(path), **query))[0]

    OPEN.run(test())


class OpenOffice:
    """One office for the tables of what is refused, which leaves it as it was."""

    desk: Office

    def run(self, test: Any) -> None:
        self.runner.run(test)

    runner: Any


OPEN = OpenOffice()


@pytest.fixture(scope="module", autouse=True)
def _open(tmp_path_factory: pytest.TempPathFactory) -> Any:
    import asyncio

    with asyncio.Runner() as runner:
        opened = office(tmp_path_factory.mktemp("office"))
        OPEN.runner = runner
        OPEN.desk = runner.run(opened.__aenter__())
        runner.run(OPEN.desk.place.house.create_user())
        yield
        runner.run(opened.__aexit__(None, None, None))
