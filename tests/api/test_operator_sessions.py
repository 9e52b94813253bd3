"""Operators in a browser: their session opens the office, a trader's does not."""

from pathlib import Path

from lombard.api.operator.endpoints import operator_endpoints
from lombard.api.table import Access
from tests.api.browser import Browser, trader
from tests.api.house import Street, fault_in, run
from tests.api.office import Office, office

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
