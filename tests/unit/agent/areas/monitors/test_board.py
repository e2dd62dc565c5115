"""What is published of monitors, and only as long as somebody wants it."""

import asyncio

from homelab_agent.areas.monitors.models import (
    MONITOR_EVENT_KIND,
    MONITOR_KIND,
    MONITOR_RESULT_KIND,
    MaintenanceBody,
    MonitorResult,
    MonitorState,
)
from homelab_agent.platform.store.database import Store
from tests.unit.agent.areas.monitors.one_agent import DOWN, UP, OneAgent, Times


async def test_single_results_are_published_only_while_somebody_follows_them(
    store: Store,
) -> None:
    agent = OneAgent(store, Times())
    watched = await agent.add()
    agent.take(watched, UP)
    assert agent.resources.get(MONITOR_RESULT_KIND, "web") is None

    with agent.resources.subscribe(kinds=(MONITOR_RESULT_KIND,)):
        following = asyncio.create_task(agent.board.follow_results(agent.desk.watched))
        await asyncio.sleep(0)
        # Whoever comes sees the last result at once, and each from then on.
        first = agent.resources.get(MONITOR_RESULT_KIND, "web")
        assert isinstance(first, MonitorResult)
        assert first.ok
        agent.take(watched, DOWN)
        second = agent.resources.get(MONITOR_RESULT_KIND, "web")
        assert isinstance(second, MonitorResult)
        assert (second.ok, second.code) == (False, "refused")
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def test_a_check_that_finds_the_same_again_publishes_nothing(store: Store) -> None:
    agent = OneAgent(store, Times())
    watched = await agent.add()
    agent.take(watched, UP)
    before = agent.resources.seq
    for _ in range(5):
        agent.times.pass_(60)
        agent.take(watched, UP)

    assert agent.resources.seq == before


async def test_a_monitor_that_is_removed_is_gone_but_its_last_event_stays_a_while(
    store: Store,
) -> None:
    agent = OneAgent(store, Times())
    watched = await agent.add(confirm_down=1)
    agent.take(watched, DOWN)
    await agent.desk.remove(watched)

    assert agent.resources.get(MONITOR_KIND, "web") is None
    assert agent.resources.get(MONITOR_EVENT_KIND, "web") is not None
    agent.times.pass_(600)
    agent.board.remove_due_events()
    assert agent.resources.get(MONITOR_EVENT_KIND, "web") is None


async def test_a_monitor_whose_container_is_gone_does_not_come_back_with_a_window(
    store: Store,
) -> None:
    agent = OneAgent(store, Times())
    watched = await agent.add()
    agent.desk.leave(watched, agent.times.wall())
    body = MaintenanceBody(name="Work", starts_at=agent.times.wall(), duration_s=600)
    await agent.book.add(body)
    assert agent.resources.get(MONITOR_KIND, "web") is None

    agent.desk.come_back(watched)

    assert agent.shown().state is MonitorState.MAINTENANCE
