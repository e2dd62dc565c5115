"""What is told of a container is what happened to it: each thing once, and by its right name."""

from datetime import datetime, timedelta

import pytest

from homelab_agent.areas.containers.chronicle import Chronicle
from homelab_agent.areas.containers.event_resources import EventResources
from homelab_agent.areas.containers.inventory import Inventory
from homelab_agent.areas.containers.models import (
    CONTAINER_EVENT_KIND,
    CONTAINER_KIND,
    Container,
    ContainerEvent,
)
from homelab_agent.areas.containers.protection import Protection
from homelab_agent.platform.engine.models import (
    ContainerHealth,
    ContainerState,
    EngineContainer,
    EngineEvent,
    EventAction,
)
from homelab_agent.platform.newest_events import MOST_ENDED
from homelab_agent.platform.resources import Resources
from tests.clock import HandClock

WEB, OTHER = "a" * 64, "b" * 64
COMPOSE = {
    "com.docker.compose.project": "shop",
    "com.docker.compose.service": "web",
    "com.docker.compose.container-number": "1",
}
TERM, KILL, HUP = 15, 9, 1


class Home:
    """An engine's containers as events and lists tell of them, and what is told to others."""

    def __init__(self, *, policy: str = "no", known: bool = True, **facts: object) -> None:
        self.clock = HandClock()
        self.resources = Resources()
        self.inventory = Inventory(self.resources, Protection(own_id=None, listed=()))
        self.chronicle = Chronicle(
            EventResources(self.resources, self.clock), self.inventory, self.clock
        )
        self.policy = policy
        self.seen = 0
        self.list(*([self.row(**facts)] if known else []))

    def row(self, container_id: str = WEB, **facts: object) -> EngineContainer:
        begun = self.clock.now - timedelta(hours=1)
        return EngineContainer.model_validate(
            {
                "id": container_id,
                "name": "web",
                "image": "x",
                "image_id": "y",
                "state": ContainerState.RUNNING,
                "restart_policy": self.policy,
                "created_at": begun,
                "started_at": begun,
                **facts,
            }
        )

    def list(self, *rows: EngineContainer) -> None:
        """Let the engine list what it has."""
        self.inventory.begin_resync()
        self.chronicle.compare(self.inventory.end_resync(rows))

    def tell(
        self, action: EventAction, container_id: str = WEB, *, after_s: float = 0.1, **facts: object
    ) -> None:
        """Let the engine tell of an event a moment later."""
        self.clock.advance(seconds=after_s)
        event = EngineEvent.model_validate(
            {
                "action": action,
                "container_id": container_id,
                "name": "web",
                "at": self.clock.now,
                "time_ns": int(self.clock.now.timestamp() * 10**9),
                **facts,
            }
        )
        before = self.inventory.row(container_id)
        self.inventory.apply(event)
        self.chronicle.follow(event, before)

    def die(self, exit_code: int = 1, **when: float) -> None:
        self.tell(EventAction.DIE, exit_code=exit_code, **when)

    def wait(self, **time: float) -> None:
        self.clock.advance(**time)
        self.chronicle.settle()

    @property
    def events(self) -> list[ContainerEvent]:
        """What was told since the last look, in its order."""
        with self.resources.subscribe(resume=(self.resources.epoch, self.seen)) as subscription:
            changes = subscription.start
        assert isinstance(changes, tuple)
        self.seen = self.resources.seq
        return [each.data for each in changes if isinstance(each.data, ContainerEvent)]

    @property
    def told(self) -> list[str]:
        return [event.type.value for event in self.events]

    @property
    def web(self) -> Container:
        found = self.resources.get(CONTAINER_KIND, "web")
        assert isinstance(found, Container)
        return found


def test_what_is_there_when_the_agent_starts_is_no_news() -> None:
    home = Home(state=ContainerState.EXITED, finished_at=datetime.now().astimezone())

    assert home.told == []


def test_a_container_that_fails_died_and_one_that_is_ready_finished() -> None:
    home = Home()

    home.die(3)
    home.tell(EventAction.START, after_s=60)
    home.die(0)

    died, started, finished = home.events
    assert (died.type, died.exit_code, died.key, died.name) == ("died", 3, "web", "web")
    assert (started.type, started.exit_code) == ("started", None)
    assert (finished.type, finished.exit_code) == ("finished", 0)
    assert died.number < started.number < finished.number
    assert died.at < started.at < finished.at


