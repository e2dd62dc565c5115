"""The network of the invented homelab: two cables, containers' bridge, traffic that moves."""

import math
import time
from collections.abc import Collection, Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import override

from homelab_agent.platform.host.network import (
    Address,
    DefaultRoute,
    Interface,
    InterfaceCounts,
    InterfaceState,
    InterfaceType,
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

_ROUTER, _ROUTER_IPV6 = IPv4Address("192.168.1.1"), IPv6Address("fe80::1")
_OWN = IPv4Address("192.168.1.10")
_ANYWHERE, _ANYWHERE_IPV6 = IPv4Address("0.0.0.0"), IPv6Address("::")  # noqa: S104  # nothing is bound
_HISTORY_S = 86_400
"""The counters look as if the machine had run for a day already."""

_WAVE_S = 240.0
_EPOCH = "demo"

_INTERFACES = (
    Interface(
        name="lo",
        type=InterfaceType.LOOPBACK,
        state=InterfaceState.UP,
        addresses=(IPv4Interface("127.0.0.1/8"), IPv6Interface("::1/128")),
        mtu=65536,
    ),
    Interface(
        name="eth0",
        type=InterfaceType.ETHERNET,
        state=InterfaceState.UP,
        mac="02:00:5e:10:00:01",
        addresses=(IPv4Interface((_OWN, 24)), IPv6Interface("fe80::5eff:fe10:1/64")),
        mtu=1500,
        speed_mbit=2500,
        full_duplex=True,
    ),
    Interface(
        name="wg0",
        type=InterfaceType.TUNNEL,
        state=InterfaceState.UP,
        addresses=(IPv4Interface("10.13.13.1/24"),),
        mtu=1420,
    ),
    Interface(
        name="docker0",
        type=InterfaceType.BRIDGE,
        state=InterfaceState.UP,
        mac="02:42:5e:10:00:02",
        addresses=(IPv4Interface("172.17.0.1/16"),),
        mtu=1500,
        of_containers=True,
    ),
)

_BYTES_PER_S = {
    "lo": (2_000, 2_000),
    "eth0": (640_000, 210_000),
    "wg0": (9_000, 32_000),
    "docker0": (180_000, 540_000),
}

_SERVICES: tuple[tuple[Transport, Address, int, str, int], ...] = (
    (Transport.TCP, _ANYWHERE, 22, "sshd", 812),
    (Transport.TCP, _ANYWHERE_IPV6, 22, "sshd", 812),
    (Transport.TCP, _ANYWHERE, 445, "smbd", 1204),
    (Transport.TCP, IPv4Address("127.0.0.1"), 631, "cupsd", 990),
    (Transport.UDP, _ANYWHERE, 5353, "avahi-daemon", 705),
)
"""What the machine itself listens on; the rest is what the containers publish."""

_PEERS = (
    (22, IPv4Address("192.168.1.42"), 51044, "sshd"),
    (445, IPv4Address("192.168.1.57"), 49822, "smbd"),
    (8123, IPv4Address("192.168.1.42"), 60412, "docker-proxy"),
    (8123, IPv4Address("192.168.1.61"), 44120, "docker-proxy"),
    (8096, IPv4Address("192.168.1.70"), 38114, "docker-proxy"),
    (1883, IPv4Address("192.168.1.83"), 52010, "docker-proxy"),
)
_FIRST_INODE, _FIRST_PEER = 40_000, 41_000

_NEIGHBOURS: tuple[tuple[Address, str], ...] = (
    (_ROUTER, "02:00:5e:20:00:01"),
    (IPv4Address("192.168.1.42"), "02:00:5e:20:00:42"),
    (IPv4Address("192.168.1.57"), "02:00:5e:20:00:57"),
    (IPv4Address("192.168.1.61"), "02:00:5e:20:00:61"),
    (IPv4Address("192.168.1.70"), "02:00:5e:20:00:70"),
    (IPv4Address("192.168.1.83"), "02:00:5e:20:00:83"),
    (_ROUTER_IPV6, "02:00:5e:20:00:01"),
)


class DemoNetwork(MachineNetwork):
    """Implements `MachineNetwork`."""

    @property
    @override
    def hint(self) -> None:
        return None

    @property
    @override
    def is_of_container(self) -> bool:
        return False

    @override
    async def look(self) -> NetworkView:
        return NetworkView(
            interfaces=_INTERFACES,
            route_ipv4=DefaultRoute("eth0", _ROUTER),
            route_ipv6=DefaultRoute("eth0", _ROUTER_IPV6),
            dns_servers=("192.168.1.10", "192.168.1.1"),
        )

    @override
    async def traffic(self, interfaces: Collection[str]) -> TrafficSample:
        now_s = time.monotonic()
        wanted = [name for name in _BYTES_PER_S if name in interfaces]
        return TrafficSample(now_s, {name: _counts(name, now_s) for name in wanted})

    @override
    async def listening(self) -> tuple[ListeningSocket, ...]:
        return tuple(
            ListeningSocket(transport, address, port, inode)
            for inode, (transport, address, port, _, _) in enumerate(_SERVICES, _FIRST_INODE)
        )

    @override
    async def owners(self, inodes: Collection[int]) -> Mapping[int, Owner]:
        own = {
            inode: Owner(process, pid, None)
            for inode, (_, _, _, process, pid) in enumerate(_SERVICES, _FIRST_INODE)
        }
        peers = {
            inode: Owner(process, 2000 + inode - _FIRST_PEER, None)
            for inode, (_, _, _, process) in enumerate(_PEERS, _FIRST_PEER)
        }
        return {inode: owner for inode, owner in (own | peers).items() if inode in inodes}

    @override
    async def count_sockets(self) -> SocketCounts:
        breath = 1 + math.sin(math.tau * time.monotonic() / _WAVE_S)
        return SocketCounts(
            established=int(48 + 12 * breath),
            listening=24,
            time_wait=int(6 + 9 * breath),
            close_wait=1,
            other=0,
            udp=14,
        )

    @override
    async def connections(self) -> tuple[OpenSocket, ...]:
        return tuple(
            _connection(inode, *peer[:3]) for inode, peer in enumerate(_PEERS, _FIRST_PEER)
        )

    @override
    async def neighbours(self) -> tuple[NeighbourEntry, ...]:
        return tuple(
            NeighbourEntry(address, mac, "eth0", "REACHABLE" if number % 2 else "STALE")
            for number, (address, mac) in enumerate(_NEIGHBOURS)
        )


def _connection(inode: int, port: int, peer: Address, peer_port: int) -> OpenSocket:
    return OpenSocket(Transport.TCP, "ESTABLISHED", _OWN, port, peer, peer_port, inode)


def _counts(name: str, now_s: float) -> InterfaceCounts:
    received_per_s, sent_per_s = _BYTES_PER_S[name]
    lived_s = now_s + _HISTORY_S
    # The integral of a wave around the mean: a total that never falls, at a rate that moves.
    waved_s = lived_s + 0.7 * _WAVE_S / math.tau * math.sin(math.tau * lived_s / _WAVE_S)
    return InterfaceCounts(
        epoch=_EPOCH,
        receive_bytes=int(received_per_s * waved_s),
        transmit_bytes=int(sent_per_s * waved_s),
        receive_errors=0,
        transmit_errors=0,
        receive_drops=int(lived_s / 3600) if name == "eth0" else 0,
        transmit_drops=0,
    )
