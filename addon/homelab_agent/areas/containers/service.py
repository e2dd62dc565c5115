"""What can be asked of containers, and told to them."""

from homelab_agent.areas.containers.inventory import Inventory
from homelab_agent.areas.containers.jobs import ContainerCommand
from homelab_agent.areas.containers.models import (
    Container,
    ContainerList,
    ContainerQuery,
)
from homelab_agent.areas.containers.protection import image_protection
from homelab_agent.areas.containers.status import EngineState
from homelab_agent.platform.commands import Caller
from homelab_agent.platform.engine.models import EngineRight
from homelab_agent.platform.errors import NotFound
from homelab_agent.platform.jobs.answer import answer
from homelab_agent.platform.jobs.models import CommandResult
from homelab_agent.platform.jobs.runner import JobRunner

_DOING = {
    "start": "being started",
    "stop": "being stopped",
    "restart": "being restarted",
    "pause": "being paused",
    "unpause": "being unpaused",
    "kill": "being killed",
}


class ContainerService:
    """The containers of this host. While the engine is away everything here is `Unavailable`."""

    def __init__(
        self,
        inventory: Inventory,
        state: EngineState,
        runner: JobRunner,
    ) -> None:
        self._inventory = inventory
        self._state = state
        self._runner = runner

    def require_readable(self) -> None:
        """Raise `Unavailable` while the engine is away, `Denied` where a proxy hides containers."""
        self._state.require(EngineRight.CONTAINERS_READ)

    def list(self, query: ContainerQuery) -> ContainerList:
        """Return the containers that match, by name."""
        self._state.require(EngineRight.CONTAINERS_READ)
        found = [
            container
            for container in self._inventory.shown()
            if query.state in {None, container.state}
            and (
                query.project is None
                or (container.compose is not None and container.compose.project == query.project)
            )
        ]
        return ContainerList(containers=tuple(sorted(found, key=lambda each: each.name)))

    def get(self, name_or_key: str) -> Container:
        """Return one container; `NotFound` names it."""
        self._state.require(EngineRight.CONTAINERS_READ)
        found = self._inventory.find(name_or_key)
        if found is None:
            raise NotFound(
                f"There is no container {name_or_key[:200]!r} on this host.",
                hint="GET /api/v1/containers lists them all.",
            )
        return found

    def with_id(self, container_id: str) -> Container | None:
        """Return the container with this full id as last known, also while the engine is away."""
        return self._inventory.with_id(container_id)

    def published_ports(self, container_id: str) -> frozenset[int]:
        """Return the machine's TCP ports that lead into a container, also while the engine is away.

        Of a container that is not known there are none; the first characters of the id are enough.
        """
        return frozenset(
            port.host_port
            for container in self._inventory.shown()
            if container.id.startswith(container_id)
            for port in container.ports
            if port.host_port is not None and port.protocol == "tcp"
        )

    def image_protection(self, image: str) -> str | None:
        """Return why containers of an image must not be stopped, on whatever host they run."""
        return image_protection(image)

    async def protected_reason(self, name_or_key: str) -> str | None:
        """Return why a container must not be stopped; None where nothing protects it."""
        return self.get(name_or_key).protected_reason

    async def command(
        self,
        verb: str,
        name_or_key: str,
        caller: Caller,
        *,
        wait_s: float,
        timeout_s: int | None = None,
        signal: str = "SIGKILL",
    ) -> CommandResult:
        """Start a command's job and wait a while for its end; `Busy` while another one runs."""
        container = self.get(name_or_key)
        arguments = ContainerCommand(
            container_id=container.id,
            name=container.name,
            started_at=container.started_at,
            timeout_s=timeout_s,
            signal=signal,
        )
        job = await self._runner.start(f"containers.{verb}", container.key, arguments, caller)
        ended = await self._runner.wait(job.id, wait_s)
        return answer(ended, meanwhile=f"{container.name} is still {_DOING[verb]}.")
