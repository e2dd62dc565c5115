"""Cloudflare: what others set there stays, and nothing is written over what they changed."""

import json
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from homelab_agent.areas.dns.models import CloudflareSettings, ProviderType, RecordType
from homelab_agent.areas.dns.providers.cloudflare import CloudflareProvider
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
from tests.fakes.dns_providers.cloudflare import RATE_LIMITED, TOKEN, CloudflareServer
from tests.fakes.dns_providers.server import BROKEN_JSON, HTML_PAGE, Applies, Fault, running

ZONE = "example.org"
WWW = f"www.{ZONE}"

VALUES = {
    RecordType.A: ("192.0.2.1", "192.0.2.2"),
    RecordType.AAAA: ("2001:db8::1",),
    RecordType.TXT: ('v=spf1 "quoted" \\ and a backslash', "é" * 200, "x" * 600),
    RecordType.MX: ("10 mail.example.org", "20 mail.example.net"),
    RecordType.SRV: ("10 5 5060 sip.example.org",),
    RecordType.CAA: ('0 issue "letsencrypt.org"',),
    RecordType.NS: ("ns1.example.net",),
}


@pytest.fixture
async def server() -> AsyncIterator[CloudflareServer]:
    async with running(CloudflareServer(ZONE, "example.net")) as server:
        yield server


def opened(
    server: CloudflareServer, reach: Reach, *, token: str = TOKEN, deadline_s: float = 20
) -> CloudflareProvider:
    settings = CloudflareSettings(
        type=ProviderType.CLOUDFLARE, api_token=SecretStr(token), url=server.url
    )
    return CloudflareProvider(settings, reach, deadline_s=deadline_s)


@pytest.mark.parametrize("record_type", VALUES)
async def test_what_is_written_is_read_again(
    server: CloudflareServer, reach: Reach, record_type: RecordType
) -> None:
    provider, wanted = opened(server, reach), records(WWW, record_type, *VALUES[record_type])
    assert wanted is not None
    await provider.apply(ZONE, [change(None, wanted)])
    assert (await provider.read(ZONE, None)).records == (wanted,)
    await provider.apply(ZONE, [change(wanted, None)])
    assert not server.zones.records[ZONE]


async def test_a_zone_of_many_pages_is_read_whole(server: CloudflareServer, reach: Reach) -> None:
    for number in range(23):
        server.zones.put(f"host{number}.{ZONE}", "A", "192.0.2.1")
    server.most_a_page = 5
    provider = opened(server, reach)
    assert len((await provider.read(ZONE, None)).records) == 23
    assert await provider.zones() == ("example.net", ZONE)
    few = {f"host{number}.{ZONE}" for number in (3, 9)}
    assert {each.name for each in (await provider.read(ZONE, few)).records} == few


async def test_a_changed_address_stays_the_same_record_with_its_flags_and_notes(
    server: CloudflareServer, reach: Reach
) -> None:
    server.zones.put(WWW, "A", "192.0.2.1", ttl_s=1, proxied=True, comment="the door")
    (before,) = server.zones.records[ZONE]
    old, new = (
        records(WWW, RecordType.A, "192.0.2.1"),
        records(WWW, RecordType.A, "192.0.2.9", ttl_s=300),
    )
    provider = opened(server, reach)
    await provider.apply(ZONE, [change(old, new)])
    (after,) = server.zones.records[ZONE]
    assert after.value == "192.0.2.9"
    assert (after.id, after.proxied, after.comment) == (before.id, True, "the door")
    await provider.apply(ZONE, [change(records(WWW, RecordType.A, "192.0.2.9"), old)])
    assert server.zones.records[ZONE] == [before]


async def test_only_the_ttl_changes_where_only_that_is_wanted(
    server: CloudflareServer, reach: Reach
) -> None:
    server.zones.put(WWW, "A", "192.0.2.1", "192.0.2.2", ttl_s=300)
    both = VALUES[RecordType.A]
    old, new = (records(WWW, RecordType.A, *both, ttl_s=ttl_s) for ttl_s in (300, 120))
    await opened(server, reach).apply(ZONE, [change(old, new)])
    assert {each.ttl_s for each in server.zones.records[ZONE]} == {120}


