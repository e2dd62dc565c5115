"""Every authoritative server is asked, and one that is slow, silent or wrong is named."""

import asyncio
from collections.abc import Iterable

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from homelab_agent.areas.dns.authoritative import AuthoritativeServers
from homelab_agent.areas.dns.models import RecordSet, RecordType, ServerAnswer
from homelab_agent.areas.dns.propagation import Ask, wait_until_served
from homelab_agent.areas.dns.zone_servers import MOST_ADDRESSES, MOST_HOSTS, ZoneServers
from homelab_agent.platform.errors import NotFound, TimedOut, Unavailable
from homelab_agent.platform.outbound.connections import Outbound
from homelab_agent.platform.outbound.guard import Guard
from homelab_agent.platform.outbound.names import Names
from tests.fakes.services.name_server import Answerer, NameServer, name_server, silent, truncated
from tests.harness.waiting import wait_until

ADDRESS = "nas.example.org. 300 IN A 192.0.2.10"


class Zone:
    """What an authoritative server says; a test may change it while it runs."""

    def __init__(self, *records: str, authoritative: bool = True) -> None:
        self.records = list(records)
        self.authoritative = authoritative
        self.rcode = dns.rcode.NOERROR

    def __call__(self, asked: bytes) -> bytes:
        query = dns.message.from_wire(asked)
        response = dns.message.make_response(query)
        response.set_rcode(self.rcode)
        assert not query.flags & dns.flags.RD
        if self.authoritative:
            response.flags |= dns.flags.AA
        (question,) = query.question
        _add_answer(response, question, self.records)
        return response.to_wire()


class Tree:
    """A resolver that knows where zones begin and who serves them."""

    def __init__(self, *records: str, soa: str = "example.org.", denies: bool = False) -> None:
        self.records = records
        self.soa = soa
        self.denies = denies
        self.asked: list[str] = []

    def __call__(self, wire: bytes) -> bytes:
        query = dns.message.from_wire(wire)
        response = dns.message.make_response(query)
        (question,) = query.question
        self.asked.append(f"{question.name} {dns.rdatatype.to_text(question.rdtype)}")
        _add_answer(response, question, self.records)
        if not response.answer and not self.denies:
            soa = f"{self.soa} 60 IN SOA ns1.{self.soa} root.{self.soa} 1 2 3 4 60".split(
                maxsplit=4
            )
            response.authority.append(
                dns.rrset.from_text(soa[0], int(soa[1]), soa[2], soa[3], soa[4])
            )
        return response.to_wire()


def _add_answer(
    response: dns.message.Message, question: dns.rrset.RRset, records: Iterable[str]
) -> None:
    for record in records:
        name, ttl, kind, record_type, value = record.split(maxsplit=4)
        found = dns.rrset.from_text(name, int(ttl), kind, record_type, value)
        if found.name == question.name and found.rdtype == question.rdtype:
            response.find_rrset(
                response.answer, found.name, found.rdclass, found.rdtype, create=True
            ).update(found)
            response.answer[0].ttl = found.ttl


def asking(*resolvers: str) -> AuthoritativeServers:
    names = Names()
    return AuthoritativeServers(ZoneServers(Outbound(names, Guard(names)), resolvers))


async def ask(
    *servers: NameServer | str, record_type: RecordType = RecordType.A
) -> list[ServerAnswer]:
    named = tuple(each if isinstance(each, str) else each.address for each in servers)
    found = await asking().answers(
        "nas.example.org", record_type, zone="example.org", servers=named
    )
    return list(found.servers)


async def test_each_server_says_its_own_and_a_difference_is_seen() -> None:
    async with name_server(Zone(ADDRESS)) as one, name_server(Zone()) as other:
        found = await asking().answers(
            "nas.example.org",
            RecordType.A,
            zone="example.org",
            servers=(one.address, other.address),
        )
    assert [each.values for each in found.servers] == [("192.0.2.10",), ()]
    assert found.servers[0].ttl_s == 300
    assert not found.agree


@pytest.mark.parametrize(
    ("over_udp", "says"),
    [
        (Zone(ADDRESS, authoritative=False), "not authoritative"),
        (lambda _: b"", "did not answer"),
        (silent, "did not answer within 5 s"),
    ],
)
async def test_a_server_that_cannot_be_believed_is_named_with_the_reason(
    over_udp: Answerer, says: str
) -> None:
    async with name_server(over_udp) as wrong, name_server(Zone(ADDRESS)) as right:
        bad, good = await ask(wrong, right)
    assert good.values == ("192.0.2.10",)
    assert bad.values is None
    assert says in str(bad.reason)
    assert wrong.address in str(bad.reason)


