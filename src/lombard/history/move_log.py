"""Movements of money that operators asked each other for: what they wrote, and how it is read."""

from sqlalchemy import Connection, select

from lombard.core.events import Event, MoveDecided, MoveProposed
from lombard.history.paging import Page, given
from lombard.history.rows import DecidedMoveRow
from lombard.history.schema import moves_decided, moves_proposed

Cell = int | str


def add_move(rows: dict[str, list[Cell]], event: Event, time_ms: int) -> bool:
    """Write the row of an event, if it is of such a movement."""
    if isinstance(event, MoveProposed):
        row = (event.proposal_id, event.operator, event.kind, event.user, event.coin)
        rows["moves_proposed"] += (*row, str(event.units), time_ms)
    elif isinstance(event, MoveDecided):
        rows["moves_decided"] += (event.proposal_id, event.operator, event.approved, time_ms)
    else:
        return False
    return True


def read_decided(connection: Connection, page: Page) -> list[DecidedMoveRow]:
    """List what was decided, the latest asked for first; the times are those of asking."""
    asked, decided = moves_proposed.c, moves_decided.c
    question = (
        select(moves_proposed, decided.operator, decided.approved, decided.time_ms)
        .join(moves_decided, decided.proposal_id == asked.proposal_id)
        .where(*given(page).of(asked.proposal_id, asked.time_ms))
        .order_by(asked.proposal_id.desc())
        .limit(page.limit)
    )
    return [DecidedMoveRow(*row) for row in connection.execute(question)]
