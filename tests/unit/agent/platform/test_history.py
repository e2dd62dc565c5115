"""The history: what it keeps, how much at most, and what clocks and crashes do to it."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from homelab_agent.platform.errors import AgentError
from homelab_agent.platform.history.samples import History
from homelab_agent.platform.history.series import (
    DAY_S,
    HOUR_S,
    Plan,
    Point,
    Series,
    Tier,
    lowest,
    middle,
)
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.tables import sample
from tests.clock import HandClock, HandTime

FINE = Plan(
    tiers=(Tier(600, 2 * DAY_S), Tier(HOUR_S, 60 * DAY_S), Tier(DAY_S, 400 * DAY_S)),
    choose=lowest,
    forget_after_s=60 * DAY_S,
)
COARSE = Plan(tiers=(Tier(HOUR_S, 3 * DAY_S),), choose=middle, forget_after_s=DAY_S)
PLANS = {"fine": FINE, "coarse": COARSE}
FULL = "CREATE TRIGGER full BEFORE INSERT ON sample BEGIN SELECT RAISE(FAIL, 'full'); END"


@pytest.fixture
def time(clock: HandClock) -> HandTime:
    return HandTime(clock)


type Open = Callable[[], History]


@pytest.fixture
def begin(store: Store, time: HandTime) -> Open:
    """Return what makes the history of an agent that starts now."""
    return lambda: History(store, time.wall, PLANS, steady=time.steady, most_series=20)


@pytest.fixture
async def history(begin: Open) -> History:
    history = begin()
    await history.load()
    return history


async def rows(store: Store) -> int:
    async with store.read() as connection:
        return (await connection.scalar(select(func.count()).select_from(sample))) or 0


def test_two_years_of_looks_take_no_more_room_than_planned() -> None:
    series, at_s = Series(FINE), 0.0
    for step_s, days in ((DAY_S, 600), (6 * HOUR_S, 50), (HOUR_S, 15), (60.0, 3)):
        for _ in range(round(days * DAY_S / step_s)):
            at_s += step_s
            series.add(Point(at_s, 1.0))

    points = series.points()
    assert len(points) <= FINE.most_points
    assert at_s - points[0].at_s > 398 * DAY_S
    assert len([each for each in points if each.at_s > at_s - DAY_S]) == 24 * 6


def test_the_fullest_moment_of_an_hour_is_still_known_a_month_later() -> None:
    series = Series(FINE)
    for look in range(40 * 24 * 6):
        series.add(Point(look * 600.0, 3.0 if look == 100 else 50.0))

    assert min(series.points(), key=lambda each: each.value) == Point(100 * 600.0, 3.0)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.floats(0.01, 3 * DAY_S), st.floats(0, 1e13)), min_size=1, max_size=300)
)
def test_whatever_is_added_stays_in_order_bounded_and_as_it_was(
    looks: list[tuple[float, float]],
) -> None:
    series, at_s, added = Series(COARSE), 0.0, set()
    kept: set[Point] = set()
    for step_s, value in looks:
        at_s += step_s
        added.add(Point(at_s, value))
        closing = series.add(Point(at_s, value))
        kept |= set(closing.added)
        kept -= set(closing.removed)
        points = series.points()
        assert set(points) <= added
        assert kept == set(series.closed())
        assert len(points) <= COARSE.most_points
        assert all(earlier.at_s < later.at_s for earlier, later in pairwise(points))
        assert points[-1].at_s > at_s - HOUR_S


async def test_what_was_saved_is_there_after_a_restart(
    history: History, begin: Open, time: HandTime
) -> None:
    for look in range(20):
        history.record("fine", "/srv", float(look))
        time.pass_by(600)
    await history.save()
    closed = history.closed("fine", "/srv")
    time.pass_by(HOUR_S)

    again = begin()
    await again.load()

    assert again.points("fine", "/srv") == closed
    assert [point.value for point in closed] == [float(look) for look in range(19)]
    assert again.now_s() - closed[-1].at_s == pytest.approx(HOUR_S + 1200)


async def test_what_was_saved_equals_what_is_known_also_when_old_points_were_merged(
    history: History, begin: Open, time: HandTime, store: Store
) -> None:
    for look in range(12 * 24 * 4):
        history.record("fine", "/", 100.0 + look % 7)
        history.record("coarse", "web", look % 5)
        time.pass_by(900)
        if look % 50 == 0:
            await history.save()
    await history.save()

    again = begin()
    await again.load()
    assert again.points("fine", "/") == history.closed("fine", "/")
    assert again.points("coarse", "web") == history.closed("coarse", "web")
    assert await rows(store) == len(again.points("fine", "/")) + len(again.points("coarse", "web"))


@pytest.mark.parametrize("step_s", [-HOUR_S, DAY_S, -400 * DAY_S, 3650 * DAY_S])
async def test_setting_the_clock_moves_no_point(
    history: History, time: HandTime, step_s: float
) -> None:
    for look in range(30):
        history.record("fine", "/", float(look))
        time.pass_by(600)
        if look == 15:
            time.wall.advance(seconds=step_s)

    points = history.points("fine", "/")
    assert [point.value for point in points] == [float(look) for look in range(30)]
    assert {round(b.at_s - a.at_s) for a, b in pairwise(points)} == {600}
    # What is shown to people is the time that their clock shows now.
    age = time.wall() - history.wall(points[-1].at_s)
    assert age.total_seconds() == pytest.approx(600)


async def test_an_agent_that_starts_with_a_clock_that_is_behind_goes_on_where_it_was(
    history: History, begin: Open, time: HandTime
) -> None:
    for look in range(10):
        history.record("fine", "/", float(look))
        time.pass_by(600)
    await history.save()
    time.wall.advance(days=-9000)

    again = begin()
    await again.load()
    for look in range(10, 20):
        time.pass_by(600)
        again.record("fine", "/", float(look))

    points = again.points("fine", "/")
    assert [point.value for point in points] == [0, 1, 2, 3, 4, 5, 6, 7, 8, *range(10, 20)]
    assert all(later.at_s - earlier.at_s > 500 for earlier, later in pairwise(points))


async def test_the_time_that_a_machine_sleeps_counts(history: History, time: HandTime) -> None:
    history.record("fine", "/", 1.0)
    time.pass_by(HOUR_S)
    history.record("fine", "/", 2.0)

    first, second = history.points("fine", "/")
    assert second.at_s - first.at_s == pytest.approx(HOUR_S)


async def test_series_of_things_that_are_gone_are_removed(
    history: History, store: Store, time: HandTime
) -> None:
    for _ in range(5):
        history.record("coarse", "web", 1.0)
        history.record("coarse", "old", 1.0)
        time.pass_by(HOUR_S)
    await history.save()
    for _ in range(26):
        history.record("coarse", "web", 1.0)
        time.pass_by(HOUR_S)
    await history.save()

    assert history.things("coarse") == ("web",)
    assert await rows(store) == len(history.closed("coarse", "web"))


async def test_containers_with_ever_new_names_cannot_fill_the_store(
    history: History, store: Store, time: HandTime
) -> None:
    for build in range(200):
        history.record("coarse", f"build-{build}", 1.0)
        history.record("coarse", "web", 1.0)
        time.pass_by(HOUR_S)
        history.record("coarse", f"build-{build}", 2.0)
        await history.save()

    assert len(history.things("coarse")) <= 20
    assert await rows(store) <= 20 * COARSE.most_points
    assert history.closed("coarse", "web")


async def test_more_things_at_once_than_fit_leave_the_first_ones_as_they_are(
    history: History,
) -> None:
    for number in range(50):
        history.record("coarse", f"c{number}", 1.0)

    assert history.things("coarse") == tuple(f"c{number}" for number in range(20))


async def test_a_thing_that_begins_anew_has_no_past(
    history: History, begin: Open, time: HandTime
) -> None:
    for value in (1.0, 2.0, 3.0):
        history.record("fine", "/", value)
        time.pass_by(600)
    await history.save()
    history.forget("fine", "/")
    history.record("fine", "/", 9.0)
    time.pass_by(600)
    history.record("fine", "/", 10.0)
    await history.save()

    again = begin()
    await again.load()
    assert [point.value for point in again.points("fine", "/")] == [9.0]


async def test_nothing_is_lost_when_the_store_cannot_be_written_for_a_while(
    history: History, begin: Open, time: HandTime, store: Store
) -> None:
    async with store.write() as connection:
        await connection.execute(text(FULL))
    history.record("fine", "gone", 1.0)
    for look in range(10):
        history.record("fine", "/", float(look))
        time.pass_by(600)
        if look == 6:
            with pytest.raises(AgentError):
                await history.save()
            history.forget("fine", "gone")
    async with store.write() as connection:
        await connection.execute(text("DROP TRIGGER full"))
    await history.save()

    again = begin()
    await again.load()
    assert again.points("fine", "/") == history.closed("fine", "/")
    assert again.things("fine") == ("/",)


async def test_what_a_newer_agent_kept_is_removed_by_an_older_one(
    history: History, begin: Open, store: Store
) -> None:
    async with store.write() as connection:
        await connection.execute(
            text("INSERT INTO sample (series, at_ms, value) VALUES ('future:x', 1, 1.0)")
        )
    again = begin()
    await again.load()
    await again.save()
    assert await rows(store) == 0
    assert history.points("fine", "x") == []
