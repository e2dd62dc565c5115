"""What an agent can be asked and told about its machine, and what is about to go wrong there."""

from .models import (
    CommandResult,
    DiskReport,
    HostInfo,
    HostReport,
    InsightReport,
    ProcessList,
    ProcessQuery,
    StopProcessBody,
)
from .parse import reader
from .requests import Requests

PROCESSES_TIMEOUT_S = 60.0
"""Who reads them may have to wait for a dead drive, and says so."""

_DISKS = reader(DiskReport)
_INFO = reader(HostInfo)
_INSIGHT = reader(InsightReport)
_PROCESSES = reader(ProcessList)
_REPORT = reader(HostReport)


class HostApi:
    """The machine of one agent."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def info(self) -> HostInfo:
        """Return what the machine is."""
        return await self._requests.get(_INFO, "host", "info")

    async def report(self) -> HostReport:
        """Return what the machine does right now."""
        return await self._requests.get(_REPORT, "host", "stats")

    async def disks(self) -> DiskReport:
        """Return file systems, disks and their health."""
        return await self._requests.get(_DISKS, "host", "disks")

    async def processes(self, query: ProcessQuery) -> ProcessList:
        """Return the processes asked for."""
        return await self._requests.get(
            _PROCESSES, "host", "processes", query=query, timeout_s=PROCESSES_TIMEOUT_S
        )

    async def stop_process(self, pid: int, body: StopProcessBody) -> CommandResult:
        """Ask one process to stop."""
        return await self._requests.command(
            "host", "processes", str(pid), "stop", body=body, wait_s=0
        )

    async def insight(self) -> InsightReport:
        """Return all forecasts, and all that was noticed, the worst first."""
        return await self._requests.get(_INSIGHT, "insight")
