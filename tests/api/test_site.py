"""The terminal's files as they are served, and the tickets its pages log in with."""

import asyncio
import json
from pathlib import Path
from typing import Any

from lombard.api.site import CONSOLE, Site, Venue
from lombard.api.visit import Rules
from lombard.identity.tickets import TICKET_MS, TicketBook
from tests.api.browser import IDENTITY, Browser
from tests.api.house import Street, run, street
from tests.api.talking import Talk, arg, hub_of

PACKED = "body { color: red; }\n" * 100


def site_in(path: Path, is_secure: bool = False) -> Site:
    (path / "assets").mkdir()
    (path / "index.html").write_text("<!doctype html><title>x</title>")
    (path / "assets" / "main-abc.css").write_text(PACKED)
    return Site(path, Venue(True, False, Rules(True, is_secure), "1.2.3"))


def asked(
    site: Site, path: str, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Ask for a path; 0 when it is not the site's."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    said = {"host": "localhost:8080"} | headers
    scope = {
        "method": method,
        "raw_path": path.encode(),
        "headers": [
            (name.replace("_", "-").encode(), text.encode()) for name, text in said.items()
        ],
    }
    if not asyncio.run(site.answer(scope, send)):
        return 0, {}, b""
    start, body = sent
    found = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], found, body["body"]


def test_the_page_is_asked_for_each_time_and_its_assets_are_kept_for_good(tmp_path: Path) -> None:
    site = site_in(tmp_path)
    status, headers, body = asked(site, "/")
    assert (200, b"<!doctype html><title>x</title>") == (status, body)
    assert "no-cache" == headers["cache-control"]
    status, headers, body = asked(site, "/assets/main-abc.css", accept_encoding="gzip, br")
    assert 200 == status
    assert "immutable" in headers["cache-control"]
    assert "text/css; charset=utf-8" == headers["content-type"]
    assert "gzip" == headers["content-encoding"]
    assert len(body) < len(PACKED) / 10
    _, headers, body = asked(site, "/assets/main-abc.css")
    assert PACKED.encode() == body
    assert "content-encoding" not in headers
    status, headers, body = asked(site, "/assets/main-abc.css", "HEAD")
    assert (200, b"", str(len(PACKED))) == (status, body, headers["content-length"])


def test_the_page_may_talk_with_this_venue_only(tmp_path: Path) -> None:
    _, headers, _ = asked(site_in(tmp_path), "/")
    policy = headers["content-security-policy"]
    assert "connect-src 'self';" in policy
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_the_page_is_told_what_it_cannot_know(tmp_path: Path) -> None:
    _, _, body = asked(site_in(tmp_path, is_secure=True), "/terminal.json")
    told = json.loads(body)
    assert [True, False, True] == [
        told["sandbox"],
        told["sandboxNeedsToken"],
        told["signUp"],
    ]


