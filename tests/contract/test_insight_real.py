"""A real disk that fills and a real container that leaks, with hours that pass in a second."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic

import pytest

from homelab_agent.areas.host.models import FILESYSTEM_KIND, Filesystem, FilesystemState
from homelab_agent.areas.insight.kept import MEMORY
from homelab_agent.areas.insight.watch import Pace
from homelab_agent.areas.statistics.models import CONTAINER_STATS_KIND
from homelab_agent.areas.statistics.sampler import Sampler
from homelab_agent.areas.statistics.watch import StatisticsWatch
from homelab_agent.platform.clock import Clock, Steady, utc_now
from homelab_agent.platform.engine.docker.stats import DockerStats
from homelab_agent.platform.engine.docker.transport import Transport
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.database import Store
from tests.clock import HandClock, HandTime
from tests.fakes.insight_area import InsightArea
from tests.fakes.watched import watched
from tests.harness.docker import SOCKET, Docker
from tests.harness.loop_mount import LoopMount

MIB = 1024**2
HOUR_S = 3600.0


@asynccontextmanager
async def insight(
    resources: Resources, folder: Path, clock: Clock, steady: Steady
) -> AsyncIterator[InsightArea]:
    store = await Store.open(f"sqlite+aiosqlite:///{folder}/homelab.db", folder)
    try:
        # Nobody reads the machine here: that is not waited for.
        yield InsightArea.make(resources, store, clock, steady, Pace(glance_s=0.05))
    finally:
        await store.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system")
async def test_a_disk_that_fills_is_foretold_and_a_clean_up_ends_it(tmp_path: Path) -> None:
    time, resources = HandTime(HandClock()), Resources()
    async with (
        LoopMount(tmp_path, mib=96) as disk,
        insight(resources, tmp_path, time.wall, time.steady) as area,
    ):
        hours = await _fill(area, time, disk, until=lambda: "disk_filling:/srv" in area.findings)
        forecast = area.forecast("/srv")
        left = _space(disk).available_bytes
        assert left is not None
        assert forecast.days_until_full == pytest.approx(left / (24 * _MIB_PER_HOUR * MIB), rel=0.3)
        assert forecast.days_until_full <= 7
        assert hours >= 24 * 4, "the nights have to be seen first"

        for file in disk.outside.glob("data-*"):
            file.unlink()
        for _ in range(8):
            await _look(area, time, disk)
        assert area.findings == {}
        assert area.forecast("/srv").days_until_full is None


_MIB_PER_HOUR = 0.2
_BACKUP_MIB = 6


async def _fill(
    area: InsightArea, time: HandTime, disk: LoopMount, *, until: Callable[[], bool]
) -> int:
    """Write a little every hour, and something large every night that goes again."""
    for hour in range(24 * 20):
        (disk.outside / f"data-{hour}").write_bytes(b"\1" * int(_MIB_PER_HOUR * MIB))
        backup = disk.outside / "backup"
        if hour % 24 == 3:
            backup.write_bytes(b"\1" * _BACKUP_MIB * MIB)
        elif hour % 24 == 5:
            backup.unlink()
        await _look(area, time, disk)
        if until():
            return hour
    raise AssertionError("it was never foretold")


async def _look(area: InsightArea, time: HandTime, disk: LoopMount) -> None:
    time.pass_by(HOUR_S)
    area.resources.publish(FILESYSTEM_KIND, "/srv", _space(disk))
    await area.watch.look()


def _space(disk: LoopMount) -> Filesystem:
    space = os.statvfs(disk.outside)
    return Filesystem(
        key="/srv",
        device="/dev/loop0",
        type="ext2",
        state=FilesystemState.OK,
        size_bytes=space.f_blocks * space.f_frsize,
        used_bytes=(space.f_blocks - space.f_bfree) * space.f_frsize,
        available_bytes=space.f_bavail * space.f_frsize,
    )


GROW = 'a[i++] = sprintf("%2097152s", "x"); system("sleep 0.25")'
LEAKS = f"BEGIN {{ while (1) {{ {GROW} }} }}"
SATURATES = f'BEGIN {{ while (i < 50) {{ {GROW} }} while (1) system("sleep 5") }}'

_HOURS_PER_S = 3600.0
"""An hour passes in a second."""


@pytest.mark.timeout(150)
@pytest.mark.skipif(not Path(SOCKET).exists(), reason="no Docker here")
async def test_a_container_that_leaks_is_found_and_one_that_only_caches_is_not(
    tmp_path: Path,
) -> None:
    prefix, url = f"insight-{secrets.token_hex(3)}", f"unix://{SOCKET}"
    began, began_s = utc_now(), monotonic()

    def steady() -> float:
        return (monotonic() - began_s) * _HOURS_PER_S

    def clock() -> datetime:
        return began + timedelta(seconds=steady())

    async with Docker() as docker, watched(url) as live, AsyncExitStack() as stack:
        leaky, cache = f"{prefix}-leaks", f"{prefix}-caches"
        for name, program in ((leaky, LEAKS), (cache, SATURATES)):
            await docker.create(name, command=("awk", program), Memory=768 * MIB)
        await live.connected()
        transport = Transport(url)
        measuring = StatisticsWatch(
            Sampler(DockerStats(transport)), live.resources, interval_s=0.3, always=True
        )
        task = asyncio.create_task(measuring.run())
        try:
            async with insight(live.resources, tmp_path, clock, steady) as area:
                # As Home Assistant does: figures are there without waiting for them.
                stack.enter_context(live.resources.subscribe(kinds=(CONTAINER_STATS_KIND,)))
                key = f"memory_leak:{leaky}"
                while key not in area.findings:
                    assert steady() < 90 * HOUR_S, area.history.points(MEMORY, leaky)
                    await area.watch.look()
                    await asyncio.sleep(0.3)
                assert f"memory_leak:{cache}" not in area.findings
                facts = {fact.name: fact.value for fact in area.findings[key].evidence}
                assert float(facts["growth per hour"]) > 2 * MIB
                assert float(facts["observed for"]) >= 24

                await docker.remove(leaky)
                while area.findings:
                    assert steady() < 120 * HOUR_S, area.findings
                    await area.watch.look()
                    await asyncio.sleep(0.3)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await transport.close()
