"""Events as resources: each is told once, the newest of a thing stays for whoever comes later."""

from datetime import timedelta

import pytest

from homelab_agent.platform.model import Model
from homelab_agent.platform.newest_events import KEPT_AFTER_END, MOST_ENDED, NewestEvents
from homelab_agent.platform.resources import Resources
from tests.clock import HandClock

KIND = "thing_event"


class Happened(Model):
    """What happened."""

    what: str
    number: int


@pytest.fixture
def events(resources: Resources, clock: HandClock) -> NewestEvents:
    return NewestEvents(resources, KIND, clock)


def tell(events: NewestEvents, clock: HandClock, key: str, what: str = "opened") -> None:
    events.tell(key, clock.now, lambda number: Happened(what=what, number=number))


def told(resources: Resources, key: str) -> Happened:
    found = resources.get(KIND, key)
    assert isinstance(found, Happened)
    return found


def test_two_events_alike_are_both_told(
    events: NewestEvents, resources: Resources, clock: HandClock
) -> None:
    tell(events, clock, "door")
    first = resources.seq
    tell(events, clock, "door")
    assert resources.seq == first + 1


def test_events_of_two_things_in_one_moment_are_both_there(
    events: NewestEvents, resources: Resources, clock: HandClock
) -> None:
    tell(events, clock, "door")
    tell(events, clock, "window")
    assert told(resources, "door").number < told(resources, "window").number


def test_numbers_grow_across_a_restart(resources: Resources, clock: HandClock) -> None:
    tell(NewestEvents(resources, KIND, clock), clock, "door")
    before = told(resources, "door").number
    clock.advance(seconds=1)
    tell(NewestEvents(resources, KIND, clock), clock, "door")
    assert told(resources, "door").number > before


def test_numbers_grow_while_the_clock_steps_back_an_hour(
    events: NewestEvents, resources: Resources, clock: HandClock
) -> None:
    tell(events, clock, "door")
    before = told(resources, "door").number
    clock.advance(hours=-1)
    tell(events, clock, "door", "closed")
    assert told(resources, "door").number > before


def test_what_is_gone_stays_for_whoever_was_away_for_a_moment(
    events: NewestEvents, resources: Resources, clock: HandClock
) -> None:
    tell(events, clock, "door", "removed")
    events.let_go("door")
    assert events.next_due() == clock.now + KEPT_AFTER_END
    clock.advance(seconds=30)
    events.remove_due(clock.now)
    assert told(resources, "door").what == "removed"
    clock.now += KEPT_AFTER_END
    events.remove_due(clock.now)
    assert resources.get(KIND, "door") is None
    assert events.next_due() is None


def test_what_comes_back_in_time_stays(
    events: NewestEvents, resources: Resources, clock: HandClock
) -> None:
    tell(events, clock, "door", "closed")
    events.let_go("door")
    tell(events, clock, "door", "opened")
    assert set(events.told()) == {"door"}
    events.remove_due(clock.now + KEPT_AFTER_END + timedelta(seconds=1))
    assert told(resources, "door").what == "opened"


def test_letting_go_of_what_was_never_told_does_nothing(
    events: NewestEvents, clock: HandClock
) -> None:
    events.let_go("nobody")
    assert events.next_due() is None
    events.remove_due(clock.now + KEPT_AFTER_END)


def test_a_host_where_things_come_and_go_does_not_fill_everyones_snapshot(
    events: NewestEvents, resources: Resources, clock: HandClock
) -> None:
    for number in range(MOST_ENDED * 2):
        tell(events, clock, f"run-{number}")
        events.let_go(f"run-{number}")
    assert len(resources.keys(KIND)) == MOST_ENDED
    assert resources.get(KIND, f"run-{MOST_ENDED * 2 - 1}") is not None
