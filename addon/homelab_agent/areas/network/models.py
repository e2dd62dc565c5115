"""The machine's network, as the API and the stream show it."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from homelab_agent.platform.host.network import InterfaceState, InterfaceType, Transport
from homelab_agent.platform.model import Model

NETWORK_STATUS_KIND = "network_status"
NETWORK_INTERFACE_KIND = "network_interface"
NETWORK_TRAFFIC_KIND = "network_traffic"
NETWORK_CONNECTIONS_KIND = "network_connections"
LISTENING_PORT_KIND = "listening_port"
PORT_EVENT_KIND = "port_event"
NETWORK_KEY = "host"


class NetworkInterface(Model):
    """One interface. The ends of containers' virtual cables are left out. `speed_mbit` of a link.

    `addresses` with their prefix length: "192.0.2.10/24"; temporary and deprecated ones come last.
    """

    key: str
    type: InterfaceType
    state: InterfaceState
    mac: str | None = None
    addresses: tuple[str, ...] = ()
    mtu: int | None = None
    speed_mbit: int | None = None
    full_duplex: bool | None = None
    carries_default_route: bool = False


class NetworkTraffic(Model):
    """What went through an interface. Totals count since `since`, across reboots and wraps."""

    key: str
    since: datetime
    receive_bytes: int
    transmit_bytes: int
    receive_bytes_per_s: float | None = None
    transmit_bytes_per_s: float | None = None
    receive_errors: int
    transmit_errors: int
    receive_drops: int
    transmit_drops: int


class PublicAddress(Model):
    """How the internet sees this network. `address` is None where it is not known: `reason`."""

    address: str | None = None
    reason: str | None = None
    agreed_by: tuple[str, ...] = ()
    since: datetime | None = None
    checked_at: datetime | None = None


class NetworkStatus(Model):
    """The network as a whole. `view_hint` tells what of it is not seen, and what to do about it.

    `exposed_ports`: those that others than this machine can get to, by their address alone.
    `neighbours`: machines on its links, without its own containers.
    `clock_offset_s`: how far the machine's clock is ahead of what sources on the internet say.
    """

    default_interface: str | None = None
    gateway_ipv4: str | None = None
    gateway_ipv6: str | None = None
    dns_servers: tuple[str, ...] = ()
    public_ipv4: PublicAddress
    public_ipv6: PublicAddress
    neighbours: int | None = None
    listening_ports: int
    exposed_ports: int
    clock_offset_s: float | None = None
    view_hint: str | None = None


class NetworkConnections(Model):
    """How many TCP connections are in which state, and how many UDP sockets there are."""

    established: int
    listening: int
    time_wait: int
    close_wait: int
    other: int
    udp: int


class Reach(StrEnum):
    """Who can get to a listening port, by its address alone; firewalls are not looked at.

    MACHINE: only this machine. NETWORK: the local network. PUBLIC: it listens on a public address.
    """

    MACHINE = "machine"
    NETWORK = "network"
    PUBLIC = "public"


class ListeningPort(Model):
    """A port that something listens on. `key`: "tcp-0.0.0.0-8080". `container`: its key, if one.

    What Docker publishes is its container's, whoever holds the socket.
    """

    key: str
    transport: Transport
    address: str
    port: int
    reach: Reach
    process: str | None = None
    pid: int | None = None
    container: str | None = None
    since: datetime


class PortEventType(StrEnum):
    """What happened to a port."""

    OPENED = "opened"
    CLOSED = "closed"


class PortEvent(Model):
    """The newest thing that happened to a port, told once: see `ContainerEvent`."""

    key: str
    type: PortEventType
    transport: Transport
    address: str
    port: int
    reach: Reach
    process: str | None = None
    container: str | None = None
    number: int
    at: datetime


class InterfaceList(Model):
    """All interfaces."""

    interfaces: tuple[NetworkInterface, ...]


class Bandwidth(Model):
    """What goes through each interface."""

    interfaces: tuple[NetworkTraffic, ...]


class NetworkReport(Model):
    """The network as a whole, and its connections."""

    status: NetworkStatus
    connections: NetworkConnections | None = None


class PortQuery(Model):
    """Which ports to list; all where nothing is given."""

    reach: Reach | None = None
    container: str | None = None
    transport: Transport | None = None


class PortList(Model):
    """Listening ports, by number."""

    ports: tuple[ListeningPort, ...]


class ConnectionQuery(Model):
    """Which connections to list; `state` as the kernel names it: ESTABLISHED, TIME_WAIT, ..."""

    state: str | None = Field(default=None, max_length=32)
    container: str | None = None
    port: int | None = Field(default=None, ge=1, le=65535)
    limit: int = Field(default=200, ge=1, le=5000)


class Connection(Model):
    """One TCP connection or UDP socket with a peer."""

    transport: Transport
    state: str
    local_address: str
    local_port: int
    remote_address: str
    remote_port: int
    process: str | None = None
    pid: int | None = None
    container: str | None = None


class ConnectionList(Model):
    """The connections asked for; `total` of those that match."""

    connections: tuple[Connection, ...]
    total: int


class Neighbour(Model):
    """Another machine that this one talked to lately."""

    address: str
    mac: str | None = None
    interface: str
    state: str


class NeighbourList(Model):
    """The neighbours, by address."""

    neighbours: tuple[Neighbour, ...]