async def test_a_refusal_and_a_closed_door_have_their_own_reasons() -> None:
    refusing = Zone()
    refusing.rcode = dns.rcode.REFUSED
    async with name_server(refusing) as server, name_server(Zone()) as gone:
        pass
    async with name_server(refusing) as server:
        refused, closed = await ask(server, gone)
    assert "answered REFUSED" in str(refused.reason)
    assert "cannot be reached" in str(closed.reason)


async def test_a_silent_server_delays_no_other_question() -> None:
    async with name_server(silent) as dead, name_server(Zone(ADDRESS)) as alive:
        servers = asking()

        async def at(server: NameServer) -> bool:
            found = await servers.answers(
                "nas.example.org", RecordType.A, zone="example.org", servers=(server.address,)
            )
            return found.agree

        async with asyncio.timeout(20):
            waiting = [asyncio.create_task(at(dead)) for _ in range(100)]
            began = asyncio.get_running_loop().time()
            assert all(await asyncio.gather(*(at(alive) for _ in range(100))))
            assert asyncio.get_running_loop().time() - began < 4
            # All those wait at the same time, however few are let in at once.
            assert not any(await asyncio.gather(*waiting))


async def test_a_long_answer_is_taken_over_tcp_and_a_lost_datagram_asked_for_again() -> None:
    long = "".join(chr(ord("a") + number % 26) for number in range(900))
    pieces = " ".join(f'"{long[at : at + 250]}"' for at in range(0, 900, 250))
    zone = Zone(f"nas.example.org. 60 IN TXT {pieces}")
    async with name_server(truncated, zone) as server:
        (answer,) = await ask(server, record_type=RecordType.TXT)
    assert answer.values == (long,)
    assert server.over_tcp == 1

    lost = iter([True])
    heard = Zone(ADDRESS)
    async with name_server(lambda wire: None if next(lost, False) else heard(wire)) as server:
        (answer,) = await ask(server)
    assert answer.values == ("192.0.2.10",)


async def test_an_answer_that_is_made_to_be_slow_to_read_keeps_nobody_else_waiting() -> None:
    turns = 0

    def slow_to_read(asked: bytes) -> bytes:
        nonlocal turns
        turns = 0
        return _leading_to_each_other(asked, count=600)

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with name_server(truncated, slow_to_read) as server:
        busy = asyncio.create_task(others())
        (answer,) = await ask(server, record_type=RecordType.MX)
        busy.cancel()
    assert len(answer.values or ()) == 600
    assert turns > 100


def _leading_to_each_other(asked: bytes, *, count: int) -> bytes:
    """Answer with many mail servers, each with the longest name that there is in two bytes."""
    labels = [b"a" * 63] * 3 + [b"b" * 61]
    name = b"".join(bytes([len(each)]) + each for each in labels) + b"\0"
    response = dns.message.make_response(dns.message.from_wire(asked))
    response.flags |= dns.flags.AA
    wire = bytearray(response.to_wire())
    wire[6:8] = count.to_bytes(2)
    to_name = (0xC000 | (len(wire) + 14)).to_bytes(2)
    for number in range(count):
        data = number.to_bytes(2) + (to_name if number else name)
        wire += b"\xc0\x0c\0\x0f\0\1\0\0\0\x3c" + len(data).to_bytes(2) + data
    return bytes(wire)


