"""Updates that happen by themselves: within the window, once, one after the other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta

import pytest

from homelab_agent.areas.updates.automatic import AutomaticUpdates
from homelab_agent.areas.updates.models import UpdateState
from homelab_agent.platform.commands import SYSTEM, Caller, Outcome
from homelab_agent.platform.errors import AgentError, Failed, Unavailable
from homelab_agent.platform.jobs.models import CommandResult, Job
from tests.harness.waiting import wait_until
from tests.unit.agent.areas.updates.conftest import Area

OLD = "sha256:" + "1" * 64


class Workshop:
    """Updates containers, or fails to; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.error: AgentError | None = None
        self.at_once = 0
        self.most_at_once = 0

    async def update(
        self, name_or_key: str, caller: Caller, *, image: str | None, wait_s: float
    ) -> CommandResult:
        assert (caller, wait_s) == (SYSTEM, 0)
        self.asked.append((name_or_key, image))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if self.error:
            raise self.error
        return CommandResult(outcome=Outcome.DONE, message="")


async def _no_job(job_id: str, timeout_s: float | None) -> Job:
    raise AssertionError(f"{job_id} is waited for: {timeout_s}")


@pytest.fixture
async def workshop(live: Area) -> AsyncIterator[Workshop]:
    made = Workshop()
    automatic = AutomaticUpdates(live.board, made, _no_job, live.clock, tick_s=0.02)
    task = asyncio.create_task(automatic.run())
    yield made
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _with_updates(live: Area, *keys: str, in_h: int = 0) -> None:
    first = live.registry.push("team/app", "1", {"v": "1"})
    live.registry.push("team/app", "1", {"v": "2"})
    live.have(OLD, first)
    begin = live.clock.now.astimezone() + timedelta(hours=in_h)
    window = f"{begin:%H:%M}-{begin + timedelta(hours=1):%H:%M}"
    for key in keys:
        live.run(
            key,
            f"{live.name}:1",
            OLD,
            homelab_update="automatic",
            homelab_update_window=window,
        )
        await live.until(key, lambda shown: shown.state is UpdateState.AVAILABLE)


async def _asked(workshop: Workshop, times: int) -> None:
    async def check() -> bool:
        return len(workshop.asked) >= times

    await wait_until(check, what=f"{times} updates")


async def test_containers_are_updated_one_after_the_other_and_only_once(
    live: Area, workshop: Workshop
) -> None:
    live.run("not-me", f"{live.name}:1", OLD)
    await _with_updates(live, "a", "b", "c")
    await _asked(workshop, 3)
    assert sorted(workshop.asked) == [(key, f"{live.name}:1") for key in "abc"]
    assert workshop.most_at_once == 1


async def test_nothing_is_updated_outside_of_the_window(live: Area, workshop: Workshop) -> None:
    await _with_updates(live, "app", in_h=2)
    await _with_updates(live, "witness")
    await _asked(workshop, 1)
    assert [key for key, _ in workshop.asked] == ["witness"]
    live.clock.advance(hours=2.5)
    await _asked(workshop, 2)
    assert [key for key, _ in workshop.asked] == ["witness", "app"]


async def test_an_update_that_was_taken_back_is_not_tried_again_with_the_same_image(
    live: Area, workshop: Workshop
) -> None:
    workshop.error = Failed("app did not become healthy.")
    await _with_updates(live, "app")
    told = await live.until("app", lambda shown: shown.reason)
    assert told.state is UpdateState.AVAILABLE
    assert "did not become healthy" in (told.reason or "")
    workshop.error = None
    live.clock.advance(hours=3)
    await _with_updates(live, "later")
    await _asked(workshop, 2)
    live.clock.advance(hours=21)
    await _with_updates(live, "next-day")
    await _asked(workshop, 3)
    assert [key for key, _ in workshop.asked] == ["app", "later", "next-day"]

    live.registry.push("team/app", "1", {"v": "3"})
    live.clock.advance(days=1)
    await _asked(workshop, 4)
    assert "app" in [key for key, _ in workshop.asked[3:]]


async def test_what_says_nothing_about_the_image_is_tried_in_the_next_window(
    live: Area, workshop: Workshop
) -> None:
    workshop.error = Unavailable("Docker is away.")
    await _with_updates(live, "app")
    await _asked(workshop, 1)
    shown = await live.until("app", lambda shown: shown.state is UpdateState.AVAILABLE)
    assert shown.reason is None
    live.clock.advance(hours=3)
    await _with_updates(live, "witness")
    await _asked(workshop, 2)
    live.clock.advance(hours=21)
    await _asked(workshop, 3)
    assert [key for key, _ in workshop.asked] == ["app", "witness", "app"]
