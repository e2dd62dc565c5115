"""Monitors, when they are not to be minded, and what their checks found."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "monitor",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("status", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_monitor"),
        sa.UniqueConstraint("key", name="uq_monitor_key"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "maintenance_window",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("record", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_maintenance_window"),
        sa.UniqueConstraint("key", name="uq_maintenance_window_key"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "monitor_check",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("monitor_id", sa.Integer, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("ok", sa.Boolean, nullable=False),
        sa.Column("response_ms", sa.Float),
        sa.Column("code", sa.String(32)),
        sa.PrimaryKeyConstraint("id", name="pk_monitor_check"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_monitor_check_monitor_id", "monitor_check", ["monitor_id"])
    op.create_table(
        "monitor_bucket",
        sa.Column("length_s", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("start_s", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("monitor_id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("up_ms", sa.BigInteger, nullable=False),
        sa.Column("down_ms", sa.BigInteger, nullable=False),
        sa.Column("checks", sa.Integer, nullable=False),
        sa.Column("errors", sa.Integer, nullable=False),
        sa.Column("responses", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("length_s", "start_s", "monitor_id", name="pk_monitor_bucket"),
        sqlite_with_rowid=False,
    )
