"""Monitors and what they measured, on both databases."""

from datetime import timedelta

from homelab_agent.areas.monitors.models import MaintenanceBody, MonitorState
from homelab_agent.areas.monitors.windows import Window
from homelab_agent.platform.store.database import Store
from tests.unit.agent.areas.monitors.one_agent import DOWN, UP, OneAgent, Times


async def test_a_restart_finds_monitors_their_past_and_windows(store: Store) -> None:
    times = Times()
    agent = OneAgent(store, times)
    watched = await agent.add(interval_s=60, confirm_down=1)
    for outcome in (UP, UP, DOWN, DOWN):
        agent.take(watched, outcome)
        times.pass_(60)
        # In several batches: what is written is added to what is there.
        await agent.history.write()
    await agent.book.add(
        MaintenanceBody(name="Later", starts_at=times.wall() + timedelta(hours=1), duration_s=600)
    )

    again = OneAgent(store, times)
    await again.load()
    await again.history.move(again.timeline.now().wall_ms)

    assert again.shown().state is MonitorState.DOWN
    assert [each.name for each in again.book.list().windows] == ["Later"]
    tallies = again.history.tallies(watched.id)
    assert tallies is not None
    measured = {(each.up_ms, each.down_ms, each.checks, each.errors) for each in tallies.values()}
    assert measured == {(120_000, 60_000, 4, 2)}
    since_ms = times.wall_ms - 10**7
    assert len(await again.history.checks(watched.id, since_ms, times.wall_ms + 1, 10)) == 4

    # An hour later all of it has left the shortest window.
    times.pass_(3900)
    await again.history.move(again.timeline.now().wall_ms)
    tallies = again.history.tallies(watched.id)
    assert tallies is not None
    assert tallies[Window.HOUR].checks == 0
    assert tallies[Window.DAY].checks == 4


async def test_what_is_old_and_what_is_forgotten_is_removed(store: Store) -> None:
    agent = OneAgent(store, Times())
    watched = await agent.add(interval_s=60)
    for _ in range(90):
        agent.take(watched, UP)
        agent.times.pass_(60)
    await agent.history.write()
    now_ms = agent.times.wall_ms
    await agent.past.prune(now_ms + 500 * 86_400_000)
    assert await agent.history.checks(watched.id, 0, now_ms + 1, 10) == ()

    await agent.desk.remove(watched)
    await agent.history.write()

    again = OneAgent(store, agent.times)
    await again.load()
    assert again.desk.watched == {}
