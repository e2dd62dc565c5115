"""The machine is read only while somebody listens, and what is published is not old."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from homelab_agent.areas.host.disk_health import DiskHealthWatch
from homelab_agent.areas.host.filesystems import FilesystemWatch
from homelab_agent.areas.host.models import (
    BLOCK_DEVICE_KIND,
    DISK_HEALTH_KIND,
    FILESYSTEM_KIND,
    HOST_INFO_KIND,
    HOST_KEY,
    HOST_SENSOR_KIND,
    HOST_STATS_KIND,
    DiskHealth,
    HostInfo,
    HostStats,
)
from homelab_agent.areas.host.numbers import export_machine
from homelab_agent.areas.host.service import HostService
from homelab_agent.areas.host.watch import HostWatch
from homelab_agent.platform.host.machine import DiskHealthReading, DiskHealthState
from homelab_agent.platform.metrics import Metrics
from homelab_agent.platform.resources import Resources
from tests.clock import HandClock
from tests.fakes.machine import SetMachine, mounted
from tests.harness.waiting import wait_until


@pytest.fixture
def machine(clock: HandClock) -> SetMachine:
    return SetMachine(clock)


@pytest.fixture
async def watch(machine: SetMachine, resources: Resources) -> AsyncIterator[HostWatch]:
    watch = HostWatch(machine, resources, interval_s=0.05, facts_interval_s=0.05)
    task = asyncio.create_task(watch.run())
    yield watch
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def service_of(machine: SetMachine, watch: HostWatch, resources: Resources) -> HostService:
    filesystems = FilesystemWatch(machine, resources, interval_s=60)
    return HostService(machine, watch, filesystems, resources)


async def test_nothing_is_read_while_nobody_listens(
    machine: SetMachine, watch: HostWatch, resources: Resources
) -> None:
    async def informed() -> bool:
        return isinstance(resources.get(HOST_INFO_KIND, HOST_KEY), HostInfo)

    await wait_until(informed, what="the machine's facts")
    assert machine.samples == 0
    assert resources.keys(HOST_STATS_KIND) == ()
    with resources.subscribe(kinds=(HOST_STATS_KIND,)):

        async def sampled() -> bool:
            stats = resources.get(HOST_STATS_KIND, HOST_KEY)
            return isinstance(stats, HostStats) and watch.is_fresh

        await wait_until(sampled, what="figures")
        assert resources.keys(BLOCK_DEVICE_KIND) == ("nvme0n1", "sda")
        assert len(resources.keys(HOST_SENSOR_KIND)) == 3

    async def withdrawn() -> bool:
        return not resources.keys(HOST_STATS_KIND)

    await wait_until(withdrawn, what="old figures to be taken away")
    assert resources.keys(BLOCK_DEVICE_KIND) == resources.keys(HOST_SENSOR_KIND) == ()
    assert not watch.is_fresh


async def test_prometheus_finds_figures_although_nobody_listens_where_that_is_set(
    machine: SetMachine, resources: Resources, clock: HandClock
) -> None:
    metrics = Metrics()
    export_machine(metrics, resources)
    assert b"homelab_host_cpu_percent" not in await asyncio.to_thread(metrics.render)
    watch = HostWatch(machine, resources, interval_s=0.05, always=True)
    task = asyncio.create_task(watch.run())

    async def exported() -> bool:
        clock.advance(seconds=1)
        return b"homelab_host_cpu_percent" in await asyncio.to_thread(metrics.render)

    await wait_until(exported, what="figures for Prometheus")
    told = await asyncio.to_thread(metrics.render)
    assert b'homelab_host_sensor{sensor="nvme-nvme0-temp1",type="temperature"}' in told
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_who_asks_gets_rates_although_nobody_listens(
    machine: SetMachine, resources: Resources, clock: HandClock
) -> None:
    watch = HostWatch(machine, resources, interval_s=10)
    service = service_of(machine, watch, resources)
    asked = asyncio.create_task(service.report())

    async def looked() -> bool:
        return machine.samples == 1

    await wait_until(looked, what="the first look")
    clock.advance(seconds=10)
    report = await asked
    assert report.stats.cpu_percent is not None
    assert len(report.stats.cores_percent) == 4
    assert report.sensors
    assert report.power is None
    assert (await service.info()).host_name == "homelab"
    assert resources.keys(HOST_STATS_KIND) == ()


async def test_file_systems_are_measured_for_who_asks_first(
    machine: SetMachine, resources: Resources
) -> None:
    machine.mounts = [mounted("/")]
    service = service_of(machine, HostWatch(machine, resources, interval_s=10), resources)
    report = await service.disks()
    assert [each.key for each in report.filesystems] == ["/"]
    assert [each.key for each in report.devices] == ["nvme0n1", "sda"]
    assert resources.keys(FILESYSTEM_KIND) == ("/",)


async def test_what_a_sleeping_disk_said_last_stays_and_a_pulled_one_goes(
    machine: SetMachine, resources: Resources, clock: HandClock
) -> None:
    watch = DiskHealthWatch(machine, resources, clock)
    worn = DiskHealthReading(name="sda", verdict=DiskHealthState.WORN, reason="It is worn.")
    asleep = DiskHealthReading(
        name="sda", verdict=DiskHealthState.UNKNOWN, reason="The disk is asleep.", asleep=True
    )
    machine.disks_say = [asleep]
    await watch.look()
    first = resources.get(DISK_HEALTH_KIND, "sda")
    assert isinstance(first, DiskHealth)
    assert first.reason == "The disk is asleep."
    machine.disks_say = [worn]
    await watch.look()
    clock.advance(hours=3)
    machine.disks_say = [asleep]
    await watch.look()
    known = resources.get(DISK_HEALTH_KIND, "sda")
    assert isinstance(known, DiskHealth)
    assert known.reason == "It is worn."
    machine.disks_say = []
    await watch.look()
    assert resources.keys(DISK_HEALTH_KIND) == ()
