"""The machine's routes."""

from homelab_agent.areas.host.models import (
    DiskReport,
    HostInfo,
    HostReport,
    ProcessList,
    ProcessQuery,
    StopProcessBody,
)
from homelab_agent.areas.host.processes import ProcessLister
from homelab_agent.areas.host.service import HostService
from homelab_agent.areas.host.stopping import ProcessStopper
from homelab_agent.platform.commands import Scope, command
from homelab_agent.platform.commands import query as declare_query
from homelab_agent.platform.jobs.models import CommandResult

PROCESS_TARGET = "process"
"""What the gate's protections know a process as."""


class HostRoutes:
    """The machine: what it is, what it does, its disks and its processes."""

    def __init__(
        self, service: HostService, processes: ProcessLister, stopper: ProcessStopper
    ) -> None:
        self._service = service
        self._processes = processes
        self._stopper = stopper

    @declare_query("host.info", "/host/info")
    async def info(self) -> HostInfo:
        """Return what the machine is, and how much of it the agent sees."""
        return await self._service.info()

    @declare_query("host.stats", "/host/stats")
    async def stats(self) -> HostReport:
        """Return what the machine does; takes a second while nobody listens."""
        return await self._service.report()

    @declare_query("host.disks", "/host/disks")
    async def disks(self) -> DiskReport:
        """Return file systems, disks and their health; takes a second while nobody listens."""
        return await self._service.disks()

    @declare_query("host.processes", "/host/processes")
    async def processes(self, query: ProcessQuery) -> ProcessList:
        """List processes, the busiest or largest first; secrets in commands are masked."""
        return await self._processes.list(query)

    @command(
        "host.stop_process",
        "POST",
        "/host/processes/{pid}/stop",
        scope=Scope.ADMIN,
        target=PROCESS_TARGET,
    )
    async def stop_process(self, pid: str, body: StopProcessBody) -> CommandResult:
        """Ask one process to stop, which its number and the time of its start name exactly."""
        return await self._stopper.stop(pid, body)
