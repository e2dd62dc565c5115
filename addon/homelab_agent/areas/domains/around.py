"""What others say of a domain: who manages its name, its dynamic address, its route."""

from collections.abc import Iterable

from homelab_agent.areas.ddns.models import DYNAMIC_ADDRESS_KIND, DynamicAddress
from homelab_agent.areas.dns.models import DNS_PROVIDER_KIND, DnsProvider, ZoneHome
from homelab_agent.areas.domains.models import MOST_DOMAINS, KeptDomain, ProxyState
from homelab_agent.areas.domains.wishes import Wishes
from homelab_agent.areas.network.models import NETWORK_KEY, NETWORK_STATUS_KIND, NetworkStatus
from homelab_agent.areas.proxy.models import (
    PROXY_KEY,
    PROXY_KIND,
    PROXY_ROUTE_KIND,
    ProxyRoute,
    ProxyStatus,
)
from homelab_agent.platform.resources import Change, Resources

FOLLOWED = (DYNAMIC_ADDRESS_KIND, PROXY_ROUTE_KIND, DNS_PROVIDER_KIND)


class Around:
    """Reads what the other areas publish. `note` has to be told of every change of that."""

    def __init__(self, wishes: Wishes, resources: Resources) -> None:
        self._wishes = wishes
        self._resources = resources
        self._route_keys: dict[str, str] = {}
        """The route of each of its names."""
        self._zones: dict[str, tuple[str, ...] | None] = {}
        self._homes: dict[tuple[str, str | None], ZoneHome | None] = {}
        """Remembered until something changes at the providers: a list asks for all of them."""

    def home(self, kept: KeptDomain) -> ZoneHome | None:
        """Return who manages a domain's name."""
        key = kept.id, kept.settings.provider
        if key not in self._homes:
            if len(self._homes) > 2 * MOST_DOMAINS:  # of domains that are gone
                self._homes.clear()
            self._homes[key] = self._wishes.home(*key)
        return self._homes[key]

    def dynamic(self, domain_id: str) -> DynamicAddress | None:
        """Return the address that the name follows, where it does."""
        found = self._resources.get(DYNAMIC_ADDRESS_KIND, domain_id)
        return found if isinstance(found, DynamicAddress) else None

    def route(self, domain_id: str) -> ProxyRoute | None:
        """Return the route that serves the name, where there is one of the agent's."""
        key = self._route_keys.get(domain_id, domain_id)
        found = self._resources.get(PROXY_ROUTE_KIND, key)
        return found if isinstance(found, ProxyRoute) else None

    def own_addresses(self) -> frozenset[str]:
        """Return this network's addresses as the internet sees them."""
        found = self._resources.get(NETWORK_STATUS_KIND, NETWORK_KEY)
        if not isinstance(found, NetworkStatus):
            return frozenset()
        known = (found.public_ipv4.address, found.public_ipv6.address)
        return frozenset(address for address in known if address is not None)

    def proxy_places(self) -> tuple[str, ...]:
        """Return where the reverse proxy serves HTTPS, as the agent reaches it: host:port."""
        found = self._resources.get(PROXY_KIND, PROXY_KEY)
        return found.addresses if isinstance(found, ProxyStatus) else ()

    def proxy_state(self, kept: KeptDomain) -> ProxyState:
        """Return how the domain's route is."""
        route = self.route(kept.id)
        if route is None:
            return ProxyState.MISSING if kept.provisioned else ProxyState.NONE
        return ProxyState(route.state.value)

    def forget(self) -> None:
        """Know nothing of others any more: all of them are about to be noted anew."""
        self._route_keys.clear()
        self._zones.clear()
        self._homes.clear()

    def note(self, changes: Iterable[Change]) -> frozenset[str] | None:
        """Take over changes; return the names that they are about, None: any."""
        names: set[str] = set()
        are_all = False
        for change in changes:
            if change.kind == PROXY_ROUTE_KIND:
                names |= self._note_route(change)
            elif change.kind == DYNAMIC_ADDRESS_KIND:
                names.add(change.key)
            elif self._note_zones(change):
                are_all = True
                self._homes.clear()
        return None if are_all else frozenset(names)

    def _note_zones(self, change: Change) -> bool:
        """Take over which zones a provider manages; return whether those are others now."""
        zones = change.data.zones if isinstance(change.data, DnsProvider) else None
        before = self._zones.get(change.key)
        self._zones[change.key] = zones
        return zones != before

    def _note_route(self, change: Change) -> set[str]:
        before = {name for name, key in self._route_keys.items() if key == change.key}
        for name in before:
            del self._route_keys[name]
        after = set(change.data.aliases) if isinstance(change.data, ProxyRoute) else set()
        self._route_keys |= dict.fromkeys(after, change.key)
        return before | after | {change.key}
