"""Sources on the internet that answer with the address they were asked from."""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import IntEnum
from ipaddress import IPv6Address, ip_address
from types import SimpleNamespace
from urllib.parse import urlsplit

import aiohttp

from homelab_agent.areas.network.reach import is_public
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.host.network import Address

DEADLINE_S = 10.0
LONGEST_ANSWER_BYTES = 256
_HALF_A_SECOND = timedelta(seconds=0.5)
"""A `Date` tells whole seconds: on average it is half a second old."""

_OUT_OF_DATE = frozenset({9, 10})
"""OpenSSL: a certificate is not valid yet, or not any more."""


class IpVersion(IntEnum):
    """Which of the two internets."""

    IPV4 = 4
    IPV6 = 6


_FAMILIES: Mapping[IpVersion, socket.AddressFamily] = {
    IpVersion.IPV4: socket.AF_INET,
    IpVersion.IPV6: socket.AF_INET6,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one source said: an address, or why there is none.

    `clock_ahead_s`: how far our clock is ahead of the source's. `reached`: somebody did answer.
    """

    source: str
    address: Address | None = None
    problem: str | None = None
    clock_ahead_s: float | None = None
    reached: bool = True
    certificate_out_of_date: bool = False


@dataclass(slots=True)
class _Asked:
    """When a question was sent: looking up a name and connecting come before that."""

    at_s: float = 0.0


class AddressSources:
    """Asks all sources at once, over one IP version."""

    def __init__(
        self, urls: tuple[str, ...], clock: Clock, *, deadline_s: float = DEADLINE_S
    ) -> None:
        self._urls = {urlsplit(url).netloc: url for url in urls}
        self._clock = clock
        self._deadline_s = deadline_s

    async def ask(self, version: IpVersion) -> tuple[Answer, ...]:
        """Return what each source said; one that says nothing in time has a problem."""
        connector = aiohttp.TCPConnector(family=_FAMILIES[version], force_close=True)
        timeout = aiohttp.ClientTimeout(total=self._deadline_s)
        # Nobody is to pack a gigabyte into a few bytes.
        headers = {"Accept": "text/plain", "Accept-Encoding": "identity"}
        async with aiohttp.ClientSession(
            connector=connector,
            timeout=timeout,
            headers=headers,
            auto_decompress=False,
            trace_configs=[_timing()],
        ) as session:
            asked = (self._ask(session, name, version) for name in self._urls)
            return tuple(await asyncio.gather(*asked))

    async def _ask(self, session: aiohttp.ClientSession, name: str, version: IpVersion) -> Answer:
        asked = _Asked()
        if not _may_have(self._urls[name], version):
            return Answer(source=name, problem=f"{name} has no such address", reached=False)
        try:
            async with session.get(
                self._urls[name], allow_redirects=False, trace_request_ctx=asked
            ) as response:
                took_s = asyncio.get_running_loop().time() - asked.at_s
                ahead_s = _clock_ahead(response, self._clock(), took_s)
                if response.status != 200:  # noqa: PLR2004  # of HTTP
                    return Answer(source=name, problem=f"{name} answered {response.status}")
                body = await response.content.read(LONGEST_ANSWER_BYTES)
                while len(body) < LONGEST_ANSWER_BYTES and not response.content.at_eof():
                    body += await response.content.read(LONGEST_ANSWER_BYTES)
                return _read(name, body, version, ahead_s)
        except TimeoutError:
            return Answer(source=name, problem=f"{name} did not answer in time", reached=False)
        except aiohttp.ClientConnectorCertificateError as error:
            return _refused_certificate(name, error)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            said = type(error).__name__
            return Answer(source=name, problem=f"{name} did not answer ({said})", reached=False)


def _timing() -> aiohttp.TraceConfig:
    async def sent(
        _session: aiohttp.ClientSession,
        context: SimpleNamespace,
        _sent: aiohttp.TraceRequestHeadersSentParams,
    ) -> None:
        context.trace_request_ctx.at_s = asyncio.get_running_loop().time()

    config = aiohttp.TraceConfig()
    config.on_request_headers_sent.append(sent)
    return config


def _may_have(url: str, version: IpVersion) -> bool:
    """Return whether a source can be reached over this IP version; a name may have both."""
    try:
        return ip_address(urlsplit(url).hostname or "").version == version
    except ValueError:
        return True


def _read(name: str, body: bytes, version: IpVersion, clock_ahead_s: float | None) -> Answer:
    if len(body) >= LONGEST_ANSWER_BYTES:
        return Answer(source=name, problem=f"{name} answered with more than an address")
    try:
        address = ip_address(body.decode("ascii").strip())
    except ValueError:
        return Answer(source=name, problem=f"{name} answered with something else than an address")
    if address.version != version or not is_public(address) or _is_dressed_up(address):
        return Answer(source=name, problem=f"{name} answered with {address}, which cannot be")
    return Answer(source=name, address=address, clock_ahead_s=clock_ahead_s)


def _is_dressed_up(address: Address) -> bool:
    """Return whether an IPv6 address is an IPv4 one inside, or names an interface of somebody's."""
    return isinstance(address, IPv6Address) and (
        address.ipv4_mapped is not None or address.scope_id is not None
    )


def _clock_ahead(response: aiohttp.ClientResponse, now: datetime, took_s: float) -> float | None:
    """Return how far our clock is ahead; the answer was on its way for half of the time."""
    try:
        theirs = parsedate_to_datetime(response.headers["Date"])
        return (now - timedelta(seconds=took_s / 2) - theirs - _HALF_A_SECOND).total_seconds()
    except KeyError, TypeError, ValueError:  # none, without a zone, or no date
        return None


def _refused_certificate(name: str, error: aiohttp.ClientConnectorCertificateError) -> Answer:
    reason = error.certificate_error
    code = reason.verify_code if isinstance(reason, ssl.SSLCertVerificationError) else None
    return Answer(
        source=name,
        problem=f"{name} has a certificate that is not trusted",
        certificate_out_of_date=code in _OUT_OF_DATE,
    )
