"""Routes, addresses and neighbours as the text files of /proc/net have them."""

import re
import struct
from collections.abc import Iterator
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    ip_address,
)

from homelab_agent.platform.host.network import AddressWithPrefix, DefaultRoute, NeighbourEntry

SHORT_LIVED = 0x01 | 0x20
"""The kernel's flags of addresses that are temporary (of IPv4: secondary) or deprecated."""

_UP, _REJECT = 0x1, 0x200
_ROUTE_COLUMNS, _ROUTE6_COLUMNS, _ADDRESS6_COLUMNS, _ARP_COLUMNS = 8, 10, 6, 6
_COMPLETE, _PERMANENT = 0x2, 0x4
_NO_MAC = "00:00:00:00:00:00"
_LOCAL = re.compile(r"\|-- (\S+)\n\s+/32 host LOCAL")
_NAME_SERVER = re.compile(r"^\s*nameserver\s+([0-9A-Fa-f.:]+)(?:%\S+)?\s*$", re.MULTILINE)


def default_route_ipv4(text: str) -> DefaultRoute | None:
    """Return the preferred way out of /proc/net/route."""
    found: list[tuple[int, DefaultRoute]] = []
    for columns in _rows(text, _ROUTE_COLUMNS):
        name, destination, gateway, flags, metric, mask = (columns[n] for n in (0, 1, 2, 3, 6, 7))
        if int(destination, 16) or int(mask, 16) or int(flags, 16) & (_UP | _REJECT) != _UP:
            continue
        address = _ipv4(gateway)
        found.append((int(metric), DefaultRoute(name, address if int(address) else None)))
    return _preferred(found)


def default_route_ipv6(text: str) -> DefaultRoute | None:
    """Return the preferred way out of /proc/net/ipv6_route."""
    found: list[tuple[int, DefaultRoute]] = []
    for columns in _rows(text, _ROUTE6_COLUMNS, heading=False):
        destination, prefix, gateway, metric, flags = (columns[n] for n in (0, 1, 4, 5, 8))
        if int(destination, 16) or int(prefix, 16) or int(flags, 16) & (_UP | _REJECT) != _UP:
            continue
        address = IPv6Address(bytes.fromhex(gateway))
        route = DefaultRoute(columns[9], address if int(address) else None)
        found.append((int(metric, 16), route))
    return _preferred(found)


def addresses_from_files(
    fib_trie: str, route: str, if_inet6: str
) -> dict[str, tuple[AddressWithPrefix, ...]]:
    """Return the addresses of interfaces that cannot be asked for themselves.

    An IPv4 address is that interface's whose link it lies on. Lasting ones stand first.
    """
    found: dict[str, list[AddressWithPrefix]] = {}
    links = sorted(_links(route), key=lambda link: -link[0].prefixlen)
    for text in dict.fromkeys(_LOCAL.findall(fib_trie)):
        address = IPv4Address(text)
        if address.is_loopback:
            found.setdefault("lo", []).append(IPv4Interface((address, 8)))
            continue
        for network, name in links:
            if address in network:
                interface = IPv4Interface((address, network.prefixlen))
                found.setdefault(name, []).append(interface)
                break
    sixth = _rows(if_inet6, _ADDRESS6_COLUMNS, heading=False)
    for columns in sorted(sixth, key=lambda each: int(each[4], 16) & SHORT_LIVED):
        ipv6 = IPv6Interface((bytes.fromhex(columns[0]), int(columns[2], 16)))
        found.setdefault(columns[5], []).append(ipv6)
    return {name: tuple(addresses) for name, addresses in found.items()}


def neighbours_from_arp(text: str) -> tuple[NeighbourEntry, ...]:
    """Return the IPv4 neighbours of /proc/net/arp."""
    found = []
    for address, _type, flags, mac, _mask, name in _rows(text, _ARP_COLUMNS):
        complete, permanent = int(flags, 16) & _COMPLETE, int(flags, 16) & _PERMANENT
        state = "PERMANENT" if permanent else "REACHABLE" if complete else "FAILED"
        known = mac if mac != _NO_MAC else None
        found.append(NeighbourEntry(ip_address(address), known, name, state))
    return tuple(found)


def name_servers(text: str) -> tuple[str, ...]:
    """Return the name servers of a resolv.conf."""
    return tuple(dict.fromkeys(_NAME_SERVER.findall(text)))


def _links(route: str) -> Iterator[tuple[IPv4Network, str]]:
    for columns in _rows(route, _ROUTE_COLUMNS):
        mask = _ipv4(columns[7])
        if int(mask) and not int(columns[2], 16):
            yield IPv4Network((str(_ipv4(columns[1])), str(mask)), strict=False), columns[0]


def _rows(text: str, columns: int, *, heading: bool = True) -> Iterator[list[str]]:
    for line in text.splitlines()[1 if heading else 0 :]:
        row = line.split()
        if len(row) >= columns:
            yield row


def _ipv4(digits: str) -> IPv4Address:
    """Return an address that the kernel wrote as a number of its own byte order."""
    return IPv4Address(struct.pack("=I", int(digits, 16)))


def _preferred(found: list[tuple[int, DefaultRoute]]) -> DefaultRoute | None:
    return min(found, key=lambda each: each[0])[1] if found else None
