"""The tables of identity, and how an older file becomes one of this format.

Times are the machine's, in milliseconds. What must be read again is sealed by the vault; what is
only compared is hashed: passwords and passphrases slowly, what is random and long quickly.
"""

from collections.abc import Callable
from typing import Final

import sqlalchemy as sa

from lombard.identity.chain import LINE, chained

FORMAT: Final = 3

METADATA: Final = sa.MetaData()
_PAGE: Final = 1_000
META: Final = sa.Table("meta", METADATA, sa.Column("format", sa.Integer, nullable=False))
API_KEYS: Final = sa.Table(
    "api_keys",
    METADATA,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("user", sa.BigInteger, nullable=False, index=True),
    sa.Column("permissions", sa.Integer, nullable=False),
    sa.Column("vault_key_id", sa.String, nullable=False),
    sa.Column("secret_sealed", sa.LargeBinary, nullable=False),
    sa.Column("passphrase_hash", sa.String, nullable=False),
    sa.Column("label", sa.String, nullable=False, server_default=""),
    # Addresses and networks it may be used from, one a line; empty: from anywhere.
    sa.Column("allowed", sa.String, nullable=False, server_default=""),
    sa.Column("created_ms", sa.BigInteger, nullable=False, server_default="0"),
)
# People who can log in. `user` is what the rest of the house calls them: the state machine's number
# of a trader, none until it has admitted them; a number below zero for an operator, who has no
# account there.
USERS: Final = sa.Table(
    "users",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("user", sa.BigInteger, unique=True),
    sa.Column("role", sa.String, nullable=False),
    sa.Column("email", sa.String, nullable=False, unique=True),
    sa.Column("password_hash", sa.String, nullable=False),
    # The id of the command that admits the user: the same when it has to be sent again.
    sa.Column("admission", sa.LargeBinary, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("totp_key_id", sa.String),
    sa.Column("totp_sealed", sa.LargeBinary),
    sa.Column("totp_confirmed", sa.Boolean, nullable=False, server_default=sa.false()),
    # The time step of the last code that was accepted: that one and older ones are used up.
    sa.Column("totp_step", sa.BigInteger, nullable=False, server_default="0"),
    sqlite_autoincrement=True,
)
RECOVERY_CODES: Final = sa.Table(
    "recovery_codes",
    METADATA,
    sa.Column("owner", sa.Integer, primary_key=True),
    sa.Column("digest", sa.LargeBinary, primary_key=True),
)
SESSIONS: Final = sa.Table(
    "sessions",
    METADATA,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("owner", sa.Integer, nullable=False, index=True),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("seen_ms", sa.BigInteger, nullable=False),
    sa.Column("address", sa.String, nullable=False),
    sa.Column("agent", sa.String, nullable=False),
)
# What somebody who lost their password was handed, one at a time: the digest of it.
PASSWORD_RESETS: Final = sa.Table(
    "password_resets",
    METADATA,
    sa.Column("owner", sa.Integer, primary_key=True),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("ends_ms", sa.BigInteger, nullable=False),
    # Whether whoever uses it is rid of the second device as well.
    sa.Column("drops_device", sa.Boolean, nullable=False),
)
# Who did what, when, from where. Only ever added to: the triggers below see to it. Each line has
# the digest of itself and all before it (`lombard.identity.audit`).
AUDIT: Final = sa.Table(
    "audit",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("user", sa.BigInteger, index=True),
    sa.Column("action", sa.String, nullable=False),
    sa.Column("detail", sa.String, nullable=False),
    sa.Column("address", sa.String, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)
_APPEND_ONLY: Final = [
    f"CREATE TRIGGER IF NOT EXISTS audit_no_{what.lower()} BEFORE {what} ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END"
    for what in ("UPDATE", "DELETE")
]


def prepare(connection: sa.Connection) -> int:
    """Make the tables, or bring older ones to this format: all of it, or nothing.

    Returns the format found; a newer one than `FORMAT` is left as it is.
    """
    # Asked for by name: Python's SQLite begins none for changes of tables by itself.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    found = FORMAT
    if sa.inspect(connection).has_table(META.name):
        found = connection.execute(sa.select(META.c.format)).scalars().first() or FORMAT
    if found > FORMAT:
        return found
    for step in range(found, FORMAT):
        _UPGRADES[step](connection)
    METADATA.create_all(connection)
    for statement in _APPEND_ONLY:
        connection.execute(sa.text(statement))
    if connection.execute(sa.update(META).values(format=FORMAT)).rowcount == 0:
        connection.execute(META.insert().values(format=FORMAT))
    return found


def _from_1(connection: sa.Connection) -> None:
    """Format 1 had keys only, and less about each."""
    for column in (API_KEYS.c.label, API_KEYS.c.allowed, API_KEYS.c.created_ms):
        made = sa.schema.CreateColumn(column).compile(connection)
        connection.execute(sa.text(f"ALTER TABLE {API_KEYS.name} ADD COLUMN {made}"))


def _from_2(connection: sa.Connection) -> None:
    """The lines of format 2 were not chained: what they say now is what the chain begins with."""
    inspector = sa.inspect(connection)
    if not inspector.has_table(AUDIT.name):
        return
    old = f"{AUDIT.name}_2"
    connection.exec_driver_sql(f"ALTER TABLE {AUDIT.name} RENAME TO {old}")
    for index in AUDIT.indexes:
        connection.exec_driver_sql(f"DROP INDEX {index.name}")
    METADATA.create_all(connection)
    last, digest = 0, b""
    names = ", ".join(f'"{name}"' for name in LINE)
    page = f"SELECT {names} FROM {old} WHERE id > ? ORDER BY id LIMIT {_PAGE}"
    while rows := connection.exec_driver_sql(page, (last,)).all():
        for row in rows:
            digest = chained(digest, tuple(row))
            values = dict(zip(LINE, row, strict=True))
            connection.execute(AUDIT.insert().values(**values, digest=digest))
        last = rows[-1][0]
    # Its triggers go with it.
    connection.exec_driver_sql(f"DROP TABLE {old}")


_UPGRADES: Final[dict[int, Callable[[sa.Connection], None]]] = {1: _from_1, 2: _from_2}
