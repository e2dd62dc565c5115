"""HTTP to wherever somebody said, each time over a new connection."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from homelab_agent import __version__
from homelab_agent.platform.outbound.connections import Outbound
from homelab_agent.platform.outbound.names import Target

USER_AGENT = f"homelab-agent/{__version__}"

_NO_LIMIT = 0
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=None)


class Stage(StrEnum):
    """How far a request got."""

    NAME = "name"
    CONNECTION = "connection"
    HANDSHAKE = "handshake"
    ANSWER = "answer"
    BODY = "body"


class CutOff(aiohttp.ClientError):
    """The other side ended the connection before it answered. `cause` says how."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """What to ask, and in what family of addresses.

    `server_name`: whom to ask for in the handshake, where that is not the host of `url`.
    """

    url: URL
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    family: socket.AddressFamily = socket.AF_UNSPEC
    server_name: str | None = None


@dataclass(slots=True)
class Attempt:
    """What is known of a request while it runs, and also after it was given up.

    `tls` is there once a handshake was done, also when the connection is closed again.
    """

    targets: tuple[Target, ...] = ()
    sockets: list[socket.socket] = field(default_factory=list)
    transport: asyncio.Transport | None = None
    tls: ssl.SSLObject | None = None
    answered: bool = False

    @property
    def stage(self) -> Stage:
        """What it waits for."""
        if self.answered:
            return Stage.BODY
        if self.transport is not None:
            return Stage.ANSWER
        if any(map(_is_connected, self.sockets)):
            return Stage.HANDSHAKE
        return Stage.CONNECTION if self.targets else Stage.NAME


_attempt: ContextVar[Attempt] = ContextVar("attempt")


class OutboundHttp:
    """One HTTP client for all: no connection is used twice, nothing is remembered between two.

    No cookies, no proxy of the environment, no redirect is followed by itself, no answer is
    unpacked.
    """

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def request(
        self,
        request: HttpRequest,
        attempt: Attempt,
        *,
        context: ssl.SSLContext,
        allow_guarded: bool,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Give the answer as soon as its headers are there; `attempt` says how far it got.

        Raises:
            GuardedAddress: that is where the agent must not go, and `allow_guarded` is not said.
            CutOff: the connection was ended before there was an answer.
            aiohttp.ClientError, OSError: it did not work. There is no deadline in here.
        """
        url = _with_zone(request.url)
        attempt.targets = await self._outbound.targets(
            url.raw_host or "", url.port or 0, allow_guarded=allow_guarded, family=request.family
        )
        token = _attempt.set(attempt)
        answer: aiohttp.ClientResponse | None = None
        try:
            answer = await self._opened().request(
                request.method,
                url,
                headers=request.headers,
                data=request.body,
                ssl=context,
                server_hostname=request.server_name,
                allow_redirects=False,
            )
            attempt.answered = True
            yield answer
        finally:
            _attempt.reset(token)
            if answer is not None:
                answer.close()
            if attempt.transport is not None:
                # At once: a farewell in TLS would keep the socket for as long as the other side
                # likes, and the rest of a long answer would still be taken.
                attempt.transport.abort()

    async def close(self) -> None:
        """End what is open."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=_KnownAddresses(),
                    use_dns_cache=False,
                    socket_factory=_note_socket,
                    force_close=True,
                    limit=_NO_LIMIT,
                ),
                response_class=_NotedResponse,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                timeout=_NO_TIMEOUT,
                headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
            )
        return self._session


class _KnownAddresses(AbstractResolver):
    """Gives what was looked up and allowed before; so nothing is looked up a second time."""

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002 - chosen before
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=f"{target.address}%{target.scope_id}" if target.scope_id else target.address,
                port=port,
                family=target.family,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for target in _attempt.get().targets
        ]

    async def close(self) -> None:
        """Have nothing open."""


class _NotedResponse(aiohttp.ClientResponse):
    async def start(self, connection: aiohttp.connector.Connection) -> aiohttp.ClientResponse:
        transport = connection.transport
        if isinstance(transport, asyncio.Transport):
            attempt = _attempt.get()
            attempt.transport = transport
            attempt.tls = transport.get_extra_info("ssl_object")
        try:
            return await super().start(connection)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            # As it is, aiohttp would ask a second time by itself.
            raise CutOff(error) from error


def _with_zone(url: URL) -> URL:
    """Return a URL whose address of version 6 has its zone as it is, not escaped (RFC 6874)."""
    host = url.raw_host or ""
    return url.with_host(host.replace("%25", "%", 1)) if ":" in host and "%25" in host else url


def _note_socket(found: aiohttp.AddrInfoType) -> socket.socket:
    family, kind, protocol, _, _ = found
    made = socket.socket(family, kind, protocol)
    _attempt.get().sockets.append(made)
    return made


def _is_connected(sock: socket.socket) -> bool:
    try:
        sock.getpeername()
    except OSError:
        return False
    return True
