"""What an agent can be asked and told about monitors and maintenance windows."""

from .models import (
    AddMonitorBody,
    CheckNowBody,
    CommandResult,
    HealthReport,
    MaintenanceBody,
    MaintenanceWindow,
    MonitorDescription,
    Occurrence,
    OccurrenceList,
    OccurrenceQuery,
    ReportQuery,
    UpdateMonitorBody,
)
from .parse import reader
from .requests import COMMAND_MARGIN_S, Requests

_DESCRIPTION = reader(MonitorDescription)
_OCCURRENCES = reader(OccurrenceList)
_REPORT = reader(HealthReport)
_WINDOW = reader(MaintenanceWindow)


class MonitorsApi:
    """The monitors of one agent, and when failures are expected."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def get(self, key: str) -> MonitorDescription:
        """Return everything about one monitor; secrets in its settings are stars."""
        return await self._requests.get(_DESCRIPTION, "monitors", key)

    async def add(self, body: AddMonitorBody) -> MonitorDescription:
        """Watch something new."""
        return await self._requests.post(_DESCRIPTION, "monitors", body=body)

    async def update(self, key: str, body: UpdateMonitorBody) -> MonitorDescription:
        """Replace the settings of a monitor."""
        return await self._requests.put(_DESCRIPTION, "monitors", key, body=body)

    async def remove(self, key: str) -> CommandResult:
        """Forget a monitor and its past."""
        return await self._requests.command("monitors", key, body=None, wait_s=0, method="DELETE")

    async def pause(self, key: str) -> CommandResult:
        """Check a service no more until it is resumed."""
        return await self._requests.command("monitors", key, "pause", body=None, wait_s=0)

    async def resume(self, key: str) -> CommandResult:
        """Check a service again."""
        return await self._requests.command("monitors", key, "resume", body=None, wait_s=0)

    async def check(self, key: str, body: CheckNowBody) -> MonitorDescription:
        """Check a service now, and return what came out, at the latest after `body.wait_s`."""
        timeout_s = body.wait_s + COMMAND_MARGIN_S
        return await self._requests.post(
            _DESCRIPTION, "monitors", key, "check", body=body, timeout_s=timeout_s
        )

    async def report(self, query: ReportQuery) -> HealthReport:
        """Return the service health table; `query.format` is JSON."""
        return await self._requests.get(_REPORT, "monitors", "report", query=query)

    async def written_report(self, query: ReportQuery) -> str:
        """Return the service health table as a text, in the format of `query`."""
        return await self._requests.document("monitors", "report", query=query)

    async def add_window(self, body: MaintenanceBody) -> MaintenanceWindow:
        """Expect failures at a time."""
        return await self._requests.post(_WINDOW, "maintenance", body=body)

    async def remove_window(self, key: str) -> CommandResult:
        """Expect failures at that time no more."""
        return await self._requests.command(
            "maintenance", key, body=None, wait_s=0, method="DELETE"
        )

    async def occurrences(self, query: OccurrenceQuery) -> tuple[Occurrence, ...]:
        """Return when windows are open between two moments, in order of time."""
        found = await self._requests.get(_OCCURRENCES, "maintenance", "occurrences", query=query)
        return found.occurrences
