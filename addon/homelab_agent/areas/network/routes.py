"""The network's routes."""

from homelab_agent.areas.network.models import (
    Bandwidth,
    ConnectionList,
    ConnectionQuery,
    InterfaceList,
    NeighbourList,
    NetworkReport,
    PortList,
    PortQuery,
)
from homelab_agent.areas.network.service import NetworkService
from homelab_agent.platform.commands import query as asks


class NetworkRoutes:
    """The machine's network."""

    def __init__(self, service: NetworkService) -> None:
        self._service = service

    @asks("network.stats", "/network/stats")
    async def stats(self) -> NetworkReport:
        """Return the network as a whole: default route, public addresses, connections by state."""
        return await self._service.report()

    @asks("network.interfaces", "/network/interfaces")
    async def interfaces(self) -> InterfaceList:
        """Return all interfaces with their addresses."""
        return self._service.interfaces()

    @asks("network.bandwidth", "/network/bandwidth")
    async def bandwidth(self) -> Bandwidth:
        """Return what goes through each interface: rates and totals; may take a second."""
        return await self._service.bandwidth()

    @asks("network.connections", "/network/connections")
    async def connections(self, query: ConnectionQuery) -> ConnectionList:
        """Return connections with the process or container they belong to."""
        return await self._service.connections(query)

    @asks("network.ports", "/network/ports")
    async def ports(self, query: PortQuery) -> PortList:
        """Return what listens on which port, whose it is and who can get to it."""
        return self._service.ports(query)

    @asks("network.neighbours", "/network/neighbours")
    async def neighbours(self) -> NeighbourList:
        """Return the machines that this one talked to lately."""
        return await self._service.neighbours()
