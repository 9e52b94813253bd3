"""Pages of what is past: from a time, to a time, so many, below an id; newest first."""

from typing import Final

import msgspec

from lombard.api.amounts import parse_count, parse_id, parse_time
from lombard.api.errors import Fault, Scene
from lombard.history.paging import Page

LIMIT: Final = 100
DAY_MS: Final = 86_400_000
SPAN_DAYS_MAX: Final = 90
# Beyond the days a span may have, for clocks that differ (reference §9, 31).
SLACK_MS: Final = 3_600_000


class PageQuery(msgspec.Struct):
    """The parameters of a page, as on the wire."""

    startTime: str = ""
    endTime: str = ""
    limit: str = ""
    idLessThan: str = ""


def parse_page(
    scene: Scene,
    query: PageQuery,
    most: int = 500,
    default: int = LIMIT,
    days: int = SPAN_DAYS_MAX,
) -> Page:
    """Read the parameters of a page: so many rows at most, of a span of so many days."""
    start_ms = parse_time(scene, "startTime", query.startTime)
    end_ms = parse_time(scene, "endTime", query.endTime)
    if start_ms is not None and end_ms is not None:
        if start_ms > end_ms:
            raise Fault("40707")
        if end_ms - start_ms > days * DAY_MS + SLACK_MS:
            raise Fault("40705") if days == SPAN_DAYS_MAX else Fault("00001", str(days))
    before_id = parse_id(scene, "idLessThan", query.idLessThan) or None
    limit = parse_count(scene, "limit", query.limit, default, most)
    return Page(limit, before_id, start_ms, end_ms)
