"""A proxy before a real engine that stops the world at one call: just before it, or just after."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import override

from aiohttp import ClientConnectionError, ClientSession, web

from tests.fakes.socket_proxy import SocketProxy


def _all(_method: str, _path: str) -> bool:
    return True


class HoldingProxy(SocketProxy):
    """`hold` names the next call to stop at, as "METHOD /path?query", by a pattern."""

    def __init__(self, engine_socket: str) -> None:
        super().__init__(engine_socket, _all)
        self.reached = asyncio.Event()
        self._release = asyncio.Event()
        self._pattern: re.Pattern[str] | None = None
        self._done_first = False

    def hold(self, pattern: str, *, done_first: bool) -> None:
        """Stop at the next such call; `done_first`: after it was done, and its answer is lost."""
        self._pattern, self._done_first = re.compile(pattern), done_first
        self.reached.clear()
        self._release.clear()

    def release(self) -> None:
        """Let the call go on."""
        self._release.set()

    @override
    async def _hand_on(self, request: web.Request, session: ClientSession) -> web.StreamResponse:
        called = f"{request.method} {re.sub(r'^/v[0-9.]+', '', request.path_qs)}"
        if self._pattern is None or not self._pattern.fullmatch(called):
            return await super()._hand_on(request, session)
        self._pattern = None
        if not self._done_first:
            self.reached.set()
            await self._release.wait()
            return await super()._hand_on(request, session)
        async with await self._ask(request, session) as answer:
            await answer.read()
        self.reached.set()
        await self._release.wait()
        raise ClientConnectionError


@asynccontextmanager
async def holding_proxy(engine_socket: str) -> AsyncIterator[HoldingProxy]:
    """Give a running proxy."""
    proxy = HoldingProxy(engine_socket)
    await proxy.start()
    try:
        yield proxy
    finally:
        proxy.release()
        await proxy.close()
