"""Pages of what is past: from a time, to a time, so many, below an id; newest first."""

from typing import Final

import msgspec

from lombard.api.amounts import parse_count, parse_id, parse_time
from lombard.api.errors import Fault, Scene
from lombard.history.paging import Page

LIMIT: Final = 100
DAY_MS: Final = 86_400_000
# The dialect's 90 days, and an hour for clocks that differ (reference §9, 31).
SPAN_MS_MAX: Final = 90 * DAY_MS + 3_600_000


class PageQuery(msgspec.Struct):
    """The parameters of a page, as on the wire."""

    startTime: str = ""
    endTime: str = ""
    limit: str = ""
    idLessThan: str = ""


def parse_page(scene: Scene, query: PageQuery, most: int = 500, default: int = LIMIT) -> Page:
    """Read the parameters of a page."""
    start_ms = parse_time(scene, "startTime", query.startTime)
    end_ms = parse_time(scene, "endTime", query.endTime)
    if start_ms is not None and end_ms is not None:
        if start_ms > end_ms:
            raise Fault("40707")
        if end_ms - start_ms > SPAN_MS_MAX:
            raise Fault("40705")
    before_id = parse_id(scene, "idLessThan", query.idLessThan) or None
    limit = parse_count(scene, "limit", query.limit, default, most)
    return Page(limit, before_id, start_ms, end_ms)
