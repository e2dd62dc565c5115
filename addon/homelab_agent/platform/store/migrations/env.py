"""What Alembic runs: the migrations, on the connection that `migrate` brought."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes["metadata"],
    # SQLite cannot alter much: a table is made anew and its rows copied.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