@pytest.mark.parametrize("order", [(EventAction.STOP, EventAction.DIE), (EventAction.DIE,)])
def test_a_stop_that_was_asked_for_is_no_death_whatever_the_exit_code(
    order: tuple[EventAction, ...],
) -> None:
    home = Home()

    home.tell(EventAction.KILL, signal=TERM)
    home.tell(EventAction.KILL, signal=KILL, after_s=10)
    for action in order:
        home.tell(action, **({"exit_code": 137} if action is EventAction.DIE else {}))
    home.wait(seconds=3)

    (stopped,) = home.events
    assert (stopped.type, stopped.exit_code) == ("stopped", 137)
    assert stopped.at == home.clock.now - timedelta(seconds=3)


def test_a_signal_that_only_tells_something_does_not_excuse_a_later_death() -> None:
    home = Home()

    home.tell(EventAction.KILL, signal=HUP)
    home.die(1, after_s=3600)

    assert home.told == ["died"]


def test_a_stop_asked_for_in_an_earlier_run_does_not_excuse_a_later_death() -> None:
    home = Home()
    home.tell(EventAction.KILL, signal=TERM)
    home.die(0)
    home.tell(EventAction.STOP)
    home.wait(seconds=30)
    home.tell(EventAction.START)

    home.die(1)

    assert home.told == ["stopped", "started", "died"]


def test_a_restart_that_was_asked_for_is_told_as_one_thing() -> None:
    home = Home()

    home.tell(EventAction.KILL, signal=TERM)
    home.tell(EventAction.STOP)
    home.die(143)
    home.tell(EventAction.START)
    home.tell(EventAction.RESTART)
    home.wait(seconds=3)

    assert home.told == ["restarted"]


def test_a_restart_by_policy_follows_the_death_however_long_docker_waits_before_it() -> None:
    home = Home(policy="always")

    home.die(1)
    home.tell(EventAction.START, after_s=60)
    home.die(0)
    home.tell(EventAction.START)

    assert home.told == ["died", "restarted", "finished", "restarted"]


def test_a_service_that_a_person_stops_and_starts_a_minute_later_was_not_restarted() -> None:
    home = Home(policy="always")

    home.tell(EventAction.KILL, signal=TERM)
    home.die(0)
    home.wait(seconds=60)
    home.tell(EventAction.START)

    assert home.told == ["stopped", "started"]


def test_a_container_that_a_person_starts_after_its_death_was_started() -> None:
    home = Home()

    home.die(1)
    home.tell(EventAction.START, after_s=60)

    assert home.told == ["died", "started"]


def test_running_out_of_memory_is_told_and_the_death_that_follows_too() -> None:
    home = Home()

    home.tell(EventAction.OOM)
    home.die(137)

    assert home.told == ["out_of_memory", "died"]


def test_a_container_that_loses_many_processes_to_its_limit_says_so_once() -> None:
    home = Home()

    for _ in range(50):
        home.tell(EventAction.OOM, after_s=0.01)
    home.tell(EventAction.OOM, after_s=60)

    assert home.told == ["out_of_memory", "out_of_memory"]


def test_health_is_told_only_when_it_changes() -> None:
    home = Home(health=ContainerHealth.HEALTHY, has_health_check=True)

    for verdict in ("healthy", "unhealthy", "unhealthy", "healthy", "starting"):
        home.tell(EventAction.HEALTH_STATUS, health=verdict)

    assert home.told == ["unhealthy", "healthy"]


def test_a_pause_and_its_end_are_told() -> None:
    home = Home()

    home.tell(EventAction.PAUSE)
    home.tell(EventAction.UNPAUSE)

    assert home.told == ["paused", "unpaused"]


def test_a_container_that_comes_and_goes_is_told_from_its_first_to_its_last() -> None:
    home = Home(known=False)

    home.tell(EventAction.CREATE)
    home.tell(EventAction.START)
    home.die(0)
    home.tell(EventAction.DESTROY)

    assert home.told == ["created", "started", "finished", "removed"]


def test_a_running_container_that_is_removed_was_stopped_first() -> None:
    home = Home()

    home.tell(EventAction.KILL, signal=KILL)
    home.die(137)
    home.tell(EventAction.DESTROY)

    assert home.told == ["stopped", "removed"]


