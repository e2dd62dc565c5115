"""What an agent can be asked and told about domains."""

from .models import (
    CommandResult,
    DnsPlan,
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
from .parse import reader
from .requests import Requests

LOOK_TIMEOUT_S = 60.0
"""Every authoritative server is asked, and the page behind the name."""

_DOMAIN = reader(Domain)
_EXPORT = reader(DomainExport)
_HEALTH = reader(DomainHealth)
_HEALTHS = reader(DomainHealthReport)
_HISTORY = reader(HistoryPage)
_IMPORT = reader(ImportPlan)
_PAGE = reader(DomainPage)
_PLAN = reader(DnsPlan)
_SUMMARY = reader(DomainSummary)


class DomainsApi:
    """The domains of one agent."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def page(self, query: DomainQuery | None = None) -> DomainPage:
        """Return a page of the domains that match, by name."""
        return await self._requests.get(_PAGE, "domains", query=query)

    async def get(self, domain_id: str) -> Domain:
        """Return one domain."""
        return await self._requests.get(_DOMAIN, "domains", domain_id)

    async def add(self, body: DomainBody) -> Domain:
        """Look after a domain from now on; its DNS is not changed by that."""
        return await self._requests.post(_DOMAIN, "domains", body=body)

    async def replace(self, domain_id: str, body: DomainReplaceBody) -> Domain:
        """Replace all that is wanted of a domain."""
        return await self._requests.put(_DOMAIN, "domains", domain_id, body=body)

    async def change(self, domain_id: str, body: DomainChange) -> Domain:
        """Change what is given of a domain; the rest stays."""
        return await self._requests.patch(_DOMAIN, "domains", domain_id, body=body)

    async def forget(self, domain_id: str, query: DomainDeleteQuery | None = None) -> CommandResult:
        """Look after a domain no longer; its DNS is changed only by the plan that `query` names."""
        return await self._requests.command(
            "domains",
            domain_id,
            body=None,
            query=query,
            wait_s=query.wait_s if query else 0,
            method="DELETE",
            besides_s=LOOK_TIMEOUT_S,
        )

    async def health(self, domain_id: str) -> DomainHealth:
        """Return what was found when a domain was last looked at."""
        return await self._requests.get(_HEALTH, "domains", domain_id, "health")

    async def look(self, domain_id: str) -> DomainHealth:
        """Look at a domain now; return what was found."""
        return await self._requests.post(
            _HEALTH, "domains", domain_id, "check", body=None, timeout_s=LOOK_TIMEOUT_S
        )

    async def health_of_all(self) -> DomainHealthReport:
        """Return the health of all domains, worst first."""
        return await self._requests.get(_HEALTHS, "domains", "health")

    async def summary(self) -> DomainSummary:
        """Return how many domains there are, of what kind and how they are."""
        return await self._requests.get(_SUMMARY, "domains", "summary")

    async def history(self, domain_id: str, query: DomainHistoryQuery | None = None) -> HistoryPage:
        """Return what was done to a domain, the newest first."""
        return await self._requests.get(_HISTORY, "domains", domain_id, "events", query=query)

    async def export(self) -> DomainExport:
        """Return all domains as they can be imported again."""
        return await self._requests.get(_EXPORT, "domains", "export")

    async def export_csv(self) -> str:
        """Return all domains as a table that can be imported again."""
        return await self._requests.document(
            "domains", "export", query=ExportQuery(format=ExportFormat.CSV)
        )

    async def import_text(self, body: ImportBody) -> ImportPlan:
        """Return what an import would do; with the hash of that plan, do it."""
        return await self._requests.post(
            _IMPORT, "domains", "import", body=body, timeout_s=LOOK_TIMEOUT_S
        )

    async def plan(self, domain_id: str, body: DomainPlanBody) -> DnsPlan:
        """Return what making the DNS as a domain wants it would change."""
        return await self._requests.post(
            _PLAN, "domains", domain_id, "plan", body=body, timeout_s=LOOK_TIMEOUT_S
        )

    async def apply(self, domain_id: str, body: DomainApplyBody) -> CommandResult:
        """Make the DNS as the plan with that hash said."""
        return await self._requests.command(
            "domains",
            domain_id,
            "apply",
            body=body,
            wait_s=body.wait_s,
            besides_s=LOOK_TIMEOUT_S,
        )
