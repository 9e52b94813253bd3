"""The terminal: the files that `make web` has built, served as they are.

They are read once, into memory. A name in `/assets/` carries the hash of what is in it, so browsers
may keep it for good; the page itself is asked for anew each time. The page may load from here only,
and talk with this venue only.
"""

import gzip
import mimetypes
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, final

import msgspec

from lombard.api.body import Message
from lombard.api.visit import Rules

Scope = Mapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

PAGE: Final = b"/"
INDEX: Final = b"/index.html"
CONSOLE: Final = b"/console.html"
VENUE: Final = b"/terminal.json"
ASSETS: Final = b"/assets/"
PACKED_FROM: Final = 512
_COMMON: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"vary", b"accept-encoding"),
)
# 'self' is the WebSocket, too: it has the page's own address.
_POLICY: Final = (
    b"content-security-policy",
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    b"font-src 'self'; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
)
_FOR_GOOD: Final = (b"cache-control", b"public, max-age=31536000, immutable")
_EACH_TIME: Final = (b"cache-control", b"no-cache")
NOT_BUILT: Final = b"""<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Lombard</title></head>
<body><h1>Lombard</h1><p>The venue is running; its web terminal was not built.
<code>make web</code> builds it (with Node.js and npm), and the next start serves it here.</p>
<p>The API is there all the same: <a href="/docs">read about it</a>.</p></body></html>
"""


class File(NamedTuple):
    """A file as it is sent: plain, and packed where that is shorter."""

    kind: bytes
    plain: bytes
    packed: bytes


class Venue(NamedTuple):
    """What the page cannot know by itself."""

    is_sandbox: bool
    needs_token: bool
    rules: Rules
    version: str


@final
class Site:
    """The files below a directory, and the page they make.


    The page is the terminal, or, on the operators' port, the console.
    """

    def __init__(self, directory: Path, venue: Venue, page: bytes = INDEX) -> None:
        self._files = read_files(directory)
        self._pages = {name: self._files.pop(name, None) for name in (INDEX, CONSOLE)}
        self._page_name = page
        self._venue = venue

    @property
    def is_built(self) -> bool:
        """Say whether there is a page to show."""
        return self._pages[self._page_name] is not None

    async def answer(self, scope: Scope, send: Send) -> bool:
        """Answer a request for a file; False when there is none of that name."""
        path: bytes = scope["raw_path"]
        if scope["method"] not in ("GET", "HEAD"):
            return False
        if path == PAGE:
            await self._page(scope, send)
        elif path == VENUE:
            headers = [(b"content-type", b"application/json"), _EACH_TIME, *_COMMON]
            await _send(scope, send, 200, headers, self._told())
        elif path in self._files:
            kept = _FOR_GOOD if path.startswith(ASSETS) else _EACH_TIME
            await _send_file(scope, send, 200, [kept, *_COMMON], self._files[path])
        else:
            return False
        return True

    async def _page(self, scope: Scope, send: Send) -> None:
        file, status = self._pages[self._page_name], 200
        if file is None:
            file, status = File(b"text/html; charset=utf-8", NOT_BUILT, NOT_BUILT), 503
        await _send_file(scope, send, status, [_POLICY, _EACH_TIME, *_COMMON], file)

    def _told(self) -> bytes:
        venue = self._venue
        return msgspec.json.encode(
            {
                "sandbox": venue.is_sandbox,
                "sandboxNeedsToken": venue.needs_token,
                "signUp": venue.rules.sign_up_open,
                "version": venue.version,
            }
        )


def read_files(directory: Path) -> dict[bytes, File]:
    """Read what is below a directory, by path; nothing where there is no such directory."""
    files: dict[bytes, File] = {}
    for path in sorted(directory.rglob("*")):
        if path.is_file() and not path.is_symlink():
            plain = path.read_bytes()
            packed = gzip.compress(plain, mtime=0) if len(plain) >= PACKED_FROM else plain
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            if kind.startswith("text/") or kind.endswith("javascript"):
                kind += "; charset=utf-8"
            shorter = packed if len(packed) < len(plain) else plain
            name = "/" + path.relative_to(directory).as_posix()
            files[name.encode()] = File(kind.encode(), plain, shorter)
    return files


async def _send_file(scope: Scope, send: Send, status: int, headers: Headers, file: File) -> None:
    takes_gzip = any(
        name == b"accept-encoding" and b"gzip" in value for name, value in scope["headers"]
    )
    body = file.plain
    headers = [(b"content-type", file.kind), *headers]
    if takes_gzip and file.packed is not file.plain:
        body = file.packed
        headers.append((b"content-encoding", b"gzip"))
    await _send(scope, send, status, headers, body)


async def _send(scope: Scope, send: Send, status: int, headers: Headers, body: bytes) -> None:
    headers = [*headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
