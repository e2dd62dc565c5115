"""When a service counts as down, and what is told of it."""

from homelab_agent.areas.monitors.models import MaintenanceBody, MonitorEventType, MonitorState
from homelab_agent.platform.store.database import Store
from tests.unit.agent.areas.monitors.one_agent import DOWN, UNKNOWN, UP, OneAgent, Times


async def test_one_failed_check_is_not_told_and_the_second_counts_from_the_first(
    store: Store,
) -> None:
    agent = OneAgent(store, Times())
    watched = await agent.add(interval_s=60, confirm_down=2)
    agent.take(watched, UP)
    agent.times.pass_(60)
    first_failed = agent.times.wall()
    agent.take(watched, DOWN)
    assert agent.shown().state is MonitorState.FAILING
    assert agent.told() is None

    agent.times.pass_(60)
    agent.take(watched, DOWN)

    assert agent.shown().state is MonitorState.DOWN
    assert agent.shown().since == first_failed
    told = agent.told()
    assert told is not None
    assert (told.type, told.at, told.code) == (MonitorEventType.DOWN, first_failed, "refused")
    assert told.reason == "Connection refused"


async def test_a_service_that_is_up_again_is_told_with_how_long_it_was_down(store: Store) -> None:
    agent = OneAgent(store, Times())
    watched = await agent.add(interval_s=60, confirm_down=1)
    agent.take(watched, DOWN)
    agent.times.pass_(30)
    # Somebody sets the clock meanwhile: for how long it was down does not change by that.
    agent.times.set_wall(-3600)
    agent.times.pass_(30)
    agent.take(watched, UP)

    told = agent.told()
    assert told is not None
    assert (told.type, told.duration_s) == (MonitorEventType.UP, 60)
    assert agent.shown().reason is None


async def test_what_flickers_but_is_never_confirmed_is_never_told(store: Store) -> None:
    agent = OneAgent(store, Times())
    watched = await agent.add(interval_s=60, confirm_down=2)
    for outcome in (UP, DOWN, UP, DOWN, UP):
        agent.take(watched, outcome)
        agent.times.pass_(60)

    assert agent.told() is None
    assert agent.shown().state is MonitorState.UP


async def test_an_outage_that_was_told_is_not_told_again_after_a_restart_but_its_end_is(
    store: Store,
) -> None:
    times = Times()
    agent = OneAgent(store, times)
    watched = await agent.add(interval_s=60, confirm_down=1)
    agent.take(watched, DOWN)
    began = times.wall()
    await agent.history.write()
    times.pass_(3600)

    again = OneAgent(store, times)
    await again.load()
    watched = again.desk.watched["web"]
    assert again.shown().state is MonitorState.DOWN
    assert again.shown().since == began
    again.take(watched, DOWN)
    assert again.told() is None

    times.pass_(60)
    again.take(watched, UP)

    told = again.told()
    assert told is not None
    assert (told.type, told.duration_s) == (MonitorEventType.UP, 3660)


async def test_a_machine_that_slept_for_an_hour_finds_no_outage(store: Store) -> None:
    agent = OneAgent(store, Times())
    watched = await agent.add(interval_s=60, confirm_down=2)
    agent.take(watched, UP)
    agent.times.pass_(60)
    agent.take(watched, DOWN)

    # A check that was under way when the machine fell asleep tells nothing.
    began = agent.timeline.now()
    agent.times.sleep(3600)
    assert not agent.intake.take(watched, DOWN, began, agent.timeline.now())
    agent.times.pass_(60)
    # The network is not there yet: the first failure of its own.
    agent.take(watched, DOWN)

    assert agent.told() is None
    agent.times.pass_(60)
    agent.take(watched, UP)
    assert agent.shown().state is MonitorState.UP


