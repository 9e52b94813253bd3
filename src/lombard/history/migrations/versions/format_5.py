"""Format 5: movements of money that two operators make, asked for and decided.

Those decided before are not there; `lombard history rebuild` brings them.
"""

import sqlalchemy as sa
from alembic import op

revision = "5"
down_revision = "4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables of proposals and decisions."""
    id_ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    exact = sa.Text().with_variant(sa.Numeric(80, 0), "postgresql")
    op.create_table(
        "moves_proposed",
        sa.Column("proposal_id", id_, primary_key=True, autoincrement=False),
        sa.Column("operator", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("user", sa.BigInteger(), nullable=False),
        sa.Column("coin", sa.Integer(), nullable=False),
        sa.Column("units", exact, nullable=False),
        sa.Column("time_ms", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "moves_decided",
        sa.Column("proposal_id", id_, primary_key=True, autoincrement=False),
        sa.Column("operator", sa.BigInteger(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("time_ms", sa.BigInteger(), nullable=False),
    )
    op.execute("UPDATE meta SET format = 5")
