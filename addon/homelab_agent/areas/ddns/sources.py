"""The addresses to follow, as the network area publishes them."""

from dataclasses import dataclass

from homelab_agent.areas.ddns.interface_address import interface_pair
from homelab_agent.areas.ddns.kept import KeptAddress, Pair
from homelab_agent.areas.ddns.models import AddressSource
from homelab_agent.areas.network.models import (
    NETWORK_INTERFACE_KIND,
    NETWORK_KEY,
    NETWORK_STATUS_KIND,
    NetworkInterface,
    NetworkStatus,
)
from homelab_agent.platform.host.network import InterfaceState
from homelab_agent.platform.resources import Resources

SOURCE_KINDS = (NETWORK_STATUS_KIND, NETWORK_INTERFACE_KIND)


@dataclass(frozen=True, slots=True)
class Seen:
    """The addresses just now, and why one that is followed is not known."""

    pair: Pair
    reason: str | None = None


class Sources:
    """Looks at what is published; asks nobody."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def public(self) -> Pair:
        """Return the addresses that the internet sees, as far as its sources agree."""
        status = self._resources.get(NETWORK_STATUS_KIND, NETWORK_KEY)
        if not isinstance(status, NetworkStatus):
            return Pair()
        return Pair(ipv4=status.public_ipv4.address, ipv6=status.public_ipv6.address)

    def seen(self, kept: KeptAddress) -> Seen:
        """Return what a name is to lead to; families that it does not follow are left out."""
        if kept.source is AddressSource.INTERFACE:
            found, reason = self._of_interface(kept.interface or "")
        else:
            found, reason = self.public(), self._why_unknown(kept)
        pair = Pair(ipv4=found.ipv4 if kept.ipv4 else None, ipv6=found.ipv6 if kept.ipv6 else None)
        is_whole = bool(pair.ipv4 or not kept.ipv4) and bool(pair.ipv6 or not kept.ipv6)
        return Seen(pair, None if is_whole else reason)

    def _of_interface(self, name: str) -> tuple[Pair, str]:
        interface = self._resources.get(NETWORK_INTERFACE_KIND, name)
        if not isinstance(interface, NetworkInterface):
            return Pair(), f"There is no interface {name}."
        if interface.state is InterfaceState.DOWN:
            return Pair(), f"The interface {name} is down."
        return interface_pair(interface.addresses), f"The interface {name} has no such address."

    def _why_unknown(self, kept: KeptAddress) -> str:
        status = self._resources.get(NETWORK_STATUS_KIND, NETWORK_KEY)
        if not isinstance(status, NetworkStatus):
            return "The network was not looked at yet."
        both = ((kept.ipv4, "IPv4", status.public_ipv4), (kept.ipv6, "IPv6", status.public_ipv6))
        return " ".join(
            f"The public {family} address is not known: {public.reason or 'no source told it.'}"
            for followed, family, public in both
            if followed and public.address is None
        )
