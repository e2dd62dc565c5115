"""This machine, by what its kernel tells."""

import asyncio
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import override

import psutil

from homelab_agent.platform.clock import Clock
from homelab_agent.platform.host.linux_disks import Disks
from homelab_agent.platform.host.linux_energy import read_energy
from homelab_agent.platform.host.linux_facts import FactsReader, boot_id
from homelab_agent.platform.host.linux_memory import read_memory, read_pressure
from homelab_agent.platform.host.linux_mounts import read_mounts
from homelab_agent.platform.host.linux_processes import Processes
from homelab_agent.platform.host.linux_processor import (
    count_processes,
    frequency_files,
    read_cpu_times,
    read_frequency_mhz,
    read_load,
)
from homelab_agent.platform.host.linux_sensors import Sensors
from homelab_agent.platform.host.linux_smart import SmartReader
from homelab_agent.platform.host.linux_space import SpaceMeter
from homelab_agent.platform.host.machine import (
    DiskHealthReading,
    EnergyReading,
    Facts,
    Machine,
    MachineSample,
    MachineView,
    MountReading,
    ProcessReading,
    ProcessSweep,
    StopRefused,
)
from homelab_agent.platform.host.paths import HostPaths
from homelab_agent.platform.lone_thread import LoneThread

PROCESSES_WITHIN_S = 20.0
"""Whoever reads the command of a process that waits for a dead network drive waits with it."""


class LinuxMachine(Machine):
    """Implements `Machine`. Everything is read in threads; make it in one too."""

    def __init__(
        self, paths: HostPaths, clock: Clock, *, processes_within_s: float = PROCESSES_WITHIN_S
    ) -> None:
        self._paths = paths
        self._proc, self._sys = str(paths.proc), str(paths.sys)
        psutil.PROCFS_PATH = self._proc
        self._facts = FactsReader(paths)
        self._disks = Disks(self._proc, self._sys)
        self._sensors = Sensors(self._sys)
        self._space = SpaceMeter(str(paths.root), clock)
        self._smart = SmartReader()
        self._processes = Processes(paths)
        self._process_thread = LoneThread("processes", within_s=processes_within_s)
        self._frequencies = frequency_files(self._sys)

    @property
    @override
    def view(self) -> MachineView:
        return MachineView(
            processes=self._paths.processes,
            network=self._paths.network,
            filesystems=self._paths.filesystems,
            hint=self._paths.hint,
        )

    @override
    async def facts(self) -> Facts:
        return await asyncio.to_thread(self._facts.read)

    @override
    async def sample(self) -> MachineSample:
        return await asyncio.to_thread(self._sample)

    @override
    async def filesystems(self) -> tuple[MountReading, ...] | None:
        mounts = await asyncio.to_thread(read_mounts, str(self._paths.mounts))
        return None if mounts is None else await self._space.measure(mounts)

    @override
    async def energy(self) -> EnergyReading | None:
        return await asyncio.to_thread(self._energy)

    @override
    async def disk_health(self) -> tuple[DiskHealthReading, ...]:
        disks = await asyncio.to_thread(Disks(self._proc, self._sys).read)
        return await self._smart.read([disk.name for disk in disks])

    @override
    async def processes(self) -> ProcessSweep:
        return await self._at_processes(self._processes.read)

    @override
    async def own_processes(self) -> frozenset[int]:
        return await asyncio.to_thread(self._processes.own)

    @override
    async def stop(self, process: ProcessReading, signal: int) -> StopRefused | None:
        return await self._at_processes(partial(self._processes.stop, process, signal))

    async def _at_processes[Value](self, work: Callable[[], Value]) -> Value:
        otherwise = "The processes cannot be read: one of them hangs within the kernel"
        return await self._process_thread.answer(work, otherwise=otherwise)

    def _sample(self) -> MachineSample:
        together, cores = read_cpu_times(self._proc)
        taken_s = monotonic()
        return MachineSample(
            taken_s=taken_s,
            cpu=together,
            cores=cores,
            cpu_frequency_mhz=read_frequency_mhz(self._frequencies),
            load=read_load(self._proc),
            memory=read_memory(self._proc),
            pressure=read_pressure(self._proc),
            disks=self._disks.read(),
            sensors=self._sensors.read(),
            process_count=count_processes(self._proc),
        )

    def _energy(self) -> EnergyReading | None:
        counters, boot = read_energy(self._sys), boot_id(self._proc)
        if not counters or boot is None:
            return None
        return EnergyReading(taken_s=monotonic(), boot_id=boot, counters=counters)
