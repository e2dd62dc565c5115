"""The proxy's area around a real Caddy, with everything real but time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from homelab_agent.areas.proxy.board import Board
from homelab_agent.areas.proxy.book import Book
from homelab_agent.areas.proxy.caddy_admin import CaddyAdmin, HttpCaddyAdmin
from homelab_agent.areas.proxy.chooser import Chooser
from homelab_agent.areas.proxy.dry_run import DryRun
from homelab_agent.areas.proxy.editor import Editor
from homelab_agent.areas.proxy.facts import FactsFinder
from homelab_agent.areas.proxy.header_secrets import HeaderSecrets
from homelab_agent.areas.proxy.kept import KeptSetup, ProxyRecord
from homelab_agent.areas.proxy.memory import RestartMemory
from homelab_agent.areas.proxy.models import ProxyMode, ProxyRoute, ProxyStatus, RouteBody
from homelab_agent.areas.proxy.passwords import Passwords
from homelab_agent.areas.proxy.preparing import Preparation
from homelab_agent.areas.proxy.secret_values import SecretValues
from homelab_agent.areas.proxy.service import ProxyService, Tools
from homelab_agent.areas.proxy.serving import HttpProber
from homelab_agent.areas.proxy.sites import Sites
from homelab_agent.areas.proxy.trying_here import CaddyHere
from homelab_agent.areas.proxy.trying_inside import CaddyInside
from homelab_agent.areas.proxy.wanted import Wishes
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.engine.execution import ExecutionEngine
from homelab_agent.platform.outbound.connections import Outbound, open_outbound
from homelab_agent.platform.outbound.http import OutboundHttp
from homelab_agent.platform.outbound.sites import OutboundSites
from homelab_agent.platform.outbound.tls_contexts import TlsContexts
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.secrets import SecretFilter
from homelab_agent.platform.settings import Settings
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.records import Records
from homelab_agent.platform.store.tables import proxy_record
from homelab_agent.platform.vault import open_vault
from tests.clock import HandClock
from tests.fakes.machine import SetMachine
from tests.harness.ports import free_port

HOST = "photos.example.org"
PATIENCE_S = 1.0


@dataclass(slots=True)
class ProxyBench:
    """The area's parts, to be asked directly."""

    service: ProxyService
    editor: Editor
    facts: FactsFinder
    book: Book
    board: Board
    resources: Resources
    outbound: Outbound
    folder: Path

    async def put(self, body: RouteBody, host: str = HOST) -> None:
        """Have a route."""
        await self.service.put(await self.service.prepare(host, body))

    async def remove(self, host: str = HOST) -> None:
        """Have it no more."""
        await self.service.put(await self.service.prepare(host, None))

    def row(self, host: str = HOST) -> ProxyRoute:
        """Return what is shown of a route."""
        found = self.board.route(host)
        assert found is not None
        return found

    def status(self) -> ProxyStatus:
        """Return what is shown of the proxy."""
        return self.board.status()


@asynccontextmanager
async def proxy_bench(
    folder: Path,
    admin: str,
    *,
    read_s: float = 10,
    write_s: float = 30,
    tries_first: bool = True,
    wrap: Callable[[CaddyAdmin], CaddyAdmin] = lambda admin: admin,
    settings: Settings | None = None,
    is_new: bool = True,
    execution: ExecutionEngine | None = None,
) -> AsyncIterator[ProxyBench]:
    """Give the area with the Caddy at `admin` set up. `wrap`: what stands between the two.

    Not `is_new`: as it is when an agent starts that had all this before, with nothing read yet.
    `execution`: routes are tried in Caddy's container by this, and nowhere else.
    """
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    store = await Store.open(f"sqlite+aiosqlite:///{folder}/homelab.db", folder)
    outbound = open_outbound(settings or Settings())
    http, tls, resources = OutboundHttp(outbound), TlsContexts(), Resources()
    book = Book(Records(store, proxy_record, ProxyRecord), utc_now)
    vault = await asyncio.to_thread(open_vault, folder, None, SecretFilter())
    passwords = Passwords(vault)
    headers, values = HeaderSecrets(vault), SecretValues(vault)
    chooser = Chooser(book, passwords, headers)
    board = Board(book, chooser, resources, utc_now)

    def connect(address: str) -> CaddyAdmin:
        return wrap(HttpCaddyAdmin(address, http, tls, read_s=read_s, write_s=write_s))

    editor = Editor(book, connect, patience_s=PATIENCE_S)
    dry_run = DryRun(
        CaddyInside(execution, resources, book, board.status)
        if execution
        else CaddyHere("caddy" if tries_first else str(folder / "no-caddy"))
    )
    wishes = Wishes(passwords, headers, outbound)
    memory = RestartMemory(SetMachine(HandClock()), lambda _: None, resources)
    facts = FactsFinder(book, editor, memory)
    tools = Tools(
        facts=facts,
        chooser=chooser,
        preparation=Preparation(book, editor, chooser, wishes, dry_run, values, utc_now),
        sites=Sites(book, editor, HttpProber(OutboundSites(http, tls))),
        values=values,
    )
    service = ProxyService(book, editor, board, tools, utc_now)
    if is_new:
        await book.load()
        await book.keep_setup(KeptSetup(mode=ProxyMode.OWN, admin=admin))
    try:
        yield ProxyBench(service, editor, facts, book, board, resources, outbound, folder)
    finally:
        await http.close()
        await store.close()


@asynccontextmanager
async def upstream(
    answer: Callable[[web.Request], web.StreamResponse] | None = None,
    *,
    host: str = "127.0.0.1",
) -> AsyncIterator[str]:
    """Give host and port of a small web server; it tells what it was asked."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await _echo(request)
        if answer is not None:
            return answer(request)
        return web.json_response({"path": request.path, "headers": dict(request.headers)})

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(application)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, host, port).start()
    try:
        yield f"{host}:{port}"
    finally:
        await runner.cleanup()


async def _echo(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        await socket.send_str(f"echo {message.data}")
    return socket
