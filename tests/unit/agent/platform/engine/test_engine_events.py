"""Docker's event stream, as it is and as it should not be."""

import asyncio
import json
import tracemalloc
from collections.abc import AsyncIterator

import pytest

from homelab_agent.platform.engine.docker.containers import DockerEngine
from homelab_agent.platform.engine.docker.events import parse_event, since_text
from homelab_agent.platform.engine.docker.lines import lines
from homelab_agent.platform.engine.models import EngineEvent, EventAction
from homelab_agent.platform.errors import Unavailable
from tests.fakes.docker_engine import FakeDocker


def _line(action: str, **attributes: str) -> bytes:
    return json.dumps(
        {
            "Type": "container",
            "Action": action,
            "Actor": {"ID": "a" * 64, "Attributes": {"name": "web", **attributes}},
            "time": 1795249807,
            "timeNano": 1795249807408974301,
        },
        separators=(",", ":"),
    ).encode()


async def _next(events: AsyncIterator[EngineEvent]) -> EngineEvent:
    async with asyncio.timeout(30):
        return await anext(events)


def test_the_exit_code_of_a_dying_container_is_told() -> None:
    event = parse_event(_line("die", exitCode="137"))

    assert event is not None
    assert event.exit_code == 137
    assert event.name == "web"
    assert event.time_ns == 1795249807408974301
    assert event.at.isoformat() == "2026-11-21T08:30:07.408974+00:00"


@pytest.mark.parametrize("text", ["", "x", "²", "9" * 4000, "9" * 5000])
def test_an_exit_code_that_is_a_label_in_truth_is_not_believed(text: str) -> None:
    event = parse_event(_line("die", exitCode=text))

    assert event is not None
    assert event.exit_code is None


@pytest.mark.parametrize("time_ns", [-1, 2**63, 10**30])
def test_an_event_of_no_time_is_passed_over(time_ns: int) -> None:
    line = _line("die").replace(b"1795249807408974301", str(time_ns).encode())

    assert parse_event(line) is None


@pytest.mark.parametrize("verdict", ["healthy", "unhealthy", "starting"])
def test_a_health_verdict_is_split_off_its_event(verdict: str) -> None:
    event = parse_event(_line(f"health_status: {verdict}"))

    assert event is not None
    assert event.action is EventAction.HEALTH_STATUS
    assert event.health == verdict


def test_a_verdict_nobody_knows_is_unknown_not_wrong() -> None:
    event = parse_event(_line("health_status: splendid"))

    assert event is not None
    assert event.health is None


@pytest.mark.parametrize(
    "noise",
    [
        _line("exec_create: sh -c 'mysql -psecret'"),
        _line("exec_start: sh"),
        _line("exec_die"),
        _line("top"),
        _line("attach"),
        _line("resize"),
        _line("something_new"),
        b"",
        b"garbage",
        b"{}",
        b"[1, 2]",
        b'{"Type":"container","Action":"start"}',
        b'{"Type":"network","Action":"create","Actor":{"ID":"x"}}',
        b'{"Type":"container","Action":"start","Actor":{"ID":7}}',
        b"\xff\xfe\x00",
    ],
)
def test_noise_and_garbage_are_dropped(noise: bytes) -> None:
    assert parse_event(noise) is None


def test_podmans_words_are_understood() -> None:
    died, removed = parse_event(_line("died", exitCode="x")), parse_event(_line("remove"))

    assert died is not None
    assert (died.action, died.exit_code) == (EventAction.DIE, None)
    assert removed is not None
    assert removed.action is EventAction.DESTROY


def test_an_event_without_nanoseconds_still_has_a_time() -> None:
    event = parse_event(
        b'{"Type":"container","Action":"start","Actor":{"ID":"x"},"time":1795249807}'
    )

    assert event is not None
    assert event.time_ns == 1795249807 * 10**9


def test_going_on_after_an_event_loses_no_digit() -> None:
    assert since_text(1795249807000000001) == "1795249807.000000001"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
async def test_lines_survive_every_border_of_the_chunks(size: int) -> None:
    whole = b"one\n\ntwo\nthree and more\nhalf"

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(whole), size):
            yield whole[start : start + size]

    assert [line async for line in lines(chunks())] == [b"one", b"", b"two", b"three and more"]


async def test_a_line_without_end_does_not_eat_the_memory_and_the_next_ones_are_read() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"before\nx"
        for _ in range(1000):
            yield b"x" * 10_000
        yield b"\nafter\n"

    tracemalloc.start()
    found = [line async for line in lines(chunks(), longest=100_000)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert found == [b"before", b"after"]
    assert peak < 1_000_000


async def test_garbage_half_lines_and_a_megabyte_in_the_stream_lose_no_event(
    docker: FakeDocker, engine: DockerEngine
) -> None:
    web = docker.add("web")
    async with engine.events(None) as events:
        docker.send(b"not json at all\n{\n")
        docker.send(json.dumps({"Type": "container", "x": "y" * 1_000_000}).encode() + b"\n")
        docker.emit("exec_create: sh -c secret", web)
        line = _line("pause") + b"\n"
        docker.send(line[:30])
        docker.send(line[30:])
        docker.emit("start", web, comment="z" * 1_000_000)

        assert (await _next(events)).action is EventAction.PAUSE
        assert (await _next(events)).action is EventAction.START


async def test_the_end_of_the_stream_is_said(docker: FakeDocker, engine: DockerEngine) -> None:
    async with engine.events(None) as events:
        docker.cut_streams()
        with pytest.raises(Unavailable, match="ended its event stream"):
            await _next(events)


async def test_an_engine_that_dies_ends_the_stream(
    docker: FakeDocker, engine: DockerEngine
) -> None:
    async with engine.events(None) as events:
        await docker.stop()
        with pytest.raises(Unavailable):
            await _next(events)


async def test_health_checks_are_left_out_by_the_engine_already(
    docker: FakeDocker, engine: DockerEngine
) -> None:
    async with engine.events(5):
        pass

    query = next(query for query in docker.queries if "/events" in query)
    assert "exec" not in query
    assert "health_status" in query
    assert "since=0.000000005" in query
