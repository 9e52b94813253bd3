"""Operators in a browser: they log in at the office, and nobody else does."""

from pathlib import Path

from pyotp import TOTP

from lombard.api.operator.endpoints import operator_endpoints
from lombard.api.table import Access
from lombard.api.visit import Rules
from lombard.cli.config import Config, Identity, office_rules_of
from tests.api.browser import IDENTITY, PASSWORD, Browser, trader
from tests.api.house import MACHINE_MS, Street, fault_in, run
from tests.api.office import Office, at, office

ROWS = [row for row in operator_endpoints() if row.access is Access.SIGNED]


def behind(place: Office, browser: Browser) -> Browser:
    """Go to the office with the cookie of a browser."""
    inside = Browser(Street(place.place.house, place.place.app, place.http))
    inside.cookies, inside.csrf_token = browser.cookies, browser.csrf_token
    return inside


def test_whose_session_opens_the_office(tmp_path: Path) -> None:
    async def test() -> None:
        async with office(tmp_path) as place:
            made = await place.place.house.directory.create_operator("eve@example.org")
            browser = Browser(place.place)
            await browser.done("log-in", email="eve@example.org", password=made.password)
            eve = behind(place, browser)
            ann = behind(place, await trader(place.place, "trader@example.org"))
            assert len(ROWS) > 10
            before = place.state_hash
            for row in ROWS:
                is_get = row.method == "GET"
                denied = await (ann.get(row.path) if is_get else ann.post(row.path))
                sentence = "Incorrect permissions, need operator permissions"
                assert ("40014", sentence) == fault_in(denied), row.path
                if is_get:
                    answer = await eve.get(row.path)
                    codes = ("40014", "40725", "30004", "40001")
                    assert answer.json()["code"] not in codes, row.path
                else:
                    answer = await eve.send("POST", row.path, b"{}", X_CSRF_Token="")
                    assert (403, "40017") == (answer.status_code, fault_in(answer)[0]), row.path
            assert before == place.state_hash

    run(test())


def test_only_operators_log_in_at_the_office(tmp_path: Path) -> None:
    async def test() -> None:
        async with office(tmp_path) as place:
            made = await place.place.house.directory.create_operator("eve@example.org")
            ann = await trader(place.place, "trader@example.org")
            inside = behind(place, Browser(place.place))

            denied = await inside.refused("log-in", email=ann.email, password=PASSWORD)
            assert ("40014", "Incorrect permissions, need operator permissions") == denied
            wrong = await inside.refused("log-in", email="eve@example.org", password="not that one")
            unknown = await inside.refused("log-in", email="eva@example.org", password="not that")
            assert wrong == unknown
            assert {} == inside.cookies
            assert (
                "40404" == (await inside.refused("sign-up", email="x@y.zz", password=PASSWORD))[0]
            )

            me = await inside.done("log-in", email="Eve@example.org", password=made.password)
            assert ("operator", "eve@example.org", "-3") == (me["role"], me["email"], me["userId"])
            assert me["csrfToken"] == (await inside.read("me"))["csrfToken"]
            assert "6" == str(len(await inside.read(at("coins"))))
            elsewhere = await inside.get(at("coins"), Sec_Fetch_Site="same-site")
            assert 403 == elsewhere.status_code
            await inside.done("log-out")
            assert {} == inside.cookies
            assert "30004" == fault_in(await inside.get(f"{IDENTITY}/me"))[0]

    run(test())


def test_a_second_device_is_asked_for(tmp_path: Path) -> None:
    async def test() -> None:
        async with office(tmp_path) as place:
            made = await place.place.house.directory.create_operator("eve@example.org")
            who = {"email": "eve@example.org", "password": made.password}
            inside = behind(place, Browser(place.place))
            await inside.done("log-in", **who)
            await inside.done("confirm", password=made.password)
            secret = (await inside.done("totp/enrol"))["secret"]
            codes = await inside.done("totp/confirm", code=TOTP(secret).at(MACHINE_MS // 1000))
            again = behind(place, Browser(place.place))
            assert "40019" == (await again.refused("log-in", **who))[0]
            me = await again.done("log-in", **who, code=codes["recoveryCodes"][0])
            assert me["totp"]

    run(test())


def test_the_office_has_a_cookie_of_its_own() -> None:
    for is_secure, name in ((True, "__Host-lombard_office"), (False, "lombard_office")):
        rules = office_rules_of(
            Config("venue", identity=Identity(secure_cookies=is_secure, origins=("https://a.b",)))
        )
        assert (name, frozenset(), False) == (rules.cookie, rules.origins, rules.sign_up_open)
        assert Rules(is_secure=is_secure).cookie != rules.cookie
