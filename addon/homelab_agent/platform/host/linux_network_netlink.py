"""Questions to the kernel about addresses and neighbours: rtnetlink, a socket and no program."""

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_interface

from homelab_agent.platform.host.linux_network_routes import SHORT_LIVED
from homelab_agent.platform.host.network import Address, AddressWithPrefix, NeighbourEntry

_ROUTE = 0  # NETLINK_ROUTE
_GET_ADDRESS, _GET_NEIGHBOUR = 22, 30
_DONE, _ERROR = 3, 2
_REQUEST_DUMP = 0x1 | 0x300
_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_ADDRESS_MESSAGE = struct.Struct("=BBBBI")
_NEIGHBOUR_MESSAGE = struct.Struct("=BBHiHBB")
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_NDA_ADDRESS, _NDA_MAC = 1, 2
_TIMEOUT_S = 5.0
_LARGEST = 1 << 17

_STATES = {
    0x01: "INCOMPLETE",
    0x02: "REACHABLE",
    0x04: "STALE",
    0x08: "DELAY",
    0x10: "PROBE",
    0x20: "FAILED",
    0x80: "PERMANENT",
}
"""Neighbours in other states (NOARP) are no machines but groups of them."""

_IPV6_BYTES = 16
_IP_BYTES = (4, _IPV6_BYTES)
_MAC_BYTES = 6


@dataclass(frozen=True, slots=True)
class _Answer:
    fields: tuple[int, ...]
    attributes: dict[int, bytes]


def read_addresses() -> dict[str, tuple[AddressWithPrefix, ...]]:
    """Return the addresses of each interface of our own network, lasting ones first.

    Blocks; raises OSError.
    """
    names = dict(socket.if_nameindex())
    found: dict[str, list[AddressWithPrefix]] = {}
    answers = _dump(_GET_ADDRESS, _ADDRESS_MESSAGE)
    for answer in sorted(answers, key=lambda each: each.fields[2] & SHORT_LIVED):
        _family, prefix, _flags, _scope, index = answer.fields
        # On a link with a peer the first is the peer's address.
        raw = answer.attributes.get(_IFA_LOCAL) or answer.attributes.get(_IFA_ADDRESS, b"")
        if len(raw) in _IP_BYTES and index in names:
            found.setdefault(names[index], []).append(ip_interface((_address(raw), prefix)))
    return {name: tuple(addresses) for name, addresses in found.items()}


def read_neighbours() -> tuple[NeighbourEntry, ...]:
    """Return the neighbours on each link of our own network. Blocks; raises OSError."""
    names = dict(socket.if_nameindex())
    found = []
    for answer in _dump(_GET_NEIGHBOUR, _NEIGHBOUR_MESSAGE):
        index, state = answer.fields[3], answer.fields[4]
        raw, mac = answer.attributes.get(_NDA_ADDRESS, b""), answer.attributes.get(_NDA_MAC, b"")
        if len(raw) in _IP_BYTES and state in _STATES and index in names:
            found.append(
                NeighbourEntry(
                    _address(raw),
                    mac.hex(":") if len(mac) == _MAC_BYTES else None,
                    names[index],
                    _STATES[state],
                )
            )
    return tuple(found)


def _address(raw: bytes) -> Address:
    return IPv6Address(raw) if len(raw) == _IPV6_BYTES else IPv4Address(raw)


def _dump(kind: int, body: struct.Struct) -> Iterator[_Answer]:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _ROUTE) as link:
        link.settimeout(_TIMEOUT_S)
        link.bind((0, 0))
        question = bytes(body.size)
        link.send(_HEADER.pack(_HEADER.size + body.size, kind, _REQUEST_DUMP, 1, 0) + question)
        while True:
            packet = link.recv(_LARGEST)
            for kind_of_answer, payload in _messages(packet):
                if kind_of_answer == _DONE:
                    return
                if kind_of_answer == _ERROR:
                    raise OSError(-struct.unpack_from("=i", payload)[0], "netlink refused")
                yield _Answer(body.unpack_from(payload), _attributes(payload[body.size :]))


def _messages(packet: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _HEADER.size <= len(packet):
        length, kind, _flags, _number, _port = _HEADER.unpack_from(packet, at)
        if length < _HEADER.size:
            return
        yield kind, packet[at + _HEADER.size : at + length]
        at += _aligned(length)


def _attributes(payload: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    at = 0
    while at + _ATTRIBUTE.size <= len(payload):
        length, kind = _ATTRIBUTE.unpack_from(payload, at)
        if length < _ATTRIBUTE.size:
            break
        found[kind] = payload[at + _ATTRIBUTE.size : at + length]
        at += _aligned(length)
    return found


def _aligned(length: int) -> int:
    return (length + 3) & ~3
