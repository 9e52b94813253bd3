"""Format 4: the other side of the ledger, the accounts of the system and what everybody owes.

Some of what they were moved by is in no table, so their books begin where the history is now. Made
again from the journal, they begin with it.
"""

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = "3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; say from when on it is written."""
    exact = sa.Text().with_variant(sa.Numeric(80, 0), "postgresql")
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "house",
        sa.Column("house_id", key, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.BigInteger(), nullable=False),
        sa.Column("coin", sa.Integer(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("delta_units", exact, nullable=False),
        sa.Column("balance_units", exact, nullable=False),
        sa.Column("reference_id", sa.BigInteger(), nullable=False),
        sa.Column("time_ms", sa.BigInteger(), nullable=False),
    )
    # SQLite adds the row's own id to every index.
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    columns = ["account", "coin"] if is_sqlite else ["account", "coin", "house_id"]
    op.create_index("house_of_account", "house", columns)
    op.add_column(
        "meta", sa.Column("house_seq", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.execute("UPDATE meta SET format = 4, house_seq = applied_seq")
