"""`caddy validate` in the container in which the very Caddy runs: same version, same modules."""

from collections.abc import Callable
from typing import override

from homelab_agent.areas.containers.models import CONTAINER_KIND, Container
from homelab_agent.areas.proxy.book import Book
from homelab_agent.areas.proxy.caddy_admin import LOOPBACK, socket_path, split_address
from homelab_agent.areas.proxy.dry_run import KEEP_BYTES, VALIDATE, Trial, Verdict
from homelab_agent.areas.proxy.models import ProxyStatus
from homelab_agent.platform.engine.execution import Execution, ExecutionEngine
from homelab_agent.platform.engine.models import ContainerState
from homelab_agent.platform.errors import AgentError
from homelab_agent.platform.resources import Resources

DEADLINE_S = 15.0

_NOWHERE = "/dev/null/homelab"
"""No folder: what Caddy would put or look for there cannot meet what the running one keeps."""

_SIGNALLED = 128
"""From here on the code of an end is that of a signal, as where memory ran out."""


class CaddyInside(Trial):
    """Runs the program that is in the container, beside the Caddy at work there.

    `shown`: the proxy as it was last seen.
    """

    def __init__(
        self,
        execution: ExecutionEngine,
        resources: Resources,
        book: Book,
        shown: Callable[[], ProxyStatus],
    ) -> None:
        self._execution = execution
        self._resources = resources
        self._book = book
        self._shown = shown

    @override
    async def validate(self, text: bytes) -> Verdict:
        """Return what it says; what cannot be run there is no verdict."""
        container = self._container()
        if container is None:
            return Verdict(None, "Caddy is in no container that the agent knows.")
        execution = Execution(
            command=("caddy", *VALIDATE),
            given=text,
            environment=dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), _NOWHERE),
            within_s=DEADLINE_S,
            keep_bytes=KEEP_BYTES,
        )
        try:
            ended = await self._execution.execute(container.id, execution)
        except AgentError as error:
            return Verdict(None, f"In the container {container.name}: {error.message}")
        if ended.code >= _SIGNALLED:
            return Verdict(None, f"In the container {container.name} the trial was killed.")
        return Verdict(ended.code, ended.said.decode(errors="replace"))

    def _container(self) -> Container | None:
        shown = self._shown()
        running = [
            each
            for each in self._resources.every(CONTAINER_KIND, Container)
            if each.state is ContainerState.RUNNING
        ]
        if shown.container is not None:
            found = [each for each in running if each.key == shown.container]
        elif shown.survives_restart is None:
            # Not seen how it was started: where only one is called like it, that is it.
            found = [each for each in running if self._could_be(each)]
        else:
            found = []
        return found[0] if len(found) == 1 else None

    def _could_be(self, container: Container) -> bool:
        setup = self._book.setup
        if setup is None:
            return False
        host = None if socket_path(setup.admin) else split_address(setup.admin)[0]
        if host is None or host in LOOPBACK:
            image = container.image.rpartition("/")[2]
            return image.partition("@")[0].partition(":")[0] == "caddy"
        service = container.compose.service if container.compose else None
        return host in {container.name, service}
