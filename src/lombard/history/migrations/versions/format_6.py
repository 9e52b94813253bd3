"""Format 6: coupons that have left the venue's state, which held all of them before."""

import sqlalchemy as sa
from alembic import op

revision = "6"
down_revision = "5"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table of coupons; none has been retired yet."""
    columns = ("campaign", "user", "claimed_ms", "start_ms", "end_ms", "account")
    coupon_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "coupons",
        sa.Column("coupon_id", coupon_id, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in columns),
    )
    # SQLite adds the row's id to every index by itself.
    in_sqlite = op.get_bind().dialect.name == "sqlite"
    indexed = ["user"] if in_sqlite else ["user", "coupon_id"]
    op.create_index("coupons_of_user", "coupons", indexed)
    op.execute("UPDATE meta SET format = 6")
