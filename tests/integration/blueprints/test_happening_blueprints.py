"""The blueprints of containers and stacks, run by Home Assistant with an agent."""

from datetime import timedelta
from typing import Any

import pytest
from homeassistant.util import dt as dt_util

from tests.fakes import wire
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


async def found(home: Home) -> None:
    """Let a newer image be found."""
    home.agent.put("container_update", "web", wire.update())


def updates(home: Home) -> int:
    return home.agent.count("POST", "/containers/web/update")


async def test_without_asking_an_update_waits_for_its_hours(home: Home, told: Told) -> None:
    begin, end = (dt_util.now() + timedelta(hours=hours) for hours in (1, 2))
    await use(
        home,
        "update_window",
        containers=target(home),
        window_start=begin.strftime("%H:%M:%S"),
        window_end=end.strftime("%H:%M:%S"),
    )
    await found(home)
    await home.becomes("update", "web:update", "on")
    await passes(home, minutes=1)
    assert not updates(home)
    await passes(home, hours=1, seconds=2)
    await until(lambda: updates(home), "the update")
    assert not told.asked


@pytest.mark.parametrize("answer", ["Update", "Not now"])
async def test_who_is_asked_decides(home: Home, told: Told, answer: str) -> None:
    await use(
        home,
        "update_window",
        containers=target(home),
        ask="notify.mobile_app_phone",
        window_start="00:00:00",
        window_end="00:00:00",
    )
    await found(home)
    call = await heard(home, told.asked)
    assert call.data["title"] == "Update web?"
    assert not updates(home)
    (chosen,) = (one for one in call.data["data"]["actions"] if one["title"] == answer)
    home.hass.bus.async_fire("mobile_app_notification_action", {"action": chosen["action"]})
    if answer == "Update":
        await until(lambda: updates(home), "the update")
        home.agent.end_job("containers.update", "web", "done")
    await passes(home, seconds=1)
    assert updates(home) == (answer == "Update")


async def test_without_an_answer_nothing_is_updated(home: Home, told: Told) -> None:
    await use(home, "update_window", containers=target(home), ask="notify.mobile_app_phone")
    await found(home)
    await heard(home, told.asked)
    await passes(home, hours=25)
    assert not updates(home)