def test_a_recreate_by_compose_removes_nothing() -> None:
    home = Home(labels=COMPOSE)

    home.tell(EventAction.CREATE, OTHER, name="0123_web", labels=COMPOSE)
    home.inventory.put(home.row(OTHER, name="0123_web", labels=COMPOSE))
    home.tell(EventAction.KILL, signal=TERM)
    home.die(0)
    home.tell(EventAction.DESTROY)
    home.tell(EventAction.RENAME, OTHER, labels=COMPOSE)
    home.tell(EventAction.START, OTHER, labels=COMPOSE)

    events = home.events
    assert [event.type for event in events] == ["created", "stopped", "started"]
    assert {event.key for event in events} == {"shop:web:1"}


def test_what_is_told_of_a_removed_container_does_not_stay_for_ever() -> None:
    home = Home()
    home.tell(EventAction.DESTROY)
    assert home.resources.keys(CONTAINER_EVENT_KIND) == ("web",)

    home.wait(seconds=60)
    assert home.resources.keys(CONTAINER_EVENT_KIND) == ("web",)
    home.wait(seconds=61)

    assert home.resources.keys(CONTAINER_EVENT_KIND) == ()


def test_a_container_that_comes_back_under_its_name_keeps_what_is_told_of_it() -> None:
    home = Home()
    home.tell(EventAction.DESTROY)
    home.tell(EventAction.CREATE, OTHER, after_s=60)
    home.inventory.put(home.row(OTHER))

    home.wait(seconds=120)

    assert home.resources.keys(CONTAINER_EVENT_KIND) == ("web",)


def test_a_renamed_container_leaves_nothing_behind_under_its_old_name() -> None:
    home = Home()
    home.tell(EventAction.PAUSE)

    home.tell(EventAction.RENAME, name="shop")
    home.tell(EventAction.UNPAUSE, name="shop")
    home.wait(seconds=121)

    assert home.resources.keys(CONTAINER_EVENT_KIND) == ("shop",)


def test_a_host_that_makes_and_removes_containers_all_the_time_does_not_fill_the_snapshot() -> None:
    home = Home(known=False)

    for number in range(MOST_ENDED + 50):
        container_id = f"{number:064x}"
        home.tell(EventAction.CREATE, container_id, name=f"job-{number}", after_s=0.01)
        home.tell(EventAction.DESTROY, container_id, name=f"job-{number}", after_s=0.01)

    assert len(home.resources.keys(CONTAINER_EVENT_KIND)) == MOST_ENDED


def test_two_alike_have_numbers_of_their_own_and_one_after_a_restart_has_a_higher_one() -> None:
    home = Home()
    home.tell(EventAction.OOM)
    home.die(1, after_s=0)
    first, second = home.events
    assert first.number < second.number

    again = Home()
    again.clock.now = home.clock.now
    again.tell(EventAction.OOM)

    assert again.events[0].number > second.number


