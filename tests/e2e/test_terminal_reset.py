"""A lost password in a real browser: a token that was handed over, used once."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.sandbox import Sandbox
from tests.e2e.terminal import PATIENCE_MS, Visitor, browsing
from tests.e2e.test_identity import IDENTITY, PASSWORD, Page
from tests.e2e.test_process import QUIET, lombard

pytestmark = pytest.mark.timeout(400)
expect.set_options(timeout=PATIENCE_MS)
NEW = "another horse battery"


def test_a_lost_password_is_set_anew(tmp_path: Path) -> None:
    data = tmp_path / "data"
    who = {"email": "ann@example.org", "password": PASSWORD}
    with Sandbox(*QUIET, data=data) as sandbox, browsing() as browser:
        Page(sandbox.port).done("POST", f"{IDENTITY}/sign-up", **who)
        code, said = lombard("reset-password", who["email"], "--data", str(data))
        assert 0 == code, said
        (token,) = re.findall(r"^  token +(\S+)$", said, re.MULTILINE)

        visitor = Visitor(browser, sandbox)
        page = visitor.page
        page.get_by_role("banner").get_by_role("link", name="Log in").click()
        page.get_by_role("link", name="Lost your password?").click()
        expect(page.get_by_role("heading", name="Lost your password?")).to_be_visible()
        visitor.see("reset")
        page.get_by_label("Token").fill("not this one")
        page.get_by_label("New password").fill(NEW)
        visitor.refusals = {f"{IDENTITY}/password-reset"}
        page.get_by_role("button", name="Set the password").click()
        expect(page.get_by_role("alert")).to_contain_text("token")
        visitor.refusals = set()
        page.get_by_label("Token").fill(f" {token}\n")
        page.get_by_role("button", name="Set the password").click()
        expect(page.get_by_role("main").get_by_role("status")).to_contain_text("ann@example.org")
        visitor.see("reset-done")
        page.get_by_role("main").get_by_role("link", name="Log in").click()
        page.get_by_label("E-mail").fill(who["email"])
        page.get_by_label("Password").fill(NEW)
        page.get_by_role("main").get_by_role("button", name="Log in").click()
        expect(page.get_by_label("Account ann@example.org")).to_be_visible()
        visitor.leave()
