"""The zones of a small provider, served over DNS as its own name servers would."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from tests.fakes.dns_providers.records import Record, Zones
from tests.fakes.dns_providers.server import ProviderServer
from tests.fakes.services.name_server import NameServer, name_server

_DATAGRAM_BYTES = 1232


class ZoneAnswers:
    """Answers with authority for the zones of `provider`, as they are at that moment."""

    def __init__(self, provider: ProviderServer) -> None:
        self._provider = provider

    def over_udp(self, asked: bytes) -> bytes:
        """Answer, and say where it does not fit."""
        answer = self.over_tcp(asked)
        if len(answer) <= _DATAGRAM_BYTES:
            return answer
        short = dns.message.make_response(dns.message.from_wire(asked))
        short.flags |= dns.flags.TC | dns.flags.AA
        return short.to_wire()

    def over_tcp(self, asked: bytes) -> bytes:
        """Answer in whole."""
        query = dns.message.from_wire(asked)
        response = dns.message.make_response(query)
        question = query.question[0]
        zones = self._provider.zones
        name = question.name.to_text(omit_final_dot=True).lower()
        zone = zones.zone_of(name)
        if zone is None:
            response.set_rcode(dns.rcode.REFUSED)
            return response.to_wire()
        response.flags |= dns.flags.AA
        answers = _records(zones, zone, name, zone if self._provider.same_below else name)
        wanted = dns.rdatatype.to_text(question.rdtype)
        for each in answers:
            rrset_type = dns.rdatatype.to_text(each.rdtype)
            if rrset_type in {wanted, "CNAME"}:
                response.answer.append(each)
        if not response.answer:
            response.authority.append(_soa(zones, zone))
            if not answers:
                response.set_rcode(dns.rcode.NXDOMAIN)
        return response.to_wire()


def _records(zones: Zones, zone: str, name: str, held_at: str) -> list[dns.rrset.RRset]:
    sets: dict[str, list[Record]] = {}
    for each in zones.records[zone]:
        if each.name == held_at:
            sets.setdefault(each.type, []).append(each)
    found = [
        dns.rrset.from_text_list(
            f"{name}.", held[0].ttl_s, "IN", kind, [each.presented for each in held]
        )
        for kind, held in sets.items()
    ]
    if name == zone:
        found.append(_soa(zones, zone))
        if "NS" not in sets:
            found.append(dns.rrset.from_text(f"{zone}.", 3600, "IN", "NS", f"ns1.{zone}."))
    if name == f"ns1.{zone}" and "A" not in sets:
        found.append(dns.rrset.from_text(f"{name}.", 3600, "IN", "A", "127.0.0.1"))
    return found


def _soa(zones: Zones, zone: str) -> dns.rrset.RRset:
    words = f"ns1.{zone}. hostmaster.{zone}. {zones.serial} 3600 600 86400 60"
    return dns.rrset.from_text(f"{zone}.", 60, "IN", "SOA", words)


@asynccontextmanager
async def serving_zones(provider: ProviderServer) -> AsyncIterator[NameServer]:
    """Give a name server of the provider's zones."""
    answers = ZoneAnswers(provider)
    async with name_server(answers.over_udp, answers.over_tcp) as server:
        yield server
