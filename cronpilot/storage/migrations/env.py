"""What Alembic runs: the connection comes from `storage.migrate`, never from a URL in a file."""

from __future__ import annotations

from alembic import context

from cronpilot.storage.tables import Task

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Task.metadata,
    render_as_batch=True,  # SQLite cannot alter a column in place
)
with context.begin_transaction():
    context.run_migrations()
