"""Logs show what was asked for, and no secret of the agent, however it is asked."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from homelab_agent.areas.containers.log_filter import LogFilter
from homelab_agent.areas.containers.models import (
    LogFollowQuery,
    LogNews,
    LogSearchQuery,
    LogsQuery,
)
from homelab_agent.platform.engine.logs import LONGEST_LINE, LineBuffer, LogSplitter, PackedLine
from homelab_agent.platform.engine.models import LogStream
from homelab_agent.platform.errors import Invalid
from homelab_agent.platform.secrets import SecretFilter
from tests.fakes.commanded import Commanded, commanded
from tests.fakes.docker_engine import FakeDocker, frame

SECRET = "correct-horse-battery"


@pytest.fixture
async def agent(docker: FakeDocker, tmp_path: Path) -> AsyncIterator[Commanded]:
    docker.add("web")
    async with commanded(docker.url, tmp_path) as made:
        await made.live.connected()
        made.secrets.add(SECRET)
        yield made


async def test_a_secret_is_neither_shown_nor_found(docker: FakeDocker, agent: Commanded) -> None:
    web = next(iter(docker.containers.values()))
    docker.write(web, f"password is {SECRET}, do not tell")

    (line,) = (await agent.logs.read("web", LogsQuery(search="PASSWORD"))).lines
    assert line.text == "password is ***, do not tell"
    assert (await agent.logs.read("web", LogsQuery(search="horse"))).lines == ()
    found = await agent.logs.search(LogSearchQuery(search="horse"))
    assert (found.found, found.searched) == ((), 1)
    async with agent.logs.follow("web", LogFollowQuery()) as feed:
        assert (await _next(feed)).lines == (line,)


async def test_a_secret_that_docker_keeps_in_two_parts_is_masked(
    docker: FakeDocker, agent: Commanded
) -> None:
    stamp = b"2026-11-21T08:00:00.123456789Z "
    web = next(iter(docker.containers.values()))
    web.log = frame(1, stamp + b"x" * 100 + SECRET[:7].encode())
    web.log += frame(1, stamp + SECRET[7:].encode() + b"\n")

    (line,) = (await agent.logs.read("web", LogsQuery())).lines

    assert line.text == "x" * 100 + "***"


def test_a_secret_at_the_place_where_a_long_line_is_cut_is_not_shown_in_half() -> None:
    secrets = SecretFilter()
    secrets.add(SECRET)
    text = "x" * (LONGEST_LINE - 10) + SECRET + "y" * 100
    (packed,) = LogSplitter(framed=False).feed(text.encode() + b"\n")

    shown = LogFilter(secrets, None).shown(packed)

    assert shown is not None
    assert set(shown.text) == {"x", "…"}


def test_an_endless_line_is_given_once_and_its_rest_is_passed_over() -> None:
    splitter = LogSplitter(framed=False)
    found = [line for _ in range(100) for line in splitter.feed(b"x" * 10_000)]
    found += splitter.feed(b"the end\nthe next\n")

    assert [line.cut for line in found] == [True, False]
    assert found[1].raw == b"the next"
    assert splitter.finish() == []


def test_a_buffer_keeps_the_newest_and_counts_the_others() -> None:
    buffer = LineBuffer(3, 1000)
    buffer.extend([PackedLine(LogStream.STDOUT, b"%d" % number) for number in range(10)])
    buffer.extend([PackedLine(LogStream.STDOUT, b"x" * 999)])

    assert buffer.dropped == 9
    assert [line.raw[:3] for line in buffer.take()] == [b"9", b"xxx"]


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("90s", timedelta(seconds=90)),
        ("10m", timedelta(minutes=10)),
        ("2h", timedelta(hours=2)),
        ("3 d", timedelta(days=3)),
        ("1w", timedelta(weeks=1)),
    ],
)
def test_a_time_may_be_given_as_how_long_ago_it_was(text: str, ago: timedelta) -> None:
    since = LogsQuery.model_validate({"since": text}, strict=False).since

    assert since is not None
    assert abs(datetime.now(UTC) - ago - since) < timedelta(seconds=30)


@pytest.mark.parametrize("text", ["m", "-5m", "ten minutes", "999999w", "5y"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        LogsQuery.model_validate({"since": text}, strict=False)


async def test_an_end_before_its_beginning_is_refused_with_its_field(agent: Commanded) -> None:
    now = datetime.now(UTC)

    with pytest.raises(Invalid) as refused:
        await agent.logs.read("web", LogsQuery(since=now, until=now - timedelta(hours=1)))

    assert refused.value.field == "since"


async def _next(feed: AsyncIterator[LogNews]) -> LogNews:
    async with asyncio.timeout(15):
        return await anext(feed)
