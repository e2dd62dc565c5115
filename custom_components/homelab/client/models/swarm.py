"""Docker Swarm, where it is active."""

from dataclasses import dataclass, field

from .base import EACH_BY_ITSELF, OpenEnum


class SwarmRole(OpenEnum):
    """What this host is in a swarm. Services and nodes are known to managers only."""

    INACTIVE = "inactive"
    WORKER = "worker"
    MANAGER = "manager"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Swarm:
    """This host's place in a swarm. Counts are None where they cannot be known from here."""

    role: SwarmRole
    nodes: int | None = None
    managers: int | None = None
    nodes_ready: int | None = None
    services: int | None = None
    services_degraded: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SwarmService:
    """One service. `key` is its name. `mode`: replicated, global, or one of the job modes."""

    key: str
    id: str
    name: str
    image: str
    mode: str
    running: int | None
    desired: int | None
    stack: str | None
    updating: bool
    update_message: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SwarmNode:
    """One node. `key` is its id; `availability` is active, pause or drain."""

    key: str
    id: str
    name: str
    role: str
    state: str
    availability: str
    leader: bool
    address: str | None
    engine_version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SwarmServiceList:
    """All services, by name."""

    services: tuple[SwarmService, ...] = field(metadata=EACH_BY_ITSELF)


@dataclass(frozen=True, slots=True, kw_only=True)
class SwarmNodeList:
    """All nodes, by name."""

    nodes: tuple[SwarmNode, ...] = field(metadata=EACH_BY_ITSELF)


@dataclass(frozen=True, slots=True, kw_only=True)
class SwarmBody:
    """`wait_s`: how long the answer may wait for the end."""

    wait_s: float = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleBody(SwarmBody):
    """`replicas`: how many tasks of a replicated service are wanted."""

    replicas: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeBody(SwarmBody):
    """`availability`: drain moves all work off the node."""

    availability: str
