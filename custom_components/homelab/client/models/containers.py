"""Containers and the engine that runs them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from .base import EACH_BY_ITSELF, OpenEnum


class ContainerState(OpenEnum):
    """Docker's own container states."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    RESTARTING = "restarting"
    REMOVING = "removing"
    EXITED = "exited"
    DEAD = "dead"
    UNKNOWN = "unknown"


class ContainerHealth(OpenEnum):
    """The verdict of a container's own health check; NONE where it has no check."""

    NONE = "none"
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


class EngineConnection(OpenEnum):
    """Whether the engine can be reached right now."""

    CONNECTED = "connected"
    UNAVAILABLE = "unavailable"
    UNKNOWN = "unknown"


class EngineRight(OpenEnum):
    """What the agent would like to do at the engine and may not."""

    CONTAINERS_READ = "containers_read"
    CONTAINERS_CONTROL = "containers_control"
    EVENTS = "events"
    INFO = "info"
    IMAGES_READ = "images_read"
    CONTAINERS_CHANGE = "containers_change"
    IMAGES_CHANGE = "images_change"
    OBJECTS_READ = "objects_read"
    OBJECTS_CHANGE = "objects_change"
    SWARM = "swarm"
    EXECUTE = "execute"
    UNKNOWN = "unknown"


class LogStream(OpenEnum):
    """Which output of a container a line came from."""

    STDOUT = "stdout"
    STDERR = "stderr"
    UNKNOWN = "unknown"


class LogOutput(OpenEnum):
    """Which output of a container to read."""

    BOTH = "both"
    STDOUT = "stdout"
    STDERR = "stderr"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A port of a container, and where it is published if it is."""

    container_port: int
    protocol: str
    host_ip: str | None = None
    host_port: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compose:
    """Where a container stands in its compose project. `index` starts at 1."""

    project: str
    service: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One container. `key` survives a recreate, `id` does not.

    `restart_loop`: it ended by itself again and again within the last minutes.
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
    labels: Mapping[str, str]
    compose: Compose | None
    protected_reason: str | None
    restart_loop: bool = False


class ContainerEventType(OpenEnum):
    """What happened to a container.

    STOPPED: somebody asked for its end. DIED: it ended by itself with an error, FINISHED: without.
    RESTARTED: it ended and runs again at once. REMOVED: nothing stands for its key any more.
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
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerEvent:
    """The newest thing that happened to a container.

    `number` grows with every event of the agent and tells two alike apart.
    """

    key: str
    name: str
    type: ContainerEventType
    number: int
    at: datetime
    exit_code: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerCounts:
    """How many containers are in which state. `stopped` is created, exited or dead."""

    total: int
    running: int
    paused: int
    restarting: int
    stopped: int
    unhealthy: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStatus:
    """The engine of one host. `counts` is None while the engine is away."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerList:
    """All containers, by name."""

    containers: tuple[Container, ...] = field(metadata=EACH_BY_ITSELF)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line of a container's log."""

    at: datetime | None
    stream: LogStream
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs:
    """Lines of one container, oldest first. `truncated`: there may be older ones."""

    container: str
    lines: tuple[LogLine, ...]
    truncated: bool
    scanned: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadLog:
    """A container whose log could not be read, and why."""

    container: str
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSearch:
    """The newest lines found in each container, oldest first; only those with a hit are listed."""

    found: tuple[Logs, ...]
    searched: int
    truncated: bool
    unread: tuple[UnreadLog, ...] = ()


class LogNewsType(OpenEnum):
    """What a message of a followed log tells. STOPPED: it goes on when the container runs again."""

    LINES = "lines"
    STOPPED = "stopped"
    STARTED = "started"
    ENDED = "ended"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogNews:
    """One message of a followed log. `dropped`: so many lines before these were passed over."""

    type: LogNewsType
    lines: tuple[LogLine, ...] = ()
    dropped: int = 0
    code: str | None = None
    message: str | None = None
    hint: str | None = None


class ContainerCommand(StrEnum):
    """What a container can be told."""

    START = "start"
    STOP = "stop"
    RESTART = "restart"
    PAUSE = "pause"
    UNPAUSE = "unpause"
    KILL = "kill"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandBody:
    """Options every container command takes. `wait_s`: how long the answer may take."""

    wait_s: float = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class StopBody(CommandBody):
    """`timeout_s`: grace before the kill; the container's own where None."""

    timeout_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KillBody(CommandBody):
    """`signal`: a Unix signal by name."""

    signal: str = "SIGKILL"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerQuery:
    """Which containers to list; all where nothing is given."""

    state: ContainerState | None = None
    project: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsQuery:
    """Which log lines to read; with `search` the last `tail` of those that have that text."""

    tail: int = 100
    since: datetime | None = None
    until: datetime | None = None
    stream: LogOutput = LogOutput.BOTH
    search: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSearchQuery:
    """What to find in which logs: those named, those of a compose project, or all."""

    search: str
    names: tuple[str, ...] = ()
    project: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    stream: LogOutput = LogOutput.BOTH
    limit_each: int = 50
    limit: int = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFollowQuery:
    """What to follow: the last `tail` lines first, then what is written."""

    tail: int = 100
    since: datetime | None = None
    stream: LogOutput = LogOutput.BOTH
    search: str | None = None
