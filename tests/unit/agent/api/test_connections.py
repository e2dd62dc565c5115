import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from homelab_agent.api.connections import ConnectionLimits
from tests.unit.agent.api.conftest import Door, Doors

FEW = ConnectionLimits(total=8, per_peer=4, request_s=0.3)
HEALTHY = b"GET /api/v1/try HTTP/1.1\r\nHost: agent\r\n\r\n"


@pytest.fixture
async def narrow(doors: Doors) -> Door:
    return await doors.open(connection_limits=FEW)


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def connect(
    door: Door, stack: AsyncExitStack
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)

    async def close() -> None:
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    stack.push_async_callback(close)
    return reader, writer


async def ended(reader: asyncio.StreamReader) -> bool:
    async with asyncio.timeout(30):
        try:
            return await reader.read() == b""
        except ConnectionResetError:
            return True


async def test_one_address_cannot_take_all_connections(narrow: Door, stack: AsyncExitStack) -> None:
    silent = [await connect(narrow, stack) for _ in range(FEW.per_peer)]
    reader, _ = await connect(narrow, stack)
    assert await ended(reader)
    assert len(silent) == FEW.per_peer


@pytest.mark.parametrize("said", [b"", b"GET /api/v1/he", b"GET / HTTP/1.1\r\nHost: x\r\nX-"])
async def test_who_asks_nothing_in_time_is_let_go_and_makes_room(
    narrow: Door, stack: AsyncExitStack, said: bytes
) -> None:
    silent = [await connect(narrow, stack) for _ in range(FEW.per_peer)]
    for _, writer in silent:
        writer.write(said)
    assert all([await ended(reader) for reader, _ in silent])
    reader, writer = await connect(narrow, stack)
    writer.write(HEALTHY)
    assert await reader.readline() == b"HTTP/1.1 401 Unauthorized\r\n"


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"BREW /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /api/v1/try HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_answered_as_a_problem_that_tells_nothing_of_us(
    narrow: Door, stack: AsyncExitStack, request_line: bytes
) -> None:
    reader, writer = await connect(narrow, stack)
    writer.write(request_line)
    async with asyncio.timeout(30):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        problem = json.loads(await reader.readexactly(length))
    assert "application/problem+json" in head
    assert "server: homelab-agent" in head
    assert "aiohttp" not in head
    assert (problem["status"], problem["code"]) == (400, "malformed")


async def test_a_client_that_waits_for_continue_is_served(
    narrow: Door, stack: AsyncExitStack
) -> None:
    reader, writer = await connect(narrow, stack)
    writer.write(HEALTHY.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
    async with asyncio.timeout(30):
        assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"
        await reader.readline()
        assert await reader.readline() == b"HTTP/1.1 401 Unauthorized\r\n"
