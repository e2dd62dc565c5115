"""Docker's JSON, as much of it as is read, and how it becomes our models.

Read leniently: what an engine leaves out or sends as null has its neutral value.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from homelab_agent.platform.engine.models import (
    ContainerHealth,
    ContainerState,
    EngineContainer,
    Port,
)

_STATES = {
    "configured": ContainerState.CREATED,
    "initialized": ContainerState.CREATED,
    "stopped": ContainerState.EXITED,
    "stopping": ContainerState.RUNNING,
}
"""Podman's names for what Docker calls otherwise."""

_ALIVE = frozenset({ContainerState.RUNNING, ContainerState.PAUSED})
_ENDED = frozenset({ContainerState.EXITED, ContainerState.DEAD, ContainerState.RESTARTING})


class _Document(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Health(_Document):
    Status: str = ""


class _State(_Document):
    Status: str = ""
    Running: bool = False
    OOMKilled: bool = False
    ExitCode: int = 0
    StartedAt: datetime | None = None
    FinishedAt: datetime | None = None
    Health: _Health | None = None


class _RestartPolicy(_Document):
    Name: str = ""


class _HostConfig(_Document):
    RestartPolicy: _RestartPolicy | None = None


class _Config(_Document):
    Image: str = ""
    Tty: bool = False
    StopTimeout: int | None = None
    Labels: dict[str, str] | None = None


class _Binding(_Document):
    HostIp: str = ""
    HostPort: str = ""


class _NetworkSettings(_Document):
    Ports: dict[str, list[_Binding] | None] | None = None


class Inspected(_Document):
    """The answer of GET /containers/{id}/json."""

    Id: str
    Name: str
    Created: datetime
    Image: str = ""
    RestartCount: int = 0
    State: _State = Field(default_factory=_State)
    Config: _Config = Field(default_factory=_Config)
    HostConfig: _HostConfig = Field(default_factory=_HostConfig)
    NetworkSettings: _NetworkSettings | None = None

    def container(self) -> EngineContainer:
        """Return it as the rest of the agent knows it."""
        state = _state(self.State.Status, running=self.State.Running)
        policy = self.HostConfig.RestartPolicy
        finished = _time(self.State.FinishedAt)
        return EngineContainer(
            id=self.Id,
            name=self.Name.removeprefix("/"),
            image=self.Config.Image,
            image_id=self.Image,
            state=state,
            health=_health(state, self.State.Health.Status if self.State.Health else ""),
            exit_code=self.State.ExitCode if state in _ENDED and finished else None,
            oom_killed=self.State.OOMKilled,
            restart_count=self.RestartCount,
            restart_policy=(policy.Name if policy else "") or "no",
            created_at=_time(self.Created) or datetime.fromtimestamp(0, UTC),
            started_at=_time(self.State.StartedAt),
            finished_at=finished,
            ports=_ports(self.NetworkSettings),
            labels=self.Config.Labels or {},
        )


class _ListedPort(_Document):
    IP: str | None = None
    PrivatePort: int
    PublicPort: int | None = None
    Type: str = "tcp"


class Listed(_Document):
    """One row of GET /containers/json."""

    Id: str
    Names: list[str] | None = None
    Image: str = ""
    ImageID: str = ""
    Created: int = 0
    State: str = ""
    Status: str = ""
    Ports: list[_ListedPort] | None = None
    Labels: dict[str, str] | None = None

    def container(self) -> EngineContainer:
        """Return what the list alone tells: enough to show a container that cannot be inspected."""
        state = _state(self.State, running=self.Status.startswith("Up"))
        return EngineContainer(
            id=self.Id,
            name=_own_name(self.Names or [self.Id[:12]]),
            image=self.Image,
            image_id=self.ImageID,
            state=state,
            health=_health(state, _health_in(self.Status)),
            created_at=datetime.fromtimestamp(self.Created, UTC),
            ports=_in_order(
                Port(
                    container_port=port.PrivatePort,
                    protocol=port.Type,
                    host_ip=port.IP if port.PublicPort else None,
                    host_port=port.PublicPort,
                )
                for port in self.Ports or ()
            ),
            labels=self.Labels or {},
        )


LISTED: TypeAdapter[list[Listed]] = TypeAdapter(list[Listed])


class Info(_Document):
    """The answer of GET /info."""

    Name: str | None = None
    OperatingSystem: str | None = None
    KernelVersion: str | None = None
    Architecture: str | None = None
    NCPU: int | None = None
    MemTotal: int | None = None


def _state(text: str, *, running: bool) -> ContainerState:
    known = _STATES.get(text)
    if known is not None:
        return known
    try:
        return ContainerState(text)
    except ValueError:
        return ContainerState.RUNNING if running else ContainerState.EXITED


def _health(state: ContainerState, text: str) -> ContainerHealth:
    # Docker calls a container with a check "unhealthy" as soon as it is stopped, for whatever reason.
    if state not in _ALIVE:
        return ContainerHealth.NONE
    try:
        return ContainerHealth(text)
    except ValueError:
        return ContainerHealth.NONE


def _health_in(status: str) -> str:
    for sign, verdict in (
        ("(unhealthy)", "unhealthy"),
        ("(healthy)", "healthy"),
        ("(health: starting)", "starting"),
    ):
        if sign in status:
            return verdict
    return ""


def _own_name(names: list[str]) -> str:
    # A container that others link to is listed with names like /other/alias too.
    return min(names, key=lambda name: name.count("/")).removeprefix("/")


def _time(moment: datetime | None) -> datetime | None:
    """Return the moment in UTC, or None for Docker's "never", which is the year 1."""
    if moment is None or moment.year <= 1:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _ports(settings: _NetworkSettings | None) -> tuple[Port, ...]:
    found: list[Port] = []
    for exposed, bindings in ((settings and settings.Ports) or {}).items():
        number, _, protocol = exposed.partition("/")
        if not number.isdigit():
            continue
        inside = Port(container_port=int(number), protocol=protocol or "tcp")
        published = [
            inside.model_copy(
                update={"host_ip": binding.HostIp or None, "host_port": int(binding.HostPort)}
            )
            for binding in bindings or ()
            if binding.HostPort.isdigit()
        ]
        found.extend(published or [inside])
    return _in_order(found)


def _in_order(ports: Iterable[Port]) -> tuple[Port, ...]:
    """Sort, so that the same ports in another order are no change."""
    return tuple(
        sorted(
            set(ports),
            key=lambda port: (
                port.container_port,
                port.protocol,
                port.host_ip or "",
                port.host_port or 0,
            ),
        )
    )
