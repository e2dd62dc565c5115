"""What an agent can be asked about the network of its machine."""

from .models import (
    ConnectionList,
    ConnectionQuery,
    ListeningPort,
    NetworkReport,
    PortList,
    PortQuery,
)
from .parse import reader
from .requests import Requests

_CONNECTIONS = reader(ConnectionList)
_PORTS = reader(PortList)
_REPORT = reader(NetworkReport)


class NetworkApi:
    """The network of one agent's machine."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def report(self) -> NetworkReport:
        """Return the network as a whole, and its connections by state."""
        return await self._requests.get(_REPORT, "network", "stats")

    async def ports(self, query: PortQuery | None = None) -> tuple[ListeningPort, ...]:
        """Return what listens on which port, and who can get to it."""
        return (await self._requests.get(_PORTS, "network", "ports", query=query)).ports

    async def connections(self, query: ConnectionQuery | None = None) -> ConnectionList:
        """Return connections with the process or container they belong to."""
        return await self._requests.get(_CONNECTIONS, "network", "connections", query=query)
