"""Docker Swarm, where it is active, as the API and the stream show it."""

from pydantic import Field

from homelab_agent.platform.engine.swarm import SwarmRole
from homelab_agent.platform.model import Model

SWARM_KIND = "swarm"
SWARM_KEY = "docker"
SWARM_SERVICE_KIND = "swarm_service"
SWARM_NODE_KIND = "swarm_node"


class Swarm(Model):
    """This host's place in a swarm. Counts are None where they cannot be known from here."""

    role: SwarmRole
    nodes: int | None = None
    managers: int | None = None
    nodes_ready: int | None = None
    services: int | None = None
    services_degraded: int | None = None


class SwarmService(Model):
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


class SwarmNode(Model):
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


class SwarmServiceList(Model):
    """All services, by name."""

    services: tuple[SwarmService, ...]


class SwarmNodeList(Model):
    """All nodes, by name."""

    nodes: tuple[SwarmNode, ...]


class SwarmBody(Model):
    """`wait_s`: how long the answer may wait for the end."""

    wait_s: float = Field(default=30, ge=0, le=300)


class ScaleBody(SwarmBody):
    """`replicas`: how many tasks of a replicated service are wanted."""

    replicas: int = Field(ge=0, le=10_000)


class NodeBody(SwarmBody):
    """`availability`: drain moves all work off the node."""

    availability: str = Field(pattern="^(active|pause|drain)$")
