"""Format 3: a history says whose it is, so that a database is not continued by a stranger."""

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the name of the venue; empty where nobody needs to ask."""
    op.add_column("meta", sa.Column("venue", sa.Text(), nullable=False, server_default=""))
    op.execute("UPDATE meta SET format = 3")
