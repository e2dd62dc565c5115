"""Asks name servers, with dnspython. It is only loaded where there is a DNS check."""

import asyncio
from contextlib import suppress
from dataclasses import replace

from dns.exception import DNSException
from dns.exception import SyntaxError as NoAddress
from dns.message import Message, QueryMessage, make_query
from dns.name import Name
from dns.rcode import NOERROR, NXDOMAIN, to_text
from dns.reversename import from_address

from homelab_agent.areas.monitors.check_settings import DnsCheckSettings
from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.checks.codes import CheckCode
from homelab_agent.areas.monitors.checks.dns_values import written_one_way
from homelab_agent.areas.monitors.checks.failures import down, failed
from homelab_agent.areas.monitors.checks.shown_texts import Texts
from homelab_agent.areas.monitors.models import MonitorDetail
from homelab_agent.platform.outbound.dns_exchange import Server, exchange
from homelab_agent.platform.outbound.names import ascii_name

_ASK_AGAIN_S = 2.0
"""A datagram may be lost, or a server be away: then the next is asked."""

_MOST_SHOWN = 5


async def look_up(
    settings: DnsCheckSettings, servers: tuple[Server, ...], place: str
) -> CheckOutcome:
    """Ask one server after the other, again and again, until one knows."""
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
                answer = await exchange(query, server)
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


def _asked_name(settings: DnsCheckSettings) -> str | Name:
    """Return the name to ask for; an address where a name is pointed to by it (PTR)."""
    if settings.record == "PTR":
        with suppress(NoAddress):
            return from_address(settings.name)
    return ascii_name(settings.name)


def _judge(
    settings: DnsCheckSettings, answer: Message, place: str, response_ms: float
) -> CheckOutcome:
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
    return Texts().shown(", ".join(values[:_MOST_SHOWN])) + more
