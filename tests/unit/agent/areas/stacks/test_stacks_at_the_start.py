"""Stacks right after the agent's start: none may look as if it were gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from homelab_agent.areas.stacks.models import STACK_KIND
from homelab_agent.areas.stacks.watch import StackWatch
from homelab_agent.platform.resources import Resources
from tests.fakes.docker_engine import fake_docker
from tests.fakes.watched import watched

SHOP = {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"}


@asynccontextmanager
async def watching(resources: Resources) -> AsyncIterator[StackWatch]:
    """Have stacks made of the containers."""
    watch = StackWatch(resources)
    task = asyncio.create_task(watch.run())
    try:
        yield watch
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_runs_is_shown_before_anybody_is_answered() -> None:
    async with fake_docker() as docker:
        docker.add("shop-web-1", labels=SHOP)
        async with watched(docker.url) as live, watching(live.resources) as watch:
            await watch.manage({})
            await live.connected()
            await watch.until_shown()

            assert live.resources.keys(STACK_KIND) == ("shop",)


async def test_what_is_managed_is_shown_before_anybody_is_answered() -> None:
    async with (
        fake_docker() as docker,
        watched(docker.url) as live,
        watching(live.resources) as watch,
    ):
        shown = asyncio.create_task(watch.until_shown())
        await live.connected()
        too_early = shown.done()
        await watch.manage({"blog": 1})
        await shown

        assert not too_early
        assert live.resources.keys(STACK_KIND) == ("blog",)


async def test_a_docker_that_is_away_does_not_keep_the_agent_from_answering() -> None:
    async with fake_docker() as docker:
        await docker.stop()
        async with watched(docker.url) as live, watching(live.resources) as watch:
            await watch.manage({"blog": 1})
            await watch.until_shown()

            assert live.resources.keys(STACK_KIND) == ("blog",)
