"""What is made anew is what was named, whatever else carries the same labels."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.areas.recreate.hands import Hands
from homelab_agent.areas.recreate.http_check import HttpCheck
from homelab_agent.areas.recreate.patience import Patience
from homelab_agent.areas.recreate.service import RecreateService
from homelab_agent.areas.recreate.store import RecreateBook
from homelab_agent.areas.updates.models import (
    CONTAINER_UPDATE_KIND,
    ContainerUpdate,
    UpdatePolicy,
    UpdateState,
)
from homelab_agent.platform.audit import Audit
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.commands import Caller, Outcome, Scope
from homelab_agent.platform.engine.demo.containers import DemoEngine
from homelab_agent.platform.engine.demo.images import DemoImages
from homelab_agent.platform.engine.demo.recreate import DemoRecreate
from homelab_agent.platform.engine.models import EngineContainer
from homelab_agent.platform.jobs.runner import JobRunner
from homelab_agent.platform.secrets import SecretFilter
from homelab_agent.platform.store.database import Store
from tests.fakes.watched import Watched, watched

ORIGINAL, COPY = "media-jellyfin-1", "copy-of-jellyfin"
PERSON = Caller(name="person", scope=Scope.ADMIN)


@dataclass
class World:
    """A container of a stack, and a stopped copy of it that has its labels."""

    engine: DemoEngine
    live: Watched
    service: RecreateService

    async def id_of(self, name: str) -> str:
        """Return which container has a name now."""
        return next(row.id for row in await self.engine.list_containers() if row.name == name)


async def _injected_nothing(_row: EngineContainer) -> tuple[str, ...]:
    return ()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    engine = DemoEngine()
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'homelab.db'}", tmp_path)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        live = await stack.enter_async_context(watched("", engine=engine))
        await live.connected()
        runner = JobRunner(store, live.resources, utc_now, Audit(store, utc_now))
        stack.push_async_callback(runner.close, 0)
        book = RecreateBook(store, live.resources, utc_now)
        hands = Hands(
            containers=engine,
            images=DemoImages(pull_s=0),
            recreate=DemoRecreate(engine),
            guard=lambda _row: None,
            look=live.refresher.refresh,
            injected=_injected_nothing,
            logins=None,
            http=HttpCheck(),
            patience=Patience(engine),
            book=book,
            secrets=SecretFilter(),
        )
        containers = ContainerService(live.inventory, live.state, runner)
        service = RecreateService(containers, hands, book, live.resources, runner)
        for kind in service.kinds():
            runner.register(kind)
        made = World(engine, live, service)
        like = await engine.inspect(await made.id_of(ORIGINAL))
        copy_id = engine.add(like.id, name=COPY, image=like.image, image_id=like.image_id)
        await live.refresher.refresh(copy_id)
        assert containers.get(COPY).key == containers.get(ORIGINAL).key
        yield made


async def test_a_copy_with_the_labels_of_another_container_is_itself_made_anew_and_not_that_one(
    world: World,
) -> None:
    original, copy = await world.id_of(ORIGINAL), await world.id_of(COPY)
    result = await world.service.recreate(COPY, PERSON, wait_s=30)
    assert result.outcome is Outcome.DONE, result
    assert await world.id_of(ORIGINAL) == original
    assert await world.id_of(COPY) != copy


async def test_what_is_known_of_another_image_is_not_what_a_container_is_updated_to(
    world: World,
) -> None:
    key = "media:jellyfin:1"
    stale = ContainerUpdate(
        key=key,
        state=UpdateState.AVAILABLE,
        policy=UpdatePolicy.NOTIFY,
        image="nginx:1.28",
        latest_image="nginx:1.29",
    )
    world.live.resources.publish(CONTAINER_UPDATE_KIND, key, stale)
    (target,) = await world.service.plan([ORIGINAL])
    assert target.image is None
