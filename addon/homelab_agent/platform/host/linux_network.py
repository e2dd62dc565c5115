"""The network of a Linux machine, out of the kernel's files."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import override

from homelab_agent.platform.errors import Unavailable
from homelab_agent.platform.host.linux_network_interfaces import (
    Classes,
    interface_names,
    read_counts,
)
from homelab_agent.platform.host.linux_network_netlink import read_addresses, read_neighbours
from homelab_agent.platform.host.linux_network_owners import find_owners, sees_owners
from homelab_agent.platform.host.linux_network_routes import (
    addresses_from_files,
    default_route_ipv4,
    default_route_ipv6,
    name_servers,
    neighbours_from_arp,
)
from homelab_agent.platform.host.linux_network_sockets import (
    LISTEN,
    Row,
    count_sockets,
    read_listening,
    read_receiving,
    read_sockets,
    state_name,
)
from homelab_agent.platform.host.network import (
    AddressWithPrefix,
    ListeningSocket,
    MachineNetwork,
    NeighbourEntry,
    NetworkView,
    OpenSocket,
    Owner,
    SocketCounts,
    TrafficSample,
    Transport,
)
from homelab_agent.platform.host.paths import HostPaths, View

_STUB = "127.0.0.53"
"""Where systemd-resolved answers; it writes the servers that it asks into a file of its own."""

_EPHEMERAL = range(32768, 61000)
"""The kernel's own default."""

_FROM_OUTSIDE = (
    "The agent sees the machine's network from a container with a network of its own: neighbours "
    "over IPv6 are missing, and more may be. Start the container with --network host to see "
    "everything."
)

_OWNERS_HIDDEN = (
    "The agent may not see which process listens on a port. Run it as root, or start the container "
    "with --cap-add SYS_PTRACE, and with AppArmor also --security-opt apparmor=unconfined."
)


class LinuxNetwork(MachineNetwork):
    """Implements `MachineNetwork`; every look reads a few files, in a thread."""

    def __init__(self, paths: HostPaths) -> None:
        self._paths = paths
        self._net = paths.net
        self._sees_owners = True
        self._from_outside = paths.has_own_network and paths.network is View.HOST
        # Our own /sys shows our own network.
        hides = self._from_outside and paths.sys == Path("/sys")
        self._classes = Classes(None if hides else paths.sys / "class/net")

    @property
    @override
    def hint(self) -> str | None:
        if View.CONTAINER in {self._paths.network, self._paths.processes}:
            return self._paths.hint
        if self._from_outside:
            return _FROM_OUTSIDE
        return None if self._sees_owners else _OWNERS_HIDDEN

    @property
    @override
    def is_of_container(self) -> bool:
        return self._paths.network is View.CONTAINER

    @override
    async def look(self) -> NetworkView:
        return await _in_thread(self._look)

    @override
    async def traffic(self, interfaces: Collection[str]) -> TrafficSample:
        wanted = frozenset(interfaces)
        return await _in_thread(lambda: self._traffic(wanted))

    @override
    async def listening(self) -> tuple[ListeningSocket, ...]:
        return await _in_thread(self._listening)

    @override
    async def owners(self, inodes: Collection[int]) -> Mapping[int, Owner]:
        wanted = frozenset(inodes)
        return await _in_thread(lambda: find_owners(self._paths, wanted))

    @override
    async def count_sockets(self) -> SocketCounts:
        return await _in_thread(lambda: count_sockets(self._net))

    @override
    async def connections(self) -> tuple[OpenSocket, ...]:
        return await _in_thread(self._connections)

    @override
    async def neighbours(self) -> tuple[NeighbourEntry, ...]:
        return await _in_thread(self._neighbours)

    def _look(self) -> NetworkView:
        self._sees_owners = sees_owners(self._paths.proc)
        names = interface_names(self._devices())
        return NetworkView(
            interfaces=self._classes.interfaces(names, self._addresses()),
            route_ipv4=default_route_ipv4(self._text("route")),
            route_ipv6=default_route_ipv6(self._text("ipv6_route")),
            dns_servers=self._dns_servers(),
        )

    def _addresses(self) -> Mapping[str, tuple[AddressWithPrefix, ...]]:
        if not self._from_outside:
            return read_addresses()
        return addresses_from_files(
            *(self._text(name) for name in ("fib_trie", "route", "if_inet6"))
        )

    def _dns_servers(self) -> tuple[str, ...]:
        """Return whom the machine asks. A container's own file says something else."""
        root = self._paths.root
        if self._from_outside and self._paths.filesystems is not View.HOST:
            return ()
        servers = name_servers(_text(root / "etc/resolv.conf"))
        if servers == (_STUB,):
            return name_servers(_text(root / "run/systemd/resolve/resolv.conf")) or servers
        return servers

    def _traffic(self, interfaces: Collection[str]) -> TrafficSample:
        boot_id = _text(self._paths.proc / "sys/kernel/random/boot_id").strip()
        text = self._devices()
        taken_s = time.monotonic()
        return TrafficSample(taken_s, read_counts(text, interfaces, self._classes, boot_id))

    def _devices(self) -> str:
        # An interface may have a name of any bytes; this file is always there.
        return (self._net / "dev").read_text(errors="replace")

    def _listening(self) -> tuple[ListeningSocket, ...]:
        ephemeral = self._ephemeral_ports()
        tcp = [
            ListeningSocket(Transport.TCP, row.local_address, row.local_port, row.inode)
            for name in ("tcp", "tcp6")
            for row in read_listening(self._net, name)
        ]
        udp = [
            ListeningSocket(
                Transport.UDP,
                row.local_address,
                row.local_port,
                row.inode,
                is_ephemeral=row.local_port in ephemeral,
            )
            for name in ("udp", "udp6")
            for row in read_receiving(self._net, name)
        ]
        return (*tcp, *udp)

    def _ephemeral_ports(self) -> range:
        text = _text(self._paths.proc / "sys/net/ipv4/ip_local_port_range").split()
        return range(int(text[0]), int(text[1]) + 1) if len(text) == 2 else _EPHEMERAL  # noqa: PLR2004

    def _connections(self) -> tuple[OpenSocket, ...]:
        tcp = [
            _open(Transport.TCP, row) for row in self._rows("tcp", "tcp6") if row.state != LISTEN
        ]
        udp = [_open(Transport.UDP, row) for row in self._rows("udp", "udp6") if row.remote_port]
        return (*tcp, *udp)

    def _rows(self, *names: str) -> list[Row]:
        return [row for name in names for row in read_sockets(self._net, name)]

    def _neighbours(self) -> tuple[NeighbourEntry, ...]:
        return neighbours_from_arp(self._text("arp")) if self._from_outside else read_neighbours()

    def _text(self, name: str) -> str:
        return _text(self._net / name)


def _open(transport: Transport, row: Row) -> OpenSocket:
    return OpenSocket(
        transport,
        state_name(row.state),
        row.local_address,
        row.local_port,
        row.remote_address,
        row.remote_port,
        row.inode,
    )


async def _in_thread[Result](read: Callable[[], Result]) -> Result:
    try:
        return await asyncio.to_thread(read)
    except OSError as error:
        raise Unavailable(
            f"The machine's network cannot be read: {error.strerror}.",
            hint="Is the machine's /proc still mounted where host_proc says?",
        ) from error
    except ValueError as error:
        raise Unavailable(f"The kernel's files are not as expected: {error}.") from error


def _text(file: Path) -> str:
    """Return a file; "" where the kernel does not have it."""
    try:
        return file.read_text(errors="replace")
    except FileNotFoundError:
        return ""
