"""The steps from one format of history to the next, as Alembic takes them."""
