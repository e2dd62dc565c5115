"""The machine's network, as the API and the stream show it."""

from dataclasses import dataclass, field
from datetime import datetime

from .base import EACH_BY_ITSELF, OpenEnum


class InterfaceState(OpenEnum):
    """Whether an interface can carry anything."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


class InterfaceType(OpenEnum):
    """What an interface is."""

    ETHERNET = "ethernet"
    WIRELESS = "wireless"
    BRIDGE = "bridge"
    BOND = "bond"
    VLAN = "vlan"
    TUNNEL = "tunnel"
    LOOPBACK = "loopback"
    OTHER = "other"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkInterface:
    """One interface. The ends of containers' virtual cables are left out. `speed_mbit` of a link.

    `addresses` with their prefix length: "192.0.2.10/24".
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


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkTraffic:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicAddress:
    """How the internet sees this network. `address` is None where it is not known: `reason`."""

    address: str | None = None
    reason: str | None = None
    agreed_by: tuple[str, ...] = ()
    since: datetime | None = None
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkStatus:
    """The network as a whole. `view_hint` is there when only the agent's container is seen.

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


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConnections:
    """How many TCP connections are in which state, and how many UDP sockets there are."""

    established: int
    listening: int
    time_wait: int
    close_wait: int
    other: int
    udp: int


class Reach(OpenEnum):
    """Who can get to a listening port, by its address alone; firewalls are not looked at.

    MACHINE: only this machine. NETWORK: the local network. PUBLIC: it listens on a public address.
    """

    MACHINE = "machine"
    NETWORK = "network"
    PUBLIC = "public"
    UNKNOWN = "unknown"


class Transport(OpenEnum):
    """How a port is reached."""

    TCP = "tcp"
    UDP = "udp"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListeningPort:
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


class PortEventType(OpenEnum):
    """What happened to a port."""

    OPENED = "opened"
    CLOSED = "closed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class PortEvent:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceList:
    """All interfaces."""

    interfaces: tuple[NetworkInterface, ...] = field(metadata=EACH_BY_ITSELF)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bandwidth:
    """What goes through each interface."""

    interfaces: tuple[NetworkTraffic, ...] = field(metadata=EACH_BY_ITSELF)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkReport:
    """The network as a whole, and its connections."""

    status: NetworkStatus
    connections: NetworkConnections | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PortQuery:
    """Which ports to list; all where nothing is given."""

    reach: Reach | None = None
    container: str | None = None
    transport: Transport | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PortList:
    """Listening ports, by number."""

    ports: tuple[ListeningPort, ...] = field(metadata=EACH_BY_ITSELF)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionQuery:
    """Which connections to list; `state` as the kernel names it: ESTABLISHED, TIME_WAIT, ..."""

    state: str | None = None
    container: str | None = None
    port: int | None = None
    limit: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionList:
    """The connections asked for; `total` of those that match."""

    connections: tuple[Connection, ...] = field(metadata=EACH_BY_ITSELF)
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """Another machine that this one talked to lately."""

    address: str
    mac: str | None = None
    interface: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighbourList:
    """The neighbours, by address."""

    neighbours: tuple[Neighbour, ...] = field(metadata=EACH_BY_ITSELF)
