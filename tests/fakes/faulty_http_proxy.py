"""A proxy before a real HTTP API that hands on what it is told to, and may lie about it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientSession, web

_READING = {"GET", "HEAD"}
_ANSWERS: dict[str | None, tuple[int, dict[str, str]]] = {
    "busy": (429, {"Retry-After": "7"}),
    "lies": (204, {}),
    "fails": (500, {}),
}


class FaultyHttpProxy:
    """`fault`: what happens to the next request that changes something; None: nothing.

    "busy", "cut before", "cut after" and "lies" as they are called; "half": of a list of record
    sets the first half is handed on, and the answer is 500; where there is only one, that is handed
    on, and the next request is answered so.
    """

    def __init__(self, target: str) -> None:
        self.url = ""
        self.fault: str | None = None
        self.changes = 0
        self._target = target
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen."""
        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def close(self) -> None:
        """Be gone."""
        if self._runner:
            await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.Response:
        body = await request.read()
        if request.method in _READING:
            return await self._hand_on(request, body)
        self.changes += 1
        fault, self.fault = self.fault, None
        if fault in _ANSWERS:
            status, headers = _ANSWERS[fault]
            return web.Response(status=status, headers=headers)
        if fault == "half":
            return await self._half(request, body)
        answer = None if fault == "cut before" else await self._hand_on(request, body)
        return answer if answer and fault != "cut after" else _cut(request)

    async def _half(self, request: web.Request, body: bytes) -> web.Response:
        asked = json.loads(body)
        if len(asked["rrsets"]) == 1:
            self.fault = "fails"
            return await self._hand_on(request, body)
        asked["rrsets"] = asked["rrsets"][: len(asked["rrsets"]) // 2]
        await self._hand_on(request, json.dumps(asked).encode())
        return web.Response(status=500, text="no more today")

    async def _hand_on(self, request: web.Request, body: bytes) -> web.Response:
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() in {"x-api-key", "content-type"}
        }
        async with (
            ClientSession() as session,
            session.request(
                request.method, f"{self._target}{request.path_qs}", headers=headers, data=body
            ) as answer,
        ):
            return web.Response(
                status=answer.status,
                body=await answer.read(),
                content_type=answer.content_type,
            )


def _cut(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@asynccontextmanager
async def faulty_http_proxy(target: str) -> AsyncIterator[FaultyHttpProxy]:
    """Give a running proxy."""
    proxy = FaultyHttpProxy(target)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.close()
