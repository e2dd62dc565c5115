"""Monitors that are added, changed and removed at the same moment."""

import asyncio

import pytest

from homelab_agent.areas.monitors.models import MonitorSource
from homelab_agent.platform.errors import Conflict
from homelab_agent.platform.store.database import Store
from tests.unit.agent.areas.monitors.one_agent import OneAgent, Times, settings


@pytest.fixture
def agent(store: Store) -> OneAgent:
    return OneAgent(store, Times())


async def test_two_with_one_name_at_once_get_a_key_each_and_two_with_one_key_a_conflict(
    agent: OneAgent,
) -> None:
    desk = agent.desk
    named = await asyncio.gather(
        *(desk.add(None, MonitorSource.PERSON, settings("Séance")) for _ in range(3))
    )
    assert sorted(each.key for each in named) == ["seance", "seance-2", "seance-3"]

    first, second = await asyncio.gather(
        *(desk.add("web", MonitorSource.PERSON, settings()) for _ in range(2)),
        return_exceptions=True,
    )
    assert not isinstance(first, BaseException)
    assert isinstance(second, Conflict)
    assert second.field == "key"
    assert len(await agent.store.monitors()) == len(desk.watched) == 4


async def test_what_is_removed_while_it_is_changed_is_checked_no_more(agent: OneAgent) -> None:
    desk = agent.desk
    watched = await agent.add()
    *_, changed, removed_again = await asyncio.gather(
        desk.remove(watched),
        desk.change(watched, settings("Other"), anew=True),
        desk.remove(watched),
        return_exceptions=True,
    )

    assert isinstance(changed, Conflict)
    assert removed_again is None
    assert not desk.watched
    assert await agent.store.monitors() == ()
    # A check of what is not there any more would end all others.
    keeping_time = asyncio.create_task(desk.schedule.run())
    await asyncio.sleep(0)
    assert desk.schedule.now("web") is None
    keeping_time.cancel()
