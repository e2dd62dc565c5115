from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from homelab_agent.areas.activity.models import ActivityQuery
from homelab_agent.areas.activity.routes import ActivityRoutes
from homelab_agent.areas.activity.service import ActivityService
from homelab_agent.platform.audit import Audit
from homelab_agent.platform.commands import Outcome
from homelab_agent.platform.store.database import Store
from tests.clock import HandClock


@pytest.fixture
def routes(store: Store) -> ActivityRoutes:
    return ActivityRoutes(ActivityService(store))


async def ids(routes: ActivityRoutes, **query: object) -> list[int]:
    page = await routes.list(ActivityQuery.model_validate(query))
    return [entry.id for entry in page.entries]


async def test_what_happened_last_is_read_first(routes: ActivityRoutes, audit: Audit) -> None:
    await audit.record(caller="ann", action="containers.stop", target="web", outcome=Outcome.DONE)
    await audit.record(
        caller="ben", action="containers.kill", outcome=Outcome.REFUSED, code="denied", message="No"
    )
    newest, oldest = (await routes.list(ActivityQuery())).entries
    assert (newest.caller, newest.outcome, newest.code) == ("ben", Outcome.REFUSED, "denied")
    assert (newest.message, newest.target, newest.job_id) == ("No", None, None)
    assert (oldest.caller, oldest.target) == ("ann", "web")
    assert newest.at == datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


async def test_every_page_follows_the_one_before(routes: ActivityRoutes, audit: Audit) -> None:
    for number in range(7):
        await audit.record(caller="ann", action=f"try.{number}")
    first = await routes.list(ActivityQuery(limit=3))
    # What happens meanwhile moves nothing.
    await audit.record(caller="ann", action="later")
    second = await routes.list(ActivityQuery(limit=3, before=first.next_before))
    third = await routes.list(ActivityQuery(limit=3, before=second.next_before))
    actions = [entry.action for page in (first, second, third) for entry in page.entries]
    assert actions == [f"try.{number}" for number in reversed(range(7))]
    assert third.next_before is None
    exactly = await routes.list(ActivityQuery(limit=8))
    assert (len(exactly.entries), exactly.next_before) == (8, None)


async def test_a_person_finds_what_they_look_for(routes: ActivityRoutes, audit: Audit) -> None:
    await audit.record(caller="Ann", action="containers.stop", target="web", message="It stopped")
    await audit.record(caller="ben", action="login", outcome=Outcome.REFUSED)
    await audit.record(caller="ben", action="containers.start", target="100%_db")
    assert await ids(routes, text="ANN") == [1]
    assert await ids(routes, text="stop") == [1]
    assert await ids(routes, text="login") == [2]
    assert await ids(routes, text="web") == [1]
    assert await ids(routes, text="%") == [3]
    assert await ids(routes, text="0%_d") == [3]
    assert await ids(routes, text="_") == [3]
    assert await ids(routes, text="nothing") == []
    assert await ids(routes, caller="ben") == [3, 2]
    assert await ids(routes, caller="ben", action="login") == [2]
    assert await ids(routes, target="web") == [1]
    assert await ids(routes, outcome=Outcome.REFUSED) == [2]


async def test_a_time_bounds_what_is_read(
    routes: ActivityRoutes, audit: Audit, clock: HandClock
) -> None:
    for _ in range(3):
        await audit.record(caller="ann", action="try")
        clock.advance(hours=1)
    second = datetime(2026, 3, 1, 13, tzinfo=UTC)
    assert await ids(routes, since=second) == [3, 2]
    assert await ids(routes, until=second) == [1]
    assert await ids(routes, since=datetime.fromisoformat("2026-03-01T14:00:00+01:00")) == [3, 2]


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 501},
        {"before": 0},
        {"before": 2**63},
        {"text": ""},
        {"since": "2026-03-01T12:00:00"},
        {"since": "0001-01-01T00:00:00+14:00"},
        {"until": "9999-12-31T23:59:59-14:00"},
        {"outcome": "splendid"},
    ],
)
def test_what_cannot_be_asked_is_refused_before_the_store_sees_it(query: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ActivityQuery.model_validate(query)
