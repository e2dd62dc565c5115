"""Logs as a person reads them, whatever the container wrote."""

import asyncio
import struct
from datetime import UTC, datetime, timedelta

import pytest

from homelab_agent.platform.engine.docker.containers import DockerEngine
from homelab_agent.platform.engine.docker.transport import Transport
from homelab_agent.platform.engine.logs import LONGEST_LINE, MOST_BYTES, LogReader
from homelab_agent.platform.engine.models import LogLine, LogStream
from homelab_agent.platform.errors import RateLimited
from tests.fakes.docker_engine import FakeDocker, Fault, frame

T = b"2026-11-21T08:00:00.123456789Z "
AT = datetime(2026, 11, 21, 8, 0, 0, 123456, UTC)


def _read(body: bytes, *, tail: int = 100, framed: bool = True, size: int = 0) -> list[LogLine]:
    reader = LogReader(tail, framed=framed)
    for start in range(0, len(body), size or len(body) or 1):
        reader.feed(body[start : start + (size or len(body))])
    return list(reader.finish())


@pytest.mark.parametrize("size", [1, 3, 8, 9, 64, 0])
def test_both_outputs_are_told_apart_whatever_the_borders_of_the_chunks(size: int) -> None:
    body = frame(1, T + b"hello\n") + frame(2, T + b"oh no\n") + frame(1, T + b"unfinished")

    assert _read(body, size=size) == [
        LogLine(at=AT, stream=LogStream.STDOUT, text="hello"),
        LogLine(at=AT, stream=LogStream.STDERR, text="oh no"),
        LogLine(at=AT, stream=LogStream.STDOUT, text="unfinished"),
    ]


def test_a_terminals_log_has_no_frames_and_no_carriage_returns() -> None:
    body = T + b"prompt$ ls\r\n" + T + b"a  b\r\n"

    assert [line.text for line in _read(body, framed=False, size=5)] == ["prompt$ ls", "a  b"]


def test_a_long_line_that_docker_keeps_in_parts_is_one_line() -> None:
    body = (
        frame(1, T + b"a" * 5000) + frame(2, T + b"between\n") + frame(1, T + b"b" * 5000 + b"\n")
    )

    lines = _read(body)

    assert [line.text for line in lines] == ["between", "a" * 5000 + "b" * 5000]


def test_an_endless_line_is_cut_and_says_so() -> None:
    (line,) = _read(b"".join(frame(1, T + b"x" * 16_000) for _ in range(1000)))

    assert len(line.text) <= LONGEST_LINE + 1
    assert line.text.endswith("x…")


def test_only_so_much_is_kept_and_it_is_the_newest() -> None:
    body = b"".join(frame(1, T + b"%05d" % n + b"y" * 10_000 + b"\n") for n in range(1000))

    lines = _read(body, tail=5000)

    assert sum(len(line.text) for line in lines) <= MOST_BYTES
    assert lines[-1].text.startswith("00999")


def test_binary_junk_becomes_readable_text() -> None:
    (line,) = _read(frame(1, T + b"caf\xc3\xa9 \xff\xfe\x00!\n"))

    assert line.text == "café \ufffd\ufffd\x00!"


def test_a_line_without_a_time_is_shown_without_one() -> None:
    (line,) = _read(frame(1, b"yesterday, all my troubles\n"))

    assert line.at is None
    assert line.text == "yesterday, all my troubles"


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-99-99T99:99:99Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "2026-01-01T00:00:00+99:99",
    ],
)
def test_a_time_that_there_never_was_does_not_cost_the_whole_log(stamp: str) -> None:
    reader = LogReader(10, framed=False)
    reader.feed(f"{stamp} odd\n2026-01-01T00:00:00Z well\n".encode())
    odd, well = reader.finish()
    assert (odd.at, odd.text) == (None, "odd")
    assert well.text == "well"


def test_an_empty_line_keeps_its_time() -> None:
    assert _read(frame(1, T + b"\n")) == [LogLine(at=AT, stream=LogStream.STDOUT, text="")]


def test_an_empty_or_cut_log_is_no_error() -> None:
    assert _read(b"") == []
    assert _read(frame(1, b"")) == []
    assert _read(b"\x01\x00\x00") == []
    assert [line.text for line in _read(struct.pack(">BxxxL", 1, 500) + b"cut off")] == ["cut off"]


async def test_until_finds_the_last_lines_before_it_not_of_the_whole_log(
    docker: FakeDocker, engine: DockerEngine
) -> None:
    docker.add("web", log=b"".join(frame(1, T + b"line %d\n" % n) for n in range(50)))

    lines = await engine.logs("web", tail=3, since=None, until=AT + timedelta(hours=1))

    assert [line.text for line in lines] == ["line 47", "line 48", "line 49"]
    query = docker.queries[-1]
    assert "tail=all" in query
    assert "until=1795251600.123456" in query


async def test_since_is_asked_of_docker_with_its_zone_considered(
    docker: FakeDocker, engine: DockerEngine
) -> None:
    docker.add("web")

    await engine.logs("web", tail=3, since=AT, until=None)

    assert "since=1795248000.123456" in docker.queries[-1]


async def test_a_tty_container_is_read_as_one(docker: FakeDocker, engine: DockerEngine) -> None:
    docker.add("shell", tty=True, log=T + b"$ \x1b[31mred\x1b[0m\r\n")

    (line,) = await engine.logs("shell", tail=3, since=None, until=None)

    assert line.text == "$ \x1b[31mred\x1b[0m"
    assert line.stream is LogStream.STDOUT


async def test_many_who_read_logs_take_turns_and_too_many_are_told_to_come_again(
    docker: FakeDocker,
) -> None:
    web = docker.add("web", log=frame(1, T + b"ready\n"))
    path = f"GET containers/{web.id}/logs"
    engine = DockerEngine(Transport(docker.url, deadline_s=5))
    until = AT + timedelta(hours=1)

    async with docker.held(path) as held, asyncio.TaskGroup() as readers:
        reading = [
            readers.create_task(engine.logs("web", tail=1, since=None, until=until))
            for _ in range(11)
        ]
        await held.reached.wait()
        with pytest.raises(RateLimited) as refused:
            await engine.logs("web", tail=1, since=None, until=None)
        assert refused.value.retry_after_s
        assert docker.calls[path] <= 3
        # A look at the container is no log: nobody has to wait for it.
        assert (await engine.inspect("web")).name == "web"
        held.release.set()

    assert [task.result()[0].text for task in reading] == ["ready"] * 11
    assert len(await engine.logs("web", tail=1, since=None, until=None)) == 1
    await engine.close()


async def test_who_gives_up_reading_a_log_makes_room_for_others(docker: FakeDocker) -> None:
    docker.add("web", log=frame(1, T + b"ready\n"))
    engine = DockerEngine(Transport(docker.url, deadline_s=5))
    docker.faults["GET containers/.*/logs"] = Fault(hang=True)
    reading = [
        asyncio.create_task(engine.logs("web", tail=1, since=None, until=None)) for _ in range(11)
    ]
    await asyncio.sleep(0)
    for task in reading:
        task.cancel()
    await asyncio.gather(*reading, return_exceptions=True)
    docker.faults.clear()

    assert len(await engine.logs("web", tail=1, since=None, until=None)) == 1
    await engine.close()
