"""Alembic's environment: the caller's connection, in the caller's transaction."""

from alembic import context

from lombard.history.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
