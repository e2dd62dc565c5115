"""A small real socket proxy before a real engine: what it does not allow it answers with 403."""

import asyncio
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import (
    ClientConnectionError,
    ClientPayloadError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    UnixConnector,
    web,
)

type Allows = Callable[[str, str], bool]


def only_reads(method: str, _path: str) -> bool:
    """Allow what docker-socket-proxy allows with POST=0 and everything else switched on."""
    return method in {"GET", "HEAD"}


def without(pattern: str) -> Allows:
    """Allow everything but the paths (without their version) that match."""
    return lambda _method, path: re.match(pattern, path) is None


class SocketProxy:
    """Listens on its own socket and hands on to the engine's; `allows` may change at any time."""

    def __init__(self, engine_socket: str, allows: Allows = only_reads) -> None:
        self.allows = allows
        self._engine_socket = engine_socket
        self._folder = Path(tempfile.mkdtemp(prefix="sp-", dir="/tmp"))
        self.socket = self._folder / "docker.sock"
        self._session: ClientSession | None = None
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    async def start(self) -> None:
        self._session = ClientSession(
            connector=UnixConnector(self._engine_socket, force_close=True),
            timeout=ClientTimeout(total=None),
        )
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.UnixSite(self._runner, str(self.socket)).start()

    async def close(self) -> None:
        if self._runner:
            await self._runner.cleanup()
        if self._session:
            await self._session.close()
        await asyncio.to_thread(shutil.rmtree, self._folder, True)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        path = re.sub(r"^/v[\d.]+", "", request.path)
        if not self.allows(request.method, path):
            text = "<html><body><h1>403 Forbidden</h1>\nForbidden by rules.\n</body></html>\n"
            return web.Response(status=403, text=text, content_type="text/html")
        assert self._session is not None
        try:
            return await self._hand_on(request, self._session)
        except ClientConnectionError:
            return web.Response(status=503, text="<h1>503 Service Unavailable</h1>")
        except ClientPayloadError:
            # The engine ended in the middle of its answer.
            if request.transport is not None:
                request.transport.close()
            return web.Response()

    async def _ask(self, request: web.Request, session: ClientSession) -> ClientResponse:
        kept = {"Content-Type", "X-Registry-Auth", "If-Match"}
        return await session.request(
            request.method,
            f"http://engine{request.path_qs}",
            data=await request.read(),
            headers={name: value for name, value in request.headers.items() if name in kept},
        )

    async def _hand_on(self, request: web.Request, session: ClientSession) -> web.StreamResponse:
        async with await self._ask(request, session) as answer:
            headers = {"Content-Type": answer.headers.get("Content-Type", "text/plain")}
            if "Etag" in answer.headers:
                headers["Etag"] = answer.headers["Etag"]
            response = web.StreamResponse(status=answer.status, headers=headers)
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
            return response


@asynccontextmanager
async def socket_proxy(
    engine_socket: str, allows: Allows = only_reads
) -> AsyncIterator[SocketProxy]:
    """Give a running proxy."""
    proxy = SocketProxy(engine_socket, allows)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.close()
