"""What the machine's network looks like to the rest of the agent: no /proc, no /sys beyond here."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Protocol

type Address = IPv4Address | IPv6Address
type AddressWithPrefix = IPv4Interface | IPv6Interface


class InterfaceState(StrEnum):
    """Whether an interface can carry anything."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


class InterfaceType(StrEnum):
    """What an interface is."""

    ETHERNET = "ethernet"
    WIRELESS = "wireless"
    BRIDGE = "bridge"
    BOND = "bond"
    VLAN = "vlan"
    TUNNEL = "tunnel"
    LOOPBACK = "loopback"
    OTHER = "other"


class Transport(StrEnum):
    """How a port is reached."""

    TCP = "tcp"
    UDP = "udp"


CONNECTION_STATES = (
    "ESTABLISHED",
    "SYN_SENT",
    "SYN_RECV",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "TIME_WAIT",
    "CLOSE",
    "CLOSE_WAIT",
    "LAST_ACK",
    "LISTEN",
    "CLOSING",
)
"""The kernel's names in the kernel's order: its numbers begin at 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """One interface. `of_containers`: a bridge that only containers are connected to.

    `addresses`: those that last stand before temporary and deprecated ones.
    """

    name: str
    type: InterfaceType = InterfaceType.OTHER
    state: InterfaceState = InterfaceState.UNKNOWN
    mac: str | None = None
    addresses: tuple[AddressWithPrefix, ...] = ()
    mtu: int | None = None
    speed_mbit: int | None = None
    full_duplex: bool | None = None
    of_containers: bool = False


@dataclass(frozen=True, slots=True)
class DefaultRoute:
    """Where everything goes that has no route of its own. `gateway` is None on a direct link."""

    interface: str
    gateway: Address | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkView:
    """How the network is set up. The ends of containers' virtual cables are left out."""

    interfaces: tuple[Interface, ...]
    route_ipv4: DefaultRoute | None = None
    route_ipv6: DefaultRoute | None = None
    dns_servers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceCounts:
    """What an interface has counted since it was made. `epoch` changes when it is made anew."""

    epoch: str
    receive_bytes: int
    transmit_bytes: int
    receive_errors: int
    transmit_errors: int
    receive_drops: int
    transmit_drops: int


@dataclass(frozen=True, slots=True)
class TrafficSample:
    """What interfaces had counted at a moment of the monotonic clock."""

    taken_s: float
    counts: Mapping[str, InterfaceCounts]


@dataclass(frozen=True, slots=True)
class ListeningSocket:
    """A socket that something listens on. `inode` is its number; 0 where the kernel has it."""

    transport: Transport
    address: Address
    port: int
    inode: int
    is_ephemeral: bool = False
    """A UDP port out of those that the system gives to whoever asks for any."""


@dataclass(frozen=True, slots=True)
class OpenSocket:
    """A TCP connection, or a UDP socket with a peer. `state` as the kernel names it."""

    transport: Transport
    state: str
    local_address: Address
    local_port: int
    remote_address: Address
    remote_port: int
    inode: int


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a socket is. `container_id` is the engine's id of the container it runs in."""

    process: str
    pid: int
    container_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketCounts:
    """How many TCP connections are in which state, and how many UDP sockets there are."""

    established: int
    listening: int
    time_wait: int
    close_wait: int
    other: int
    udp: int


@dataclass(frozen=True, slots=True)
class NeighbourEntry:
    """Another machine that the kernel knows on one of its links."""

    address: Address
    mac: str | None
    interface: str
    state: str


class MachineNetwork(Protocol):
    """The network of the machine. Everything raises `Unavailable` where it cannot be read."""

    @property
    def hint(self) -> str | None:
        """What is not seen of the machine's network, and what to do about it; None for nothing."""

    @property
    def is_of_container(self) -> bool:
        """Whether this is only the network of the agent's own container."""

    async def look(self) -> NetworkView:
        """Return how the network is set up."""

    async def traffic(self, interfaces: Collection[str]) -> TrafficSample:
        """Return what these interfaces have counted; those that are gone are left out."""

    async def listening(self) -> tuple[ListeningSocket, ...]:
        """Return every socket that something listens on; cheap, however many connections exist."""

    async def owners(self, inodes: Collection[int]) -> Mapping[int, Owner]:
        """Return whose these sockets are, as far as that can be seen. Looks at every process."""

    async def count_sockets(self) -> SocketCounts:
        """Return how many sockets are in which state."""

    async def connections(self) -> tuple[OpenSocket, ...]:
        """Return every TCP connection and every UDP socket with a peer."""

    async def neighbours(self) -> tuple[NeighbourEntry, ...]:
        """Return the machines that this one knows on its links."""