def test_nothing_else_is_served(tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    site = site_in(tmp_path / "dist")
    (tmp_path / "secret").write_text("x")
    (tmp_path / "dist" / "link").symlink_to(tmp_path / "secret")
    linked = Site(tmp_path / "dist", Venue(True, False, Rules(), "1"))
    for path in ("/../secret", "/assets/../../secret", "/assets", "/index.html", "/link", "/x"):
        assert 0 == asked(site, path)[0]
        assert 0 == asked(linked, path)[0]
    assert 0 == asked(site, "/", "POST")[0]


def test_the_office_has_a_page_of_its_own_and_each_port_one_only(tmp_path: Path) -> None:
    trade = site_in(tmp_path)
    (tmp_path / "console.html").write_text("<!doctype html><title>y</title>")
    office = Site(tmp_path, Venue(False, False, Rules(), "1"), CONSOLE)
    assert b"<title>y</title>" in asked(office, "/")[2]
    assert b"<title>x</title>" in asked(trade, "/")[2]
    for site in (trade, office):
        assert 0 == asked(site, "/index.html")[0]
        assert 0 == asked(site, "/console.html")[0]
        assert 200 == asked(site, "/assets/main-abc.css")[0]
    assert not Site(tmp_path / "assets", Venue(False, False, Rules(), "1"), CONSOLE).is_built


def test_without_a_page_it_is_said_how_to_build_one(tmp_path: Path) -> None:
    site = Site(tmp_path / "none", Venue(True, False, Rules(), "1"))
    status, headers, body = asked(site, "/")
    assert 503 == status
    assert b"make web" in body
    assert "content-security-policy" in headers
    assert not site.is_built


# --- tickets --------------------------------------------------------------------------------------


async def ticket_of(browser: Browser) -> str:
    answer = await browser.post(f"{IDENTITY}/socket-ticket")
    assert 200 == answer.status_code, answer.text
    return str(answer.json()["data"]["ticket"])


async def logged_in(place: Street) -> Browser:
    browser = Browser(place)
    who = {"email": "ann@example.org", "password": "correct horse battery"}
    for call in ("sign-up", "log-in"):
        assert 200 == (await browser.post(f"{IDENTITY}/{call}", **who)).status_code
    return browser


def said(ticket: str) -> dict[str, Any]:
    return {"op": "login", "args": [{"ticket": ticket}]}


def test_a_ticket_opens_the_private_channels_once_until_the_session_ends(tmp_path: Path) -> None:
    async def main() -> None:
        async with street(tmp_path) as place:
            browser = await logged_in(place)
            ticket = await ticket_of(browser)
            hub = hub_of(place.house)
            talk = Talk(place.house, hub, private=True)
            talk.session.page = (b"http://127.0.0.1:8080", b"127.0.0.1:8080")
            assert [{"event": "login", "code": 0, "msg": ""}] == await talk.say(said(ticket))
            told = await talk.subscribe(arg("SPOT", "account", "default"))
            assert "subscribe" == told[0]["event"]
            entry = {"instType": "SPOT", "channel": "place-order", "instId": "BTCUSDT"}
            told = await talk.say({"op": "trade", "args": [entry]})
            assert 25620 == told[0]["code"]
            assert not talk.session.is_revoked()

            again = Talk(place.house, hub, private=True)
            assert 30017 == (await again.say(said(ticket)))[0]["code"]
            assert again.closed is not None

            unused = await ticket_of(browser)
            await browser.post(f"{IDENTITY}/log-out")
            assert talk.session.is_revoked()
            late = Talk(place.house, hub, private=True)
            assert 30017 == (await late.say(said(unused)))[0]["code"]

    run(main())


def test_a_page_of_another_host_is_not_let_in(tmp_path: Path) -> None:
    async def main() -> None:
        async with street(tmp_path) as place:
            browser = await logged_in(place)
            for origin in (
                b"https://evil.example",
                b"null",
                b"http://127.0.0.2:8080",
                b"http://127.0.0.1:1",
            ):
                talk = Talk(place.house, hub_of(place.house), private=True)
                talk.session.page = (origin, b"127.0.0.1:8080")
                told = await talk.say(said(await ticket_of(browser)))
                assert 30005 == told[0]["code"]
                assert talk.closed is not None

    run(main())


def test_nobody_gets_a_ticket_without_a_session(tmp_path: Path) -> None:
    async def main() -> None:
        async with street(tmp_path) as place:
            answer = await Browser(place).post(f"{IDENTITY}/socket-ticket")
            assert "30004" == answer.json()["code"]

    run(main())


def test_a_ticket_is_good_for_half_a_minute() -> None:
    book, session = TicketBook(), object()
    ticket, ends_ms = book.issue(session, 1000)  # type: ignore[arg-type]
    assert 1000 + TICKET_MS == ends_ms
    assert session is book.redeem(ticket, ends_ms - 1)
    assert book.redeem(ticket, 1000) is None
    ticket, ends_ms = book.issue(session, 1000)  # type: ignore[arg-type]
    assert book.redeem(ticket, ends_ms) is None
