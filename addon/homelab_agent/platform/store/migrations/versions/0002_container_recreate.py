"""What was last done to each container by making it anew, and what can be rolled back."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "container_recreate",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("record", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_container_recreate"),
        sa.UniqueConstraint("key", name="uq_container_recreate_key"),
        sqlite_autoincrement=True,
    )