class TestFinding:
    """The zone and its servers, asked for through a resolver."""

    async def test_a_zone_that_names_very_many_has_not_all_of_them_asked_by_us(self) -> None:
        many = [f"example.org. 60 IN NS ns{number:02}.example.net." for number in range(50)]
        addresses = [f"ns00.example.net. 60 IN A 127.0.0.{number}" for number in range(20)]
        tree = Tree(*many, *addresses)
        async with name_server(tree) as resolver:
            found = await asking(resolver.address).answers(
                "nas.example.org", RecordType.A, zone="example.org", servers=()
            )
        assert len(set(tree.asked)) == 1 + 2 * MOST_HOSTS
        assert [each.server for each in found.servers].count("ns00.example.net") == MOST_ADDRESSES
        assert "one of 50" in str(found.servers[-1].reason)
        assert not found.agree

    async def test_the_zone_is_found_up_the_tree_and_asked_for_once(self) -> None:
        tree = Tree("example.org. 60 IN NS ns1.example.net.")
        async with name_server(tree) as resolver:
            servers = asking(resolver.address)
            found = await asyncio.gather(
                *(
                    servers.answers("a.b.example.org", RecordType.A, zone=None, servers=())
                    for _ in range(50)
                )
            )
        assert {each.zone for each in found} == {"example.org"}
        # It has no address, so nobody could be asked, and that is said.
        assert found[0].servers[0].server == "ns1.example.net"
        assert "no address" in str(found[0].servers[0].reason)
        assert sorted(tree.asked) == [
            "a.b.example.org. SOA",
            "example.org. NS",
            "ns1.example.net. A",
            "ns1.example.net. AAAA",
        ]

    async def test_an_alias_into_another_zone_stays_in_its_own(self) -> None:
        tree = Tree(
            "www.example.org. 60 IN CNAME a.cdn.example.",
            "example.org. 60 IN SOA ns1.example.org. root.example.org. 1 2 3 4 60",
            "example.org. 60 IN NS ns1.example.net.",
            soa="cdn.example.",
        )

        def with_alias(wire: bytes) -> bytes:
            answer = dns.message.from_wire(tree(wire))
            if answer.question[0].name == dns.name.from_text("www.example.org."):
                answer.answer.append(
                    dns.rrset.from_text("www.example.org.", 60, "IN", "CNAME", "a.cdn.example.")
                )
            return answer.to_wire()

        async with name_server(with_alias) as resolver:
            found = await asking(resolver.address).answers(
                "www.example.org", RecordType.CNAME, zone=None, servers=()
            )
        assert found.zone == "example.org"

    async def test_a_place_where_the_agent_must_not_go_is_not_asked(self) -> None:
        tree = Tree(
            "example.org. 60 IN NS ns1.example.net.", "ns1.example.net. 60 IN A 169.254.169.254"
        )
        async with name_server(tree) as resolver:
            found = await asking(resolver.address).answers(
                "nas.example.org", RecordType.A, zone="example.org", servers=()
            )
        (answer,) = found.servers
        assert answer.values is None
        assert "does not connect to there" in str(answer.reason)

    async def test_a_name_that_nobody_serves_and_a_resolver_that_is_away_are_told_apart(
        self,
    ) -> None:
        async with name_server(Tree(denies=True)) as resolver:
            with pytest.raises(NotFound, match="Nobody serves"):
                await asking(resolver.address).answers(
                    "nas.example.invalid", RecordType.A, zone=None, servers=()
                )
        with pytest.raises(Unavailable, match="does not answer"):
            await asking(resolver.address).answers(
                "nas.example.org", RecordType.A, zone=None, servers=()
            )

    async def test_the_next_resolver_is_asked_where_one_is_silent(self) -> None:
        tree = Tree("example.org. 60 IN NS ns1.example.net.")
        async with name_server(silent) as dead, name_server(tree) as alive:
            found = await asking(dead.address, alive.address).answers(
                "example.org", RecordType.A, zone="example.org", servers=()
            )
        assert found.servers[0].server == "ns1.example.net"


class TestWaiting:
    """Until every server gives it."""

    @staticmethod
    def ask_of(*servers: NameServer) -> Ask:
        asked = asking()
        named = tuple(server.address for server in servers)
        return lambda name, record_type: asked.answers(
            name, record_type, zone="example.org", servers=named
        )

    async def test_it_ends_as_soon_as_the_last_one_gives_it(self) -> None:
        late = Zone()
        wanted = RecordSet(name="nas.example.org", type=RecordType.A, values=("192.0.2.10",))
        async with name_server(Zone(ADDRESS)) as first, name_server(late) as second:
            waiting = asyncio.create_task(
                wait_until_served(self.ask_of(first, second), [wanted], within_s=20, exactly=True)
            )
            await wait_until(second.was_asked, what="the second server to be asked")
            late.records.append(ADDRESS)
            await waiting

    async def test_who_lags_is_named_with_what_it_says_instead(self) -> None:
        wanted = RecordSet(name="nas.example.org", type=RecordType.A, values=("192.0.2.10",))
        old = Zone("nas.example.org. 60 IN A 192.0.2.9")
        async with name_server(Zone(ADDRESS)) as first, name_server(old) as second:
            with pytest.raises(TimedOut) as caught:
                await wait_until_served(
                    self.ask_of(first, second), [wanted], within_s=0.3, exactly=True
                )
        assert f"{second.address} (127.0.0.1) gives 192.0.2.9" in caught.value.message
        assert first.address not in caught.value.message

    async def test_gone_is_waited_for_as_well_and_others_may_stand_beside_a_challenge(
        self,
    ) -> None:
        nothing = RecordSet(name="nas.example.org", type=RecordType.A, values=())
        one = RecordSet(name="nas.example.org", type=RecordType.TXT, values=("mine",))
        both = Zone('nas.example.org. 60 IN TXT "mine"', 'nas.example.org. 60 IN TXT "of others"')
        async with name_server(both) as server:
            ask_of = self.ask_of(server)
            await wait_until_served(ask_of, [nothing], within_s=0, exactly=True)
            await wait_until_served(ask_of, [one], within_s=0, exactly=False)
            with pytest.raises(TimedOut, match="of others"):
                await wait_until_served(ask_of, [one], within_s=0, exactly=True)
