"""What all small servers of providers have in common: an address, a past, and faults on script."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from enum import Enum

from aiohttp import web

from tests.fakes.dns_providers.records import Zones, half_way


class Applies(Enum):
    """How much of what was asked for is done."""

    NOTHING = "nothing"
    HALF = "half"
    ALL = "all"


@dataclass
class Fault:
    """What happens to a request that changes something, or reads.

    `applies`: how much of it is done. Then: `hang` gives no answer, `cut` ends the connection
    without one, `lie` gives the answer of success, else `status`, `headers` and `body` are
    answered. `after`: so many are served well before; `times` None: from then on always.
    `only`: only requests that contain this in "METHOD /path?query". `changing`: only those that
    change something.
    """

    applies: Applies = Applies.NOTHING
    hang: bool = False
    cut: bool = False
    lie: bool = False
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: str = "something went wrong"
    after: int = 0
    times: int | None = None
    only: str = ""
    changing: bool = False

    @property
    def patience_s(self) -> float:
        """How long to wait for an answer: only what hangs is given up soon."""
        return 1.0 if self.hang else 20.0

    def strikes(self, asked: str, *, changes: bool) -> bool:
        """Return whether it is this one's turn."""
        if self.only not in asked or (self.changing and not changes) or self.times == 0:
            return False
        if self.after:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


HTML_PAGE = Fault(
    status=200,
    headers={"Content-Type": "text/html"},
    body="<!DOCTYPE html><html><body><h1>We will be back soon</h1></body></html>",
)
"""What a proxy in between says while the service is being worked on."""

BROKEN_JSON = Fault(
    status=200, headers={"Content-Type": "application/json"}, body='{"success": true, "resu'
)
"""An answer that ends too early."""


class ProviderServer:
    """A provider on loopback. `asked`: "METHOD /path?query" of every request, in order.

    `changes`: how many of them were to change something. `gets_change`: it is changed by GET.
    `same_below`: names below a zone have its records.
    """

    gets_change = False
    same_below = False

    def __init__(self, *zones: str) -> None:
        self.zones = Zones({zone: [] for zone in zones})
        self.faults: list[Fault] = []
        self.asked: list[str] = []
        self.bodies: list[str] = []
        self.changes = 0
        self.url = ""
        self._runner: web.AppRunner | None = None
        self._released = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        """Return what it serves."""
        raise NotImplementedError

    def fail(self, fault: Fault, only: str = "") -> None:
        """Have this happen from now on; a fault counts for itself wherever it is used."""
        self.faults.append(replace(fault, only=only or fault.only))

    def count(self, part: str = "") -> int:
        """Return how many requests had this in them."""
        return sum(part in each for each in self.asked)

    async def start(self, port: int = 0) -> None:
        """Listen."""
        app = web.Application(middlewares=[self._misbehaving])
        app.add_routes(self.routes())
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Be gone."""
        self._released.set()
        if self._runner:
            await self._runner.cleanup()

    @property
    def port(self) -> int:
        """Where it listens, to be started anew at the same place."""
        return int(self.url.rpartition(":")[2])

    @web.middleware
    async def _misbehaving(
        self, request: web.Request, handler: Callable[[web.Request], web.StreamResponse]
    ) -> web.StreamResponse:
        asked = f"{request.method} {request.path_qs}"
        self.asked.append(asked)
        self.bodies.append(await request.text())
        changes = self.gets_change or request.method != "GET"
        self.changes += changes
        fault = next((each for each in self.faults if each.strikes(asked, changes=changes)), None)
        if fault is None:
            return await _answered(handler(request))
        before = self.zones.copy()
        answer = await _answered(handler(request))
        self._undo(before, fault.applies)
        if fault.hang:
            await self._released.wait()
        if fault.cut or fault.hang:
            assert request.transport is not None
            request.transport.abort()
        return answer if fault.lie else _scripted(fault)

    def _undo(self, before: Zones, applies: Applies) -> None:
        for zone, records in before.records.items():
            match applies:
                case Applies.NOTHING:
                    self.zones.replace(zone, records)
                case Applies.HALF:
                    self.zones.replace(zone, half_way(records, self.zones.records[zone]))
                case Applies.ALL:
                    pass


async def _answered(answering: object) -> web.StreamResponse:
    try:
        return await answering  # type: ignore[misc, no-any-return]
    except web.HTTPException as error:
        return web.Response(status=error.status, text=error.text, headers=error.headers)


def _scripted(fault: Fault) -> web.Response:
    return web.Response(status=fault.status, headers=fault.headers, text=fault.body)


@asynccontextmanager
async def running[Server: ProviderServer](server: Server) -> AsyncIterator[Server]:
    """Give the server while it runs."""
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
