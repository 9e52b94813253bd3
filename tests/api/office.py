"""A street whose venue lets operators in by a door of their own."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from lombard.api.app import build_operator_app
from tests.api.house import HOST, Client, Street, street

PREFIX = "/lombard/v1/operator"


class Office:
    """The operators' side of a street: Ann and Ben, who sign as operators do."""

    def __init__(self, place: Street, http: httpx.AsyncClient, ann: Client, ben: Client) -> None:
        self.place = place
        self.http = http
        self.ann = ann
        self.ben = ben

    @property
    def state_hash(self) -> str:
        return self.place.house.engine.state_hash()


@asynccontextmanager
async def office(path: Path, needs_two: Collection[str] = ()) -> AsyncIterator[Office]:
    """Open a street, and an office behind it."""
    async with street(path, sandbox=False) as place:
        app = build_operator_app(place.house.context, needs_two)
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as http:
            operators = []
            for email in ("ann@example.org", "ben@example.org"):
                made = (await place.house.directory.create_operator(email)).key
                operators.append(Client(http, made.user, made.key, made.secret, made.passphrase))
            yield Office(place, http, *operators)


def at(path: str) -> str:
    """Spell a path of the office."""
    return f"{PREFIX}/{path}"
