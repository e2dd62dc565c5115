"""What a container engine looks like to the rest of the agent: no Docker JSON beyond here."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from homelab_agent.platform.model import Model


class ContainerState(StrEnum):
    """Docker's own container states."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    RESTARTING = "restarting"
    REMOVING = "removing"
    EXITED = "exited"
    DEAD = "dead"


IN_USE = frozenset({ContainerState.RUNNING, ContainerState.PAUSED, ContainerState.RESTARTING})
"""The states that a stop would end."""


class ContainerHealth(StrEnum):
    """The verdict of a container's own health check; NONE where it has none or does not run."""

    NONE = "none"
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


class Port(Model):
    """A port of a container, and where it is published if it is."""

    container_port: int
    protocol: str
    host_ip: str | None = None
    host_port: int | None = None


class EngineContainer(Model):
    """A container as the engine knows it. `exit_code` is None while it runs or never ran."""

    id: str
    name: str
    image: str
    image_id: str
    state: ContainerState
    health: ContainerHealth = ContainerHealth.NONE
    has_health_check: bool = False
    exit_code: int | None = None
    oom_killed: bool = False
    restart_count: int = 0
    restart_policy: str = "no"
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    ports: tuple[Port, ...] = ()
    labels: dict[str, str] = Field(default_factory=dict)


class EventAction(StrEnum):
    """The container events that change what we show; all others are dropped where they are read."""

    CREATE = "create"
    START = "start"
    DIE = "die"
    OOM = "oom"
    PAUSE = "pause"
    UNPAUSE = "unpause"
    RESTART = "restart"
    STOP = "stop"
    KILL = "kill"
    RENAME = "rename"
    UPDATE = "update"
    DESTROY = "destroy"
    HEALTH_STATUS = "health_status"


class EngineEvent(Model):
    """One container event. `health`, `exit_code` and `signal` only where the action carries them.

    `time_ns` is what `Engine.events` takes to go on after this event. `labels` are only those of
    compose, so that it is known whose event it is when the container itself is not known yet.
    """

    action: EventAction
    container_id: str
    name: str
    at: datetime
    time_ns: int
    health: ContainerHealth | None = None
    exit_code: int | None = None
    signal: int | None = None
    labels: dict[str, str] = Field(default_factory=dict)


class EngineInfo(Model):
    """The engine's own description of itself and its host; None where it does not tell."""

    kind: str
    version: str
    api_version: str
    host_name: str | None = None
    operating_system: str | None = None
    kernel_version: str | None = None
    architecture: str | None = None
    cpu_count: int | None = None
    memory_bytes: int | None = None


class EngineRight(StrEnum):
    """What the agent would like to do at the engine; a socket proxy may forbid each.

    CONTAINERS_CONTROL is start to kill, CONTAINERS_CHANGE create, rename, update and remove.
    OBJECTS are volumes, networks and the disk they take. SWARM is missed only in a swarm. EXECUTE,
    running a program in a container, is not missed: without it routes of the proxy are not tried.
    """

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


class LogStream(StrEnum):
    """Which output of a container a line came from; a TTY container has only STDOUT."""

    STDOUT = "stdout"
    STDERR = "stderr"


class LogLine(Model):
    """One line of a container's log."""

    at: datetime | None
    stream: LogStream
    text: str


class LogRequest(Model):
    """Which lines of a log to give: the last `tail` (all where None), of one output or of both.

    `follow`: go on with what is written, until the container ends.
    """

    tail: int | None
    since: datetime | None = None
    until: datetime | None = None
    stream: LogStream | None = None
    follow: bool = False
