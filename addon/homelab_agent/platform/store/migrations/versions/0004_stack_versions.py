"""The kept versions of managed stacks."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "stack_version",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("directory", sa.Text),
        sa.Column("profiles", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_stack_version"),
        sa.UniqueConstraint("name", "version", name="uq_stack_version_name_version"),
        sqlite_autoincrement=True,
    )
