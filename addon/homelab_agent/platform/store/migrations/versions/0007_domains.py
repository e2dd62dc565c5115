"""Domains: DNS providers, dynamic addresses, what became of each domain, routes, certificates."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_RECORD_TABLES = {
    "dns_provider": 128,
    "dynamic_address": 300,
    "domain": 300,
    "proxy_record": 300,
    "managed_certificate": 128,
    "acme_account": 300,
}


def upgrade() -> None:
    """Make the tables."""
    for name, longest_key in _RECORD_TABLES.items():
        _create_record_table(name, sa.String(longest_key))
    op.create_table(
        "domain_event",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("domain", sa.String(300), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("step", sa.String(64)),
        sa.Column("outcome", sa.String(16)),
        sa.Column("message", sa.Text),
        sa.Column("before", sa.JSON(none_as_null=True)),
        sa.Column("after", sa.JSON(none_as_null=True)),
        sa.Column("job_id", sa.String(32)),
        sa.PrimaryKeyConstraint("id", name="pk_domain_event"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_domain_event_at", "domain_event", ["at"])
    op.create_index("ix_domain_event_domain_id", "domain_event", ["domain", "id"])


def _create_record_table(name: str, key_type: sa.types.TypeEngine[str]) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("key", key_type, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("record", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        sa.UniqueConstraint("key", name=f"uq_{name}_key"),
        sqlite_autoincrement=True,
    )
