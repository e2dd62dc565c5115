"""Schemas of tomorrow: ours with one more migration, good or broken."""

import shutil
from pathlib import Path
from textwrap import dedent

from homelab_agent.platform.store.schema import SCHEMA, Schema

GOOD = """
    with op.batch_alter_table("job") as batch:
        batch.add_column(sa.Column("colour", sa.String(8), nullable=False, server_default="red"))
    op.create_table("extra", sa.Column("id", sa.Integer, primary_key=True))
"""
BREAKS_HALF_WAY = """
    op.create_table("extra", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("DELETE FROM meta")
    raise RuntimeError("the disk said no")
"""
IS_KILLED = """
    import os
    op.execute("DELETE FROM meta")
    os.kill(os.getpid(), 9)
"""
LEAVES_ORPHANS = """
    op.execute("DELETE FROM job")
"""


def next_schema(folder: Path, upgrade: str, *, head: str = "9999") -> Schema:
    """Return our schema with one more migration that does `upgrade`."""
    migrations = folder / f"migrations-{head}"
    shutil.copytree(SCHEMA.migrations, migrations, ignore=shutil.ignore_patterns("__pycache__"))
    (migrations / "versions" / f"{head}_next.py").write_text(
        dedent(f"""\
        import sqlalchemy as sa
        from alembic import op

        revision = "{head}"
        down_revision = "{SCHEMA.head}"


        def upgrade():
        """)
        + upgrade
    )
    return Schema(head=head, metadata=SCHEMA.metadata, migrations=migrations)