class TestWhatNoEventToldOf:
    def test_a_death_is_found(self) -> None:
        home = Home()
        home.list(
            home.row(state=ContainerState.EXITED, exit_code=3, finished_at=home.clock.now),
        )

        (event,) = home.events
        assert (event.type, event.exit_code, event.at) == ("died", 3, home.clock.now)

    def test_an_end_by_a_signal_from_outside_was_a_stop(self) -> None:
        home = Home()
        home.list(home.row(state=ContainerState.EXITED, exit_code=143, finished_at=home.clock.now))
        home.wait(seconds=3)

        assert home.told == ["stopped"]

    def test_an_end_for_want_of_memory_is_called_that(self) -> None:
        home = Home()
        home.list(
            home.row(
                state=ContainerState.EXITED,
                exit_code=137,
                oom_killed=True,
                finished_at=home.clock.now,
            )
        )

        assert home.told == ["out_of_memory", "died"]

    def test_a_restart_is_found_by_its_start_time(self) -> None:
        home = Home()
        home.list(home.row(started_at=home.clock.now))

        assert home.told == ["restarted"]

    def test_a_new_container_and_a_gone_one_are_found(self) -> None:
        home = Home()
        home.list(home.row(OTHER, name="shop", created_at=home.clock.now, started_at=None))

        assert {(event.type.value, event.key) for event in home.events} == {
            ("created", "shop"),
            ("removed", "web"),
        }

    def test_a_change_of_health_and_a_pause_are_found(self) -> None:
        home = Home()
        home.list(home.row(state=ContainerState.PAUSED, health=ContainerHealth.UNHEALTHY))

        assert home.told == ["paused", "unhealthy"]

    def test_the_event_of_what_was_found_is_not_told_again(self) -> None:
        home = Home()
        died_at = home.clock.now
        home.list(home.row(state=ContainerState.EXITED, exit_code=3, finished_at=died_at))
        home.die(3)
        home.tell(EventAction.START, after_s=60)
        assert home.told == ["died", "started"]

        home.list(home.row(started_at=home.clock.now - timedelta(milliseconds=5)))

        assert home.told == []

    def test_the_events_of_a_whole_restart_that_was_found_are_not_told_again(self) -> None:
        home = Home(policy="always")
        began = home.clock.now
        home.list(home.row(started_at=began + timedelta(seconds=1), restart_count=1))

        home.die(1, after_s=0.5)
        home.tell(EventAction.START, after_s=0.6)

        assert home.told == ["restarted"]

    def test_a_list_that_shows_nothing_new_tells_nothing(self) -> None:
        home = Home()
        home.tell(EventAction.PAUSE)
        home.tell(EventAction.UNPAUSE)
        assert home.told

        home.list(home.row())

        assert home.told == []


class TestRestartLoops:
    def test_three_deaths_in_ten_minutes_are_a_loop_and_ten_calm_minutes_end_it(self) -> None:
        home = Home(policy="always")
        for _ in range(2):
            home.die(1, after_s=60)
            home.tell(EventAction.START)
        assert not home.web.restart_loop

        home.die(1, after_s=60)
        assert home.web.restart_loop
        home.tell(EventAction.START)

        home.wait(minutes=9)
        assert home.web.restart_loop
        home.wait(minutes=1)
        assert not home.web.restart_loop

    def test_three_deaths_in_a_day_are_none(self) -> None:
        home = Home(policy="always")
        for _ in range(5):
            home.die(1, after_s=6 * 60)
            home.chronicle.settle()
            home.tell(EventAction.START)

        assert not home.web.restart_loop

    def test_a_job_that_is_started_again_and_again_and_ends_well_is_none(self) -> None:
        home = Home()
        for _ in range(5):
            home.die(0)
            home.tell(EventAction.START, after_s=20)

        assert not home.web.restart_loop

    def test_a_service_that_ends_without_an_error_and_is_always_restarted_is_one(self) -> None:
        home = Home(policy="unless-stopped")
        for _ in range(3):
            home.die(0)
            home.tell(EventAction.START, after_s=20)

        assert home.web.restart_loop

    def test_restarts_by_a_person_are_none(self) -> None:
        home = Home(policy="always")
        for _ in range(5):
            home.tell(EventAction.KILL, signal=TERM)
            home.die(143)
            home.tell(EventAction.START)

        assert not home.web.restart_loop

    def test_stopping_the_container_ends_it(self) -> None:
        home = Home(policy="always")
        for _ in range(3):
            home.die(1)
            home.tell(EventAction.START)
        assert home.web.restart_loop

        home.tell(EventAction.KILL, signal=TERM)
        home.die(1)
        home.wait(seconds=3)

        assert not home.web.restart_loop

    def test_one_that_was_there_before_the_agent_is_known_at_once(self) -> None:
        home = Home(
            policy="always",
            state=ContainerState.RESTARTING,
            restart_count=7,
            exit_code=1,
            finished_at=HandClock().now,
        )

        assert home.web.restart_loop
        assert home.told == []

    def test_one_that_only_lists_show_is_seen_by_the_engines_count(self) -> None:
        home = Home(policy="always")
        home.list(home.row(started_at=home.clock.now, restart_count=3))

        assert home.web.restart_loop

    def test_a_new_container_under_the_name_of_a_removed_one_begins_anew(self) -> None:
        home = Home(policy="always")
        for _ in range(3):
            home.die(1)
            home.tell(EventAction.START)
        home.tell(EventAction.DESTROY)
        home.tell(EventAction.CREATE, OTHER)
        home.inventory.put(home.row(OTHER))

        assert not home.web.restart_loop
