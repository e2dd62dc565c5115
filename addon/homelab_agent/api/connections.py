"""Connections before they are requests: how many there may be, and how silent one may be.

Without this a stranger who opens connections and says nothing takes every file descriptor.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from ssl import SSLContext
from typing import override

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from homelab_agent.api.middleware import add_headers
from homelab_agent.api.problems import internal_error, problem_response
from homelab_agent.platform.errors import Malformed
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.open_files import open_files_allowed

_SHARE = 2
"""Strangers get one of so many parts of the files that may be open; the rest is for our work."""

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """What strangers are granted. `request_s`: from connecting to the first whole request head."""

    total: int = 512
    per_peer: int = 256
    request_s: float = 10.0


class Connections:
    """All open connections of the server."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.request_s = limits.request_s
        self._total = min(limits.total, open_files_allowed() // _SHARE)
        self._per_peer = limits.per_peer
        self._peers: Counter[str] = Counter()

    def admit(self, peer: str) -> bool:
        """Count a new connection; False where there are too many already."""
        if self._peers.total() >= self._total or self._peers[peer] >= self._per_peer:
            return False
        self._peers[peer] += 1
        return True

    def release(self, peer: str) -> None:
        """Count a connection that was admitted and is gone."""
        self._peers[peer] -= 1
        if not self._peers[peer]:
            del self._peers[peer]


class GuardedSite(web.BaseSite):
    """A listening address whose connections are counted."""

    def __init__(
        self,
        runner: web.AppRunner,
        host: str,
        port: int,
        *,
        ssl_context: SSLContext | None,
        connections: Connections,
    ) -> None:
        super().__init__(runner, ssl_context=ssl_context)
        self._host = host
        self._port = port
        self._connections = connections

    @property
    @override
    def name(self) -> str:
        """Where it listens."""
        return f"{self._host}:{self._port}"

    @override
    async def start(self) -> None:
        """Listen."""
        await super().start()
        self._server = await asyncio.get_running_loop().create_server(
            self._factory(),
            self._host,
            self._port,
            ssl=self._ssl_context,
            ssl_handshake_timeout=self._connections.request_s if self._ssl_context else None,
            backlog=self._backlog,
        )

    def _factory(self) -> Callable[[], _Connection]:
        server = self._runner.server
        if server is None:
            raise RuntimeError("the runner was not set up")
        loop, connections = asyncio.get_running_loop(), self._connections
        # aiohttp has no other way to give its connections a class of their own.
        options = server._kwargs  # noqa: SLF001
        return lambda: _Connection(server, connections, loop=loop, **options)


class _Connection(RequestHandler):
    def __init__(
        self,
        server: web.Server,
        connections: Connections,
        *,
        loop: asyncio.AbstractEventLoop,
        **options: object,
    ) -> None:
        super().__init__(server, loop=loop, **options)  # type: ignore[arg-type]
        self._guard = connections
        self._admitted: str | None = None
        self._patience: asyncio.TimerHandle | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        name = transport.get_extra_info("peername")
        peer = str(name[0]) if isinstance(name, tuple) else "unknown"
        if not self._guard.admit(peer):
            _log.debug("connection_refused", peer=peer)
            self._abort()
            return
        self._admitted = peer
        self._patience = asyncio.get_running_loop().call_later(
            self._guard.request_s, self._require_request
        )

    @override
    def connection_lost(self, exc: BaseException | None) -> None:
        if self._patience is not None:
            self._patience.cancel()
        if self._admitted is not None:
            self._guard.release(self._admitted)
            self._admitted = None
        super().connection_lost(exc)

    @override
    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no HTTP as a problem, as everything else."""
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.error("request_failed", exc_info=exc)
            error = internal_error()
        else:
            _log.debug("request_unreadable", peer=request.remote)
            error = Malformed("The request is no HTTP that can be understood.")
        if request.writer.output_size > 0:
            raise ConnectionError("An answer was already begun")
        response = problem_response(error)
        add_headers(response)
        response.force_close()
        return response

    def _require_request(self) -> None:
        if not self._request_count:
            self._abort()

    def _abort(self) -> None:
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()


async def expect(request: web.Request) -> web.Response | None:
    """Let a client go on that waits for `100 Continue`; refuse every other expectation."""
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        # What was written belongs to no answer.
        request.writer.output_size = 0
        return None
    return problem_response(Malformed("This expectation cannot be met.", field="Expect"))
