"""Names of hosts: as certificates and handshakes have them, and whether a certificate fits one."""

import re
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address

from homelab_agent.platform.outbound.names import ascii_name

_LABELS_AFTER_STAR = 2
_LABEL = re.compile(r"[!-~]{1,63}")
"""More than DNS has, as hosts files know others; but what OpenSSL takes as a name."""


def wire_name(host: str) -> str:
    """Return a host as a handshake and a certificate have it: lower case, IDNA, no last dot.

    An address is returned in its shortest form, without brackets and zone.

    Raises:
        socket.gaierror: no host can be called that.
    """
    bare = without_brackets(host)
    address = as_address(bare)
    if address is not None:
        return str(address)
    name = ascii_name(bare).rstrip(".").lower()
    if not all(map(_LABEL.fullmatch, name.split("."))):
        raise socket.gaierror(socket.EAI_NONAME, "no host has such a name")
    return name


def without_brackets(host: str) -> str:
    """Return a host without those in which an address of version 6 may stand."""
    return host.strip().removeprefix("[").removesuffix("]")


def as_address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a text is, without its zone; None for a name."""
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None


def fits(server_name: str, names: Iterable[str]) -> bool:
    """Return whether one of a certificate's names is good for `server_name` (see `wire_name`).

    A star stands for one whole label, the first, and has at least two labels behind it. An address
    fits only itself.
    """
    address = as_address(server_name)
    if address is not None:
        return any(as_address(name) == address for name in names)
    return any(_fits(server_name, name.lower().rstrip(".")) for name in names)


def _fits(server_name: str, name: str) -> bool:
    if not name.startswith("*."):
        return name == server_name
    rest = name.removeprefix("*.")
    first, _, theirs = server_name.partition(".")
    return bool(first) and theirs == rest and rest.count(".") >= _LABELS_AFTER_STAR - 1
