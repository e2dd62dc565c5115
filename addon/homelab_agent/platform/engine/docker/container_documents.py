"""Docker's JSON, as much of it as is read, and how it becomes our models.

Read leniently: what an engine leaves out or sends as null has its neutral value.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter
from pydantic.alias_generators import to_pascal

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


type _Number = Annotated[int, Field(ge=-(2**63), lt=2**63)]
"""What every reader of JSON can hold."""

type _Moment = Annotated[int, Field(ge=-62_135_596_800, lt=253_402_300_800)]
"""Seconds from the year 1, which is Docker's "never", to the year 9999."""

_PORT = re.compile(r"[0-9]{1,5}")


class _Document(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_pascal)


class _Health(_Document):
    status: str = ""


class _State(_Document):
    status: str = ""
    running: bool = False
    oom_killed: bool = Field(default=False, alias="OOMKilled")
    exit_code: _Number = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    health: _Health | None = None


class _RestartPolicy(_Document):
    name: str = ""


class _HostConfig(_Document):
    restart_policy: _RestartPolicy | None = None


class _Healthcheck(_Document):
    test: list[str] | None = None

    @property
    def checks(self) -> bool:
        """Whether there is something to run: NONE switches off what the image brings."""
        return bool(self.test) and self.test != ["NONE"]


class _Config(_Document):
    image: str = ""
    healthcheck: _Healthcheck | None = None
    tty: bool = False
    stop_timeout: int | None = None
    labels: dict[str, str] | None = None


class _Binding(_Document):
    host_ip: str = ""
    host_port: str = ""


class _NetworkSettings(_Document):
    ports: dict[str, list[_Binding] | None] | None = None


class Inspected(_Document):
    """The answer of GET /containers/{id}/json."""

    id: str
    name: str
    created: datetime
    image: str = ""
    restart_count: _Number = 0
    state: _State = Field(default_factory=_State)
    config: _Config = Field(default_factory=_Config)
    host_config: _HostConfig = Field(default_factory=_HostConfig)
    network_settings: _NetworkSettings | None = None

    def container(self) -> EngineContainer:
        """Return it as the rest of the agent knows it."""
        state = _state(self.state.status, running=self.state.running)
        policy = self.host_config.restart_policy
        finished = _time(self.state.finished_at)
        return EngineContainer(
            id=self.id,
            name=self.name.removeprefix("/"),
            image=self.config.image,
            image_id=self.image,
            state=state,
            health=_health(state, self.state.health.status if self.state.health else ""),
            has_health_check=bool(self.config.healthcheck and self.config.healthcheck.checks),
            exit_code=self.state.exit_code if state in _ENDED and finished else None,
            oom_killed=self.state.oom_killed,
            restart_count=self.restart_count,
            restart_policy=(policy.name if policy else "") or "no",
            created_at=_time(self.created) or datetime.fromtimestamp(0, UTC),
            started_at=_time(self.state.started_at),
            finished_at=finished,
            ports=_ports(self.network_settings),
            labels=self.config.labels or {},
        )


class _ListedPort(_Document):
    ip: str | None = Field(default=None, alias="IP")
    private_port: _Number
    public_port: _Number | None = None
    type: str = "tcp"


class Listed(_Document):
    """One row of GET /containers/json."""

    id: str
    names: list[str] | None = None
    image: str = ""
    image_id: str = Field(default="", alias="ImageID")
    created: _Moment = 0
    state: str = ""
    status: str = ""
    ports: list[_ListedPort] | None = None
    labels: dict[str, str] | None = None

    def container(self) -> EngineContainer:
        """Return what the list alone tells: enough to show a container that cannot be inspected."""
        state = _state(self.state, running=self.status.startswith("Up"))
        return EngineContainer(
            id=self.id,
            name=_own_name(self.names or [self.id[:12]]),
            image=self.image,
            image_id=self.image_id,
            state=state,
            health=_health(state, _health_in(self.status)),
            has_health_check=bool(_health_in(self.status)),
            created_at=datetime.fromtimestamp(self.created, UTC),
            ports=_in_order(
                Port(
                    container_port=port.private_port,
                    protocol=port.type,
                    host_ip=port.ip if port.public_port else None,
                    host_port=port.public_port,
                )
                for port in self.ports or ()
            ),
            labels=self.labels or {},
        )


LIST: TypeAdapter[list[JsonValue]] = TypeAdapter(list[JsonValue])
"""The answer of GET /containers/json. Each row is read by itself, as `Listed`."""


class EngineVersion(_Document):
    """The answer of GET /version."""

    version: str = "unknown"
    api_version: str
    oldest: str | None = Field(default=None, alias="MinAPIVersion")
    architecture: str | None = Field(default=None, alias="Arch")
    kernel_version: str | None = None


class Info(_Document):
    """The answer of GET /info."""

    name: str | None = None
    operating_system: str | None = None
    kernel_version: str | None = None
    architecture: str | None = None
    cpu_count: _Number | None = Field(default=None, alias="NCPU")
    memory_bytes: _Number | None = Field(default=None, alias="MemTotal")


def _state(text: str, *, running: bool) -> ContainerState:
    known = _STATES.get(text)
    if known is not None:
        return known
    try:
        return ContainerState(text)
    except ValueError:
        return ContainerState.RUNNING if running else ContainerState.EXITED


def _health(state: ContainerState, text: str) -> ContainerHealth:
    # As soon as it is stopped, Docker calls a container that has a check "unhealthy".
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
    for exposed, bindings in ((settings and settings.ports) or {}).items():
        number, _, protocol = exposed.partition("/")
        if not _PORT.fullmatch(number):
            continue
        inside = Port(container_port=int(number), protocol=protocol or "tcp")
        published = [
            inside.model_copy(
                update={"host_ip": binding.host_ip or None, "host_port": int(binding.host_port)}
            )
            for binding in bindings or ()
            if _PORT.fullmatch(binding.host_port)
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
