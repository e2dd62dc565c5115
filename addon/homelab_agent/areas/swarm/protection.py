"""Which services must not be stopped by accident: those whose containers must not be."""

from homelab_agent.areas.containers.models import ContainerQuery
from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.platform.engine.labels import label_protection
from homelab_agent.platform.engine.swarm import SwarmEngine
from homelab_agent.platform.errors import Conflict, NotFound

_SERVICE_ID = "com.docker.swarm.service.id"


class SwarmProtection:
    """Looks at a service's own labels, and at those of its tasks that are on this host."""

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
        for labels in (service.labels, service.container_labels):
            if labelled := label_protection(labels):
                return f"{labelled} Remove the label to allow this."
        for task in self._containers.list(ContainerQuery()).containers:
            if task.labels.get(_SERVICE_ID) == service.id and task.protected_reason:
                return f"{task.name} is a task of it. {task.protected_reason}"
        return None
