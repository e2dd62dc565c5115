"""What runs right now, as the resources tell."""

from homelab_agent.areas.containers.models import (
    CONTAINER_KIND,
    ENGINE_KEY,
    ENGINE_KIND,
    Container,
    EngineConnection,
    EngineStatus,
)
from homelab_agent.areas.statistics.figures import Host
from homelab_agent.platform.engine.models import ContainerState
from homelab_agent.platform.engine.stats import StatsTarget
from homelab_agent.platform.resources import Resources

_USES_SOMETHING = frozenset({ContainerState.RUNNING, ContainerState.PAUSED})


class Running:
    """Reads the running containers and the host out of the resources."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def targets(self) -> dict[str, StatsTarget]:
        """Return what can be sampled, by key; nothing while the engine is away."""
        if not self.is_engine_there():
            return {}
        return {
            key: target
            for key in self._resources.keys(CONTAINER_KIND)
            if (target := self.target(key)) is not None
        }

    def target(self, key: str) -> StatsTarget | None:
        """Return what stands for a key, None where that does not run."""
        container = self._resources.get(CONTAINER_KIND, key)
        if not isinstance(container, Container) or container.state not in _USES_SOMETHING:
            return None
        return StatsTarget(container.id, container.started_at)

    def is_engine_there(self) -> bool:
        """Return whether the engine answers, and the containers are those it has now."""
        status = self._status()
        return status is not None and status.connection is EngineConnection.CONNECTED

    def host(self) -> Host:
        """Return what the engine says of its host."""
        status = self._status()
        if status is None:
            return Host()
        return Host(cpu_count=status.cpu_count, memory_bytes=status.memory_bytes)

    def _status(self) -> EngineStatus | None:
        known = self._resources.get(ENGINE_KIND, ENGINE_KEY)
        return known if isinstance(known, EngineStatus) else None
