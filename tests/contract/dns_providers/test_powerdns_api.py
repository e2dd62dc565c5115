"""The HTTP API of a real PowerDNS: what is there beside our records stays as it is."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession
from pydantic import SecretStr

from homelab_agent.areas.dns.models import PowerDnsSettings, ProviderType, RecordType
from homelab_agent.areas.dns.planning import make_change
from homelab_agent.areas.dns.providers.errors import (
    NotOffered,
    ProviderRefused,
    WrongCredentials,
)
from homelab_agent.areas.dns.providers.powerdns import PowerDnsProvider
from homelab_agent.areas.dns.providers.reach import Reach
from homelab_agent.platform.errors import NotFound
from tests.contract.dns_providers.agent_side import created, records
from tests.fakes.dns_providers.reach import open_reach
from tests.harness.pdns import PowerDns

ZONE = "lab.example"
WWW = f"www.{ZONE}"


@pytest.fixture
async def reach() -> AsyncIterator[Reach]:
    async with open_reach() as reach:
        yield reach


@pytest.fixture
async def pdns() -> AsyncIterator[PowerDns]:
    async with PowerDns({ZONE: "www 300 A 192.0.2.1"}) as pdns:
        yield pdns


def settings(pdns: PowerDns, **other: object) -> PowerDnsSettings:
    right: dict[str, object] = {
        "type": ProviderType.POWERDNS,
        "url": pdns.url,
        "api_key": SecretStr(pdns.api_key),
    }
    return PowerDnsSettings.model_validate(right | other)


async def set_at(pdns: PowerDns, path: str, body: dict[str, object], method: str = "PATCH") -> None:
    url = f"{pdns.url}/api/v1/servers/localhost{path}"
    async with (
        ClientSession(headers={"X-API-Key": pdns.api_key}) as session,
        session.request(method, url, json=body, raise_for_status=True),
    ):
        pass


async def rrset_at(pdns: PowerDns, name: str) -> dict[str, object]:
    url = f"{pdns.url}/api/v1/servers/localhost/zones/{ZONE}.?rrset_name={name}."
    async with (
        ClientSession(headers={"X-API-Key": pdns.api_key}) as session,
        session.get(url, raise_for_status=True) as answer,
    ):
        (found,) = (await answer.json())["rrsets"]
        assert isinstance(found, dict)
        return found


async def test_records_that_are_disabled_and_comments_stay(pdns: PowerDns, reach: Reach) -> None:
    disabled = {"content": "192.0.2.66", "disabled": True}
    rrset = {
        "name": f"{WWW}.",
        "type": "A",
        "ttl": 300,
        "changetype": "REPLACE",
        "records": [{"content": "192.0.2.1", "disabled": False}, disabled],
        "comments": [{"content": "of the boss", "account": "boss", "modified_at": 1}],
    }
    await set_at(pdns, f"/zones/{ZONE}.", {"rrsets": [rrset]})
    provider = PowerDnsProvider(settings(pdns), reach)
    (before,) = (await provider.read(ZONE, {WWW})).records
    assert before.values == ("192.0.2.1",)
    after = before.model_copy(update={"values": ("192.0.2.2",)})
    for change in (make_change(before, after), make_change(after, None)):
        assert change is not None
        await provider.apply(ZONE, [change])
        found = await rrset_at(pdns, WWW)
        kept = found["records"]
        assert isinstance(kept, list)
        assert any(each["content"] == "192.0.2.66" and each["disabled"] for each in kept)
        assert "of the boss" in str(found["comments"])
    assert not (await provider.read(ZONE, {WWW})).records


async def test_a_zone_that_is_copied_from_elsewhere_is_not_offered(
    pdns: PowerDns, reach: Reach
) -> None:
    body = {"name": "copied.example.", "kind": "Slave", "masters": ["192.0.2.53"]}
    await set_at(pdns, "/zones", body, "POST")
    assert await PowerDnsProvider(settings(pdns), reach).zones() == (ZONE,)


async def test_a_plan_is_one_change_of_the_zone(pdns: PowerDns, reach: Reach) -> None:
    await set_at(pdns, f"/zones/{ZONE}.", {"soa_edit_api": "INCREASE"}, "PUT")
    provider = PowerDnsProvider(settings(pdns), reach)
    before = (await provider.read(ZONE, None)).version
    changes = [
        created(records(f"n{number}.{ZONE}", RecordType.A, "192.0.2.7")) for number in range(5)
    ]
    await provider.apply(ZONE, [each for each in changes if each])
    assert (await provider.read(ZONE, None)).version == str(int(before or 0) + 1)


async def test_the_server_speaks_for_itself_where_it_refuses(pdns: PowerDns, reach: Reach) -> None:
    outside = created(records("www.other.example", RecordType.A, "192.0.2.7"))
    assert outside is not None
    with pytest.raises(ProviderRefused, match="out of zone"):
        await PowerDnsProvider(settings(pdns), reach).apply(ZONE, [outside])


@pytest.mark.parametrize("text", ['say "hi"', "back\\slash"])
async def test_a_text_that_it_would_spoil_is_refused_before_it_is_sent(
    pdns: PowerDns, reach: Reach, text: str
) -> None:
    before = await pdns.records(ZONE)
    change = created(records(WWW, RecordType.TXT, text))
    assert change is not None
    with pytest.raises(NotOffered, match="spoils"):
        await PowerDnsProvider(settings(pdns), reach).apply(ZONE, [change])
    assert await pdns.records(ZONE) == before


async def test_a_wrong_key_and_a_wrong_server_are_told_apart(pdns: PowerDns, reach: Reach) -> None:
    with pytest.raises(WrongCredentials):
        await PowerDnsProvider(settings(pdns, api_key=SecretStr("x")), reach).zones()
    with pytest.raises(NotFound) as refused:
        await PowerDnsProvider(settings(pdns, server_id="nobody"), reach).zones()
    assert refused.value.field == "settings.server_id"
    with pytest.raises(NotFound, match=r"other\.example"):
        await PowerDnsProvider(settings(pdns), reach).read("other.example", None)
