"""What was measured stays, also where the store or the clock does not."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from homelab_agent.areas.monitors.history import History
from homelab_agent.areas.monitors.history_store import HistoryStore
from homelab_agent.areas.monitors.models import HistoryQuery
from homelab_agent.areas.monitors.past import past_of
from homelab_agent.areas.monitors.tally import DAY_S, HOUR_S, MINUTE_S
from homelab_agent.areas.monitors.windows import Window
from homelab_agent.platform.errors import Invalid, Unavailable
from homelab_agent.platform.store.database import Store

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOON_MS = round(NOON.timestamp() * 1000)


@pytest.fixture
def past(store: Store) -> HistoryStore:
    return HistoryStore(store, keep_checks_h=24)


def measure(history: History, monitor_id: int, minutes: int, *, since_ms: int = NOON_MS) -> None:
    for minute in range(minutes):
        at_ms = since_ms + minute * 60_000
        history.count(monitor_id, at_ms, ok=True, response_ms=10, code=None)
        history.spend(monitor_id, at_ms, 60_000, up=True)


async def test_what_could_not_be_written_is_written_when_the_store_is_back(
    past: HistoryStore, store: Store, tmp_path: Path
) -> None:
    history = History(past)
    await history.load(NOON_MS)
    measure(history, 1, 3)
    file = tmp_path / "homelab.db"
    # The whole disk goes: nothing can be opened any more.
    await store._engine.dispose()
    away = file.rename(tmp_path / "away.db")
    file.mkdir()
    with pytest.raises(Unavailable):
        await history.write()
    measure(history, 1, 2, since_ms=NOON_MS + 180_000)
    file.rmdir()
    away.rename(file)

    await history.write()

    anew = History(past)
    await anew.load(NOON_MS + 300_000)
    for known in (history, anew):
        tallies = known.tallies(1)
        assert tallies is not None
        assert all((each.up_ms, each.checks) == (300_000, 5) for each in tallies.values())
    assert len(await history.checks(1, NOON_MS, NOON_MS + 10**9, 100)) == 5


async def test_the_past_comes_in_pieces_as_fine_as_is_still_known(past: HistoryStore) -> None:
    history = History(past)
    measure(history, 1, 90)
    measure(history, 2, 90)
    await history.write()
    measure(history, 1, 1, since_ms=NOON_MS + 90 * 60_000)
    now = NOON + timedelta(minutes=91)

    async def lengths(since: datetime, limit: int) -> list[tuple[float, float]]:
        query = HistoryQuery(since=since, limit=limit)
        found = await past_of(history, 1, query, now)
        return [(each.length_s, each.span.up_s) for each in found.buckets]

    assert await lengths(NOON, 500) == [(MINUTE_S, 60)] * 91
    assert await lengths(NOON, 50) == [(HOUR_S, 3600), (HOUR_S, 1860)]
    assert await lengths(NOON - timedelta(days=30), 5000) == [(HOUR_S, 3600), (HOUR_S, 1860)]
    assert await lengths(NOON - timedelta(days=300), 5000) == [(DAY_S, 5460)]
    with pytest.raises(Invalid):
        await lengths(now + timedelta(days=1), 500)
    with pytest.raises(Invalid, match="no time zone"):
        await lengths(NOON.replace(tzinfo=None), 500)


async def test_what_is_old_goes_and_the_reports_of_the_rest_stay(past: HistoryStore) -> None:
    history = History(past)
    measure(history, 1, 120)
    await history.write()
    later_ms = NOON_MS + 10 * DAY_S * 1000

    await past.prune(later_ms)

    minutes = range(NOON_MS // 1000, NOON_MS // 1000 + 7200, MINUTE_S)
    assert await history.buckets(1, MINUTE_S, minutes) == {}
    assert await history.checks(1, 0, later_ms, 100) == ()
    await history.load(later_ms)
    tallies = history.tallies(1)
    assert tallies is not None
    assert tallies[Window.MONTH].up_ms == 7_200_000
    assert tallies[Window.WEEK].up_ms == 0


async def test_a_monitor_that_is_forgotten_leaves_nothing_behind(past: HistoryStore) -> None:
    history = History(past)
    await history.load(NOON_MS)
    measure(history, 1, 5)
    measure(history, 2, 5)
    await history.write()
    measure(history, 1, 5, since_ms=NOON_MS + 300_000)

    history.forget(1)
    await history.write()

    anew = History(past)
    await anew.load(NOON_MS)
    gone, there = anew.tallies(1), anew.tallies(2)
    assert gone is not None
    assert there is not None
    assert gone[Window.YEAR].checks == 0
    assert there[Window.YEAR].checks == 5
