"""Lists processes as people are shown them."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.areas.host.figures import percent_of
from homelab_agent.areas.host.masking import shown_command
from homelab_agent.areas.host.models import Process, ProcessList, ProcessOrder, ProcessQuery
from homelab_agent.platform.host.machine import Machine, ProcessReading, ProcessSweep
from homelab_agent.platform.rounding import rounded
from homelab_agent.platform.secrets import SecretFilter

BETWEEN_LOOKS_S = 1.0
OLDEST_LOOK_S = 60.0
"""What was used since a look before that is too long ago says nothing about now."""

_ALL = 100.0
_CPU_STEP_PERCENT = 0.1
_MEMORY_STEP_BYTES = 100_000

type _Identity = tuple[int, object]


@dataclass(frozen=True, slots=True)
class _Used:
    """What each process had used at one moment."""

    taken_s: float
    cpu_s: Mapping[_Identity, float]


class ProcessLister:
    """Reads all processes when asked; what each used is the difference to the look before."""

    def __init__(
        self,
        machine: Machine,
        containers: ContainerService,
        secrets: SecretFilter,
        memory_bytes: Callable[[], int | None],
    ) -> None:
        self._machine = machine
        self._containers = containers
        self._secrets = secrets
        self._memory_bytes = memory_bytes
        self._before: _Used | None = None
        self._looking = asyncio.Lock()

    async def list(self, query: ProcessQuery) -> ProcessList:
        """Return the processes that match, the busiest or largest first."""
        # One caller after the other: a look at all processes is not cheap.
        async with self._looking:
            before, now = await self._look()
        # There may be ten thousand of them, each with a command to be read: nobody else waits.
        return await asyncio.to_thread(self._found, before, now, query)

    def _found(self, before: _Used, now: ProcessSweep, query: ProcessQuery) -> ProcessList:
        used = _cpu_percents(before, now)
        wanted = [each for each in now.processes if self._matches(each, query.search)]
        wanted.sort(key=partial(_by_cpu, used) if query.sort is ProcessOrder.CPU else _by_memory)
        chosen = wanted[: query.limit]
        return ProcessList(
            processes=tuple(self._shown(each, used.get(_identity(each))) for each in chosen),
            total=len(wanted),
            view=self._machine.view.processes,
        )

    async def _look(self) -> tuple[_Used, ProcessSweep]:
        before = self._before
        now = await self._machine.processes()
        if before is None or not BETWEEN_LOOKS_S <= now.taken_s - before.taken_s <= OLDEST_LOOK_S:
            before = _used(now)
            await asyncio.sleep(BETWEEN_LOOKS_S)
            now = await self._machine.processes()
        self._before = _used(now)
        return before, now

    def _matches(self, process: ProcessReading, search: str | None) -> bool:
        """Search what is shown: what is masked must not be found by guessing."""
        if search is None:
            return True
        text = search.casefold()
        shown = (self._secrets.mask(process.name), self._command(process) or "")
        return any(text in each.casefold() for each in shown)

    def _command(self, process: ProcessReading) -> str | None:
        command = shown_command(process.command)
        return None if command is None else self._secrets.mask(command)

    def _shown(self, process: ProcessReading, cpu_percent: float | None) -> Process:
        total_bytes = self._memory_bytes()
        return Process(
            pid=process.pid,
            name=self._secrets.mask(process.name),
            command=self._command(process),
            user=process.user,
            state=process.state,
            cpu_percent=cpu_percent,
            memory_bytes=_memory_bytes(process),
            memory_percent=percent_of(process.memory_bytes, total_bytes) if total_bytes else None,
            threads=process.threads,
            started_at=process.started_at,
            container=self._container_key(process.container_id),
        )

    def _container_key(self, container_id: str | None) -> str | None:
        container = self._containers.with_id(container_id) if container_id else None
        return container.key if container else None


def _used(sweep: ProcessSweep) -> _Used:
    return _Used(sweep.taken_s, {_identity(each): each.cpu_s for each in sweep.processes})


def _cpu_percents(before: _Used, now: ProcessSweep) -> Mapping[_Identity, float]:
    """Return what each process used since it was seen before, by pid and start."""
    elapsed_s = now.taken_s - before.taken_s
    if elapsed_s <= 0:
        return {}
    return {
        identity: rounded(max(process.cpu_s - earlier_s, 0.0) / elapsed_s * _ALL, _CPU_STEP_PERCENT)
        for process in now.processes
        if (earlier_s := before.cpu_s.get(identity := _identity(process))) is not None
    }


def _identity(process: ProcessReading) -> _Identity:
    return process.pid, process.started_at


def _memory_bytes(process: ProcessReading) -> int:
    return round(process.memory_bytes / _MEMORY_STEP_BYTES) * _MEMORY_STEP_BYTES


def _by_cpu(used: Mapping[_Identity, float], process: ProcessReading) -> tuple[float, int, int]:
    return -used.get(_identity(process), 0.0), *_by_memory(process)


def _by_memory(process: ProcessReading) -> tuple[int, int]:
    return -_memory_bytes(process), process.pid
