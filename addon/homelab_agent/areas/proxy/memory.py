"""Whether a Caddy remembers over a restart what its admin API told it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from pydantic import JsonValue

from homelab_agent.areas.containers.models import Container
from homelab_agent.areas.network.models import LISTENING_PORT_KIND, ListeningPort
from homelab_agent.areas.proxy.caddy_admin import LOOPBACK, CaddyAdmin, socket_path, split_address
from homelab_agent.areas.proxy.json_tree import value_at
from homelab_agent.areas.proxy.kept import KeptSetup
from homelab_agent.areas.proxy.managed import CONTAINER
from homelab_agent.areas.proxy.models import ProxyMode
from homelab_agent.areas.proxy.servers import is_ours, routes_of, servers_of
from homelab_agent.platform.errors import AgentError
from homelab_agent.platform.host.machine import Machine, ProcessReading
from homelab_agent.platform.resources import Resources

_RESUME = "--resume"
_ADAPTED = "srv"

_FORGETS = (
    "Caddy was started without --resume: at each restart or reload it forgets what its admin API "
    "was told. The agent puts its routes back; until then their sites are away. Add --resume to "
    "the command that starts Caddy."
)
_NOT_KEPT = (
    "Caddy's settings say persist: false, so that at a restart it forgets what its admin API was "
    "told. The agent puts its routes back; until then their sites are away."
)
_MAYBE = (
    "Caddy's configuration looks as if it were made from a Caddyfile. Unless Caddy was started "
    "with --resume, it forgets at a restart or reload what its admin API was told; the agent puts "
    "its routes back."
)


type ContainerOf = Callable[[str], Container | None]
"""Returns the container with a full id."""


@dataclass(frozen=True, slots=True)
class Survival:
    """Whether changes survive a restart; None: that cannot be known from here."""

    survives: bool | None = None
    warning: str | None = None
    container: str | None = None


class RestartMemory:
    """Finds out how a Caddy was started. What was found holds until it was away."""

    def __init__(self, machine: Machine, container_of: ContainerOf, resources: Resources) -> None:
        self._machine = machine
        self._container_of = container_of
        self._resources = resources
        self._found: tuple[str, ProcessReading | None] | None = None

    def forget(self) -> None:
        """Find out anew next time: another process may answer then."""
        self._found = None

    async def judge(
        self, admin: CaddyAdmin, setup: KeptSetup | None, document: JsonValue
    ) -> Survival:
        """Return what is known about it."""
        if setup and setup.mode is ProxyMode.MANAGED:
            return Survival(survives=True, container=CONTAINER)
        if value_at(document, ("admin", "config", "persist")) is False:
            return Survival(survives=False, warning=_NOT_KEPT)
        process = await self._process(admin)
        if process is None:
            return Survival(warning=_MAYBE if _looks_adapted(document) else None)
        container = self._container(process)
        if _resumes(process):
            return Survival(survives=True, container=container)
        return Survival(survives=False, warning=_FORGETS, container=container)

    async def _process(self, admin: CaddyAdmin) -> ProcessReading | None:
        """Return the process that answers. It is looked for once, where it can be seen already."""
        if self._found is not None and self._found[0] == admin.address:
            process = self._found[1]
            # A container that is not known any more was made anew, with another process in it.
            if process is None or process.container_id is None or self._container(process):
                return process
        try:
            sweep = await self._machine.processes()
        except AgentError:
            return None
        process = await self._answering(admin, sweep.processes)
        if process is not None or self._is_visible(admin):
            self._found = (admin.address, process)
        return process

    async def _answering(
        self, admin: CaddyAdmin, processes: Sequence[ProcessReading]
    ) -> ProcessReading | None:
        """Return which of them answers; where only one Caddy runs here, that is it."""
        known = await admin.process_id() or self._listener(admin)
        for each in processes:
            if known is not None and each.pid == known:
                return each if _is_caddy(each) else None
        if socket_path(admin.address) is None and not self._is_here(admin):
            return None
        running = [each for each in processes if _is_caddy(each)]
        return running[0] if len(running) == 1 else None

    def _is_visible(self, admin: CaddyAdmin) -> bool:
        """Return whether it would be seen who listens; just after a start no port is known yet."""
        return not self._is_here(admin) or bool(self._resources.keys(LISTENING_PORT_KIND))

    def _listener(self, admin: CaddyAdmin) -> int | None:
        if not self._is_here(admin):
            return None
        _, port = split_address(admin.address)
        known = self._resources.every(LISTENING_PORT_KIND, ListeningPort)
        return next((each.pid for each in known if each.port == port), None)

    def _container(self, process: ProcessReading) -> str | None:
        found = self._container_of(process.container_id) if process.container_id else None
        return found.key if found else None

    def _is_here(self, admin: CaddyAdmin) -> bool:
        if socket_path(admin.address) is not None:
            return False
        return split_address(admin.address)[0] in LOOPBACK


def _is_caddy(process: ProcessReading) -> bool:
    return bool(process.command) and PurePosixPath(process.command[0]).name == "caddy"


def _resumes(process: ProcessReading) -> bool:
    return any(each in {_RESUME, f"{_RESUME}=true"} for each in process.command)


def _looks_adapted(document: JsonValue) -> bool:
    """Return whether the servers of others are called as Caddy calls those of a Caddyfile."""
    names = [
        name
        for name, server in servers_of(document).items()
        if not all(map(is_ours, routes_of(server)))
    ]
    return bool(names) and all(
        name.startswith(_ADAPTED) and name.removeprefix(_ADAPTED).isdecimal() for name in names
    )
