"""The domains' routes."""

from homelab_agent.areas.dns.models import DnsPlan
from homelab_agent.areas.domains.dns_changes import DnsChanges
from homelab_agent.areas.domains.export import as_csv
from homelab_agent.areas.domains.imports import DomainImports
from homelab_agent.areas.domains.models import (
    DOMAIN_KIND,
    Domain,
    DomainApplyBody,
    DomainBody,
    DomainChange,
    DomainDeleteQuery,
    DomainExport,
    DomainHealth,
    DomainHealthReport,
    DomainHistoryQuery,
    DomainPage,
    DomainPlanBody,
    DomainQuery,
    DomainReplaceBody,
    DomainSummary,
    ExportFormat,
    ExportQuery,
    HistoryPage,
    ImportBody,
    ImportPlan,
)
from homelab_agent.areas.domains.reading import DomainReader
from homelab_agent.areas.domains.service import DomainService
from homelab_agent.platform.commands import Caller, Scope, TextDocument, command, query
from homelab_agent.platform.jobs.models import CommandResult

_CSV = "text/csv"


class DomainRoutes:
    """Domains: what is wanted of them, how they are, what was done to them."""

    def __init__(
        self,
        service: DomainService,
        reader: DomainReader,
        imports: DomainImports,
        changes: DnsChanges,
    ) -> None:
        self._service = service
        self._reader = reader
        self._imports = imports
        self._changes = changes

    @query("domains.list", "/domains")
    async def list(self, query: DomainQuery) -> DomainPage:
        """List domains by name; filter, search and page through them."""
        return await self._reader.page(query)

    @query("domains.summary", "/domains/summary")
    async def summary(self) -> DomainSummary:
        """Return how many domains there are, of what kind and how they are."""
        return await self._reader.summary()

    @query("domains.health_of_all", "/domains/health")
    async def health_of_all(self) -> DomainHealthReport:
        """Return how all domains were when they were last looked at, the worst first."""
        return await self._reader.health()

    @query("domains.export", "/domains/export", documents=(_CSV,))
    async def export(self, query: ExportQuery) -> DomainExport | TextDocument:
        """Return all domains as they can be imported again, as JSON or as CSV."""
        found = await self._imports.export()
        if query.format is ExportFormat.CSV:
            return TextDocument(media_type=_CSV, text=as_csv(found.domains))
        return found

    @command("domains.import", "POST", "/domains/import", scope=Scope.OPERATE, dangerous=False)
    async def take(self, body: ImportBody, caller: Caller) -> ImportPlan:
        """Return what importing a text would do; with that plan's hash all of it is done."""
        return await self._imports.take(body, caller)

    @query("domains.get", "/domains/{id}")
    async def get(self, id: str) -> Domain:  # noqa: A002 - as the wire calls it
        """Return one domain, by any spelling of its name."""
        return await self._service.shown(id)

    @query("domains.health", "/domains/{id}/health")
    async def health(self, id: str) -> DomainHealth:  # noqa: A002
        """Return what was found when a domain was last looked at."""
        return (await self._service.get(id)).last_health()

    @query("domains.events", "/domains/{id}/events")
    async def events(self, id: str, query: DomainHistoryQuery) -> HistoryPage:  # noqa: A002
        """Return what happened to a domain, by whom and with what result, the newest first."""
        return await self._reader.history(id, query)

    @command("domains.create", "POST", "/domains", scope=Scope.OPERATE, dangerous=False)
    async def create(self, body: DomainBody, caller: Caller) -> Domain:
        """Look after a domain from now on. The DNS itself is changed by plan and apply."""
        return await self._service.create(body, caller)

    @command(
        "domains.replace",
        "PUT",
        "/domains/{id}",
        scope=Scope.OPERATE,
        idempotent=True,
        target=DOMAIN_KIND,
        dangerous=False,
    )
    async def replace(self, id: str, body: DomainReplaceBody, caller: Caller) -> Domain:  # noqa: A002
        """Say anew all that is wanted of a domain."""
        return await self._service.replace(id, body, caller)

    @command(
        "domains.update",
        "PATCH",
        "/domains/{id}",
        scope=Scope.OPERATE,
        idempotent=True,
        target=DOMAIN_KIND,
        dangerous=False,
    )
    async def update(self, id: str, body: DomainChange, caller: Caller) -> Domain:  # noqa: A002
        """Change some of what is wanted of a domain."""
        return await self._service.change(id, body, caller)

    @command(
        "domains.delete",
        "DELETE",
        "/domains/{id}",
        scope=Scope.OPERATE,
        target=DOMAIN_KIND,
        dangerous=False,
    )
    async def delete(self, id: str, query: DomainDeleteQuery, caller: Caller) -> CommandResult:  # noqa: A002
        """Look after a domain no longer; with a plan's hash its DNS records are removed, too."""
        return await self._changes.delete(id, query, caller)

    @command(
        "domains.check",
        "POST",
        "/domains/{id}/check",
        scope=Scope.OPERATE,
        idempotent=True,
        target=DOMAIN_KIND,
        dangerous=False,
    )
    async def check(self, id: str) -> DomainHealth:  # noqa: A002
        """Look at a domain now."""
        return await self._service.check(id)

    @command(
        "domains.plan",
        "POST",
        "/domains/{id}/plan",
        scope=Scope.OPERATE,
        idempotent=True,
        target=DOMAIN_KIND,
        dangerous=False,
    )
    async def plan(self, id: str, body: DomainPlanBody) -> DnsPlan:  # noqa: A002
        """Return what would change in the DNS; nothing is changed."""
        return await self._changes.plan(id, body)

    @command(
        "domains.apply",
        "POST",
        "/domains/{id}/apply",
        scope=Scope.OPERATE,
        target=DOMAIN_KIND,
        dangerous=False,
    )
    async def apply(self, id: str, body: DomainApplyBody, caller: Caller) -> CommandResult:  # noqa: A002
        """Change the DNS as a plan says, by the plan's hash."""
        return await self._changes.apply(id, body, caller)
