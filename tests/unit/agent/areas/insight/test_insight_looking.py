"""What is read only while somebody listens is read for a moment, now and then, and no more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from homelab_agent.areas.host.models import HOST_KEY, HOST_STATS_KIND, HostStats
from homelab_agent.areas.insight.glance import glance
from homelab_agent.areas.insight.models import FINDING_KIND
from homelab_agent.areas.statistics.models import CONTAINER_STATS_KIND, ContainerStats
from homelab_agent.platform.resources import Resources
from tests.harness.waiting import wait_until
from tests.unit.agent.areas.insight.conftest import GB, Homelab

KINDS = (CONTAINER_STATS_KIND, HOST_STATS_KIND)


@asynccontextmanager
async def measuring(resources: Resources, kind: str, took: list[str]) -> AsyncIterator[None]:
    """Have an area that reads and publishes only while somebody listens."""

    async def nobody_listens() -> bool:
        return not resources.has_listener(kind)

    async def run() -> None:
        while True:
            await resources.listener(kind)
            took.append(kind)
            if kind == HOST_STATS_KIND:
                resources.publish(kind, HOST_KEY, HostStats(process_count=len(took)))
            else:
                resources.publish(kind, "web", ContainerStats(key="web", memory_bytes=len(took)))
            await wait_until(nobody_listens, what="the end of the look")
            for key in resources.keys(kind):
                resources.remove(kind, key)

    task = asyncio.create_task(run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_look_takes_one_reading_of_each_and_lets_go(resources: Resources) -> None:
    took: list[str] = []
    async with (
        measuring(resources, CONTAINER_STATS_KIND, took),
        measuring(resources, HOST_STATS_KIND, took),
    ):
        for _ in range(3):
            seen = await glance(resources, KINDS)
            assert seen == set(KINDS)
            assert not resources.has_listener(*KINDS)

            async def withdrawn() -> bool:
                return not resources.keys(CONTAINER_STATS_KIND) + resources.keys(HOST_STATS_KIND)

            await wait_until(withdrawn, what="figures that nobody wants to be gone")
    assert sorted(took) == sorted(KINDS * 3)


async def test_what_never_comes_is_not_waited_for_and_not_made_up(resources: Resources) -> None:
    async with measuring(resources, HOST_STATS_KIND, []):
        seen = await glance(resources, KINDS, within_s=0.3)
    assert seen == {HOST_STATS_KIND}


async def test_old_figures_that_were_left_behind_are_not_taken_for_new(
    resources: Resources,
) -> None:
    resources.publish(CONTAINER_STATS_KIND, "web", ContainerStats(key="web", memory_bytes=1))
    assert await glance(resources, (CONTAINER_STATS_KIND,), within_s=0.1) == frozenset()


async def test_while_somebody_else_listens_nothing_is_waited_for(resources: Resources) -> None:
    resources.publish(CONTAINER_STATS_KIND, "web", ContainerStats(key="web", memory_bytes=1))
    with resources.subscribe(kinds=(CONTAINER_STATS_KIND,)):
        async with asyncio.timeout(1):
            seen = await glance(resources, (CONTAINER_STATS_KIND,))
    assert seen == {CONTAINER_STATS_KIND}


async def test_a_disk_that_becomes_full_is_told_at_once_and_not_at_the_next_look(
    homelab: Homelab,
) -> None:
    task = asyncio.create_task(homelab.watch.run())
    try:
        for _ in range(3):
            await _told(homelab, 1 * GB, is_full=True)
            await _told(homelab, 50 * GB, is_full=False)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _told(homelab: Homelab, left: float, *, is_full: bool) -> None:
    homelab.have_filesystem("/", left, size=100 * GB)

    async def told() -> bool:
        return bool(homelab.resources.keys(FINDING_KIND)) == is_full

    await wait_until(told, what=f"the finding, full: {is_full}")
