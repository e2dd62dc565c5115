"""A server on loopback that says what it is told to, and counts who came."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

type Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Service:
    """Where it is. `open`: how many are connected right now; `came`: how many ever."""

    host: str = "127.0.0.1"
    port: int = 0
    open: int = 0
    came: int = 0

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


@asynccontextmanager
async def serving(
    talk: Talk, *, host: str = "127.0.0.1", context: ssl.SSLContext | None = None
) -> AsyncIterator[Service]:
    """Let `talk` speak to each who connects, until it returns or they hang up."""
    service = Service(host)
    talking: set[asyncio.Task[object]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        own = asyncio.current_task()
        assert own is not None
        talking.add(own)
        own.add_done_callback(talking.discard)
        service.came += 1
        service.open += 1
        try:
            with suppress(OSError, EOFError):
                await talk(reader, writer)
        finally:
            service.open -= 1
            writer.close()

    server = await asyncio.start_server(serve, host, 0, ssl=context)
    service.port = server.sockets[0].getsockname()[1]
    try:
        yield service
    finally:
        server.close()
        server.close_clients()
        await server.wait_closed()
        if talking:  # they end as soon as they notice
            await asyncio.wait(talking)


def own_sockets() -> set[str]:
    """Return the sockets that this process has open."""
    found = set()
    for file in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            link = str(file.readlink())
            if link.startswith("socket:"):
                found.add(link)
    return found
