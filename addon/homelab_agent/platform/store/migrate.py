"""Bringing an older database up to date with Alembic; imported only when that has to be done."""

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from homelab_agent.platform.errors import StoreError
from homelab_agent.platform.store.schema import Schema


def migrate(connection: Connection, schema: Schema, revision: str | None) -> None:
    """Run every migration after `revision` (None: all), in the transaction of `connection`.

    Raises:
        StoreError: the database is newer than this program, or a migration failed.
    """
    config = _config(schema)
    config.attributes["connection"] = connection
    config.attributes["metadata"] = schema.metadata
    if revision is not None:
        require_known(schema, revision)
    try:
        command.upgrade(config, schema.head)
    except Exception as error:  # a migration may fail with anything
        raise StoreError(
            f"The store could not be brought from {revision} to {schema.head}: {error}",
            hint="Nothing was changed. Go on with the version used before, and report this",
        ) from error


def require_known(schema: Schema, revision: str) -> None:
    """Raise `StoreError` where a newer version than this program wrote the database."""
    try:
        ScriptDirectory.from_config(_config(schema)).get_revision(revision)
    except CommandError as error:
        raise StoreError(
            f"The store was written by a newer version (revision {revision}); "
            f"this one knows it up to {schema.head}",
            hint="Use the newer version again, or put back the copy kept before it was migrated",
        ) from error


def _config(schema: Schema) -> Config:
    config = Config()
    # Alembic's settings take % for interpolation.
    config.set_main_option("script_location", str(schema.migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
