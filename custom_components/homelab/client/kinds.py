"""The kinds of resources that this client follows on the stream."""

from dataclasses import dataclass
from typing import Any, Final

from .models import (
    AgentInfo,
    Container,
    ContainerEvent,
    ContainerStats,
    ContainerUpdate,
    DiskUsage,
    EngineStats,
    EngineStatus,
    Job,
    RecreateStatus,
    Stack,
    Swarm,
    SwarmNode,
    SwarmService,
)

type Resource = (
    AgentInfo
    | Container
    | ContainerEvent
    | ContainerStats
    | ContainerUpdate
    | DiskUsage
    | EngineStats
    | EngineStatus
    | Job
    | RecreateStatus
    | Stack
    | Swarm
    | SwarmNode
    | SwarmService
)


@dataclass(frozen=True, slots=True)
class Kind[T]:
    """One kind of resource: its name on the wire, and what its data is read as.

    `essential`: without it nothing else can be understood. `on_demand`: the agent takes the
    trouble only while somebody listens. `of_container`: its key is that of a container.
    """

    name: str
    model: type[T]
    essential: bool = False
    on_demand: bool = False
    of_container: bool = False


AGENT: Final = Kind("agent", AgentInfo, essential=True)
ENGINE: Final = Kind("engine", EngineStatus, essential=True)
CONTAINER: Final = Kind("container", Container, of_container=True)
CONTAINER_EVENT: Final = Kind("container_event", ContainerEvent, of_container=True)
CONTAINER_STATS: Final = Kind("container_stats", ContainerStats, on_demand=True, of_container=True)
CONTAINER_UPDATE: Final = Kind("container_update", ContainerUpdate, of_container=True)
CONTAINER_RECREATE: Final = Kind("container_recreate", RecreateStatus, of_container=True)
DISK_USAGE: Final = Kind("disk_usage", DiskUsage)
ENGINE_STATS: Final = Kind("engine_stats", EngineStats, on_demand=True)
JOB: Final = Kind("job", Job)
STACK: Final = Kind("stack", Stack)
SWARM: Final = Kind("swarm", Swarm)
SWARM_NODE: Final = Kind("swarm_node", SwarmNode)
SWARM_SERVICE: Final = Kind("swarm_service", SwarmService)

AGENT_KEY: Final = "agent"
HOST_KEY: Final = "docker"
"""The key of what there is once per host: the engine, its statistics, disk usage, swarm."""

KINDS: Final[tuple[Kind[Any], ...]] = (
    AGENT,
    ENGINE,
    CONTAINER,
    CONTAINER_EVENT,
    CONTAINER_STATS,
    CONTAINER_UPDATE,
    CONTAINER_RECREATE,
    DISK_USAGE,
    ENGINE_STATS,
    JOB,
    STACK,
    SWARM,
    SWARM_NODE,
    SWARM_SERVICE,
)
ON_DEMAND: Final = frozenset(kind.name for kind in KINDS if kind.on_demand)
