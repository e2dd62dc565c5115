"""A small real server that tells callers their address, over IPv4 and IPv6, and misbehaves."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import Enum, auto

from aiohttp import web

IPV4, OTHER_IPV4 = "93.184.216.34", "93.184.216.35"
IPV6, OTHER_IPV6 = "2606:2800:220:1:248:1893:25c8:1946", "2606:2800:220:1::2"
_MIB = 1 << 20


class Trouble(Enum):
    """What it does instead of telling the address."""

    HANG = auto()
    DRIP = auto()
    GIGABYTE = auto()
    LOGIN_PAGE = auto()
    REDIRECT = auto()
    ERROR = auto()
    CUT = auto()
    EMPTY = auto()


@dataclass
class AddressSource:
    """What it answers. `ahead` is how far its own clock is ahead."""

    port: int = 0
    ipv4: str | None = IPV4
    ipv6: str | None = IPV6
    trouble: Trouble | None = None
    ahead: timedelta | None = field(default_factory=timedelta)
    asked: int = 0
    sent_bytes: int = 0

    @property
    def url(self) -> str:
        """Its address, which has one of each kind."""
        return f"http://localhost:{self.port}/ip"

    @property
    def name(self) -> str:
        """What the agent calls it."""
        return f"localhost:{self.port}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        if self.trouble is not None:
            return await self._misbehave(request, self.trouble)
        is_ipv6 = ":" in (request.remote or "")
        address = self.ipv6 if is_ipv6 else self.ipv4
        if address is None:
            return web.Response(status=404)
        return web.Response(text=f"{address}\n", headers=self._date())

    def _date(self) -> dict[str, str]:
        if self.ahead is None:
            return {"Date": "yesterday"}
        return {"Date": format_datetime(datetime.now(UTC) + self.ahead, usegmt=True)}

    async def _misbehave(self, request: web.Request, trouble: Trouble) -> web.StreamResponse:
        match trouble:
            case Trouble.LOGIN_PAGE:
                return web.Response(text="<html>Welcome to the hotel" + " " * 2000)
            case Trouble.REDIRECT:
                return web.Response(status=302, headers={"Location": "http://localhost/login"})
            case Trouble.ERROR:
                return web.Response(status=500, text=IPV4)
            case Trouble.EMPTY:
                return web.Response(text="")
            case Trouble.CUT:
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            case Trouble.HANG:
                await asyncio.Event().wait()
            case _:
                await self._stream(request, trouble)
        return web.Response()

    async def _stream(self, request: web.Request, trouble: Trouble) -> None:
        response = web.StreamResponse()
        await response.prepare(request)
        part = b"1" * _MIB if trouble is Trouble.GIGABYTE else b" "
        while self.sent_bytes < 1024 * _MIB:
            await response.write(part)
            self.sent_bytes += len(part)
            if trouble is Trouble.DRIP:
                await asyncio.sleep(0.05)


@asynccontextmanager
async def address_source(**facts: object) -> AsyncIterator[AddressSource]:
    """Serve on the same port of both loopback addresses."""
    source = AddressSource(**facts)  # type: ignore[arg-type]
    app = web.Application()
    app.router.add_get("/ip", source.answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    sockets = _sockets()
    source.port = sockets[0].getsockname()[1]
    try:
        for each in sockets:
            await web.SockSite(runner, each).start()
        yield source
    finally:
        await runner.cleanup()


def _sockets() -> tuple[socket.socket, socket.socket]:
    while True:
        ipv4 = socket.create_server(("127.0.0.1", 0))
        try:
            port = ipv4.getsockname()[1]
            return ipv4, socket.create_server(("::1", port), family=socket.AF_INET6)
        except OSError:  # somebody has this port of the other
            ipv4.close()