async def test_a_record_that_somebody_changed_meanwhile_is_left_alone(
    server: CloudflareServer, reach: Reach
) -> None:
    server.zones.put(WWW, "A", "198.51.100.1")
    old, new = records(WWW, RecordType.A, "192.0.2.1"), records(WWW, RecordType.A, "192.0.2.9")
    with pytest.raises(ZoneChanged, match="meanwhile"):
        await opened(server, reach).apply(ZONE, [change(old, new)])
    assert server.zones.values(WWW, "A") == ("198.51.100.1",)
    assert not server.count("PATCH")


async def test_an_alias_takes_the_place_of_an_address(
    server: CloudflareServer, reach: Reach
) -> None:
    server.zones.put(WWW, "A", "192.0.2.1")
    gone = change(records(WWW, RecordType.A, "192.0.2.1"), None)
    new = change(None, records(WWW, RecordType.CNAME, "home.example.net"))
    await opened(server, reach).apply(ZONE, [gone, new])
    assert server.zones.values(WWW, "CNAME") == ("home.example.net",)
    with pytest.raises(ProviderRefused, match="81054"):
        await opened(server, reach).apply(
            ZONE, [change(None, records(WWW, RecordType.AAAA, "2001:db8::1"))]
        )


async def test_a_second_change_that_fails_is_not_told_as_nothing_changed(
    server: CloudflareServer, reach: Reach
) -> None:
    server.fail(Fault(status=429, only="POST", after=1))
    wanted = [change(None, records(f"{label}.{ZONE}", RecordType.A, "192.0.2.1")) for label in "ab"]
    with pytest.raises(ApplyUncertain, match="1 of 2"):
        await opened(server, reach).apply(ZONE, wanted)
    assert len(server.zones.records[ZONE]) == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (RATE_LIMITED, ProviderBusy),
        (HTML_PAGE, ApplyUncertain),
        (BROKEN_JSON, ApplyUncertain),
        (Fault(hang=True, applies=Applies.ALL), ApplyUncertain),
        (Fault(cut=True), ApplyUncertain),
        (Fault(status=500), ApplyUncertain),
        (Fault(status=400, body='{"success": false, "errors": []}'), ProviderRefused),
    ],
)
async def test_each_fault_of_a_write_says_whether_something_may_have_been_done(
    server: CloudflareServer, reach: Reach, fault: Fault, error: type[AgentError]
) -> None:
    provider = opened(server, reach, deadline_s=fault.patience_s)
    await provider.zones()
    server.fail(fault, only="POST")
    with pytest.raises(error) as caught:
        await provider.apply(ZONE, [change(None, records(WWW, RecordType.A, "192.0.2.1"))])
    assert TOKEN not in f"{caught.value} {caught.value.__cause__!r}"
    if error is ProviderBusy:
        assert caught.value.retry_after_s == 47


@pytest.mark.parametrize("fault", [HTML_PAGE, BROKEN_JSON, Fault(hang=True), Fault(status=503)])
async def test_a_read_that_fails_changed_nothing(
    server: CloudflareServer, reach: Reach, fault: Fault
) -> None:
    server.fail(fault)
    with pytest.raises(ProviderAway):
        await opened(server, reach, deadline_s=fault.patience_s).read(ZONE, None)


@pytest.mark.parametrize("token", ["mistyped-token", TOKEN])
async def test_a_wrong_token_and_a_foreign_zone_are_told(
    server: CloudflareServer, reach: Reach, token: str
) -> None:
    provider = opened(server, reach, token=token)
    with pytest.raises(NotFound if token == TOKEN else WrongCredentials) as caught:
        await provider.read("foreign.example", None)
    assert "mistyped" not in f"{caught.value}"


async def test_a_zone_that_was_added_anew_is_found_again(
    server: CloudflareServer, reach: Reach
) -> None:
    provider = opened(server, reach)
    await provider.read(ZONE, None)
    gone = {
        "success": False,
        "errors": [{"code": 7003, "message": "Could not route"}],
    }
    server.fail(Fault(status=404, body=json.dumps(gone), times=1))
    with pytest.raises(NotFound):
        await provider.read(ZONE, None)
    asked = server.count("name=example.org")
    await provider.read(ZONE, None)
    assert server.count("name=example.org") == asked + 1


async def test_pages_without_end_are_not_taken_for_a_whole_zone(
    server: CloudflareServer, reach: Reach
) -> None:
    endless = {"success": True, "result": [], "result_info": {"page": 1, "total_pages": 10**9}}
    server.fail(Fault(status=200, body=json.dumps(endless)), only="/dns_records")
    with pytest.raises(ProviderAway, match="goes on after"):
        await opened(server, reach).read(ZONE, None)
