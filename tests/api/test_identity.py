"""Browsers: signing up, logging in, what a session may do, and that no other page can use it."""

import json
from pathlib import Path

import pyotp
import pytest

from lombard.api.admission import admit_all
from lombard.api.visit import Rules
from lombard.core.commands import AddUser
from lombard.core.units import parse_units
from lombard.identity import Permission
from lombard.identity.directory import KEYS_MAX
from tests.api.browser import IDENTITY, PASSWORD, Browser, logged_in, trader
from tests.api.house import (
    HOST,
    Client,
    OpenStreet,
    Street,
    data_of,
    fault_in,
    run,
    street,
)

ME = f"{IDENTITY}/me"
ASSETS = "/api/v2/spot/account/assets"
TRANSFER = "/api/v2/spot/wallet/transfer"
WISH = {"fromType": "spot", "toType": "crossed_margin", "coin": "USDT", "amount": "10"}


def test_who_signs_up_is_a_user_of_the_engine_and_trades_by_session(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            ann = await trader(place)
            me = await ann.read("me")
            assert (str(ann.user), "ann@example.org", "trader") == (
                me["userId"],
                me["email"],
                me["role"],
            )
            assert (False, False) == (me["totp"], me["confirmed"])
            await fund(place, ann.user)
            await ann.done(TRANSFER, **WISH)
            assets = await ann.read(ASSETS)
            assert ["90"] == [row["available"] for row in assets]
            order = {"symbol": "BTCUSDT", "side": "buy", "orderType": "limit", "force": "gtc"}
            placed = await ann.done(
                "/api/v2/spot/trade/place-order", **order, price="19000", size="0.001"
            )
            assert placed["orderId"]

    run(test())


def test_a_session_s_commands_are_its_own_unless_it_says_otherwise(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            ann = await trader(place)
            await fund(place, ann.user)
            content = json.dumps(WISH).encode()
            # The same bytes twice are two wishes.
            plain = [data_of(await ann.send("POST", TRANSFER, content)) for _ in range(2)]
            assert 2 == len({each["transferId"] for each in plain})
            # With a key they are one, and with another key or content another.
            named = [
                data_of(await ann.send("POST", TRANSFER, sent, Idempotency_Key=key))
                for key, sent in [
                    ("a", content),
                    ("a", content),
                    ("b", content),
                    ("a", content.replace(b"10", b"11")),
                ]
            ]
            ids = [each["transferId"] for each in named]
            assert (ids[0], 3) == (ids[1], len(set(ids)))
            # And with a client id the engine knows by itself.
            for _ in range(2):
                await ann.done(TRANSFER, **WISH, clientOid="mine")
            assert ["39"] == [row["available"] for row in await ann.read(ASSETS)]
            answer = await ann.send("POST", TRANSFER, content, Idempotency_Key="a b")
            assert "40020" == fault_in(answer)[0]

    run(test())


@pytest.mark.parametrize(
    ("email", "password", "code"),
    [
        ("", PASSWORD, "40019"),
        ("ann@example.org", "", "40019"),
        ("ann", PASSWORD, "40020"),
        ("ann@example.org", "short", "40017"),
        ("ann@example.org", "aaaaaaaaaaaaaaaa", "40017"),
        ("ann@example.org", "x" * 129, "40017"),
        ("ann@example.org", "Ann@Example.org", "40017"),
    ],
)
def test_who_may_not_sign_up(open_street: OpenStreet, email: str, password: str, code: str) -> None:
    async def test(place: Street) -> None:
        before = place.house.engine.state_hash()
        assert code == (await Browser(place).refused("sign-up", email=email, password=password))[0]
        assert before == place.house.engine.state_hash()

    open_street.run(test)


def test_an_address_signs_up_once(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            await trader(place)
            again = {"email": " ANN@example.org", "password": "another password"}
            users = [each for each in place.house.commands if isinstance(each, AddUser)]
            code, sentence = await Browser(place).refused("sign-up", **again)
            assert ("40017", True) == (code, "email is taken" in sentence)
            assert users == [each for each in place.house.commands if isinstance(each, AddUser)]

    run(test())


def test_sign_up_can_be_closed(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path, rules=Rules()) as place:
            wish = {"email": "ann@example.org", "password": PASSWORD}
            answer = await Browser(place).post(f"{IDENTITY}/sign-up", **wish)
            assert (403, "40805") == (answer.status_code, fault_in(answer)[0])
            assert not [each for each in place.house.commands if isinstance(each, AddUser)]

    run(test())


@pytest.mark.parametrize("repaired_by", ["log-in", "start"])
@pytest.mark.parametrize("stopped", ["before the log", "after the log"])
def test_a_sign_up_that_was_cut_short_is_taken_up(
    tmp_path: Path, stopped: str, repaired_by: str
) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            accounts = place.house.directory.accounts
            wish = {"email": "ann@example.org", "password": PASSWORD}
            users = place.house.engine.state.users
            before = len(users)
            if stopped == "before the log":
                place.house.stopped = KeyError("cut")
                await Browser(place).refused("sign-up", **wish)
                place.house.stopped = None
                assert before == len(users)
            else:
                admit, accounts.admit = accounts.admit, broken  # type: ignore[method-assign,assignment]
                await Browser(place).refused("sign-up", **wish)
                accounts.admit = admit  # type: ignore[method-assign]
                assert before + 1 == len(users)
            assert 1 == len(await accounts.not_admitted())
            if repaired_by == "start":
                for _ in range(2):
                    await admit_all(place.house, accounts)
                assert [] == await accounts.not_admitted()
            ann = await logged_in(place, "ann@example.org")
            await logged_in(place, "ann@example.org")
            assert before + 1 == len(users)
            assert [] == await accounts.not_admitted()
            await fund(place, ann.user)
            await ann.done(TRANSFER, **WISH)
            actions = [row["action"] for row in await ann.read("audit")]
            assert ["logged in", "logged in", "signed up"] == actions

    run(test())


async def broken(*_args: object) -> None:
    """Stand for a process that ended here."""
    raise KeyError("cut")


@pytest.mark.parametrize(
    ("email", "password", "code"),
    [
        ("", "", "40019"),
        ("ann@example.org", "", "40019"),
        ("nobody@example.org", PASSWORD, "40012"),
        ("no address", PASSWORD, "40012"),
        ("ann@example.org", "wrong", "40012"),
        ("ann@example.org", "x" * 5_000, "40012"),
        ("ann@example.org", PASSWORD + "\ud800", "40020"),
    ],
)
def test_wrong_log_ins(tmp_path: Path, email: str, password: str, code: str) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            await trader(place)
            stranger = Browser(place)
            assert code == (await stranger.refused("log-in", email=email, password=password))[0]
            assert {} == stranger.cookies

    run(test())


def test_guessing_is_slowed_down_for_the_guesser_only(tmp_path: Path) -> None:
    async def test() -> None:
        rules = Rules(sign_up_open=True, is_secure=False, proxies=["127.0.0.1"])
        async with street(tmp_path, rules=rules) as place:
            ann = await trader(place)
            guess = json.dumps({"email": ann.email, "password": "a wrong one"}).encode()
            right = json.dumps({"email": ann.email, "password": PASSWORD}).encode()
            path = f"{IDENTITY}/log-in"

            async def attempt(content: bytes, address: str) -> str:
                answer = await Browser(place).send("POST", path, content, X_Forwarded_For=address)
                code: str = answer.json()["code"]
                return code

            for _ in range(5):
                assert "40012" == await attempt(guess, "192.0.2.1")
            # Not even the right one is looked at now; from elsewhere it is.
            assert "429" == await attempt(right, "192.0.2.1")
            assert "00000" == await attempt(right, "192.0.2.2")
            place.house.machine_ms += 59_999
            assert "429" == await attempt(right, "192.0.2.1")
            place.house.machine_ms += 1
            assert "40012" == await attempt(guess, "192.0.2.1")
            place.house.machine_ms += 60_000
            assert "429" == await attempt(right, "192.0.2.1")
            place.house.machine_ms += 60_000
            assert "00000" == await attempt(right, "192.0.2.1")
            assert "40012" == await attempt(guess, "192.0.2.1")
            # An address that nobody of ours vouches for counts for nothing.
            rows = await ann.read("audit")
            assert {"192.0.2.1", "192.0.2.2", "127.0.0.1"} == {row["address"] for row in rows}

    run(test())


@pytest.mark.parametrize(
    ("change", "code", "status"),
    [
        # In the order of checking.
        ({"Cookie": "lombard_session=" + "A" * 43}, "30004", 401),
        ({"Cookie": "lombard_session=short"}, "30004", 401),
        ({"Cookie": ""}, "30004", 401),
        ({"Sec_Fetch_Site": "cross-site", "Origin": "", "X_CSRF_Token": ""}, "40017", 403),
        ({"Sec_Fetch_Site": "same-site", "Origin": "", "X_CSRF_Token": ""}, "40017", 403),
        ({"Sec_Fetch_Site": "none", "Origin": "", "X_CSRF_Token": ""}, "40017", 403),
        ({"Origin": "", "X_CSRF_Token": ""}, "40017", 403),
        ({"Origin": "http://evil.example", "X_CSRF_Token": ""}, "40017", 403),
        ({"Origin": "null", "X_CSRF_Token": ""}, "40017", 403),
        ({"Origin": f"http://{HOST}.evil.example", "X_CSRF_Token": ""}, "40017", 403),
        ({"Origin": f"http://{HOST}/page", "X_CSRF_Token": ""}, "40017", 403),
        ({"Origin": f"ftp://{HOST}", "X_CSRF_Token": ""}, "40017", 403),
        ({"Origin": "http://[", "X_CSRF_Token": ""}, "40017", 403),
        ({"X_CSRF_Token": ""}, "40017", 403),
        ({"X_CSRF_Token": "0" * 64}, "40017", 403),
        ({"Content_Type": "text/plain"}, "40007", 415),
    ],
)
def test_no_other_page_changes_anything(
    tmp_path: Path, change: dict[str, str], code: str, status: int
) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            ann = await trader(place)
            await fund(place, ann.user)
            other = await trader(place, "bob@example.org")
            before = place.house.engine.state_hash()
            for path in (f"{IDENTITY}/log-out", TRANSFER):
                content = json.dumps(WISH).encode()
                answer = await ann.send("POST", path, content, **change)
                expected = (code, status)
                if path == TRANSFER and change == {"Cookie": ""}:
                    # Neither signed nor logged in: what a program is told.
                    expected = ("40001", 400)
                assert expected == (fault_in(answer)[0], answer.status_code)
            # Nor does the token of another session.
            answer = await ann.send("POST", TRANSFER, content, X_CSRF_Token=other.csrf_token)
            assert "40017" == fault_in(answer)[0]
            assert before == place.house.engine.state_hash()
            await ann.done(TRANSFER, **WISH)

    run(test())


def test_pages_of_other_sites_read_nothing_and_log_nobody_in(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            ann = await trader(place)
            for path in (ME, ASSETS):
                answer = await ann.get(path, Sec_Fetch_Site="cross-site")
                assert (403, "40017") == (answer.status_code, fault_in(answer)[0])
                data_of(await ann.get(path, Sec_Fetch_Site=""))
            content = json.dumps({"email": ann.email, "password": PASSWORD}).encode()
            for headers in ({"Origin": "http://evil.example"}, {"Sec_Fetch_Site": "cross-site"}):
                for path in ("log-in", "sign-up"):
                    answer = await Browser(place).send(
                        "POST", f"{IDENTITY}/{path}", content, **headers
                    )
                    assert (403, "40017") == (answer.status_code, fault_in(answer)[0])
            # A program has no origin.
            plain = {"Origin": "", "Sec_Fetch_Site": "", "X_CSRF_Token": ""}
            data_of(await Browser(place).send("POST", f"{IDENTITY}/log-in", content, **plain))

    run(test())


def test_the_origins_of_a_venue_can_be_named(tmp_path: Path) -> None:
    async def test() -> None:
        rules = Rules(True, True, ["https://trade.example.org"])
        async with street(tmp_path, rules=rules) as place:
            wish = {"email": "ann@example.org", "password": PASSWORD}
            assert "40017" == (await Browser(place).refused("sign-up", **wish))[0]
            ann = Browser(place, "https://trade.example.org")
            await ann.done("sign-up", **wish)
            answer = await ann.post(f"{IDENTITY}/log-in", **wish)
            cookie = answer.headers["set-cookie"]
            name, *attributes = cookie.split("; ")
            assert name.startswith("__Host-lombard_session=")
            assert ["Path=/", "HttpOnly", "SameSite=Strict", "Secure"] == attributes
            assert "no-store" == answer.headers["cache-control"]
            await ann.done("log-out")
            assert {} == ann.cookies

    run(test())


def test_a_signed_request_has_no_session(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            ann = await trader(place)
            bob = await place.client(USDT="5")
            cookie = {"Cookie": f"lombard_session={ann.cookies['lombard_session']}"}
            headers = bob.headers("GET", ASSETS, b"") | cookie
            assert "5" == data_of(await place.http.get(ASSETS, headers=headers))[0]["available"]
            # One header of a signature, and it is taken for a signed one.
            for name in ("ACCESS-KEY", "ACCESS-SIGN", "ACCESS-TIMESTAMP", "ACCESS-PASSPHRASE"):
                answer = await place.http.get(ASSETS, headers={**cookie, name: "x"})
                assert fault_in(answer)[0] in ("40001", "40002")
            answer = await place.http.get(ME, headers=bob.headers("GET", ME, b"") | cookie)
            assert (401, "30004") == (answer.status_code, fault_in(answer)[0])
            twice = {"Cookie": cookie["Cookie"] + "; " + cookie["Cookie"]}
            assert "40017" == fault_in(await place.http.get(ME, headers=twice))[0]
            long = {"Cookie": "x=" + "y" * 9_000}
            assert 431 == (await place.http.get(ME, headers=long)).status_code

    run(test())


def test_sessions_are_listed_revoked_and_end(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            ann = await trader(place)
            bob = await trader(place, "bob@example.org")
            others = [await logged_in(place, ann.email) for _ in range(3)]
            assert 4 == len({each.cookies["lombard_session"] for each in (ann, *others)})
            rows = await ann.read("sessions")
            assert [True, False, False, False] == [row["current"] for row in rows]
            assert {"Browser/1"} == {row["agent"] for row in rows}

            await ann.done("sessions/revoke", sessionId=rows[1]["sessionId"])
            assert "30004" == fault_in(await others[0].get(ME))[0]
            for wrong in (rows[1]["sessionId"], (await bob.read("sessions"))[0]["sessionId"], "x"):
                answer = await ann.refused("sessions/revoke", sessionId=wrong)
                assert "40020" == answer[0]
            await bob.read("me")
            await others[1].read("me")
            await ann.done("sessions/revoke-others")
            assert ["30004"] * 2 == [fault_in(await each.get(ME))[0] for each in others[1:]]
            await ann.read("me")
            old = dict(ann.cookies)
            await ann.done("log-out")
            assert {} == ann.cookies
            ann.cookies = old
            assert "30004" == fault_in(await ann.get(ME))[0]
            assert "30004" == fault_in(await ann.get(ASSETS))[0]

    run(test())


def test_a_new_password_ends_every_other_session(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            ann = await trader(place)
            other = await logged_in(place, ann.email)
            old = dict(ann.cookies)
            new = "another horse entirely"
            refused = await ann.refused("password", password="wrong", newPassword=new)
            assert "40012" == refused[0]
            refused = await ann.refused("password", password=PASSWORD, newPassword="short")
            assert "40017" == refused[0]
            await ann.done("password", password=PASSWORD, newPassword=new)
            await ann.read("me")
            assert old != ann.cookies
            assert "30004" == fault_in(await other.get(ME))[0]
            ann.cookies = old
            assert "30004" == fault_in(await ann.get(ME))[0]
            wish = {"email": ann.email, "password": PASSWORD}
            assert "40012" == (await Browser(place).refused("log-in", **wish))[0]
            await Browser(place).done("log-in", email=ann.email, password=new)

    run(test())


def test_a_second_device(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            ann = await trader(place)
            other = await logged_in(place, ann.email)
            assert "40025" == (await ann.refused("totp/enrol"))[0]
            assert "40805" == (await ann.refused("totp/confirm", code="123456"))[0]
            await ann.done("confirm", password=PASSWORD)
            made = await ann.done("totp/enrol")
            assert f"secret={made['secret']}" in made["uri"]
            device = pyotp.TOTP(made["secret"])

            def code(step: int = 0) -> str:
                return device.generate_otp(place.house.machine_ms // 30_000 + step)

            # Not in force before it has shown a code.
            await logged_in(place, ann.email)
            assert "40020" == (await ann.refused("totp/confirm", code="000000"))[0]
            codes = (await ann.done("totp/confirm", code=code()))["recoveryCodes"]
            assert 10 == len(set(codes))
            assert "30004" == fault_in(await other.get(ME))[0]
            assert True is (await ann.read("me"))["totp"]

            wish = {"email": ann.email, "password": PASSWORD}
            assert ("40019", "Parameter code cannot be empty") == await Browser(place).refused(
                "log-in", **wish
            )
            # The code that set it up is used up; the next one is good, once.
            assert "40020" == (await Browser(place).refused("log-in", **wish, code=code()))[0]
            await logged_in(place, ann.email, code=code(1))
            assert "40020" == (await Browser(place).refused("log-in", **wish, code=code(1)))[0]
            # So is a recovery code, however it is written.
            await logged_in(place, ann.email, code=codes[0].lower().replace("-", " "))
            assert "40020" == (await Browser(place).refused("log-in", **wish, code=codes[0]))[0]
            # Where there is a device the password alone confirms nothing.
            assert "40019" == (await ann.refused("confirm", password=PASSWORD))[0]
            place.house.machine_ms += 60_000
            await ann.done("confirm", code=code())
            fresh = (await ann.done("totp/recovery-codes"))["recoveryCodes"]
            assert "40020" == (await Browser(place).refused("log-in", **wish, code=codes[1]))[0]
            await ann.done("totp/remove")
            assert "40025" == (await ann.refused("totp/remove"))[0]
            await logged_in(place, ann.email)
            await ann.done("confirm", password=PASSWORD)
            again = await ann.done("totp/enrol")
            assert made["secret"] != again["secret"]
            # The old device's recovery codes went with it.
            device = pyotp.TOTP(again["secret"])
            await ann.done("totp/confirm", code=code())
            assert "40020" == (await Browser(place).refused("log-in", **wish, code=fresh[0]))[0]

    run(test())


def test_codes_cannot_be_guessed_from_many_addresses(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            ann = await trader(place)
            await ann.done("confirm", password=PASSWORD)
            device = pyotp.TOTP((await ann.done("totp/enrol"))["secret"])
            now = place.house.machine_ms // 30_000
            await ann.done("totp/confirm", code=device.generate_otp(now))
            wish = {"email": ann.email, "password": PASSWORD}
            for _ in range(5):
                assert "40020" == (await Browser(place).refused("log-in", **wish, code="1"))[0]
            right = device.generate_otp(now + 1)
            assert "429" == (await Browser(place).refused("log-in", **wish, code=right))[0]
            place.house.machine_ms += 60_000
            right = device.generate_otp(now + 2)
            await logged_in(place, ann.email, code=right)

    run(test())


def test_keys_of_one_s_own(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            ann = await trader(place)
            await fund(place, ann.user)
            wish = {"label": "bot", "permissions": ["read"], "passphrase": "letters4digits"}
            assert "40025" == (await ann.refused("keys/create", **wish))[0]
            await ann.done("confirm", password=PASSWORD)
            made = await ann.done("keys/create", **wish)
            assert "letters4digits" == made["passphrase"]
            key = Client(
                place.http, ann.user, made["apiKey"], made["secretKey"], made["passphrase"]
            )
            await key.read(ASSETS)
            assert "40014" == (await key.refused(TRANSFER, **WISH))[0]
            shown = (await ann.read("keys"))[0]
            assert {"apiKey", "label", "permissions", "ips", "cTime"} == set(shown)
            assert ("bot", ["read"], []) == (shown["label"], shown["permissions"], shown["ips"])

            changed = await ann.done(
                "keys/change", apiKey=key.key, permissions=["read", "transfer"]
            )
            assert ("bot", ["read", "transfer"]) == (changed["label"], changed["permissions"])
            await key.done(TRANSFER, **WISH)
            await ann.done("keys/change", apiKey=key.key, ips=["192.0.2.0/24", "2001:db8::1"])
            assert ("40018", "Invalid IP") == fault_in(await key.get(ASSETS))
            await ann.done("keys/change", apiKey=key.key, ips=["127.0.0.0/8"])
            await key.read(ASSETS)

            generated = await ann.done("keys/create", permissions=["trade"])
            assert 24 == len(generated["passphrase"])
            place.house.machine_ms += 5 * 60_000
            assert "40025" == (await ann.refused("keys/change", apiKey=key.key, label="x"))[0]
            # To take one away nothing more is asked.
            await ann.done("keys/delete", apiKey=key.key)
            assert "40006" == fault_in(await key.get(ASSETS))[0]
            assert "40037" == (await ann.refused("keys/delete", apiKey=key.key))[0]
            assert [generated["apiKey"]] == [row["apiKey"] for row in await ann.read("keys")]
            actions = [row["action"] for row in await ann.read("audit")][:3]
            assert ["key deleted", "key made", "key changed"] == actions

    run(test())


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({}, "40019"),
        ({"permissions": []}, "40019"),
        ({"permissions": ["read", "operator"]}, "40020"),
        ({"permissions": ["withdraw"]}, "40020"),
        ({"permissions": ["read"], "passphrase": "short1"}, "40070"),
        ({"permissions": ["read"], "passphrase": "nodigitsatall"}, "40070"),
        ({"permissions": ["read"], "passphrase": "1234567890"}, "40070"),
        ({"permissions": ["read"], "passphrase": "letters 4 digits"}, "40070"),
        ({"permissions": ["read"], "passphrase": "letters4" * 5}, "40070"),
        ({"permissions": ["read"], "label": "x" * 51}, "40020"),
        ({"permissions": ["read"], "label": "a\nb"}, "40020"),
        ({"permissions": ["read"], "ips": ["everywhere"]}, "40017"),
        ({"permissions": ["read"], "ips": ["192.0.2.1/24"]}, "40017"),
        ({"permissions": ["read"], "ips": ["192.0.2.1"] * 31}, "40017"),
        ({"permissions": "read"}, "40020"),
    ],
)
def test_keys_that_are_not_made(tmp_path: Path, wish: dict[str, object], code: str) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            ann = await trader(place)
            await ann.done("confirm", password=PASSWORD)
            assert code == (await ann.refused("keys/create", **wish))[0]
            assert [] == await ann.read("keys")

    run(test())


def test_a_user_has_so_many_keys_and_no_more(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            ann = await trader(place)
            await ann.done("confirm", password=PASSWORD)
            for _ in range(KEYS_MAX):
                made = await ann.done("keys/create", permissions=["read"])
            code, sentence = await ann.refused("keys/create", permissions=["read"])
            assert ("40805", True) == (code, f"at most {KEYS_MAX} keys" in sentence)
            await ann.done("keys/delete", apiKey=made["apiKey"])
            await ann.done("keys/create", permissions=["read"])

    run(test())


def test_nobody_touches_keys_or_audit_of_another(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            ann, bob = await trader(place), await trader(place, "bob@example.org")
            for each in (ann, bob):
                await each.done("confirm", password=PASSWORD)
            made = await ann.done("keys/create", permissions=["read"])
            for call in ("keys/change", "keys/delete"):
                for name in (made["apiKey"], "lk_none"):
                    refused = await bob.refused(call, apiKey=name, label="mine")
                    assert ("40037", "Apikey does not exist") == refused
            assert [] == await bob.read("keys")
            assert made["apiKey"] not in json.dumps(await bob.read("audit"))
            assert [""] == [row["label"] for row in await ann.read("keys")]

    run(test())


def test_the_audit_log_is_paged(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            ann = await trader(place)
            for _ in range(60):
                await place.house.directory.create_key(ann.user, Permission.READ)
            first = await ann.read("audit")
            second = data_of(await ann.get(f"{IDENTITY}/audit?idLessThan={first[-1]['id']}"))
            assert (50, 12) == (len(first), len(second))
            ids = [int(row["id"]) for row in first + second]
            assert sorted(ids, reverse=True) == ids
            assert "40020" == fault_in(await ann.get(f"{IDENTITY}/audit?idLessThan=x"))[0]

    run(test())


def test_an_operator_s_session_does_not_trade(tmp_path: Path) -> None:
    async def test() -> None:
        async with street(tmp_path) as place:
            made = await place.house.directory.create_operator("op@example.org")
            browser = Browser(place)
            me = await browser.done("log-in", email="op@example.org", password=made.password)
            assert ("-1", "operator") == (me["userId"], me["role"])
            assert "40014" == fault_in(await browser.get(ASSETS))[0]
            assert "40014" == (await browser.refused(TRANSFER, **WISH))[0]
            await browser.done("confirm", password=made.password)
            refused = await browser.refused("keys/create", permissions=["read"])
            assert "40020" == refused[0]
            await browser.done("keys/create", permissions=["operator"])

    run(test())


async def fund(place: Street, user: int) -> None:
    """Credit a user with 100 USDT."""
    await place.house.deposit(user, place.house.coin("USDT"), parse_units("100", 8))
