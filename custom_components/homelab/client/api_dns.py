"""What an agent can be asked and told about DNS and its providers."""

from .models import (
    ApplyBody,
    AuthoritativeAnswers,
    AuthoritativeQuery,
    CommandResult,
    DnsPlan,
    DnsProvider,
    DnsProviderList,
    PlanBody,
    ProviderBody,
    ProviderChange,
    Zone,
    ZoneHome,
    ZoneList,
    ZoneQuery,
)
from .parse import reader
from .requests import Requests

ASK_TIMEOUT_S = 60.0
"""A provider is asked over the internet, and name servers one after the other."""

_ANSWERS = reader(AuthoritativeAnswers)
_PLAN = reader(DnsPlan)
_PROVIDER = reader(DnsProvider)
_PROVIDERS = reader(DnsProviderList)
_ZONE = reader(Zone)
_ZONES = reader(ZoneList)


class DnsApi:
    """The providers of DNS that one agent knows, and what their zones hold."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def providers(self) -> tuple[DnsProvider, ...]:
        """Return all providers, by key; their secrets are not among it."""
        return (await self._requests.get(_PROVIDERS, "dns", "providers")).providers

    async def add_provider(self, body: ProviderBody) -> DnsProvider:
        """Add a provider. Its secrets can never be read again."""
        return await self._requests.post(
            _PROVIDER, "dns", "providers", body=body, timeout_s=ASK_TIMEOUT_S
        )

    async def change_provider(self, key: str, body: ProviderChange) -> DnsProvider:
        """Change some of a provider, such as its secret."""
        return await self._requests.patch(
            _PROVIDER, "dns", "providers", key, body=body, timeout_s=ASK_TIMEOUT_S
        )

    async def remove_provider(self, key: str) -> CommandResult:
        """Forget a provider; what it serves stays as it is."""
        return await self._requests.command(
            "dns", "providers", key, body=None, wait_s=0, method="DELETE"
        )

    async def test_provider(self, key: str) -> DnsProvider:
        """Ask a provider now; return how it is."""
        return await self._requests.post(
            _PROVIDER, "dns", "providers", key, "test", body=None, timeout_s=ASK_TIMEOUT_S
        )

    async def zones(self, query: ZoneQuery | None = None) -> tuple[ZoneHome, ...]:
        """Return the zones that are managed, by name."""
        found = await self._requests.get(
            _ZONES, "dns", "zones", query=query, timeout_s=ASK_TIMEOUT_S
        )
        return found.zones

    async def zone(self, name: str, query: ZoneQuery | None = None) -> Zone:
        """Return what a zone holds, as its provider says."""
        return await self._requests.get(
            _ZONE, "dns", "zones", name, query=query, timeout_s=ASK_TIMEOUT_S
        )

    async def answers(self, query: AuthoritativeQuery) -> AuthoritativeAnswers:
        """Return what every authoritative server of a name says."""
        return await self._requests.get(
            _ANSWERS, "dns", "answers", query=query, timeout_s=ASK_TIMEOUT_S
        )

    async def plan(self, body: PlanBody) -> DnsPlan:
        """Return exactly what would change; nothing is changed."""
        return await self._requests.post(_PLAN, "dns", "plan", body=body, timeout_s=ASK_TIMEOUT_S)

    async def apply(self, body: ApplyBody) -> CommandResult:
        """Change what the plan with that hash said, and nothing else."""
        return await self._requests.command(
            "dns", "apply", body=body, wait_s=body.wait_s, besides_s=ASK_TIMEOUT_S
        )
