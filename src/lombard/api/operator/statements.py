"""Statements of users, for operators."""

from lombard.api.context import Call
from lombard.api.operator.hand import parse_user, reads
from lombard.api.statements import Statement, StatementQuery, read_statement
from lombard.api.table import Endpoint


class UserStatementQuery(StatementQuery):
    """Whose, and of which period."""

    userId: str = ""


def endpoints() -> list[Endpoint]:
    """Make the rows of this page."""
    needed = ("userId", "startTime", "endTime")
    return [reads("users/statement", UserStatementQuery, needed, Statement, statement)]


async def statement(call: Call, query: UserStatementQuery) -> Statement:
    """GET users/statement: as its user can read it"""
    return await read_statement(call, parse_user(call, query.userId), query)
