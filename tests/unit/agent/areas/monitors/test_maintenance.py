"""Maintenance windows: at the same local time, whatever the clock change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from homelab_agent.areas.monitors.maintenance import Rule, next_change, open_at, window_of, zone_of
from homelab_agent.areas.monitors.models import MaintenanceBody, OccurrenceQuery, Repeat
from homelab_agent.platform.errors import Invalid, NotFound
from homelab_agent.platform.store.database import Store
from tests.unit.agent.areas.monitors.one_agent import OneAgent, Times

BERLIN = ZoneInfo("Europe/Berlin")


def rule(starts_at: datetime, repeat: Repeat = Repeat.NEVER, **changes: object) -> Rule:
    values = {"name": "Night", "starts_at": starts_at, "duration_s": 3600, "repeat": repeat}
    zone = {"time_zone": "Europe/Berlin"}
    return Rule("night", MaintenanceBody.model_validate(values | zone | changes))


def local_starts(window: Rule, since: datetime, days: int) -> list[str]:
    found = window.occurrences(since, since + timedelta(days=days))
    return [f"{each.starts_at.astimezone(BERLIN):%m-%d %H:%M%z}" for each in found]


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (
            datetime(2026, 3, 28, 12, tzinfo=BERLIN),
            ["03-29 04:00+0200", "03-30 04:00+0200"],
        ),
        (
            datetime(2026, 10, 24, 12, tzinfo=BERLIN),
            ["10-25 04:00+0100", "10-26 04:00+0100"],
        ),
    ],
)
def test_a_daily_window_keeps_its_local_time_over_a_clock_change(
    since: datetime, expected: list[str]
) -> None:
    window = rule(datetime(2026, 1, 5, 4, 0, tzinfo=BERLIN), Repeat.DAILY)

    assert local_starts(window, since, 2) == expected


def test_an_hour_that_does_not_exist_moves_the_window_and_does_not_lose_it() -> None:
    window = rule(datetime(2026, 3, 1, 2, 30, tzinfo=BERLIN), Repeat.DAILY)

    starts = local_starts(window, datetime(2026, 3, 28, 12, tzinfo=BERLIN), 2)

    assert starts == ["03-29 03:30+0200", "03-30 02:30+0200"]


def test_a_window_is_as_long_as_it_was_made_also_in_the_night_of_the_change() -> None:
    window = rule(datetime(2026, 3, 1, 1, 30, tzinfo=BERLIN), Repeat.DAILY, duration_s=7200)
    (night, *_) = window.occurrences(
        datetime(2026, 3, 29, 0, tzinfo=BERLIN), datetime(2026, 3, 29, 12, tzinfo=BERLIN)
    )

    assert night.ends_at - night.starts_at == timedelta(hours=2)
    assert f"{night.ends_at.astimezone(BERLIN):%H:%M}" == "04:30"


def test_a_weekly_window_comes_on_its_day_also_years_later() -> None:
    window = rule(datetime(2020, 1, 6, 22, 0, tzinfo=BERLIN), Repeat.WEEKLY)

    starts = local_starts(window, datetime(2026, 11, 20, tzinfo=BERLIN), 8)

    assert starts == ["11-23 22:00+0100"]


def test_a_window_is_open_from_its_first_moment_to_before_its_last() -> None:
    begin = datetime(2026, 6, 1, 12, tzinfo=UTC)
    windows = (rule(begin), rule(begin, duration_s=7200))

    assert window_of("web", open_at(windows, begin - timedelta(seconds=1))) is None
    now_open = window_of("web", open_at(windows, begin))
    assert now_open is not None
    assert now_open.ends_at == begin + timedelta(hours=2)
    assert window_of("web", open_at(windows, begin + timedelta(hours=2))) is None
    changes = next_change(windows, begin, timedelta(days=1))
    assert changes == begin + timedelta(hours=1)


def test_a_window_of_some_monitors_leaves_the_others_alone() -> None:
    begin = datetime(2026, 6, 1, 12, tzinfo=UTC)
    window = rule(begin, monitors=("web",))

    assert window_of("web", open_at((window,), begin)) is not None
    assert window_of("mail", open_at((window,), begin)) is None


def test_a_time_zone_that_does_not_exist_is_refused_in_words() -> None:
    for name in ("Europe/Atlantis", "../etc/passwd", ""):
        with pytest.raises(Invalid) as caught:
            zone_of(name)
        assert caught.value.field == "time_zone"


async def test_windows_survive_a_restart_and_old_ones_are_refused_nonsense(store: Store) -> None:
    agent = OneAgent(store, Times())
    starts_at = agent.times.wall() + timedelta(hours=1)
    window = await agent.book.add(
        MaintenanceBody(name="Séance du soir", starts_at=starts_at, duration_s=600)
    )
    assert window.key == "seance-du-soir"
    assert (window.active, window.next_from) == (False, starts_at)

    again = OneAgent(store, agent.times)
    await again.load()
    assert again.book.list().windows == (window,)
    query = OccurrenceQuery(since=starts_at, until=starts_at + timedelta(days=1))
    (once,) = again.book.occurrences(query).occurrences
    assert once.ends_at == starts_at + timedelta(seconds=600)

    with pytest.raises(Invalid, match="no monitor mail"):
        await again.book.add(
            MaintenanceBody(name="x", starts_at=starts_at, duration_s=600, monitors=("mail",))
        )
    with pytest.raises(Invalid, match="no time zone"):
        await again.book.add(
            MaintenanceBody(name="x", starts_at=starts_at.replace(tzinfo=None), duration_s=600)
        )
    with pytest.raises(Invalid):
        again.book.occurrences(OccurrenceQuery(since=starts_at, until=starts_at))
    await again.book.remove(window.key)
    with pytest.raises(NotFound):
        await again.book.remove(window.key)


@pytest.mark.parametrize("repeat", Repeat)
@pytest.mark.parametrize("text", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"])
async def test_a_window_at_the_ends_of_the_calendar_is_refused_and_never_ends_the_agent(
    store: Store, text: str, repeat: Repeat
) -> None:
    agent = OneAgent(store, Times())
    moment = datetime.fromisoformat(text)
    body = MaintenanceBody(name="x", starts_at=moment, duration_s=7 * 86400, repeat=repeat)
    with pytest.raises(Invalid) as refused:
        await agent.book.add(body)
    assert refused.value.field == "starts_at"
    for since, until in ((moment, agent.times.wall()), (agent.times.wall(), moment)):
        with pytest.raises(Invalid):
            agent.book.occurrences(OccurrenceQuery(since=since, until=until))

    again = OneAgent(store, agent.times)
    await again.load()
    assert again.book.list().windows == ()
