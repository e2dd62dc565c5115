"""A way back to the agent itself is known by who answers there, and nobody else is taken for it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from homelab_agent.platform.outbound.connections import Outbound, open_outbound
from homelab_agent.platform.outbound.guard import GuardedAddress
from homelab_agent.platform.outbound.own_door import OwnDoor
from homelab_agent.platform.outbound.tls_contexts import TlsContexts
from homelab_agent.platform.settings import Settings

OURS, THEIRS = "0e9f3a52-ours", "77c1b0d4-theirs"

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def agent_with(instance_id: str) -> Handler:
    async def health(request: web.Request) -> web.StreamResponse:
        assert request.path == "/health"
        return web.json_response({"status": "ok", "instance_id": instance_id})

    return health


@asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[int]:
    """Give the port of a server on this machine, which stands for any address."""
    runner = web.ServerRunner(web.Server(handler))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def guarded(*ports: int) -> Outbound:
    """Return what connects, for an agent whose container these ports lead into."""
    outbound = open_outbound(Settings())
    door = OwnDoor("/health", OURS, TlsContexts(), is_encrypted=False)
    outbound.guard.keep_passage("the API of the agent itself", lambda: ports, door.is_at)
    return outbound


async def test_a_published_port_that_leads_back_to_the_agent_is_refused() -> None:
    async with served(agent_with(OURS)) as port:
        with pytest.raises(GuardedAddress, match="API of the agent"):
            await guarded(port).targets("127.0.0.1", port, allow_guarded=False)
        assert await guarded(port).targets("127.0.0.1", port, allow_guarded=True)


async def test_another_agent_at_the_same_port_is_no_door_of_ours() -> None:
    async with served(agent_with(THEIRS)) as port:
        assert await guarded(port).targets("127.0.0.1", port, allow_guarded=False)


async def test_a_stranger_is_asked_once_and_not_before_each_check() -> None:
    asked = 0

    async def count(_: web.Request) -> web.StreamResponse:
        nonlocal asked
        asked += 1
        return web.Response(status=404)

    async with served(count) as port:
        outbound = guarded(port)
        for _ in range(3):
            assert await outbound.targets("127.0.0.1", port, allow_guarded=False)
        assert asked == 1
        assert await outbound.targets("127.0.0.1", port + 1, allow_guarded=False)


async def test_who_sends_without_end_or_breaks_off_keeps_nobody_from_a_check() -> None:
    async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(100):
            writer.write(b"x" * 65536)
        writer.transport.abort()

    async with await asyncio.start_server(flood, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await guarded(port).targets("127.0.0.1", port, allow_guarded=False)
    # Nobody is there any more.
    assert await guarded(port).targets("127.0.0.1", port, allow_guarded=False)
