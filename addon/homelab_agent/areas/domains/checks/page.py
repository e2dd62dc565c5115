"""One look at one address: is it there, does it speak HTTPS, what does it answer and show."""

import asyncio
import errno
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address

import aiohttp
from yarl import URL

from homelab_agent.platform.outbound.connections import Outbound, where
from homelab_agent.platform.outbound.guard import GuardedAddress
from homelab_agent.platform.outbound.http import Attempt, HttpRequest, OutboundHttp
from homelab_agent.platform.outbound.tls_contexts import TlsContexts

HTTPS_PORT = 443
HTTP_PORT = 80
IPV6 = 6
WITHIN_S = 10.0
CONNECT_WITHIN_S = 4.0

_NO_WAY = frozenset({errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


class Reach(StrEnum):
    """Whether a connection came about. NO_WAY: this machine cannot get to such addresses."""

    CONNECTED = "connected"
    FAILED = "failed"
    NO_WAY = "no_way"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What was found at one address. `trouble`: why there was no answer to read.

    `chain` is what was shown in the handshake, the certificate itself first (DER).
    """

    address: str
    reach: Reach
    status: int | None = None
    response_ms: float | None = None
    chain: tuple[bytes, ...] = ()
    trouble: str | None = None


class Pages:
    """Looks. What goes wrong at the other side is an answer, not an error."""

    def __init__(self, outbound: Outbound, http: OutboundHttp, contexts: TlsContexts) -> None:
        self._outbound = outbound
        self._http = http
        self._contexts = contexts

    async def misled(self, upstreams: Sequence[str]) -> str | None:
        """Return which of these leads to where the agent must not go; None: none does.

        None did when the route was made; a name may lead elsewhere since, and the proxy follows.
        """
        found = await asyncio.gather(*map(self._misled, upstreams))
        return next((each for each in found if each is not None), None)

    async def https(self, name: str, address: str, port: int = HTTPS_PORT) -> Page:
        """Ask for the page of a name by HTTPS, whatever certificate is shown."""
        attempt, place = Attempt(), where(address, port)
        loop = asyncio.get_running_loop()
        began = loop.time()
        request = HttpRequest(
            url=URL.build(scheme="https", host=address, port=port, path="/"),
            headers={"Host": name},
            server_name=name,
        )
        status, trouble, error_number = None, None, None
        try:
            async with asyncio.timeout(WITHIN_S):
                context = await self._contexts.get(verify=False)
                async with self._http.request(
                    request, attempt, context=context, allow_guarded=False
                ) as answer:
                    status = answer.status
        except TimeoutError as error:
            trouble, error_number = f"no answer within {WITHIN_S:g} s", error.errno
        except GuardedAddress as error:
            trouble = f"the agent does not connect to there: it is {error.why}"
        except (OSError, aiohttp.ClientError) as error:
            trouble, error_number = _why(error), _number(error)
        reach = Reach.CONNECTED
        if status is None and attempt.tls is None:
            reach = await self._reach(address, port, error_number)
        return Page(
            address=address,
            reach=reach,
            status=status,
            response_ms=None if status is None else round((loop.time() - began) * 1000, 1),
            chain=_chain(attempt.tls),
            trouble=trouble and f"{place}: {trouble}",
        )

    async def _misled(self, upstream: str) -> str | None:
        host, _, port = upstream.rpartition("//")[2].rpartition(":")
        try:
            async with asyncio.timeout(CONNECT_WITHIN_S):
                targets = await self._outbound.names.look_up(host.strip("[]"), int(port))
        except OSError:  # the proxy may know the name: in a container's network it has its own
            return None
        for target in targets:
            address = ip_address(target.address)
            if address.version == IPV6 and address.is_link_local:
                continue  # a neighbour as the local network names it, and nobody's cloud
            why = await self._outbound.guard.refusal(target)
            if why is not None:
                return f"{upstream} leads to {target.address} by now, which is {why}"
        return None

    async def connects(self, address: str, port: int) -> bool:
        """Return whether anybody listens there."""
        try:
            connected = await self._outbound.connect(
                address, port, timeout_s=CONNECT_WITHIN_S, allow_guarded=False
            )
        except OSError, GuardedAddress:
            return False
        connected.close()
        return True

    async def _reach(self, address: str, port: int, error_number: int | None) -> Reach:
        """Return whether it was the connection that failed, or only what came after."""
        if error_number in _NO_WAY:
            return Reach.NO_WAY
        if error_number != errno.ECONNREFUSED and await self.connects(address, port):
            return Reach.CONNECTED
        return Reach.FAILED


def _chain(tls: ssl.SSLObject | None) -> tuple[bytes, ...]:
    chain: Sequence[bytes] = tls.get_unverified_chain() if tls is not None else ()
    return tuple(chain)


def _number(error: Exception) -> int | None:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return cause.errno if isinstance(cause, OSError) else None


def _why(error: Exception) -> str:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, ssl.SSLError):
        return f"the handshake failed: {(cause.reason or str(cause)).lower().replace('_', ' ')}"
    if isinstance(cause, ConnectionRefusedError):
        return "nothing listens there"
    if isinstance(cause, ConnectionResetError | aiohttp.ServerDisconnectedError):
        return "the connection was broken off"
    if isinstance(cause, socket.gaierror):
        return "that is no address"
    if isinstance(cause, OSError) and cause.errno:
        return (cause.strerror or str(cause)).lower()
    return str(cause) or "the answer is no HTTP"
