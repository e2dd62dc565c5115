"""Asks a process to stop, if it may be stopped at all."""

import re
import signal as signals

from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.areas.host.models import StopProcessBody, StopSignal
from homelab_agent.platform.commands import Outcome
from homelab_agent.platform.errors import Conflict, Denied, Invalid, NotFound, Protected
from homelab_agent.platform.host.machine import Machine, ProcessReading, StopRefused
from homelab_agent.platform.jobs.models import CommandResult

_FIRST = 1
_LAST = 2**22
"""The kernel gives no greater number to a process."""

_NUMBER = re.compile(r"[0-9]{1,7}")

_NUMBERS = {StopSignal.TERM: int(signals.SIGTERM), StopSignal.KILL: int(signals.SIGKILL)}
_ENGINE = frozenset({"containerd", "dockerd", "podman"})


class ProcessStopper:
    """Sends a signal to one process that was listed, never to one that got its number since."""

    def __init__(self, machine: Machine, containers: ContainerService) -> None:
        self._machine = machine
        self._containers = containers

    async def protected_reason(self, pid: str) -> str | None:
        """Return why a process must not be stopped; None where nothing protects it."""
        number = _number(pid)
        found = await self._processes()
        return await self._reason(found[number], found) if number in found else None

    async def stop(self, pid: str, body: StopProcessBody) -> CommandResult:
        """Ask exactly this process to stop.

        Raises:
            NotFound: it has ended.
            Conflict: it cannot be reached from the agent's container.
            Denied: the agent lacks the right.
            Protected: it is one that must not be stopped.
        """
        number = _number(pid)
        found = await self._processes()
        process = found.get(number)
        if process is None or process.started_at != body.started_at:
            raise _ended(number)
        if reason := await self._reason(process, found):
            raise Protected(reason, field="pid")
        refused = await self._machine.stop(process, _NUMBERS[body.signal])
        match refused:
            case StopRefused.GONE:
                raise _ended(number)
            case StopRefused.OUT_OF_REACH:
                raise Conflict(
                    "The agent's container has process numbers of its own: it can see the "
                    "machine's processes at most, but not signal them.",
                    hint="Start the container with --pid host and HOMELAB_RUN_AS=root",
                )
            case StopRefused.NOT_PERMITTED:
                raise Denied(
                    f"The agent may not stop {process.name}: it belongs to {process.user}.",
                    hint="Only an agent that runs as root may stop what belongs to others",
                )
        return CommandResult(
            outcome=Outcome.DONE,
            message=f"{process.name} ({number}) was sent {body.signal}.",
        )

    async def _processes(self) -> dict[int, ProcessReading]:
        return {process.pid: process for process in (await self._machine.processes()).processes}

    async def _reason(
        self, process: ProcessReading, found: dict[int, ProcessReading]
    ) -> str | None:
        if process.pid == _FIRST:
            return "Process 1 starts and ends all others. Use the system's own tools."
        if process.is_kernel:
            return "This is a thread of the kernel: it cannot be stopped."
        if process.pid in await self._machine.own_processes():
            return "This is the Homelab agent itself, or what it was started by."
        if process.name in _ENGINE and process.container_id is None:
            return "All containers stand on this, protected ones too. Use the system's own tools."
        children = [each for each in found.values() if each.parent_pid == process.pid]
        for each in (process, *children):
            if each.container_id and (reason := self._container_reason(each.container_id)):
                return reason
        return None

    def _container_reason(self, container_id: str) -> str | None:
        container = self._containers.with_id(container_id)
        if container is None:
            return "It runs in a container that is not known: whether that is protected is neither."
        return container.protected_reason


def _number(pid: str) -> int:
    if not (_NUMBER.fullmatch(pid) and 1 <= int(pid) <= _LAST):
        raise Invalid(f"{pid[:20]!r} is no process number.", field="pid", hint="It is a number")
    return int(pid)


def _ended(number: int) -> NotFound:
    return NotFound(
        f"There is no process {number} that started at that time: it has ended.",
        field="started_at",
        hint="GET /api/v1/host/processes lists them with the time of their start",
    )
