"""What every authoritative server of a name says, all asked at the same time.

It is loaded where it is used: dnspython costs some megabytes.
"""

import asyncio
from dataclasses import dataclass
from functools import lru_cache
from secrets import token_bytes as random_bytes
from weakref import WeakValueDictionary

from dns.exception import DNSException
from dns.flags import AA
from dns.message import from_wire, make_query
from dns.name import from_text as name_from_text
from dns.rcode import NOERROR, NXDOMAIN
from dns.rcode import to_text as rcode_text
from dns.rdatatype import SOA
from dns.rdatatype import from_text as type_from_text

from homelab_agent.areas.dns.models import AuthoritativeAnswers, RecordType, ServerAnswer
from homelab_agent.areas.dns.values import from_presented
from homelab_agent.areas.dns.zone_servers import NameServer, ZoneServers
from homelab_agent.platform.errors import Unavailable
from homelab_agent.platform.outbound.dns_exchange import QUICKLY_READ_BYTES, exchange_wire
from homelab_agent.platform.outbound.names import Target

ANSWER_S = 5.0
"""A server that has not answered by then has none; the others do not wait for it."""

ASK_AGAIN_S = 1.6
"""A datagram may be lost."""

MOST_AT_ONE_SERVER = 32

PAYLOAD = 1232
"""Bytes of an answer that get through every network in one piece."""

MOST_REMEMBERED = 4096
"""Questions, and answers that were read; each is a few hundred bytes."""

_ID_BYTES = 2


class AuthoritativeServers:
    """Asks them without recursion: what a resolver remembers of before does not count."""

    def __init__(self, zones: ZoneServers) -> None:
        self._zones = zones
        # One that is silent keeps waiting only those who ask it.
        self._lanes: WeakValueDictionary[Target, asyncio.Semaphore] = WeakValueDictionary()

    async def answers(
        self, name: str, record_type: RecordType, *, zone: str | None, servers: tuple[str, ...]
    ) -> AuthoritativeAnswers:
        """See `NameServers.answers`."""
        found = zone or await self._zones.zone_of(name)
        asked = await self._zones.named(servers) if servers else await self._zones.servers_of(found)
        if not asked:
            raise Unavailable(f"There is no name server of {found} to be asked.")
        answers = await asyncio.gather(*(self._ask(each, name, record_type) for each in asked))
        said = {None if each.values is None else each.values for each in answers}
        return AuthoritativeAnswers(
            name=name,
            type=record_type,
            zone=found,
            agree=len(said) == 1 and None not in said,
            servers=tuple(answers),
        )

    async def _ask(self, server: NameServer, name: str, record_type: RecordType) -> ServerAnswer:
        target = server.target
        if target is None:
            return ServerAnswer(server=server.name, address="", reason=server.reason)
        lane = self._lanes.setdefault(target, asyncio.Semaphore(MOST_AT_ONE_SERVER))
        silent = ServerAnswer(
            server=server.name,
            address=server.address,
            reason=f"{server.name} ({server.address}) did not answer within {ANSWER_S:g} s.",
        )
        try:
            async with asyncio.timeout(ANSWER_S), lane:
                return await self._asked(server, target, name, record_type)
        except TimeoutError:
            return silent
        except OSError as error:
            why = f"cannot be reached: {error.strerror or error}"
        except DNSException, EOFError:
            why = "did not answer in proper DNS"
        return silent.model_copy(update={"reason": f"{server.name} ({server.address}) {why}."})

    async def _asked(
        self, server: NameServer, target: Target, name: str, record_type: RecordType
    ) -> ServerAnswer:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            query = random_bytes(_ID_BYTES) + _question(name, record_type)
            try:
                async with asyncio.timeout(ASK_AGAIN_S):
                    answer = await exchange_wire(query, (target.address, target.port))
                break
            except TimeoutError:
                continue  # until whoever waits has waited long enough
        said = await _read(answer[_ID_BYTES:], name, record_type)
        response_ms = round((loop.time() - began) * 1000, 2)
        who = f"{server.name} ({server.address})"
        return ServerAnswer(
            server=server.name,
            address=server.address,
            values=said.values,
            ttl_s=said.ttl_s,
            serial=said.serial,
            response_ms=response_ms,
            reason=f"{who} {said.trouble}." if said.trouble else None,
        )


@dataclass(frozen=True, slots=True)
class _Said:
    values: tuple[str, ...] | None = None
    ttl_s: int | None = None
    serial: int | None = None
    trouble: str | None = None


@lru_cache(MOST_REMEMBERED)
def _question(name: str, record_type: RecordType) -> bytes:
    """Return a question without its id, which is another one each time."""
    # Only texts are long, and saying that a long answer is welcome costs both sides something.
    is_long = record_type is RecordType.TXT
    query = make_query(
        name_from_text(name),
        type_from_text(record_type),
        flags=0,
        use_edns=0 if is_long else None,
        payload=PAYLOAD if is_long else None,
    )
    return query.to_wire()[_ID_BYTES:]


async def _read(answer: bytes, name: str, record_type: RecordType) -> _Said:
    """Return what an answer without its id says.

    The same is mostly said again and again, and then it is known. A long one is neither read on
    the loop nor remembered: it is rare, and may be meant to be slow to read and large to keep.
    """
    if len(answer) > QUICKLY_READ_BYTES:
        return await asyncio.to_thread(_said, answer, name, record_type)
    return _said_again(answer, name, record_type)


def _said(answer: bytes, name: str, record_type: RecordType) -> _Said:
    message = from_wire(bytes(_ID_BYTES) + answer)
    if message.rcode() not in {NOERROR, NXDOMAIN}:
        return _Said(trouble=f"answered {rcode_text(message.rcode())}")
    if not message.flags & AA:
        return _Said(trouble=f"does not serve {name}: it is not authoritative")
    serial = next((each[0].serial for each in message.authority if each.rdtype == SOA), None)
    owner, wanted = name_from_text(name), type_from_text(record_type)
    for each in message.answer:
        if each.name == owner and each.rdtype == wanted:
            values = {from_presented(record_type, value.to_text()) for value in each}
            return _Said(values=tuple(sorted(values)), ttl_s=each.ttl, serial=serial)
    return _Said(values=(), serial=serial)


_said_again = lru_cache(MOST_REMEMBERED)(_said)
