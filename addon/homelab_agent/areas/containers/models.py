"""The container as the API and the stream show it."""

import re
import signal
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.engine.models import (
    ContainerHealth,
    ContainerState,
    EngineRight,
    LogLine,
    Port,
)
from homelab_agent.platform.model import Model

CONTAINER_KIND = "container"
CONTAINER_EVENT_KIND = "container_event"
ENGINE_KIND = "engine"
ENGINE_KEY = "docker"

MAX_LOG_LINES = 5000
MAX_SEARCH_CHARS = 200


class Compose(Model):
    """Where a container stands in its compose project. `index` starts at 1."""

    project: str
    service: str
    index: int


class Container(Model):
    """One container. `key` survives a recreate, `id` does not.

    `key` is `project:service:index` for a compose container, else the container's name.
    `health` is NONE while it does not run, also where `has_health_check`. `restart_loop`: it ended
    by itself again and again within the last minutes. `protected_reason` is None where nothing
    protects it.
    """

    key: str
    id: str
    name: str
    image: str
    image_id: str
    state: ContainerState
    health: ContainerHealth
    has_health_check: bool
    exit_code: int | None
    oom_killed: bool
    restart_count: int
    restart_policy: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    ports: tuple[Port, ...]
    labels: dict[str, str]
    compose: Compose | None
    protected_reason: str | None
    restart_loop: bool = False


class ContainerEventType(StrEnum):
    """What happened to a container.

    STOPPED: somebody asked for its end. DIED: it ended by itself with an error, FINISHED: without.
    OUT_OF_MEMORY: a process of it was killed for that; where it ends of it, DIED follows.
    RESTARTED: it ended and runs again at once. A restart that was asked for is that alone, one
    after an end by itself follows that end. REMOVED: nothing stands for its key any more.
    """

    CREATED = "created"
    STARTED = "started"
    STOPPED = "stopped"
    DIED = "died"
    FINISHED = "finished"
    OUT_OF_MEMORY = "out_of_memory"
    RESTARTED = "restarted"
    PAUSED = "paused"
    UNPAUSED = "unpaused"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    REMOVED = "removed"


class ContainerEvent(Model):
    """The newest thing that happened to a container; a resource, so that each one is told once.

    `key` is the container's. `number` grows with every event of the agent, also across its
    restarts, and tells two alike apart. `exit_code` is there for the ends of it. The resource
    stays for some minutes after REMOVED.
    """

    key: str
    name: str
    type: ContainerEventType
    number: int
    at: datetime
    exit_code: int | None = None


class EngineConnection(StrEnum):
    """Whether the engine can be reached right now."""

    CONNECTED = "connected"
    UNAVAILABLE = "unavailable"


class ContainerCounts(Model):
    """How many containers are in which state. `stopped` is created, exited or dead."""

    total: int
    running: int
    paused: int
    restarting: int
    stopped: int
    unhealthy: int


class EngineStatus(Model):
    """The engine of this host. What it says of itself is None until it is first reached.

    `counts` is None while the engine is away: what cannot be known is unknown.
    """

    connection: EngineConnection
    since: datetime
    reason: str | None
    reason_code: str | None = None
    kind: str | None = None
    version: str | None = None
    api_version: str | None = None
    host_name: str | None = None
    operating_system: str | None = None
    kernel_version: str | None = None
    architecture: str | None = None
    cpu_count: int | None = None
    memory_bytes: int | None = None
    missing_rights: tuple[EngineRight, ...] = ()
    counts: ContainerCounts | None = None


class ContainerList(Model):
    """All containers, by name."""

    containers: tuple[Container, ...]


class ContainerQuery(Model):
    """Which containers to list; all where nothing is given."""

    state: ContainerState | None = None
    project: str | None = None


def _moment(value: object) -> object:
    """Understand "10m" as ten minutes ago; all else is left to be read as a time."""
    found = _AGO.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return value
    try:
        return utc_now() - timedelta(**{_UNITS[found[2]]: int(found[1])})
    except OverflowError:
        raise PydanticCustomError("ago", "{ago} ago is before all time", {"ago": value}) from None


