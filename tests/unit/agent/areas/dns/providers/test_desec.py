"""deSEC: whole record sets, all changes or none, and gently."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from homelab_agent.areas.dns.models import DesecSettings, ProviderType, RecordType
from homelab_agent.areas.dns.providers.desec import DesecProvider
from homelab_agent.areas.dns.providers.errors import (
    ApplyUncertain,
    ProviderAway,
    ProviderBusy,
    ProviderRefused,
    WrongCredentials,
    ZoneChanged,
)
from homelab_agent.areas.dns.providers.reach import Reach
from homelab_agent.platform.errors import AgentError, NotFound
from tests.fakes.dns_providers.changes import change, records
from tests.fakes.dns_providers.desec import THROTTLED, TOKEN, DesecServer
from tests.fakes.dns_providers.server import BROKEN_JSON, HTML_PAGE, Applies, Fault, running

ZONE = "example.org"
WWW = f"www.{ZONE}"

VALUES = {
    RecordType.A: ("192.0.2.1", "192.0.2.2"),
    RecordType.TXT: ('v=spf1 "quoted" \\ all', "x" * 600),
    RecordType.MX: ("10 mail.example.org",),
    RecordType.SRV: ("10 5 5060 sip.example.org",),
    RecordType.CAA: ('0 issue "letsencrypt.org"',),
}


@pytest.fixture
async def server() -> AsyncIterator[DesecServer]:
    async with running(DesecServer(ZONE, "mine.dedyn.io")) as server:
        yield server


def opened(
    server: DesecServer, reach: Reach, *, token: str = TOKEN, deadline_s: float = 20
) -> DesecProvider:
    settings = DesecSettings(type=ProviderType.DESEC, token=SecretStr(token), url=server.url)
    return DesecProvider(settings, reach, deadline_s=deadline_s)


@pytest.mark.parametrize("name", [ZONE, WWW])
@pytest.mark.parametrize("record_type", VALUES)
async def test_what_is_written_is_read_again(
    server: DesecServer, reach: Reach, record_type: RecordType, name: str
) -> None:
    provider = opened(server, reach)
    wanted = records(name, record_type, *VALUES[record_type], ttl_s=7200)
    await provider.apply(ZONE, [change(None, wanted)])
    assert (await provider.read(ZONE, None)).records == (wanted,)
    assert (await provider.read(ZONE, {name})).records == (wanted,)
    await provider.apply(ZONE, [change(wanted, None)])
    assert not server.zones.records[ZONE]


async def test_a_domain_of_many_pages_is_read_whole(server: DesecServer, reach: Reach) -> None:
    server.most_a_page = 5
    for number in range(12):
        server.zones.put(f"host{number}.{ZONE}", "A", "192.0.2.1", ttl_s=3600)
    assert len((await opened(server, reach).read(ZONE, None)).records) == 12


async def test_the_smallest_ttl_is_that_of_the_account_and_used_where_nobody_says_one(
    server: DesecServer, reach: Reach
) -> None:
    provider = opened(server, reach)
    assert provider.capabilities.smallest_ttl_s == 3600
    await provider.apply(ZONE, [change(None, records(WWW, RecordType.A, "192.0.2.1"))])
    assert server.zones.records[ZONE][0].ttl_s == 3600
    server.smallest_ttl_s = 60
    assert await provider.zones() == (ZONE, "mine.dedyn.io")
    assert provider.capabilities.smallest_ttl_s == 60


async def test_changes_are_made_all_or_none(server: DesecServer, reach: Reach) -> None:
    server.zones.put(WWW, "A", "192.0.2.1", ttl_s=3600)
    good = change(None, records(f"new.{ZONE}", RecordType.A, "192.0.2.1"))
    bad = change(None, records(WWW, RecordType.CNAME, "home.example.net"))
    before = server.zones.records[ZONE]
    with pytest.raises(ProviderRefused, match="CNAME"):
        await opened(server, reach).apply(ZONE, [good, bad])
    assert server.zones.records[ZONE] == before


async def test_what_somebody_changed_meanwhile_is_left_alone(
    server: DesecServer, reach: Reach
) -> None:
    server.zones.put(WWW, "A", "198.51.100.1", ttl_s=3600)
    old, new = records(WWW, RecordType.A, "192.0.2.1"), records(WWW, RecordType.A, "192.0.2.9")
    with pytest.raises(ZoneChanged):
        await opened(server, reach).apply(ZONE, [change(old, new)])
    assert not server.count("PATCH")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (THROTTLED, ProviderBusy),
        (HTML_PAGE, ApplyUncertain),
        (BROKEN_JSON, ApplyUncertain),
        (Fault(hang=True, applies=Applies.ALL), ApplyUncertain),
        (Fault(cut=True, applies=Applies.ALL), ApplyUncertain),
        (Fault(status=500), ApplyUncertain),
    ],
)
async def test_each_fault_of_a_write_says_whether_something_may_have_been_done(
    server: DesecServer, reach: Reach, fault: Fault, error: type[AgentError]
) -> None:
    server.fail(fault, only="PATCH")
    with pytest.raises(error) as caught:
        await opened(server, reach, deadline_s=fault.patience_s).apply(
            ZONE, [change(None, records(WWW, RecordType.A, "192.0.2.1"))]
        )
    assert TOKEN not in f"{caught.value}"
    if error is ProviderBusy:
        assert caught.value.retry_after_s == 41


async def test_a_wrong_token_a_foreign_domain_and_nobody_there_are_told_apart(
    server: DesecServer, reach: Reach
) -> None:
    with pytest.raises(WrongCredentials):
        await opened(server, reach, token="mistyped-token").zones()
    with pytest.raises(NotFound):
        await opened(server, reach).read("foreign.example", None)
    await server.stop()
    with pytest.raises(ProviderAway):
        await opened(server, reach).zones()


async def test_pages_without_end_are_not_taken_for_a_whole_zone(
    server: DesecServer, reach: Reach
) -> None:
    link = {"Link": f'<{server.url}/domains/?cursor=again>; rel="next"'}
    server.fail(Fault(status=200, headers=link, body="[]"))
    with pytest.raises(ProviderAway, match="goes on after"):
        await opened(server, reach).read(ZONE, None)
