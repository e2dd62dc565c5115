"""Images kept to go back to do not fill the disk for containers that are gone."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from homelab_agent.areas.containers.models import EngineConnection
from homelab_agent.areas.recreate.image_choice import kept_name
from homelab_agent.areas.recreate.kept_images import KeptImages
from homelab_agent.areas.recreate.models import RECREATE_KIND
from homelab_agent.areas.recreate.store import Kept, Record, RecreateBook
from homelab_agent.platform.engine.demo.images import DemoImages
from homelab_agent.platform.engine.image_reference import parse_reference
from homelab_agent.platform.errors import Unavailable
from homelab_agent.platform.store.database import Store
from tests.fakes.commanded import Commanded, commanded
from tests.fakes.docker_engine import FakeDocker, fake_docker

IMAGE = "caddy:2.11"
OTHER = "homelab-rollback.example/web:previous"
START = datetime(2026, 11, 21, 8, tzinfo=UTC)


@dataclass
class World:
    """Two containers with a kept image each, the host's clock, and time that really passes."""

    docker: FakeDocker
    agent: Commanded
    images: DemoImages
    book: RecreateBook
    kept: KeptImages
    now: datetime = START
    passed_s: float = 0.0

    async def names(self) -> set[str]:
        """Return all names of images."""
        return {tag for image in await self.images.list_images() for tag in image.tags}

    async def pass_time(self, hours: int) -> None:
        """Sweep once an hour."""
        for _ in range(hours):
            self.now += timedelta(hours=1)
            self.passed_s += 3600
            await self.kept.sweep()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'book.db'}", tmp_path)
    async with contextlib.AsyncExitStack() as stack:
        docker = await stack.enter_async_context(fake_docker())
        for key in ("web", "gone"):
            docker.add(key)
        agent = await stack.enter_async_context(commanded(docker.url, tmp_path))
        images = DemoImages(pull_s=0)
        book = RecreateBook(store, agent.live.resources, lambda: made.now)
        kept = KeptImages(agent.service, images, book, now=lambda: made.passed_s)
        made = World(docker, agent, images, book, kept)
        image = await images.inspect(IMAGE)
        for key in ("web", "gone"):
            await images.tag(image.id, kept_name(key))
            await book.write(key, Record(kept=Kept(image=IMAGE, image_id=image.id)))
        await images.tag(image.id, parse_reference(OTHER))
        await agent.live.connected()
        yield made
    await store.close()


async def _remove(world: World, name: str) -> None:
    container = world.docker.find(name)
    assert container is not None
    world.docker.remove(container)
    await world.agent.live.until(lambda: world.agent.live.container(name) is None)


async def test_the_kept_image_of_a_container_that_is_gone_for_a_day_goes_alone(
    world: World,
) -> None:
    before = await world.names()
    await world.pass_time(30)
    assert await world.names() == before
    await _remove(world, "gone")
    await world.pass_time(24)
    assert await world.names() == before
    await world.pass_time(1)
    assert await world.names() == before - {str(kept_name("gone"))}
    assert {IMAGE, OTHER} <= await world.names()
    assert list(await world.book.records()) == ["web"]
    assert world.agent.live.resources.keys(RECREATE_KIND) == ("web",)


async def test_a_container_that_is_back_within_the_day_can_still_go_back(world: World) -> None:
    await _remove(world, "gone")
    await world.pass_time(20)
    world.docker.change(world.docker.add("gone", running=False), "start")
    await world.agent.live.until(lambda: world.agent.live.container("gone"))
    await world.pass_time(1)
    await _remove(world, "gone")
    await world.pass_time(20)
    assert str(kept_name("gone")) in await world.names()
    assert (await world.book.read("gone")).kept is not None


async def test_a_clock_that_is_set_does_not_take_away_what_can_be_gone_back_to(
    world: World,
) -> None:
    before = await world.names()
    await _remove(world, "gone")
    await world.pass_time(1)
    world.now += timedelta(days=400)
    await world.pass_time(1)
    assert await world.names() == before


async def test_a_kept_image_that_is_not_remembered_any_more_goes_too(world: World) -> None:
    await world.book.forget("web")
    await world.pass_time(25)
    assert str(kept_name("web")) not in await world.names()


async def test_nothing_is_decided_while_the_engine_is_away(world: World) -> None:
    before = await world.names()
    await world.docker.close()
    live = world.agent.live
    await live.until(lambda: live.status.connection is not EngineConnection.CONNECTED)
    with pytest.raises(Unavailable):
        await world.pass_time(30)
    assert await world.names() == before
