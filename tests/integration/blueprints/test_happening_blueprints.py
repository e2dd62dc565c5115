"""The blueprints of containers and stacks, run by Home Assistant with an agent."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from freezegun import freeze_time
from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, ServiceCall
from homeassistant.util import dt as dt_util

from tests.fakes import wire
from tests.fakes.agent_server import Answer
from tests.integration.blueprints.runs import PHONE, Told, heard, passes, target, use
from tests.integration.home import Home, until

UNDONE = wire.undone_update()


@pytest.fixture
async def home(home: Home) -> Home:
    """A home with a stack, in which no update is known."""
    home.agent.put("stack", "media", wire.stack("media"))
    home.agent.put("container_update", "web", wire.update(state="current"))
    await until(lambda: home.device("stack:media"), "the stack")
    return home


async def down(home: Home, **event: Any) -> None:
    """Let the container die."""
    home.agent.change_container("web", state="exited")
    home.agent.put("container_event", "web", wire.event("web", "died", 5, **event))
    await home.becomes("sensor", "web:state", "exited")


ALERT: dict[str, Any] = {"down_for": {"seconds": 30}, "notifiers": [PHONE]}


@pytest.mark.parametrize(
    ("memory", "message"),
    [
        (False, "The container web on atlas ended with exit code 3."),
        (True, "The container web on atlas was killed for its memory."),
    ],
)
async def test_a_container_that_died_is_reported_and_its_recovery_too(
    home: Home, told: Told, *, memory: bool, message: str
) -> None:
    await use(home, "container_alert", containers=target(home), **ALERT)
    if memory:
        home.agent.put("container_event", "web", wire.event("web", "out_of_memory", 4))
    await down(home, exit_code=3)
    await passes(home, seconds=20)
    assert not told.sent
    await passes(home, seconds=31)
    call = await heard(home, told.sent)
    assert (call.data["title"], call.data["message"]) == ("web is down", message)
    assert call.data["entity_id"] == [PHONE]
    home.agent.change_container("web", state="running", started_at="2026-11-21T12:00:00Z")
    call = await heard(home, told.sent, 2)
    assert call.data["title"] == "web is well again"
    assert not told.shown


async def test_a_container_that_is_back_soon_wakes_nobody(home: Home, told: Told) -> None:
    await use(home, "container_alert", containers=target(home), **ALERT)
    await down(home, exit_code=1, at="2026-11-21T11:59:40Z")
    home.agent.change_container("web", state="running", started_at="2026-11-21T12:00:00Z")
    await home.becomes("sensor", "web:state", "running")
    await passes(home, minutes=5)
    assert not told.sent


async def test_a_recovery_is_reported_though_home_assistant_restarted_in_between(
    home: Home, told: Told
) -> None:
    await down(home, exit_code=1, at="2026-11-21T11:50:00Z")
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    await use(home, "container_alert", containers=target(home), **ALERT)
    home.agent.change_container("web", state="running", started_at="2026-11-21T12:00:00Z")
    call = await heard(home, told.sent)
    assert call.data["title"] == "web is well again"


async def test_a_restart_loop_is_reported_without_a_notifier_by_home_assistant(
    home: Home, told: Told
) -> None:
    await use(
        home,
        "container_alert",
        containers=target(home, None),
        actions=[{"action": "test.own", "data": {"say": "{{ container }} {{ trigger.id }}"}}],
    )
    home.agent.change_container("web", restart_loop=True)
    call = await heard(home, told.shown)
    assert call.data["title"] == "web restarts again and again"
    own = await heard(home, told.own)
    assert own.data["say"] == "web loop"


async def test_an_update_taken_back_is_reported_with_its_reason_and_log(
    home: Home, told: Told
) -> None:
    await use(home, "update_rolled_back", containers=target(home), notifiers=[PHONE])
    home.agent.put("container_recreate", "web", wire.recreate_status(last=UNDONE))
    call = await heard(home, told.sent)
    assert call.data["title"] == "The update of web was taken back"
    assert UNDONE["reason"] in call.data["message"]
    assert "no such table: users" in call.data["message"]


async def test_a_stack_that_stays_degraded_is_reported(home: Home, told: Told) -> None:
    await use(home, "stack_degraded", stacks=target(home, "stack:media"), notifiers=[PHONE])
    degraded = wire.stack("media", state="degraded", problem="player is not running.", running=0)
    home.agent.put("stack", "media", degraded)
    stack = home.entry.runtime_data.stack
    await until(lambda: stack("media").state == "degraded", "the stack to be degraded")
    await passes(home, minutes=1)
    assert not told.sent
    await passes(home, minutes=3)
    call = await heard(home, told.sent)
    assert call.data["title"] == "The stack media is degraded"
    assert "player is not running." in call.data["message"]


async def found(home: Home, key: str = "web", **changes: Any) -> None:
    """Let a newer image be found."""
    newer = wire.update(key, **changes)
    home.agent.answers["GET /updates"] = Answer({"updates": [newer]})
    home.agent.put("container_update", key, newer)
    await home.becomes("update", f"{key}:update", "on")


def updates(home: Home) -> int:
    return home.agent.count("POST", "/containers/web/update")


async def window(home: Home, begins: float, ends: float, **inputs: object) -> None:
    """Use the blueprint with hours that begin and end so many hours from now."""
    hours = (dt_util.now() + timedelta(hours=one) for one in (begins, ends))
    begin, end = (one.strftime("%H:%M:%S") for one in hours)
    whom = {"containers": target(home), **inputs}
    await use(home, "update_window", window_start=begin, window_end=end, **whom)


NOW = (-1.0, 1.0)
LATER = (1.0, 2.0)
PHONE_ASKED = {"ask": "notify.mobile_app_phone"}


def answer(home: Home, call: ServiceCall, title: str) -> None:
    """Answer a question as a person does."""
    (chosen,) = (one for one in call.data["data"]["actions"] if one["title"] == title)
    home.hass.bus.async_fire("mobile_app_notification_action", {"action": chosen["action"]})


@pytest.fixture
def clock() -> Iterator[FrozenDateTimeFactory]:
    """A clock that can be put on; the loop and the connection keep their own time."""
    with freeze_time(dt_util.utcnow(), tick=True, real_asyncio=True) as clock:
        yield clock


async def hours_begin(home: Home, clock: FrozenDateTimeFactory) -> None:
    clock.tick(timedelta(hours=1, seconds=2))
    await passes(home, seconds=1)


async def test_without_asking_an_update_waits_for_its_hours(
    clock: FrozenDateTimeFactory, home: Home, told: Told
) -> None:
    await window(home, *LATER)
    await found(home)
    await passes(home, minutes=1)
    assert not updates(home)
    await hours_begin(home, clock)
    await until(lambda: updates(home), "the update")
    assert not told.asked


async def test_an_update_that_waited_for_its_hours_outlives_a_restart(
    clock: FrozenDateTimeFactory, home: Home, told: Told
) -> None:
    await found(home)
    await window(home, *LATER)
    await hours_begin(home, clock)
    await until(lambda: updates(home), "the update")
    assert not told.asked


async def test_within_its_hours_an_update_is_made_at_once(home: Home, told: Told) -> None:
    await window(home, *NOW)
    await found(home)
    await until(lambda: updates(home), "the update")
    assert not told.asked


async def test_what_was_taken_back_is_not_tried_each_night(
    clock: FrozenDateTimeFactory, home: Home, told: Told
) -> None:
    home.agent.put("container_recreate", "web", wire.recreate_status(last=UNDONE))
    await home.settled()
    await found(home)
    await window(home, *LATER)
    await hours_begin(home, clock)
    await until(lambda: home.agent.count("GET", "/updates"), "the look at what can be updated")
    await home.settled()
    assert not updates(home)
    assert not told.asked


@pytest.mark.parametrize("words", ["Update", "Not now"])
async def test_who_is_asked_decides(home: Home, told: Told, words: str) -> None:
    await window(home, *NOW, **PHONE_ASKED)
    await found(home)
    call = await heard(home, told.asked)
    assert call.data["title"] == "Update web?"
    assert call.data["message"] == "web on atlas: 1.0.0 to 1.1.0."
    assert not updates(home)
    answer(home, call, words)
    if words == "Update":
        await until(lambda: updates(home), "the update")
        home.agent.end_job("containers.update", "web", "done")
    await passes(home, seconds=1)
    assert updates(home) == (words == "Update")


async def test_who_says_yes_by_day_has_it_updated_at_night(
    clock: FrozenDateTimeFactory, home: Home, told: Told
) -> None:
    await window(home, *LATER, **PHONE_ASKED)
    await found(home)
    answer(home, await heard(home, told.asked), "Update")
    await passes(home, minutes=1)
    assert not updates(home)
    await hours_begin(home, clock)
    await until(lambda: updates(home), "the update")


async def test_a_question_of_before_a_restart_can_still_be_answered(home: Home, told: Told) -> None:
    await window(home, *NOW, **PHONE_ASKED)
    await found(home)
    call = await heard(home, told.asked)
    for action in ("turn_off", "turn_on"):  # ends what it waits for, as a restart does
        await home.hass.services.async_call(
            "automation", action, {"entity_id": "all"}, blocking=True
        )
    answer(home, call, "Update")
    await until(lambda: updates(home), "the update")


async def test_after_a_restart_it_is_asked_again(home: Home, told: Told) -> None:
    await found(home)
    home.hass.set_state(CoreState.starting)
    await window(home, *LATER, **PHONE_ASKED)
    home.hass.set_state(CoreState.running)
    home.hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await passes(home, minutes=6)
    call = await heard(home, told.asked)
    assert call.data["title"] == "Update web?"


async def test_without_an_answer_nothing_is_updated_and_a_late_one_does_not_count(
    clock: FrozenDateTimeFactory, home: Home, told: Told
) -> None:
    await window(home, *NOW, patience={"minutes": 30}, **PHONE_ASKED)
    await found(home)
    call = await heard(home, told.asked)
    clock.tick(timedelta(minutes=31))
    answer(home, call, "Update")
    await passes(home, hours=25)
    assert not updates(home)
