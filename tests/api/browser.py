"""A browser in front of the gateway: it keeps a cookie, and sends what pages of ours send."""

import json
from typing import Any

import httpx

from tests.api.house import HOST, Street, data_of, fault_in

IDENTITY = "/lombard/v1/identity"
PASSWORD = "correct horse battery"


class Browser:
    """One browser. `page` is where its pages are from."""

    def __init__(self, place: Street, page: str = f"http://{HOST}") -> None:
        self.place = place
        self.page = page
        self.cookies: dict[str, str] = {}
        self.csrf_token = ""
        self.email = ""
        self.user = 0

    async def send(
        self, method: str, path: str, content: bytes = b"", **headers: str
    ) -> httpx.Response:
        """Send a request as a page's script does; a header set to the empty string is left out."""
        sent = {
            "User-Agent": "Browser/1",
            "Content-Type": "application/json",
            "Sec-Fetch-Site": "same-origin",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
        }
        if method == "POST":
            sent |= {"Origin": self.page, "X-CSRF-Token": self.csrf_token}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {name: value for name, value in sent.items() if value}
        self.place.http.cookies.clear()
        answer = await self.place.http.request(method, path, content=content, headers=kept)
        for cookie in answer.headers.get_list("set-cookie"):
            name, _, value = cookie.split(";")[0].partition("=")
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        data = answer.json()["data"]
        if isinstance(data, dict) and data.get("csrfToken"):
            self.csrf_token = data["csrfToken"]
        return answer

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Send a GET."""
        return await self.send("GET", path, b"", **headers)

    async def post(self, path: str, **body: Any) -> httpx.Response:
        """Send a POST."""
        return await self.send("POST", path, json.dumps(body).encode())

    async def read(self, path: str) -> Any:
        """Return the `data` of a GET that has to succeed; a bare name is of identity."""
        return data_of(await self.get(_full(path)))

    async def done(self, path: str, **body: Any) -> Any:
        """Return the `data` of a POST that has to succeed."""
        return data_of(await self.post(_full(path), **body))

    async def refused(self, path: str, **body: Any) -> tuple[str, str]:
        """Return code and sentence of a POST that has to fail."""
        return fault_in(await self.post(_full(path), **body))


async def trader(place: Street, email: str = "ann@example.org") -> Browser:
    """Sign somebody up, and log them in."""
    browser = Browser(place)
    made = await browser.done("sign-up", email=email, password=PASSWORD)
    await browser.done("log-in", email=email, password=PASSWORD)
    browser.email, browser.user = email, int(made["userId"])
    return browser


async def logged_in(place: Street, email: str, **more: str) -> Browser:
    """Log somebody in who has signed up, in another browser."""
    browser = Browser(place)
    made = await browser.done("log-in", email=email, password=PASSWORD, **more)
    browser.email, browser.user = email, int(made["userId"])
    return browser


def _full(path: str) -> str:
    return path if path.startswith("/") else f"{IDENTITY}/{path}"
