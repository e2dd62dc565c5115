"""How a listening port is named, and who can get to it by its address alone."""

from collections.abc import Iterable

from homelab_agent.areas.network.models import Reach
from homelab_agent.platform.host.network import Address, Transport


def port_key(transport: Transport, address: Address, port: int) -> str:
    """Return a port's key: "tcp-0.0.0.0-8080"; colons of an address become underscores."""
    return f"{transport}-{str(address).replace(':', '_')}-{port}"


def reach_of(address: Address, own: Iterable[Address]) -> Reach:
    """Return who can get to what listens on `address`; `own` are the machine's addresses.

    A socket on all addresses of IPv6 takes what comes over IPv4 too, unless it was told not to:
    that cannot be seen from outside.
    """
    if address.is_loopback:
        return Reach.MACHINE
    if address.is_unspecified:
        versions = {4} if address.version == 4 else {4, 6}  # noqa: PLR2004  # as in IPv4
        open_at = [each for each in own if each.version in versions]
    else:
        open_at = [address]
    return Reach.PUBLIC if any(is_public(each) for each in open_at) else Reach.NETWORK


def is_public(address: Address) -> bool:
    """Return whether the whole internet could send something to this one address."""
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not address.is_unspecified
    )
