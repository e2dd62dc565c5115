"""The engine's swarm side: services and nodes, where this host is a manager."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Protocol

from homelab_agent.platform.model import Model


class SwarmRole(StrEnum):
    """What this host is in a swarm. Services and nodes are known to managers only."""

    INACTIVE = "inactive"
    WORKER = "worker"
    MANAGER = "manager"


class NodeAvailability(StrEnum):
    """What work a node takes: new work, none new (PAUSE), or none at all (DRAIN)."""

    ACTIVE = "active"
    PAUSE = "pause"
    DRAIN = "drain"


class EngineSwarm(Model):
    """This host's place in a swarm; counts are None where it does not tell them."""

    role: SwarmRole
    nodes: int | None = None
    managers: int | None = None


class EngineService(Model):
    """A service. `running` and `desired` are None where the engine does not count tasks.

    `container_labels` are what its containers get, `labels` its own.
    `update_state` is Docker's own word for its last update, None where there was none.
    """

    id: str
    name: str
    image: str
    mode: str
    replicas: int | None
    running: int | None
    desired: int | None
    labels: dict[str, str]
    container_labels: dict[str, str]
    update_state: str | None
    update_message: str | None
    has_previous: bool


class EngineNode(Model):
    """A node of the swarm."""

    id: str
    name: str
    role: str
    state: str
    availability: str
    leader: bool
    address: str | None
    engine_version: str | None


class SwarmEngine(Protocol):
    """The swarm side of an engine. Raises the errors of `Engine`.

    On a host that is no manager everything but `swarm` is `Conflict`. A change is made on the
    newest version of what it changes: where another change came in between, it is made anew.
    """

    async def swarm(self) -> EngineSwarm:
        """Return this host's place in a swarm, without asking the swarm."""

    async def services(self) -> tuple[EngineService, ...]:
        """Return every service with how many of its tasks run."""

    async def nodes(self) -> tuple[EngineNode, ...]:
        """Return every node."""

    async def service(self, name_or_id: str) -> EngineService:
        """Return one service."""

    async def node(self, node_id: str) -> EngineNode:
        """Return one node."""

    async def services_on(self, node_id: str) -> frozenset[str]:
        """Return the ids of the services that have tasks to run on a node."""

    def changes(self) -> AbstractAsyncContextManager[AsyncIterator[None]]:
        """Attach to what happens in the swarm: yields whenever something did.

        Ends by raising `Unavailable` when the connection is lost.
        """

    async def scale(self, service_id: str, replicas: int) -> None:
        """Want another number of tasks; `Conflict` for a service that has no such number."""

    async def force_update(self, service_id: str) -> None:
        """Start every task of a service anew, as its update settings say."""

    async def roll_back(self, service_id: str) -> None:
        """Return a service to its previous description; `Conflict` where it has none."""

    async def set_availability(self, node_id: str, availability: NodeAvailability) -> None:
        """Say what work a node takes."""
