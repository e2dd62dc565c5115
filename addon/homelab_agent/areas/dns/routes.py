"""The routes of DNS."""

from homelab_agent.areas.dns.applying import PlanDesk
from homelab_agent.areas.dns.models import (
    DNS_PROVIDER_KIND,
    ApplyBody,
    AuthoritativeAnswers,
    AuthoritativeQuery,
    DnsPlan,
    DnsProvider,
    DnsProviderList,
    PlanBody,
    ProviderBody,
    ProviderChange,
    Zone,
    ZoneList,
    ZoneQuery,
)
from homelab_agent.areas.dns.service import DnsService
from homelab_agent.platform.commands import Caller, Outcome, Scope, command, query
from homelab_agent.platform.dns_names import uniform_name
from homelab_agent.platform.jobs.models import CommandResult


class DnsRoutes:
    """DNS: providers, zones, plans, and what name servers really say."""

    def __init__(self, service: DnsService, desk: PlanDesk) -> None:
        self._service = service
        self._desk = desk

    @query("dns.providers", "/dns/providers")
    async def providers(self) -> DnsProviderList:
        """List the DNS providers that are set up; their secrets are not in it."""
        await self._service.until_ready()
        return self._service.providers()

    @query("dns.provider", "/dns/providers/{key}")
    async def provider(self, key: str) -> DnsProvider:
        """Return one DNS provider."""
        await self._service.until_ready()
        return self._service.provider(key)

    @command("dns.add_provider", "POST", "/dns/providers", scope=Scope.ADMIN, dangerous=False)
    async def add_provider(self, body: ProviderBody) -> DnsProvider:
        """Set a DNS provider up, and ask it for its zones."""
        return await self._service.add_provider(body)

    @command(
        "dns.change_provider",
        "PATCH",
        "/dns/providers/{key}",
        scope=Scope.ADMIN,
        idempotent=True,
        target=DNS_PROVIDER_KIND,
        dangerous=False,
    )
    async def change_provider(self, key: str, body: ProviderChange) -> DnsProvider:
        """Change a DNS provider; a secret given as ten stars stays as it is."""
        return await self._service.change_provider(key, body)

    @command(
        "dns.remove_provider",
        "DELETE",
        "/dns/providers/{key}",
        scope=Scope.ADMIN,
        idempotent=True,
        target=DNS_PROVIDER_KIND,
        dangerous=False,
    )
    async def remove_provider(self, key: str) -> CommandResult:
        """Forget a DNS provider and its secrets; its records stay as they are."""
        name = await self._desk.remove_provider(key)
        return CommandResult(outcome=Outcome.DONE, message=f"{name} is forgotten.")

    @command(
        "dns.test_provider",
        "POST",
        "/dns/providers/{key}/test",
        scope=Scope.OPERATE,
        idempotent=True,
        target=DNS_PROVIDER_KIND,
        dangerous=False,
    )
    async def test_provider(self, key: str) -> DnsProvider:
        """Ask a DNS provider now, and return how it is."""
        return await self._service.test_provider(key)

    @query("dns.zones", "/dns/zones")
    async def zones(self, query: ZoneQuery) -> ZoneList:
        """List the zones that are managed, by name."""
        return await self._service.zones(query)

    @query("dns.read_zone", "/dns/zones/{zone}")
    async def zone(self, zone: str, query: ZoneQuery) -> Zone:
        """Return what a zone holds, as its provider tells it."""
        return await self._service.zone(zone, query)

    @command(
        "dns.plan",
        "POST",
        "/dns/plan",
        scope=Scope.OPERATE,
        idempotent=True,
        dangerous=False,
    )
    async def plan(self, body: PlanBody) -> DnsPlan:
        """Return exactly what would change in a zone; nothing is changed."""
        return await self._desk.plan(body)

    @command("dns.apply", "POST", "/dns/apply", scope=Scope.OPERATE, dangerous=False)
    async def apply(self, body: ApplyBody, caller: Caller) -> CommandResult:
        """Apply a plan by its hash; it is refused where it would be another one by now."""
        return await self._desk.apply(body, caller)

    @query("dns.answers", "/dns/answers")
    async def answers(self, query: AuthoritativeQuery, caller: Caller) -> AuthoritativeAnswers:
        """Return what every authoritative server of a name says."""
        name = uniform_name(query.name, field="name", wildcard=True)
        if not caller.scope.includes(Scope.OPERATE):
            await self._service.require_managed(name)
        return await self._service.answers(name, query.type)
