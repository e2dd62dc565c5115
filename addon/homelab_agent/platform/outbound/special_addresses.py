"""Addresses that no service of a home has: cloud metadata, link-local, multicast, nobody's."""

from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

type Address = IPv4Address | IPv6Address
type Network = IPv4Network | IPv6Network

_METADATA = "an address at which clouds hand out the keys of a machine"
_LINK_LOCAL = "a link-local address, where clouds have their metadata"
_MULTICAST = "a multicast address"
_NOBODY = "no address that anybody has"

_SPECIAL: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(text), why)
    for text, why in (
        ("169.254.169.254/32", _METADATA),  # AWS, Azure, Google, OpenStack, ...
        ("169.254.170.0/24", _METADATA),  # AWS, for containers
        ("100.100.100.200/32", _METADATA),  # Alibaba
        ("192.0.0.192/32", _METADATA),  # Oracle
        ("168.63.129.16/32", _METADATA),  # Azure
        ("fd00:ec2::/32", _METADATA),  # AWS
        ("fd20:ce::254/128", _METADATA),  # Google
        ("fd00:42::42/128", _METADATA),  # Scaleway
        ("169.254.0.0/16", _LINK_LOCAL),
        ("fe80::/10", _LINK_LOCAL),
        ("224.0.0.0/4", _MULTICAST),
        ("ff00::/8", _MULTICAST),
        ("0.0.0.0/8", _NOBODY),
        ("240.0.0.0/4", _NOBODY),  # with the broadcast address
        ("::/128", _NOBODY),
    )
)

_TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
"""NAT64: a router makes an IPv4 connection of it. Networks may have prefixes of their own too."""

_COMPATIBLE = IPv6Network("::/96")
_LOOPBACK = IPv6Address(1)
_IPV4_MASK = 0xFFFFFFFF


@lru_cache(maxsize=4096)
def special_reason(address: Address) -> str | None:
    """Return what is special about an address; None for one that a service may have."""
    for form in (address, *_ipv4_within(address)):
        for network, why in _SPECIAL:
            if form.version == network.version and form in network:
                return why
    return None


def plain(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for on this machine, else itself."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _ipv4_within(address: Address) -> Iterator[IPv4Address]:
    """Give each IPv4 address that a packet to this address could end at."""
    if isinstance(address, IPv4Address) or address == _LOOPBACK:
        return
    number = int(address)
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in _COMPATIBLE or any(address in network for network in _TRANSLATED):
        yield IPv4Address(number & _IPV4_MASK)
    if address in _TRANSLATED[1]:
        # RFC 6052, prefix of 48 bits: 16 bits of the address, 8 of nothing, the other 16.
        yield IPv4Address((number >> 64 & 0xFFFF) << 16 | number >> 40 & 0xFFFF)
