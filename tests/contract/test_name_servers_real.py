"""What real name servers say, found through the DNS itself: two Knots, of which one lags behind."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from homelab_agent.areas.dns.models import RecordSet, RecordType
from homelab_agent.areas.dns.name_servers import RealNameServers
from homelab_agent.areas.dns.propagation import Ask, wait_until_served
from homelab_agent.platform.errors import TimedOut
from homelab_agent.platform.outbound.connections import open_outbound
from homelab_agent.platform.settings import Settings
from tests.harness.knot import Knot

ZONE = "lab.example"
TEXT = "x" * 600
LINES = f"""
www 300 A 192.0.2.1
www 300 A 192.0.2.2
alias 300 CNAME www
@ 300 MX 10 mail
_sip._tcp 300 SRV 0 5 5060 sip
@ 300 CAA 0 issue "letsencrypt.org"
long 300 TXT "{TEXT[:255]}" "{TEXT[255:510]}" "{TEXT[510:]}"
*.apps 300 A 192.0.2.3
"""


@pytest.fixture
async def knot() -> AsyncIterator[Knot]:
    async with Knot({ZONE: LINES}) as knot:
        yield knot


@pytest.fixture
def ask(knot: Knot) -> Ask:
    servers = RealNameServers(open_outbound(Settings()), (knot.primary.address,))
    return lambda name, record_type: servers.answers(name, record_type, zone=None, servers=())


@pytest.mark.parametrize(
    ("name", "record_type", "values"),
    [
        ("www.lab.example", RecordType.A, ("192.0.2.1", "192.0.2.2")),
        ("www.lab.example", RecordType.AAAA, ()),
        ("nothing.lab.example", RecordType.A, ()),
        ("alias.lab.example", RecordType.CNAME, ("www.lab.example",)),
        ("lab.example", RecordType.MX, ("10 mail.lab.example",)),
        ("_sip._tcp.lab.example", RecordType.SRV, ("0 5 5060 sip.lab.example",)),
        ("lab.example", RecordType.CAA, ('0 issue "letsencrypt.org"',)),
        ("lab.example", RecordType.NS, ("ns1.lab.example", "ns2.lab.example")),
        ("long.lab.example", RecordType.TXT, (TEXT,)),
        ("any.apps.lab.example", RecordType.A, ("192.0.2.3",)),
        ("*.apps.lab.example", RecordType.A, ("192.0.2.3",)),
    ],
)
async def test_both_servers_are_found_and_say_what_the_zone_holds(
    knot: Knot, ask: Ask, name: str, record_type: RecordType, values: tuple[str, ...]
) -> None:
    found = await ask(name, record_type)
    assert found.zone == ZONE
    assert [(each.server, each.address) for each in found.servers] == [
        ("ns1.lab.example", knot.primary.address),
        ("ns2.lab.example", knot.second.address),
    ]
    assert [each.values for each in found.servers] == [values, values]
    assert found.agree


async def test_a_change_counts_when_the_second_server_has_it_too(knot: Knot, ask: Ask) -> None:
    wanted = RecordSet(name="new.lab.example", type=RecordType.A, values=("192.0.2.9",))
    knot.transfers.hold()
    await knot.edit(ZONE, put=("new 60 A 192.0.2.9",))
    with pytest.raises(TimedOut, match=r"ns2\.lab\.example .* gives nothing") as caught:
        await wait_until_served(ask, [wanted], within_s=1, exactly=True)
    assert "ns1.lab.example" not in caught.value.message

    waiting = asyncio.create_task(wait_until_served(ask, [wanted], within_s=60, exactly=True))
    knot.transfers.release()
    await waiting
    assert (await ask("new.lab.example", RecordType.A)).agree


async def test_what_is_gone_is_gone_though_a_wildcard_above_answers_for_it(
    knot: Knot, ask: Ask
) -> None:
    gone = RecordSet(name="any.apps.lab.example", type=RecordType.A, values=())
    await wait_until_served(ask, [gone], within_s=1, exactly=True)
    await knot.edit(ZONE, put=("any.apps 60 A 192.0.2.9",))
    with pytest.raises(TimedOut, match=r"gives 192\.0\.2\.9"):
        await wait_until_served(ask, [gone], within_s=1, exactly=True)


async def test_a_server_that_hangs_is_named_and_the_other_still_heard(knot: Knot, ask: Ask) -> None:
    await ask("www.lab.example", RecordType.A)
    knot.second.pause()
    found = await ask("www.lab.example", RecordType.A)
    assert found.servers[0].values == ("192.0.2.1", "192.0.2.2")
    assert "did not answer" in str(found.servers[1].reason)
    assert not found.agree
