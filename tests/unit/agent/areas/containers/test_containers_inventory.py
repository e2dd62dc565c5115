"""What is newer wins: an event over an answer that was under way, and the other way round."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from homelab_agent.areas.containers.inventory import Inventory
from homelab_agent.areas.containers.models import CONTAINER_KIND, Container
from homelab_agent.areas.containers.protection import Protection
from homelab_agent.platform.engine.models import (
    ContainerHealth,
    ContainerState,
    EngineContainer,
    EngineEvent,
    EventAction,
)
from homelab_agent.platform.resources import Resources
from tests.fakes.docker_engine import FakeDocker
from tests.fakes.watched import Watched

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
A_MINUTE = timedelta(minutes=1)


class Known:
    """An inventory with one container in it."""

    def __init__(self, **facts: object) -> None:
        self.resources = Resources()
        self.inventory = Inventory(self.resources, Protection(own_id=None, listed=()))
        self.row = EngineContainer.model_validate(
            {
                "id": "a" * 64,
                "name": "web",
                "image": "x",
                "image_id": "y",
                "state": ContainerState.RUNNING,
                "created_at": NOW,
                "started_at": NOW,
                **facts,
            }
        )
        self.inventory.put(self.row)

    def tell(self, action: EventAction, after: timedelta = A_MINUTE, **facts: object) -> bool:
        at = NOW + after
        return self.inventory.apply(
            EngineEvent.model_validate(
                {
                    "action": action,
                    "container_id": self.row.id,
                    "name": "web",
                    "at": at,
                    "time_ns": int(at.timestamp() * 10**9),
                    **facts,
                }
            )
        )

    @property
    def shown(self) -> Container | None:
        found = self.resources.get(CONTAINER_KIND, "web")
        return found if isinstance(found, Container) else None


def test_an_old_start_does_not_bring_back_a_container_that_ended_since() -> None:
    known = Known(state=ContainerState.EXITED, finished_at=NOW + A_MINUTE, exit_code=1)

    known.tell(EventAction.START, A_MINUTE / 2)
    assert known.shown is not None
    assert known.shown.state is ContainerState.EXITED

    known.tell(EventAction.START, A_MINUTE * 2)
    assert known.shown.state is ContainerState.RUNNING


def test_an_old_end_does_not_end_a_container_that_started_since() -> None:
    known = Known(started_at=NOW + A_MINUTE)

    known.tell(EventAction.DIE, A_MINUTE / 2, exit_code=9)

    assert known.shown is not None
    assert (known.shown.state, known.shown.exit_code) == (ContainerState.RUNNING, None)


def test_a_second_start_of_a_running_container_moves_no_start_time() -> None:
    known = Known()

    known.tell(EventAction.START)

    assert known.shown is not None
    assert known.shown.started_at == NOW


@pytest.mark.parametrize(
    ("state", "action", "facts"),
    [
        (ContainerState.EXITED, EventAction.PAUSE, {}),
        (ContainerState.RUNNING, EventAction.UNPAUSE, {}),
        (ContainerState.EXITED, EventAction.HEALTH_STATUS, {"health": ContainerHealth.HEALTHY}),
        (ContainerState.RUNNING, EventAction.HEALTH_STATUS, {"health": None}),
        (ContainerState.RUNNING, EventAction.OOM, {}),
        (ContainerState.RUNNING, EventAction.UPDATE, {}),
        (ContainerState.RUNNING, EventAction.RENAME, {"name": ""}),
    ],
)
def test_an_event_that_does_not_fit_changes_nothing_by_itself_but_asks(
    state: ContainerState, action: EventAction, facts: dict[str, object]
) -> None:
    known = Known(state=state)
    before = known.resources.seq

    assert known.tell(action, **facts)

    assert known.resources.seq == before


def test_a_signal_alone_is_no_reason_to_ask() -> None:
    assert not Known().tell(EventAction.KILL)


def test_an_event_during_the_list_is_not_undone_by_the_list() -> None:
    known = Known()
    known.inventory.begin_resync()
    known.tell(EventAction.PAUSE)

    result = known.inventory.end_resync([known.row])

    assert known.shown is not None
    assert known.shown.state is ContainerState.PAUSED
    assert result.touched == {known.row.id}
    assert result.missed == 0


def test_a_container_removed_during_the_list_does_not_come_back() -> None:
    known = Known()
    known.inventory.begin_resync()
    known.tell(EventAction.DESTROY)

    known.inventory.end_resync([known.row])

    assert known.shown is None


def test_a_container_made_during_the_list_is_not_lost_to_it() -> None:
    known = Known()
    known.inventory.begin_resync()
    known.tell(EventAction.START)

    known.inventory.end_resync([])

    assert known.shown is not None


def test_events_from_before_the_list_do_not_keep_it_from_being_right() -> None:
    known = Known()
    known.tell(EventAction.PAUSE)
    known.inventory.begin_resync()

    result = known.inventory.end_resync([known.row])

    assert known.shown is not None
    assert known.shown.state is ContainerState.RUNNING
    assert result.missed == 1


def test_what_is_the_same_is_not_published_again() -> None:
    known = Known()
    before = known.resources.seq

    known.inventory.put(known.row.model_copy())

    assert known.resources.seq == before


def test_dropping_what_is_not_known_is_no_mistake() -> None:
    known = Known()

    known.inventory.drop("b" * 64)

    assert known.shown is not None


async def test_an_answer_that_an_event_overtook_is_thrown_away(
    docker: FakeDocker, live: Watched
) -> None:
    web = docker.add("web")
    await live.connected()
    docker.emit("create", web)
    await live.until(lambda: live.container("web"))

    async with docker.held(f"GET containers/{web.id}/json") as held:
        looking = asyncio.create_task(live.refresher.refresh(web.id))
        await held.reached.wait()
        # Docker's answer "running" is under way when the container ends.
        async with live.recorded() as changes:
            docker.end(web, 3)
            await live.until(lambda: live.shown("web").state is ContainerState.EXITED)
            held.release.set()
            await looking

    states = [change.data.state for change in changes if change.kind == "container"]
    assert set(states) == {ContainerState.EXITED}


async def test_a_container_removed_while_it_is_looked_at_does_not_come_back(
    docker: FakeDocker, live: Watched
) -> None:
    web = docker.add("web")
    await live.connected()
    docker.emit("create", web)
    await live.until(lambda: live.container("web"))

    async with docker.held(f"GET containers/{web.id}/json") as held:
        looking = asyncio.create_task(live.refresher.refresh(web.id))
        await held.reached.wait()
        docker.remove(web)
        await live.until(lambda: live.container("web") is None)
        held.release.set()
        assert await looking is None

    assert live.container("web") is None


def test_one_container_that_cannot_be_understood_does_not_cost_the_others() -> None:
    known = Known()
    known.inventory.begin_resync()
    # Half a character cannot be sent to anyone.
    odd = known.row.model_copy(update={"id": "b" * 64, "name": "odd", "image": "\ud800"})
    more = known.row.model_copy(update={"id": "c" * 64, "name": "more"})

    result = known.inventory.end_resync([odd, known.row, more])

    assert {each.name for each in known.inventory.shown()} == {"web", "more"}
    # The next list has it again: that is no reason to mistrust the events.
    assert result.missed == 1
    known.inventory.begin_resync()
    assert known.inventory.end_resync([odd, known.row, more]).missed == 0


def test_a_container_that_cannot_be_understood_any_more_is_not_shown_as_it_was() -> None:
    known = Known()

    known.inventory.put(known.row.model_copy(update={"image": "\ud800"}))

    assert known.shown is None
    known.inventory.put(known.row)
    assert known.shown is not None


def test_labels_of_any_length_do_not_reach_everyone_in_full() -> None:
    endless = {f"x{number:03}": "y" * 10_000 for number in range(100)}
    known = Known(labels=endless | {"homelab.protect": "true", "z" * 1000: "name"})

    assert known.shown is not None
    labels = known.shown.labels
    assert sum(len(name) + len(value) for name, value in labels.items()) <= 64 * 1024
    assert labels["homelab.protect"] == "true"
    assert labels["x000"] == "y" * 4096 + "…"
    assert "z" * 1000 not in labels


def test_ordinary_labels_are_sent_as_they_are() -> None:
    labels = {"b": "2", "a": "1", "com.docker.compose.config-hash": "f" * 64}

    known = Known(labels=labels)

    assert known.shown is not None
    assert known.shown.labels == labels
