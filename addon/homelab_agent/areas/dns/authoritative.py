"""What every authoritative server of a name says, all asked at the same time.

It is loaded where it is used: dnspython costs some megabytes.
"""

import asyncio
from weakref import WeakValueDictionary

from dns.exception import DNSException
from dns.flags import AA
from dns.message import Message, make_query
from dns.name import from_text as name_from_text
from dns.rcode import NOERROR, NXDOMAIN
from dns.rcode import to_text as rcode_text
from dns.rdatatype import SOA
from dns.rdatatype import from_text as type_from_text

from homelab_agent.areas.dns.models import AuthoritativeAnswers, RecordType, ServerAnswer
from homelab_agent.areas.dns.values import from_presented
from homelab_agent.areas.dns.zone_servers import NameServer, ZoneServers
from homelab_agent.platform.errors import Unavailable
from homelab_agent.platform.outbound.dns_exchange import exchange
from homelab_agent.platform.outbound.names import Target

ANSWER_S = 5.0
"""A server that has not answered by then has none; the others do not wait for it."""

ASK_AGAIN_S = 1.6
"""A datagram may be lost."""

MOST_AT_ONE_SERVER = 32

PAYLOAD = 1232
"""Bytes of an answer that get through every network in one piece."""


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
        query = make_query(
            name_from_text(name), type_from_text(record_type), flags=0, use_edns=0, payload=PAYLOAD
        )
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            try:
                async with asyncio.timeout(ASK_AGAIN_S):
                    answer = await exchange(query, (target.address, target.port))
                break
            except TimeoutError:
                continue  # until whoever waits has waited long enough
        return _read(server, answer, name, record_type, (loop.time() - began) * 1000)


def _read(
    server: NameServer, answer: Message, name: str, record_type: RecordType, response_ms: float
) -> ServerAnswer:
    base = ServerAnswer(
        server=server.name, address=server.address, response_ms=round(response_ms, 2)
    )
    why = None
    if answer.rcode() not in {NOERROR, NXDOMAIN}:
        why = f"answered {rcode_text(answer.rcode())}"
    elif not answer.flags & AA:
        why = f"does not serve {name}: it is not authoritative"
    if why is not None:
        reason = f"{server.name} ({server.address}) {why}."
        return base.model_copy(update={"reason": reason})
    values, ttl_s = _values(answer, name, record_type)
    serial = next((each[0].serial for each in answer.authority if each.rdtype == SOA), None)
    return base.model_copy(update={"values": values, "ttl_s": ttl_s, "serial": serial})


def _values(
    answer: Message, name: str, record_type: RecordType
) -> tuple[tuple[str, ...], int | None]:
    owner, wanted = name_from_text(name), type_from_text(record_type)
    for each in answer.answer:
        if each.name == owner and each.rdtype == wanted:
            values = {from_presented(record_type, value.to_text()) for value in each}
            return tuple(sorted(values)), each.ttl
    return (), None