async def test_the_hour_that_the_machine_slept_is_a_gap_and_not_downtime(store: Store) -> None:
    agent = OneAgent(store, Times())
    watched = await agent.add(interval_s=60)
    await agent.history.load(agent.timeline.now().wall_ms)
    agent.take(watched, UP)
    agent.times.pass_(60)
    agent.take(watched, UP)
    agent.times.sleep(3600)
    agent.times.pass_(20)
    agent.take(watched, UP)
    agent.times.pass_(60)
    agent.take(watched, UP)

    tallies = agent.history.tallies(watched.id)
    assert tallies is not None
    assert all((each.up_ms, each.down_ms) == (120_000, 0) for each in tallies.values())


async def test_a_failure_of_a_loop_that_stood_still_is_nobodys(store: Store) -> None:
    agent = OneAgent(store, Times())
    watched = await agent.add(interval_s=60, timeout_s=5, retries=0, confirm_down=1)
    agent.take(watched, UP)
    began = agent.timeline.now()
    agent.times.pass_(40)

    assert not agent.intake.take(watched, DOWN, began, agent.timeline.now())

    assert agent.told() is None
    assert agent.shown().state is MonitorState.UP


async def test_what_cannot_be_checked_is_unknown_and_an_outage_stays_told_once(
    store: Store,
) -> None:
    agent = OneAgent(store, Times())
    watched = await agent.add(interval_s=60, confirm_down=1)
    agent.take(watched, DOWN)
    first = agent.told()
    for outcome in (UNKNOWN, DOWN):
        agent.times.pass_(60)
        agent.take(watched, outcome)

    assert agent.told() == first
    assert agent.shown().state is MonitorState.DOWN

    agent.times.pass_(60)
    agent.take(watched, UNKNOWN)
    assert agent.shown().state is MonitorState.UNKNOWN
    assert agent.shown().reason == "Docker is away"


async def test_an_outage_within_a_window_is_told_when_it_outlasts_the_window(store: Store) -> None:
    agent = OneAgent(store, Times())
    watched = await agent.add(interval_s=60, confirm_down=1)
    await agent.history.load(agent.timeline.now().wall_ms)
    agent.take(watched, UP)
    body = MaintenanceBody(name="Work", starts_at=agent.times.wall(), duration_s=600)
    await agent.book.add(body)
    assert agent.shown().state is MonitorState.MAINTENANCE
    began = agent.times.wall()
    for _ in range(9):
        agent.take(watched, DOWN)
        agent.times.pass_(60)
    assert agent.told() is None

    agent.times.pass_(60)
    agent.book.settle(watched)

    told = agent.told()
    assert told is not None
    assert (told.type, told.at) == (MonitorEventType.DOWN, began)
    assert agent.shown().state is MonitorState.DOWN
    tallies = agent.history.tallies(watched.id)
    assert tallies is not None
    assert all((each.down_ms, each.checks) == (0, 1) for each in tallies.values())


async def test_an_outage_that_a_window_covers_is_never_told(store: Store) -> None:
    agent = OneAgent(store, Times())
    watched = await agent.add(interval_s=60, confirm_down=1)
    window = await agent.book.add(
        MaintenanceBody(name="Work", starts_at=agent.times.wall(), duration_s=600)
    )
    for outcome in (DOWN, DOWN, UP):
        agent.take(watched, outcome)
        agent.times.pass_(60)
    await agent.book.remove(window.key)

    assert agent.told() is None
    assert agent.shown().state is MonitorState.UP


async def test_a_pause_forgets_the_outage_and_resuming_begins_anew(store: Store) -> None:
    agent = OneAgent(store, Times())
    watched = await agent.add(interval_s=60, confirm_down=1)
    agent.take(watched, DOWN)
    agent.desk.pause(watched)
    assert agent.shown().state is MonitorState.PAUSED

    await agent.history.write()
    again = OneAgent(store, agent.times)
    await again.load()
    assert again.shown().state is MonitorState.PAUSED

    again.desk.resume(again.desk.watched["web"])
    assert again.shown().state is MonitorState.PENDING
    again.take(again.desk.watched["web"], UP)
    assert again.told() is None
