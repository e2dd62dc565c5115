"""The agent's wire models, mirrored field by field.

A test compares them with `addon/openapi.json` and `addon/stream.schema.json` and fails where
they drift apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

AGENT_KIND = "agent"
AGENT_KEY = "agent"
ENGINE_KIND = "engine"
ENGINE_KEY = "docker"
CONTAINER_KIND = "container"

EACH_BY_ITSELF: Mapping[str, bool] = {"each_by_itself": True}
"""Metadata of a tuple: an entry that makes no sense is passed over instead of refusing all."""


class OpenEnum(StrEnum):
    """An enum to which a newer agent may have added a value: that one reads as `UNKNOWN`."""

    @classmethod
    def _missing_(cls, value: object) -> OpenEnum | None:
        return cls.__members__.get("UNKNOWN") if isinstance(value, str) else None


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
    UNKNOWN = "unknown"


class LogStream(OpenEnum):
    """Which output of a container a line came from."""

    STDOUT = "stdout"
    STDERR = "stderr"
    UNKNOWN = "unknown"


class Outcome(OpenEnum):
    """How something that changes something ended."""

    DONE = "done"
    NOT_NEEDED = "not_needed"
    REFUSED = "refused"
    FAILED = "failed"
    UNDONE = "undone"
    UNKNOWN = "unknown"


class JobState(OpenEnum):
    """Where a job is."""

    RUNNING = "running"
    UNDOING = "undoing"
    FINISHED = "finished"
    UNKNOWN = "unknown"


class StepState(OpenEnum):
    """Where one step of a job is."""

    PENDING = "pending"
    DOING = "doing"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentInfo:
    """The agent's description of itself."""

    instance_id: str
    name: str
    version: str
    started_at: datetime
    demo: bool
    contract: int


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
    """One container. `key` survives a recreate, `id` does not."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStep:
    """One step of a job."""

    name: str
    state: StepState


@dataclass(frozen=True, slots=True, kw_only=True)
class JobError:
    """Why a job did not end well."""

    code: str
    message: str
    field: str | None = None
    hint: str | None = None
    extra: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece of work. `progress` is 0..1, None where it cannot be known."""

    id: str
    kind: str
    target: str
    caller: str
    state: JobState
    outcome: Outcome | None = None
    steps: tuple[JobStep, ...]
    progress: float | None = None
    message: str | None = None
    error: JobError | None = None
    created_at: datetime
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """What a command answers. `outcome` is None while the job still runs."""

    outcome: Outcome | None
    message: str
    job: Job | None = None


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
    """Which log lines to read."""

    tail: int = 100
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The first message of the agent on a stream."""

    contract: int
    oldest: int
    instance_id: str
    version: str
    epoch: str
    type: str = "hello"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Where a client left off."""

    epoch: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    """The only message of the client on a stream. `kinds` None means all."""

    kinds: tuple[str, ...] | None = None
    resume: Resume | None = None
    type: str = "subscribe"


@dataclass(frozen=True, slots=True, kw_only=True)
class WireResource:
    """One resource in a snapshot."""

    kind: str
    key: str
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotMessage:
    """Everything, as of `seq`; what was known before is to be forgotten."""

    seq: int
    resources: tuple[WireResource, ...]
    type: str = "snapshot"


@dataclass(frozen=True, slots=True, kw_only=True)
class WireChange:
    """One resource set, or removed where `data` is None."""

    kind: str
    key: str
    data: Mapping[str, object] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesMessage:
    """All changes of one tick, up to and including `seq`."""

    seq: int
    changes: tuple[WireChange, ...]
    type: str = "changes"
