"""What the machine's network tells, in the words of the wire."""

from homelab_agent.areas.network.models import (
    Neighbour,
    NetworkConnections,
    NetworkInterface,
)
from homelab_agent.platform.host.network import (
    Address,
    Interface,
    NeighbourEntry,
    NetworkView,
    SocketCounts,
)


def network_interface(interface: Interface, view: NetworkView) -> NetworkInterface:
    """Return an interface as it is published."""
    routes = (view.route_ipv4, view.route_ipv6)
    return NetworkInterface(
        key=interface.name,
        type=interface.type,
        state=interface.state,
        mac=interface.mac,
        addresses=tuple(str(address) for address in interface.addresses),
        mtu=interface.mtu,
        speed_mbit=interface.speed_mbit,
        full_duplex=interface.full_duplex,
        carries_default_route=any(each and each.interface == interface.name for each in routes),
    )


def own_addresses(view: NetworkView) -> tuple[Address, ...]:
    """Return the machine's own addresses."""
    return tuple(address.ip for each in view.interfaces for address in each.addresses)


def neighbours_of(entries: tuple[NeighbourEntry, ...], view: NetworkView) -> tuple[Neighbour, ...]:
    """Return other machines, by address: no containers, and nobody who did not answer."""
    shown = {each.name for each in view.interfaces if not each.of_containers}
    found = (each for each in entries if each.mac is not None and each.interface in shown)
    return tuple(
        Neighbour(
            address=str(each.address), mac=each.mac, interface=each.interface, state=each.state
        )
        for each in sorted(found, key=lambda each: (each.address.version, int(each.address)))
        if each.state != "FAILED"
    )


def network_connections(counts: SocketCounts) -> NetworkConnections:
    """Return how many sockets are in which state."""
    return NetworkConnections(
        established=counts.established,
        listening=counts.listening,
        time_wait=counts.time_wait,
        close_wait=counts.close_wait,
        other=counts.other,
        udp=counts.udp,
    )
