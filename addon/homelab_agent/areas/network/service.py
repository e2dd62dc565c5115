"""What can be asked of the machine's network."""

import asyncio

from homelab_agent.areas.network.connection_query import find_connections
from homelab_agent.areas.network.figures import neighbours_of, network_connections
from homelab_agent.areas.network.figures_watch import TrafficWatch
from homelab_agent.areas.network.models import (
    LISTENING_PORT_KIND,
    NETWORK_INTERFACE_KIND,
    NETWORK_KEY,
    NETWORK_STATUS_KIND,
    NETWORK_TRAFFIC_KIND,
    Bandwidth,
    ConnectionList,
    ConnectionQuery,
    InterfaceList,
    ListeningPort,
    NeighbourList,
    NetworkInterface,
    NetworkReport,
    NetworkStatus,
    NetworkTraffic,
    PortList,
    PortQuery,
)
from homelab_agent.areas.network.published import ContainerPorts
from homelab_agent.platform.errors import Unavailable
from homelab_agent.platform.host.network import MachineNetwork
from homelab_agent.platform.resources import Resources

BETWEEN_SAMPLES_S = 1.0


class NetworkService:
    """The newest that is known; what nobody follows is read on the spot."""

    def __init__(
        self,
        network: MachineNetwork,
        containers: ContainerPorts,
        traffic: TrafficWatch,
        resources: Resources,
    ) -> None:
        self._network = network
        self._containers = containers
        self._traffic = traffic
        self._resources = resources
        self._asking = asyncio.Lock()

    async def report(self) -> NetworkReport:
        """Return the network as a whole, and how many connections there are."""
        status = self._status()
        counts = await self._network.count_sockets()
        return NetworkReport(status=status, connections=network_connections(counts))

    def interfaces(self) -> InterfaceList:
        """Return all interfaces, by name."""
        self._status()
        found = self._resources.every(NETWORK_INTERFACE_KIND, NetworkInterface)
        return InterfaceList(interfaces=found)

    def ports(self, query: PortQuery) -> PortList:
        """Return the listening ports that match, by number."""
        self._status()
        found = [
            port
            for port in self._resources.every(LISTENING_PORT_KIND, ListeningPort)
            if query.reach in {None, port.reach}
            and query.container in {None, port.container}
            and query.transport in {None, port.transport}
        ]
        return PortList(ports=tuple(sorted(found, key=lambda port: (port.port, port.key))))

    async def bandwidth(self) -> Bandwidth:
        """Return what goes through each interface; takes a second while nobody listens."""
        if (known := self._published()) is not None:
            return known
        # One caller after the other: who asks often is not served at once.
        async with self._asking:
            await self._traffic.sample()
            await asyncio.sleep(BETWEEN_SAMPLES_S)
            # Somebody may have begun to listen meanwhile, whose sample was a moment ago.
            if (known := self._published()) is not None:
                return known
            return Bandwidth(interfaces=await self._traffic.sample())

    def _status(self) -> NetworkStatus:
        """Return the network as a whole; `Unavailable` where nothing is known of it."""
        status = self._resources.get(NETWORK_STATUS_KIND, NETWORK_KEY)
        if not isinstance(status, NetworkStatus):
            raise Unavailable(
                "The machine's network was not looked at yet, or cannot be read.",
                hint="The agent's log says why it cannot be read.",
            )
        return status

    def _published(self) -> Bandwidth | None:
        if not self._traffic.is_fresh:
            return None
        known = self._resources.every(NETWORK_TRAFFIC_KIND, NetworkTraffic)
        return Bandwidth(interfaces=known)

    async def connections(self, query: ConnectionQuery) -> ConnectionList:
        """Return the connections that match, and whose they are."""
        async with self._asking:
            return await find_connections(self._network, self._containers.look(), query)

    async def neighbours(self) -> NeighbourList:
        """Return the machines that this one talked to lately."""
        view = await self._network.look()
        return NeighbourList(neighbours=neighbours_of(await self._network.neighbours(), view))
