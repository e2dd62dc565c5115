"""Which of an interface's addresses a name leads to."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_interface

from homelab_agent.areas.ddns.kept import Pair

_UNIQUE_LOCAL = IPv6Network("fc00::/7")


def interface_pair(addresses: Iterable[str]) -> Pair:
    """Return the best address of each family.

    Best is one of the internet, then one of the own network (a private one, or ULA). Of those
    alike the first counts: lasting addresses stand before temporary ones, which change by
    themselves and are only taken where there is nothing else.
    """
    found = [ip_interface(text).ip for text in addresses]
    fourth = [each for each in found if isinstance(each, IPv4Address) and _is_usable(each)]
    sixth = [each for each in found if isinstance(each, IPv6Address) and _is_usable(each)]
    return Pair(
        ipv4=next((str(each) for each in sorted(fourth, key=_is_of_own_network)), None),
        ipv6=next((str(each) for each in sorted(sixth, key=_is_of_own_network)), None),
    )


def _is_usable(address: IPv4Address | IPv6Address) -> bool:
    return not (
        address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
    )


def _is_of_own_network(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return not address.is_global
    return address in _UNIQUE_LOCAL
