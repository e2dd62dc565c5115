"""A DNS record: it is there, and says what it should."""

import asyncio
import socket
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from homelab_agent.areas.monitors.check_settings import CheckType, DnsCheckSettings
from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.checks.codes import CheckCode
from homelab_agent.areas.monitors.checks.dns_values import written_one_way
from homelab_agent.areas.monitors.checks.failures import down, failed, timed_out, unknown
from homelab_agent.areas.monitors.models import MonitorDetail
from homelab_agent.areas.monitors.name_server import DNS_PORT, host_and_port
from homelab_agent.platform.outbound.connections import Outbound
from homelab_agent.platform.outbound.guard import GuardedAddress
from homelab_agent.platform.outbound.names import ascii_name

if TYPE_CHECKING:
    from dns.message import Message
    from dns.name import Name

_ASK_AGAIN_S = 2.0
"""A datagram may be lost, or a server be away: then the next is asked."""

_READ_SERVERS_AGAIN_S = 60.0
_MOST_SHOWN = 5

type Server = tuple[str, int]


class DnsCheck:
    """Asks a name server. The response time is until its answer is there."""

    type = CheckType.DNS

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound
        self._system: tuple[Server, ...] = ()
        self._read_again_at = 0.0

    async def run(
        self, settings: DnsCheckSettings, timeout_s: float, *, allow_guarded: bool
    ) -> CheckOutcome:
        """See `Check.run`."""
        place = settings.server or "the name server of this machine"
        try:
            async with asyncio.timeout(timeout_s):
                servers = await self._servers(settings, allow_guarded=allow_guarded)
                if not servers:
                    return unknown(
                        CheckCode.DNS_FAILED, "The agent's machine has no name server set."
                    )
                return await _ask(settings, servers, place)
        except TimeoutError:
            return timed_out(place, timeout_s, f"answer about {settings.name}")
        except (OSError, GuardedAddress) as error:
            return failed(error, place)

    def target(self, settings: DnsCheckSettings) -> str:
        """Return record and name, and who is asked."""
        at = f" at {settings.server}" if settings.server else ""
        return f"{settings.record} {settings.name}{at}"

    async def _servers(
        self, settings: DnsCheckSettings, *, allow_guarded: bool
    ) -> tuple[Server, ...]:
        if settings.server is not None:
            host, port = host_and_port(settings.server)
            targets = await self._outbound.targets(host, port, allow_guarded=allow_guarded)
            return tuple((target.address, target.port) for target in targets)
        now = asyncio.get_running_loop().time()
        if now >= self._read_again_at:
            self._system = await asyncio.to_thread(_servers_of_the_system)
            self._read_again_at = now + _READ_SERVERS_AGAIN_S
        return self._system


def _servers_of_the_system() -> tuple[Server, ...]:
    from dns.resolver import NoResolverConfiguration, Resolver  # noqa: PLC0415

    try:
        found = Resolver().nameservers
    except NoResolverConfiguration:
        return ()
    return tuple((str(server), DNS_PORT) for server in found)


async def _ask(settings: DnsCheckSettings, servers: tuple[Server, ...], place: str) -> CheckOutcome:
    """Ask one server after the other, again and again, until one knows."""
    # Only where it is used: it costs some megabytes.
    from dns.exception import DNSException  # noqa: PLC0415
    from dns.message import make_query  # noqa: PLC0415

    try:
        query = make_query(_asked_name(settings), settings.record)
    except OSError, DNSException:
        return down(CheckCode.BAD_ADDRESS, f"{settings.name} is no name that DNS can have.")
    loop = asyncio.get_running_loop()
    began = loop.time()
    left = list(servers)
    trouble = down(CheckCode.DNS_FAILED, f"{place} does not answer.")
    while left:
        server = left.pop(0)
        try:
            async with asyncio.timeout(_ASK_AGAIN_S):
                answer = await _exchange(query, server)
        except TimeoutError:
            left.append(server)
        except OSError as error:
            trouble = failed(error, place)
        except DNSException, EOFError:
            trouble = down(CheckCode.BAD_ANSWER, f"{place} did not answer in proper DNS.")
        else:
            found = _judge(settings, answer, place, (loop.time() - began) * 1000)
            if found.code != CheckCode.DNS_FAILED:
                return found
            trouble = found
    return trouble


async def _exchange(query: Message, server: Server) -> Message:
    from dns.asyncbackend import get_backend  # noqa: PLC0415
    from dns.asyncquery import udp_with_fallback  # noqa: PLC0415
    from dns.inet import af_for_address  # noqa: PLC0415

    host, port = server
    family = af_for_address(host)
    # A connected socket hears that nobody listens there.
    connecting = get_backend("asyncio").make_socket(  # type: ignore[no-untyped-call]
        family, socket.SOCK_DGRAM, 0, None, server
    )
    async with await connecting as connected:
        # No deadline of its own: it would be one of the wall clock, which may be set meanwhile.
        answer, _ = await udp_with_fallback(
            query, host, None, port, udp_sock=connected, ignore_unexpected=True, ignore_errors=True
        )
        return answer


def _asked_name(settings: DnsCheckSettings) -> str | Name:
    """Return the name to ask for; an address where a name is pointed to by it (PTR)."""
    from dns.exception import SyntaxError as NoAddress  # noqa: PLC0415
    from dns.reversename import from_address  # noqa: PLC0415

    if settings.record == "PTR":
        with suppress(NoAddress):
            return from_address(settings.name)
    return ascii_name(settings.name)


def _judge(
    settings: DnsCheckSettings, answer: Message, place: str, response_ms: float
) -> CheckOutcome:
    from dns.exception import DNSException  # noqa: PLC0415
    from dns.message import QueryMessage  # noqa: PLC0415
    from dns.rcode import NOERROR, NXDOMAIN, to_text  # noqa: PLC0415

    if answer.rcode() == NXDOMAIN:
        wrong = down(CheckCode.UNKNOWN_HOST, f"{place} knows no name {settings.name}.")
        return replace(wrong, response_ms=response_ms)
    if answer.rcode() != NOERROR:
        return down(
            CheckCode.DNS_FAILED,
            f"{place} could not tell: it answered {to_text(answer.rcode())} about {settings.name}.",
        )
    try:
        found = answer.resolve_chaining().answer if isinstance(answer, QueryMessage) else None
    except DNSException:
        return down(CheckCode.BAD_ANSWER, f"{place} did not answer in proper DNS.")
    values = sorted({written_one_way(settings.record, str(value)) for value in found or ()})
    return replace(_compare(settings, values, place), response_ms=response_ms)


def _compare(settings: DnsCheckSettings, values: list[str], place: str) -> CheckOutcome:
    if not values:
        return down(
            CheckCode.NO_RECORD, f"{place} knows {settings.name}, but no {settings.record} of it."
        )
    wanted = sorted({written_one_way(settings.record, value) for value in settings.values})
    if wanted and wanted != values:
        return down(
            CheckCode.WRONG_VALUE,
            f"{place} answered {_some(values)} for {settings.record} {settings.name}, and not "
            f"{_some(wanted)}.",
        )
    return CheckOutcome(ok=True, details=(MonitorDetail(name="values", value=_some(values)),))


def _some(values: list[str]) -> str:
    more = f" and {len(values) - _MOST_SHOWN} more" if len(values) > _MOST_SHOWN else ""
    return ", ".join(values[:_MOST_SHOWN]) + more
