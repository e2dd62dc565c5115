"""Looks every few seconds how the network is set up, and what is listened on."""

import asyncio

from homelab_agent.areas.network.figures import neighbours_of, network_interface, own_addresses
from homelab_agent.areas.network.models import NETWORK_INTERFACE_KIND
from homelab_agent.areas.network.port_book import MOST_PORTS, PortBook
from homelab_agent.areas.network.seen_ports import PortEyes
from homelab_agent.areas.network.status_board import StatusBoard
from homelab_agent.platform.errors import AgentError
from homelab_agent.platform.host.network import MachineNetwork, NetworkView
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.resources import Resources

_log = get_logger(__name__)


class SetupWatch:
    """Publishes interfaces, ports and the status; a look reads a few files."""

    def __init__(
        self,
        network: MachineNetwork,
        eyes: PortEyes,
        book: PortBook,
        board: StatusBoard,
        resources: Resources,
        *,
        interval_s: float,
    ) -> None:
        self._network = network
        self._eyes = eyes
        self._book = book
        self._board = board
        self._resources = resources
        self._interval_s = interval_s
        self._is_loaded = False
        self._is_failing = False
        self._looked = asyncio.Event()
        self._view: NetworkView | None = None

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self._interval_s)

    async def until_looked(self) -> None:
        """Return when it was looked at for the first time, whether it could be read or not."""
        await self._looked.wait()

    async def interface_names(self) -> tuple[str, ...]:
        """Return which interfaces there are.

        Raises:
            Unavailable: they were never seen, and cannot be now.
        """
        view = self._view or await self._network.look()
        return tuple(each.name for each in view.interfaces)

    async def look(self) -> None:
        """Look once and publish. What fails is told by the log, once, and tried again."""
        try:
            await self._look()
        except AgentError as error:
            if not self._is_failing:
                _log.warning("network_not_read", why=error.message, hint=error.hint)
            self._is_failing = True
        else:
            self._is_failing = False
        self._looked.set()

    async def _look(self) -> None:
        now_s = asyncio.get_running_loop().time()
        view = await self._network.look()
        neighbours = neighbours_of(await self._network.neighbours(), view)
        self._publish_interfaces(view)
        self._board.put_view(view, neighbours=len(neighbours))
        self._view = view
        if not self._is_loaded:
            self._eyes.remember(await self._book.load(now_s))
            self._is_loaded = True
        seen = await self._eyes.look(now_s)
        try:
            await self._book.take(seen, own_addresses(view), now_s)
        finally:
            self._board.put_ports(
                listening=self._book.total, exposed=self._book.exposed, hint=self._hint()
            )

    def _publish_interfaces(self, view: NetworkView) -> None:
        shown = {each.name for each in view.interfaces}
        for key in self._resources.keys(NETWORK_INTERFACE_KIND):
            if key not in shown:
                self._resources.remove(NETWORK_INTERFACE_KIND, key)
        for each in view.interfaces:
            published = network_interface(each, view)
            self._resources.publish(NETWORK_INTERFACE_KIND, each.name, published)

    def _hint(self) -> str | None:
        if self._book.total > MOST_PORTS:
            return f"Of {self._book.total} listening ports {MOST_PORTS} are shown."
        return self._network.hint
