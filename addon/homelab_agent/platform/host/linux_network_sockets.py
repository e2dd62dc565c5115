"""Sockets as /proc/net/tcp and its kin list them. Everything here blocks."""

import re
import struct
from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import NamedTuple

from homelab_agent.platform.host.network import CONNECTION_STATES, Address, SocketCounts

_HALF_OPEN = 12
"""A request for a connection that is no whole socket yet (SYN_RECV)."""

LISTEN, _UNCONNECTED = 10, 7

_ROW = re.compile(
    rb"\s*\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})"
    rb" ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})"
    rb" ([0-9A-F]{2}) \S+ \S+ \S+ +\d+ +\d+ (\d+)"
)
_STATE = re.compile(rb"^\s*\d+: \S+ \S+ ([0-9A-F]{2}) ", re.MULTILINE)
_CHUNK_BYTES = 1 << 16
_IPV4_DIGITS = 8


class Row(NamedTuple):
    """One line: a socket."""

    local_address: Address
    local_port: int
    remote_address: Address
    remote_port: int
    state: int
    inode: int


def state_name(number: int) -> str:
    """Return a state's name."""
    if number == _HALF_OPEN:
        return "SYN_RECV"
    known = 0 < number <= len(CONNECTION_STATES)
    return CONNECTION_STATES[number - 1] if known else str(number)


def read_listening(net: Path, name: str) -> list[Row]:
    """Return the sockets that listen: the kernel lists them before all connections.

    So only the beginning of the file is read, however many connections there are.
    """
    found: list[Row] = []
    for row in _rows(net / name):
        if row.state != LISTEN:
            break
        found.append(row)
    return found


def read_receiving(net: Path, name: str) -> list[Row]:
    """Return the UDP sockets that take what anybody sends."""
    return [row for row in _rows(net / name) if row.state == _UNCONNECTED and not row.remote_port]


def read_sockets(net: Path, name: str) -> list[Row]:
    """Return all sockets of a file."""
    return list(_rows(net / name))


def count_sockets(net: Path) -> SocketCounts:
    """Count the sockets by state, without looking at anything else of them."""
    tcp: Counter[str] = Counter()
    for name in ("tcp", "tcp6"):
        states = Counter(_STATE.findall(_whole(net / name)))
        for state, count in states.items():
            tcp[state_name(int(state, 16))] += count
    udp = sum(len(_STATE.findall(_whole(net / name))) for name in ("udp", "udp6"))
    named = {
        "established": tcp.pop("ESTABLISHED", 0),
        "listening": tcp.pop("LISTEN", 0),
        "time_wait": tcp.pop("TIME_WAIT", 0),
        "close_wait": tcp.pop("CLOSE_WAIT", 0),
    }
    return SocketCounts(**named, other=tcp.total(), udp=udp)


def _rows(file: Path) -> Iterator[Row]:
    for line in _lines(file):
        found = _ROW.match(line)
        if found is not None:
            local, local_port, remote, remote_port, state, inode = found.groups()
            yield Row(
                _address(local),
                int(local_port, 16),
                _address(remote),
                int(remote_port, 16),
                int(state, 16),
                int(inode),
            )


def _lines(file: Path) -> Iterator[bytes]:
    try:
        opened = file.open("rb", buffering=0)
    except FileNotFoundError:  # without IPv6, for example
        return
    with opened:
        rest = b""
        while chunk := opened.read(_CHUNK_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines
        yield rest


def _whole(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


def _address(digits: bytes) -> Address:
    """Return an address that the kernel wrote as numbers of its own byte order."""
    if len(digits) == _IPV4_DIGITS:
        return IPv4Address(struct.pack("=I", int(digits, 16)))
    words = (int(digits[at : at + 8], 16) for at in range(0, 32, 8))
    address = IPv6Address(struct.pack("=4I", *words))
    # A connection over IPv4 on a socket for both.
    return address.ipv4_mapped or address
