"""What the agent relies on, of every engine; the real one is left out where there is none."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from homelab_agent.platform.engine.models import (
    ContainerHealth,
    ContainerState,
    EngineContainer,
    EngineEvent,
    EventAction,
    LogLine,
    LogRequest,
    LogStream,
)
from homelab_agent.platform.errors import Conflict, Invalid, NotFound
from tests.contract import engine_subjects
from tests.contract.engine_subjects import Subject
from tests.harness.docker import SOCKET
from tests.harness.waiting import wait_until

ENGINES = [
    "demo",
    "fake",
    pytest.param(
        "real", marks=pytest.mark.skipif(not Path(SOCKET).exists(), reason="no Docker here")
    ),
]


@pytest.fixture(params=ENGINES)
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    async with getattr(engine_subjects, request.param)() as made:
        yield made


async def test_the_engine_tells_what_and_where_it_is(subject: Subject) -> None:
    info = await subject.engine.connect()

    assert info.version
    assert info.api_version == "1.51"
    assert info.host_name
    assert info.cpu_count
    assert info.memory_bytes


async def test_an_engine_without_a_proxy_misses_no_right(subject: Subject) -> None:
    assert await subject.engine.missing_rights() == frozenset()


async def test_the_list_is_as_complete_as_a_look_at_one_container(subject: Subject) -> None:
    name = await subject.running()

    listed = {each.name: each for each in await subject.engine.list_containers()}

    assert listed[name] == await subject.engine.inspect(name)
    assert listed[name] == await subject.engine.inspect(listed[name].id)
    assert listed[name].state is ContainerState.RUNNING
    assert listed[name].exit_code is None
    assert listed[name].started_at is not None


async def test_an_unknown_container_is_not_found_by_any_call(subject: Subject) -> None:
    engine = subject.engine
    for call in (
        engine.inspect("never-was"),
        engine.start("never-was"),
        engine.stop("never-was", 1),
        engine.stop("never-was", None),
        engine.restart("never-was", 1),
        engine.pause("never-was"),
        engine.unpause("never-was"),
        engine.kill("never-was", "SIGKILL"),
        engine.logs("never-was", tail=1, since=None, until=None),
        engine.inspect("../../info"),
        engine.inspect(""),
    ):
        with pytest.raises(NotFound):
            await call


async def test_a_stopped_container_says_how_and_when_it_ended(subject: Subject) -> None:
    name = await subject.running()

    await subject.engine.stop(name, 5)

    row = await subject.engine.inspect(name)
    assert row.state is ContainerState.EXITED
    assert row.exit_code is not None
    assert row.finished_at is not None
    assert row.started_at is not None
    assert row.finished_at >= row.started_at
    assert row.health is ContainerHealth.NONE
    await subject.engine.stop(name, 5)
    assert await subject.engine.inspect(name) == row


async def test_a_stopped_container_runs_again_after_a_start(subject: Subject) -> None:
    name = await subject.running()
    await subject.engine.stop(name, None)

    await subject.engine.start(name)

    row = await subject.engine.inspect(name)
    assert row.state is ContainerState.RUNNING
    assert row.exit_code is None
    await subject.engine.start(name)
    assert (await subject.engine.inspect(name)).started_at == row.started_at


async def test_a_restart_shows_in_the_start_time(subject: Subject) -> None:
    name = await subject.running()
    before = await subject.engine.inspect(name)

    await subject.engine.restart(name, 5)

    after = await subject.engine.inspect(name)
    assert after.state is ContainerState.RUNNING
    assert before.started_at is not None
    assert after.started_at is not None
    assert after.started_at > before.started_at


async def test_pausing_needs_a_running_container_and_unpausing_a_paused_one(
    subject: Subject,
) -> None:
    name = await subject.running()
    with pytest.raises(Conflict):
        await subject.engine.unpause(name)

    await subject.engine.pause(name)
    assert (await subject.engine.inspect(name)).state is ContainerState.PAUSED
    with pytest.raises(Conflict):
        await subject.engine.pause(name)

    await subject.engine.unpause(name)
    assert (await subject.engine.inspect(name)).state is ContainerState.RUNNING


async def test_a_kill_ends_the_container_with_the_signals_exit_code(subject: Subject) -> None:
    name = await subject.running()

    await subject.engine.kill(name, "SIGKILL")

    async def ended() -> EngineContainer | None:
        found = await subject.engine.inspect(name)
        return found if found.state is ContainerState.EXITED else None

    row = await wait_until(ended, what="the end of the container")

    assert row.exit_code == 137
    with pytest.raises(Conflict):
        await subject.engine.kill(name, "SIGKILL")


async def test_a_signal_that_does_not_exist_is_the_callers_mistake(subject: Subject) -> None:
    name = await subject.running()

    with pytest.raises(Invalid) as refused:
        await subject.engine.kill(name, "SIGNONSENSE")

    assert refused.value.field == "signal"
    assert (await subject.engine.inspect(name)).state is ContainerState.RUNNING


async def test_what_happens_after_attaching_is_told_in_its_order(subject: Subject) -> None:
    name = await subject.running()

    async with subject.engine.events(None) as events:
        await subject.engine.stop(name, 5)
        await subject.engine.start(name)
        told = await _until(events, name, EventAction.START)

    actions = [event.action for event in told if event.action is not EventAction.KILL]
    # Docker tells of the stop before or after the end of the process.
    assert set(actions[:-1]) == {EventAction.DIE, EventAction.STOP}
    assert actions[-1] is EventAction.START
    die = next(event for event in told if event.action is EventAction.DIE)
    assert die.exit_code is not None
    assert abs(die.at - datetime.now(UTC)) < timedelta(seconds=30)
    times = [event.time_ns for event in told]
    assert times == sorted(times)


async def test_what_happened_while_nobody_listened_is_told_afterwards(subject: Subject) -> None:
    name = await subject.running()
    async with subject.engine.events(None) as events:
        await subject.engine.pause(name)
        last = (await _until(events, name, EventAction.PAUSE))[-1].time_ns
    await subject.engine.unpause(name)

    async with subject.engine.events(last + 1) as events:
        told = await _until(events, name, EventAction.UNPAUSE)

    assert [event.action for event in told] == [EventAction.UNPAUSE]


async def test_log_lines_come_with_time_and_output_oldest_first(subject: Subject) -> None:
    name = await subject.running()

    async def all_ten() -> tuple[LogLine, ...] | None:
        found = await subject.engine.logs(name, tail=10, since=None, until=None)
        return found if len(found) == 10 else None

    lines = await wait_until(all_ten, what="ten lines of log")

    # Docker reads both outputs side by side: only within one of them is the order certain.
    for stream in LogStream:
        times = [line.at for line in lines if line.stream is stream and line.at is not None]
        assert times == sorted(times)
    assert all(line.at is not None and line.at.tzinfo is not None for line in lines)
    assert {line.stream for line in lines} <= set(LogStream)
    assert all(line.text and "\n" not in line.text for line in lines)

    last_three = await subject.engine.logs(name, tail=3, since=None, until=None)
    assert last_three == lines[-3:]


async def test_a_followed_log_begins_with_the_last_lines_and_ends_with_the_container(
    subject: Subject,
) -> None:
    name = await subject.running()
    found: list[LogLine] = []

    async with (
        asyncio.timeout(30),
        subject.engine.log_lines(name, LogRequest(tail=10, follow=True)) as chunks,
    ):
        async for chunk in chunks:
            found.extend(line.unpack() for line in chunk)
            if len(found) >= 10:
                await subject.engine.stop(name, 1)

    assert len(found) >= 10
    assert all(line.at is not None and line.text for line in found)
    assert (await subject.engine.inspect(name)).state is not ContainerState.RUNNING


async def test_one_output_of_a_log_is_read_without_the_other(subject: Subject) -> None:
    name = await subject.running()

    async def five() -> list[LogLine] | None:
        request = LogRequest(tail=None, stream=LogStream.STDOUT)
        async with subject.engine.log_lines(name, request) as chunks:
            found = [line.unpack() async for chunk in chunks for line in chunk]
        return found if len(found) >= 5 else None

    lines = await wait_until(five, what="five lines")

    assert {line.stream for line in lines} == {LogStream.STDOUT}
    last = await subject.engine.logs(name, tail=3, since=None, until=None, stream=LogStream.STDOUT)
    assert {line.stream for line in last} == {LogStream.STDOUT}


async def test_closing_twice_is_no_mistake(subject: Subject) -> None:
    await subject.engine.connect()

    await subject.engine.close()
    await subject.engine.close()


async def _until(
    events: AsyncIterator[EngineEvent], name: str, action: EventAction
) -> list[EngineEvent]:
    told: list[EngineEvent] = []
    async with asyncio.timeout(15):
        async for event in events:
            if event.name == name:
                told.append(event)
                if event.action is action:
                    return told
    raise AssertionError("the events ended")
