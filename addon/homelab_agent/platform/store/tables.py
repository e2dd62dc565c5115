"""The tables of the agent, as of the newest migration.

A change here needs a migration in `migrations/versions`; a test compares both.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: aware and in UTC on both sides, whatever the database keeps."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time; SQLite keeps times without a zone, so it gets UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time needs a zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Words(TypeDecorator[str]):
    """A text from outside: what a database cannot hold in it is replaced by a question mark."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        """Replace NUL, which PostgreSQL refuses, and halves of characters, which are no UTF-8."""
        if value is None:
            return None
        return value.replace("\0", "?").encode(errors="replace").decode()


def _records(name: str, key: type[Words] | String = Words) -> Table:
    """Return a table of records by key, as `Records` keeps them."""
    return Table(
        name,
        metadata,
        Column("id", Integer, primary_key=True),
        Column("key", key, nullable=False, unique=True),
        Column("at", UtcDateTime, nullable=False),
        Column("record", JSON, nullable=False),
        # A row is replaced by a newer one: the oldest ids are those not touched for longest.
        sqlite_autoincrement=True,
    )


meta = Table(
    "meta",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

token = Table(
    "token",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("scope", String(16), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

activity = Table(
    "activity",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("caller", Words, nullable=False),
    Column("action", String(64), nullable=False),
    Column("target", Words, index=True),
    Column("outcome", String(16)),
    Column("code", String(32)),
    Column("message", Words),
    Column("job_id", String(32)),
    # An id is never given twice, so that "before id" pages stay right after old rows are removed.
    sqlite_autoincrement=True,
)

job = Table(
    "job",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("target", Words, nullable=False),
    Column("caller", Words, nullable=False),
    Column("arguments", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("outcome", String(16)),
    Column("message", Words),
    Column("error", JSON(none_as_null=True)),
    Column("created_at", UtcDateTime, nullable=False, index=True),
    Column("finished_at", UtcDateTime),
)

# One job at a time per target, also for what is in the journal.
Index(
    "uq_job_running_target",
    job.c.target,
    unique=True,
    sqlite_where=text("state != 'finished'"),
    postgresql_where=text("state != 'finished'"),
)

job_step = Table(
    "job_step",
    metadata,
    Column("job_id", String(32), ForeignKey("job.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("name", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("needed", Boolean, nullable=False),
    Column("data", JSON, nullable=False),
)

container_recreate = Table(
    "container_recreate",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", Words, nullable=False, unique=True),
    Column("at", UtcDateTime, nullable=False),
    Column("record", JSON, nullable=False),
    # A row is replaced by a newer one: the oldest ids are those not touched for longest.
    sqlite_autoincrement=True,
)

image_lookup = _records("image_lookup")

update_attempt = _records("update_attempt")

stack_version = Table(
    "stack_version",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("caller", Words, nullable=False),
    # The folder of its files, which hold values that belong into no database.
    Column("source", String(32), nullable=False),
    Column("directory", Words),
    Column("profiles", JSON, nullable=False),
    UniqueConstraint("name", "version"),
    sqlite_autoincrement=True,
)

counter = Table(
    "counter",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", Words, nullable=False, unique=True),
    Column("at", UtcDateTime, nullable=False),
    Column("epoch", String(64), nullable=False),
    Column("raw", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
)

sample = Table(
    "sample",
    metadata,
    # One tree of small rows, in the order in which they are read: there are many.
    Column("series", Words, primary_key=True),
    # Milliseconds of the history's own clock.
    Column("at_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("value", Float, nullable=False),
    sqlite_with_rowid=False,
)

finding = _records("finding")

known_port = _records("known_port")

watched_certificate = _records("watched_certificate", String(128))

monitor = Table(
    "monitor",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(128), nullable=False, unique=True),
    Column("at", UtcDateTime, nullable=False),
    # What a person set, and how it was when last looked at: a restart forgets neither.
    Column("settings", JSON, nullable=False),
    Column("status", JSON, nullable=False),
    sqlite_autoincrement=True,
)

maintenance_window = _records("maintenance_window", String(128))

monitor_check = Table(
    "monitor_check",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("monitor_id", Integer, nullable=False),
    # Milliseconds since 1970: many rows, and each is small.
    Column("at_ms", BigInteger, nullable=False),
    Column("ok", Boolean, nullable=False),
    Column("response_ms", Float),
    Column("code", String(32)),
    Index("ix_monitor_check_monitor_id", "monitor_id"),
    sqlite_autoincrement=True,
)

monitor_bucket = Table(
    "monitor_bucket",
    metadata,
    # Time first: what is written together, and what is removed together, lies together.
    # Both in seconds; a minute, an hour or a day since 1970.
    Column("length_s", Integer, primary_key=True, autoincrement=False),
    Column("start_s", BigInteger, primary_key=True, autoincrement=False),
    Column("monitor_id", Integer, primary_key=True, autoincrement=False),
    Column("up_ms", BigInteger, nullable=False),
    Column("down_ms", BigInteger, nullable=False),
    Column("checks", Integer, nullable=False),
    Column("errors", Integer, nullable=False),
    # Response times as a histogram that can be added to others.
    Column("responses", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

dns_provider = _records("dns_provider", String(128))

zone_change = _records("zone_change", String(32))

dynamic_address = _records("dynamic_address", String(300))

domain = _records("domain", String(300))

domain_event = Table(
    "domain_event",
    metadata,
    Column("id", Integer, primary_key=True),
    # The domain's id; its history stays when it is forgotten.
    Column("domain", String(300), nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("caller", Words, nullable=False),
    Column("type", String(32), nullable=False),
    Column("step", String(64)),
    Column("outcome", String(16)),
    Column("message", Words),
    Column("before", JSON(none_as_null=True)),
    Column("after", JSON(none_as_null=True)),
    Column("job_id", String(32)),
    Index("ix_domain_event_domain_id", "domain", "id"),
    # An id is never given twice, so that "before id" pages stay right after old rows are removed.
    sqlite_autoincrement=True,
)

proxy_record = _records("proxy_record", String(300))

managed_certificate = _records("managed_certificate", String(128))

acme_account = _records("acme_account", String(300))