_AGO = re.compile(r"([0-9]{1,6})\s?([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

type LogMoment = Annotated[
    datetime,
    BeforeValidator(_moment),
    Field(description="A time with its zone, or how long ago: 90s, 10m, 2h, 3d, 1w."),
]


class LogOutput(StrEnum):
    """Which output of a container to read."""

    BOTH = "both"
    STDOUT = "stdout"
    STDERR = "stderr"


class LogsQuery(Model):
    """Which log lines to read. `search` is plain text, capitals or not; `tail` then counts hits."""

    tail: int = Field(default=100, ge=1, le=MAX_LOG_LINES)
    since: LogMoment | None = None
    until: LogMoment | None = None
    stream: LogOutput = LogOutput.BOTH
    search: str | None = Field(default=None, min_length=1, max_length=MAX_SEARCH_CHARS)


class Logs(Model):
    """Lines of one container, oldest first. `truncated`: there may be older ones.

    `scanned`: how many lines were looked at.
    """

    container: str
    lines: tuple[LogLine, ...]
    truncated: bool
    scanned: int = 0


class LogSearchQuery(Model):
    """What to find in which logs: those named, those of a compose project, or all."""

    search: str = Field(min_length=1, max_length=MAX_SEARCH_CHARS)
    names: tuple[str, ...] = Field(default=(), max_length=200)
    project: str | None = None
    since: LogMoment | None = None
    until: LogMoment | None = None
    stream: LogOutput = LogOutput.BOTH
    limit_each: int = Field(default=50, ge=1, le=500)
    limit: int = Field(default=500, ge=1, le=MAX_LOG_LINES)


class UnreadLog(Model):
    """A container whose log could not be read, and why."""

    container: str
    code: str
    message: str


class LogSearch(Model):
    """The newest lines found in each container, oldest first; only those with a hit are listed.

    `searched`: how many logs were read. `truncated`: a limit cut what was found or looked at.
    """

    found: tuple[Logs, ...]
    searched: int
    truncated: bool
    unread: tuple[UnreadLog, ...] = ()


class LogFollowQuery(Model):
    """What to follow: the last `tail` lines (of those since a time) first, then what is written."""

    tail: int = Field(default=100, ge=0, le=MAX_LOG_LINES)
    since: LogMoment | None = None
    stream: LogOutput = LogOutput.BOTH
    search: str | None = Field(default=None, min_length=1, max_length=MAX_SEARCH_CHARS)


class LogNewsType(StrEnum):
    """What a message of a followed log tells.

    STOPPED: the container does not run; the feed goes on when it does: STARTED. ENDED: the last.
    """

    LINES = "lines"
    STOPPED = "stopped"
    STARTED = "started"
    ENDED = "ended"


class LogNews(Model):
    """One message of a followed log.

    `dropped`: so many lines before these came too fast and were passed over. `code`, `message`
    and `hint` say why it ended.
    """

    type: LogNewsType
    lines: tuple[LogLine, ...] = ()
    dropped: int = 0
    code: str | None = None
    message: str | None = None
    hint: str | None = None


_SIGNALS = frozenset(signal.Signals.__members__) | {
    "SIGSTKFLT",
    *(f"SIGRTMIN+{number}" for number in range(1, 16)),
    *(f"SIGRTMAX-{number}" for number in range(1, 15)),
}
"""What Docker takes. Not all of them have a name of their own in Python."""


def _known_signal(name: str) -> str:
    if name not in _SIGNALS:
        raise PydanticCustomError("signal", "Linux has no signal {name}", {"name": name})
    return name


class CommandBody(Model):
    """Options every container command takes. `wait_s`: how long the answer may wait for the end."""

    wait_s: float = Field(default=30, ge=0, le=300)


class StopBody(CommandBody):
    """`timeout_s`: grace before the kill; the container's own where None."""

    timeout_s: int | None = Field(default=None, ge=0, le=3600)


class KillBody(CommandBody):
    """`signal`: a Linux signal by name, as SIGHUP or SIGRTMIN+3."""

    signal: Annotated[str, AfterValidator(_known_signal)] = Field(
        default="SIGKILL", pattern=r"^SIG[A-Z0-9+-]{1,12}$"
    )
