"""A Chromium of this machine's in front of a real sandbox, and whatever goes wrong in it."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, sync_playwright

from tests.e2e.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "web" / "dist" / "index.html"
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
# Alone on the machine: it looks for nothing beyond it.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Far more than anything needs: a busy machine is no fault.
PATIENCE_MS = 60_000
WIDE = (1280, 800)
NARROW = (390, 844)
SHOTS = os.environ.get("LOMBARD_SCREENSHOTS", "")


def chromium() -> str:
    """Find the browser; its absence is a failure, never a reason to skip."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    pytest.fail("There is no Chromium to test the terminal with: sudo apt-get install chromium")


@contextmanager
def browsing() -> Iterator[Browser]:
    """Run a browser."""
    if not BUILT.exists():
        pytest.fail("The terminal was not built: make web")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Visitor:
    """Somebody at the terminal, in a browser without a past.

    `faults` has what went wrong, `heard` the channels of the WebSocket that have told something.
    """

    # Run by the page before its own.
    script = ""

    def __init__(self, browser: Browser, sandbox: Sandbox, address: str = "") -> None:
        self.faults: list[str] = []
        self.loaded: dict[str, int] = {}
        self.heard: set[str] = set()
        # Paths whose refusals belong to the test.
        self.refusals: set[str] = set()
        self.sandbox = sandbox
        self.context = browser.new_context(viewport={"width": WIDE[0], "height": WIDE[1]})
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        if self.script:
            self.page.add_init_script(self.script)
        self.page.on("websocket", lambda line: line.on("framereceived", self._told))
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._answered)
        self.page.goto(address or sandbox.address)

    def see(self, name: str) -> None:
        """Check a page for what shuts people out, and that it fits; wide, narrow, light, dark."""
        page = self.page
        for width, height in (WIDE, NARROW):
            page.set_viewport_size({"width": width, "height": height})
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                page.evaluate("() => new Promise((done) => requestAnimationFrame(done))")
                found = page.evaluate("document.documentElement.scrollWidth")
                assert found <= width, f"{name} is {found} px wide at {width}"
                self._check(name, scheme, width)
                if SHOTS:
                    path = Path(SHOTS) / f"{name}-{scheme}-{width}.png"
                    page.screenshot(path=path, full_page=True)
        page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
        page.emulate_media(color_scheme="light")

    def _check(self, name: str, scheme: str, width: int) -> None:
        # Evaluated from here: the page's own policy lets no foreign script in.
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate("async () => (await axe.run(document)).violations")
        serious = [
            (each["id"], [node["html"][:160] for node in each["nodes"]][:3])
            for each in found
            if each["impact"] in ("serious", "critical")
        ]
        assert serious == [], f"{name}, {scheme}, {width} px: {serious}"

    def open(self, where: str) -> None:
        """Go to a page by the link in the header."""
        self.page.get_by_role("navigation").get_by_role("link", name=where).click()

    def demo(self) -> None:
        """Become a demo user."""
        self.page.get_by_role("button", name="Try as demo user").first.click()
        self.page.get_by_text("0 USDT Transfer").wait_for()

    def transfer(self, coin: str, amount: str) -> None:
        """Fill in the dialog of transfers that is open."""
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_label("Coin").select_option(coin)
        dialog.get_by_label("Amount").fill(amount)
        dialog.get_by_role("button", name="Transfer", exact=True).click()
        dialog.wait_for(state="detached")

    def close_position(self) -> None:
        """Close the first position, and repay."""
        self.page.get_by_role("tabpanel").get_by_role("button", name="Close").first.click()
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_role("button", name="at market").click()
        dialog.wait_for(state="detached")

    def pass_hour(self) -> None:
        """Put the clock forward, and wait until it says so."""
        before = self.sandbox.call("clock")["now"]
        self.page.get_by_role("button", name="+1 hour").click()
        self.page.wait_for_function(
            """([before]) => {
              const shown = document.querySelector(".sandbox time").textContent;
              return Date.parse(shown.replace(" ", "T") + "Z") >= Number(before) + 3_599_000;
            }""",
            arg=[before],
        )

    def leave(self) -> None:
        """Close the browser's window, and see that nothing went wrong."""
        self.context.close()
        assert self.faults == [], self.faults

    def _console(self, message: ConsoleMessage) -> None:
        about = urlsplit(message.location["url"]).path
        if message.type in ("error", "warning") and about not in self.refusals:
            self.faults.append(f"console: {message.text}")

    def _failed(self, request: Request) -> None:
        # What was under way when a page is left is nobody's fault.
        if request.failure != "net::ERR_ABORTED":
            self.faults.append(f"failed: {request.method} {request.url} {request.failure}")

    def _told(self, frame: str | bytes) -> None:
        text = str(frame)
        # A ticket may be under way while its session is ended.
        is_late = '"code":30017' in text
        if '"event":"error"' in text and not is_late and not self.refusals:
            self.faults.append(f"WebSocket: {text}")
        found = re.search('"channel":"([^"]+)"', text)
        if found and '"action":' in text:
            self.heard.add(found[1])

    def _answered(self, response: Response) -> None:
        self.loaded[response.url] = int(response.headers.get("content-length", "0"))
        if response.status >= 400 and urlsplit(response.url).path not in self.refusals:
            self.faults.append(f"{response.status}: {response.request.method} {response.url}")
