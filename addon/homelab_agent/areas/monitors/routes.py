"""The monitors' routes."""

from homelab_agent.areas.containers.models import ContainerQuery
from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.areas.monitors.maintenance_book import MaintenanceBook
from homelab_agent.areas.monitors.models import (
    MAINTENANCE_KIND,
    MONITOR_KIND,
    AddMonitorBody,
    CheckNowBody,
    HealthReport,
    History,
    HistoryQuery,
    MaintenanceBody,
    MaintenanceList,
    MaintenanceWindow,
    MonitorDescription,
    MonitorList,
    OccurrenceList,
    OccurrenceQuery,
    PastChecks,
    ProposalList,
    ReportFormat,
    ReportQuery,
    UpdateMonitorBody,
)
from homelab_agent.areas.monitors.proposals import proposals
from homelab_agent.areas.monitors.report import as_csv, as_markdown
from homelab_agent.areas.monitors.service import MonitorService
from homelab_agent.platform.commands import (
    Caller,
    Outcome,
    Scope,
    TextDocument,
    command,
    query,
)
from homelab_agent.platform.jobs.models import CommandResult

_MARKDOWN = "text/markdown"
_CSV = "text/csv"


class MonitorRoutes:
    """Services that people reach: how they are, and what watches them."""

    def __init__(
        self, service: MonitorService, containers: ContainerService, machine: str | None
    ) -> None:
        self._service = service
        self._containers = containers
        self._machine = machine

    @query("monitors.list", "/monitors")
    async def list(self) -> MonitorList:
        """List all monitors and how their services are."""
        return await self._service.list()

    @query("monitors.report", "/monitors/report", documents=(_MARKDOWN, _CSV))
    async def report(self, query: ReportQuery) -> HealthReport | TextDocument:
        """Return the service health table: what is critical, what is optional, what is down."""
        report = await self._service.health(query.name)
        match query.format:
            case ReportFormat.MARKDOWN:
                return TextDocument(media_type=_MARKDOWN, text=as_markdown(report))
            case ReportFormat.CSV:
                return TextDocument(media_type=_CSV, text=as_csv(report))
            case ReportFormat.JSON:
                return report

    @query("monitors.proposals", "/monitors/proposals")
    async def proposals(self) -> ProposalList:
        """Return monitors that could be made for what containers publish."""
        await self._service.until_ready()
        containers = self._containers.list(ContainerQuery()).containers
        found = proposals(containers, self._service.settings(), self._machine)
        return ProposalList(proposals=found)

    @query("monitors.get", "/monitors/{key}")
    async def get(self, key: str) -> MonitorDescription:
        """Return everything about one monitor, by its key or its name."""
        return await self._service.describe(key)

    @query("monitors.history", "/monitors/{key}/history")
    async def history(self, key: str, query: HistoryQuery) -> History:
        """Return the past of one monitor, in pieces as fine as is still known."""
        return await self._service.past(key, query)

    @query("monitors.checks", "/monitors/{key}/checks")
    async def checks(self, key: str, query: HistoryQuery) -> PastChecks:
        """Return the newest single checks of one monitor."""
        return await self._service.past_checks(key, query)

    @command("monitors.add", "POST", "/monitors", scope=Scope.OPERATE, dangerous=False)
    async def add(self, caller: Caller, body: AddMonitorBody) -> MonitorDescription:
        """Watch a service from now on."""
        return await self._service.add(body, caller)

    @command(
        "monitors.update",
        "PUT",
        "/monitors/{key}",
        scope=Scope.OPERATE,
        idempotent=True,
        target=MONITOR_KIND,
        dangerous=False,
    )
    async def update(self, caller: Caller, key: str, body: UpdateMonitorBody) -> MonitorDescription:
        """Give a monitor other settings; a secret given as stars stays as it is."""
        return await self._service.update(key, body, caller)

    @command(
        "monitors.remove",
        "DELETE",
        "/monitors/{key}",
        scope=Scope.OPERATE,
        idempotent=True,
        target=MONITOR_KIND,
        dangerous=False,
    )
    async def remove(self, key: str) -> CommandResult:
        """Watch a service no more, and forget its past."""
        return await self._service.remove(key)

    @command(
        "monitors.pause",
        "POST",
        "/monitors/{key}/pause",
        scope=Scope.OPERATE,
        idempotent=True,
        target=MONITOR_KIND,
        dangerous=False,
    )
    async def pause(self, key: str) -> CommandResult:
        """Stop checking a service until it is resumed."""
        return await self._service.pause(key)

    @command(
        "monitors.resume",
        "POST",
        "/monitors/{key}/resume",
        scope=Scope.OPERATE,
        idempotent=True,
        target=MONITOR_KIND,
        dangerous=False,
    )
    async def resume(self, key: str) -> CommandResult:
        """Check a paused service again."""
        return await self._service.resume(key)

    @command(
        "monitors.check",
        "POST",
        "/monitors/{key}/check",
        scope=Scope.OPERATE,
        idempotent=True,
        target=MONITOR_KIND,
        dangerous=False,
    )
    async def check(self, key: str, body: CheckNowBody) -> MonitorDescription:
        """Check a service now, and return what that found."""
        return await self._service.check(key, body.wait_s)


class MaintenanceRoutes:
    """Times in which failures are expected."""

    def __init__(self, book: MaintenanceBook, monitors: MonitorService) -> None:
        self._book = book
        self._monitors = monitors

    @query("maintenance.list", "/maintenance")
    async def list(self) -> MaintenanceList:
        """List all maintenance windows."""
        await self._monitors.until_ready()
        return self._book.list()

    @query("maintenance.occurrences", "/maintenance/occurrences")
    async def occurrences(self, query: OccurrenceQuery) -> OccurrenceList:
        """Return when windows are open between two moments."""
        await self._monitors.until_ready()
        return self._book.occurrences(query)

    @command("maintenance.add", "POST", "/maintenance", scope=Scope.OPERATE, dangerous=False)
    async def add(self, body: MaintenanceBody) -> MaintenanceWindow:
        """Expect failures for a time, once or again and again."""
        await self._monitors.until_ready()
        return await self._book.add(body)

    @command(
        "maintenance.remove",
        "DELETE",
        "/maintenance/{key}",
        scope=Scope.OPERATE,
        idempotent=True,
        target=MAINTENANCE_KIND,
        dangerous=False,
    )
    async def remove(self, key: str) -> CommandResult:
        """Remove a maintenance window; one that is open ends."""
        await self._monitors.until_ready()
        name = await self._book.remove(key)
        return CommandResult(outcome=Outcome.DONE, message=f"{name} is removed.")
