"""Which services must not be stopped by accident: those whose containers must not be."""

from collections.abc import Iterator

from homelab_agent.areas.containers.models import Container, ContainerQuery
from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.platform.engine.labels import label_protection
from homelab_agent.platform.engine.models import IN_USE
from homelab_agent.platform.engine.swarm import EngineService, SwarmEngine
from homelab_agent.platform.errors import Conflict, NotFound

_SERVICE_ID = "com.docker.swarm.service.id"
_NODE_ID = "com.docker.swarm.node.id"


class SwarmProtection:
    """Looks at what describes a service, and at those of its tasks that are on this host."""

    def __init__(self, engine: SwarmEngine, containers: ContainerService) -> None:
        self._engine = engine
        self._containers = containers

    async def reason(self, name_or_id: str) -> str | None:
        """Return why a service must not be changed; None where nothing protects it."""
        try:
            service = await self._engine.service(name_or_id)
        except NotFound, Conflict:
            # There is no such service, or no swarm: the command itself says so.
            return None
        if described := self._described(service):
            return described
        for task in self._tasks(_SERVICE_ID, service.id):
            if task.protected_reason:
                return f"{task.name} is a task of it. {task.protected_reason}"
        return None

    async def node_reason(self, node_id: str) -> str | None:
        """Return why a node must not lose what runs on it; None where nothing protects it."""
        there = await self._engine.services_on(node_id)
        for service in await self._engine.services() if there else ():
            if service.id in there and (described := self._described(service)):
                return f"{service.name} has a task on it. {described}"
        for task in self._tasks(_NODE_ID, node_id):
            if task.protected_reason:
                return f"{task.name} is a task on it. {task.protected_reason}"
        return None

    def _described(self, service: EngineService) -> str | None:
        for labels in (service.labels, service.container_labels):
            if labelled := label_protection(labels):
                return f"{labelled} Remove the label to allow this."
        return self._containers.image_protection(service.image)

    def _tasks(self, label: str, wanted: str) -> Iterator[Container]:
        # Swarm keeps containers of former tasks, with the labels that the service had then.
        for each in self._containers.list(ContainerQuery()).containers:
            if each.labels.get(label) == wanted and each.state in IN_USE:
                yield each
