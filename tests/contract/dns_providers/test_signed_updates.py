"""Signed updates with a real Knot: which of all that can be wrong it is."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from homelab_agent.areas.dns.models import (
    ProviderType,
    RecordSet,
    RecordType,
    Rfc2136Settings,
    TsigAlgorithm,
)
from homelab_agent.areas.dns.planning import make_change
from homelab_agent.areas.dns.providers.errors import (
    ApplyUncertain,
    NotOffered,
    ProviderAway,
    ProviderRefused,
    WrongCredentials,
    ZoneChanged,
)
from homelab_agent.areas.dns.providers.reach import Reach
from homelab_agent.areas.dns.providers.rfc2136 import Rfc2136Provider
from homelab_agent.platform.errors import Invalid, NotFound
from tests.contract.dns_providers.agent_side import created, records
from tests.fakes.dns_providers.reach import open_reach
from tests.fakes.faulty_dns_proxy import FaultyDnsProxy
from tests.harness.knot import Knot
from tests.harness.name_servers import DNS_PORT

ZONE = "lab.example"
WWW = f"www.{ZONE}"
OTHER_SECRET = "bm90LXRoZS1yaWdodC1zZWNyZXQ="


@pytest.fixture
async def reach() -> AsyncIterator[Reach]:
    async with open_reach() as reach:
        yield reach


@pytest.fixture
async def knot() -> AsyncIterator[Knot]:
    async with Knot({ZONE: "www 300 A 192.0.2.1"}, second=False) as knot:
        yield knot


def settings(knot: Knot, **other: object) -> Rfc2136Settings:
    right: dict[str, object] = {
        "type": ProviderType.RFC2136,
        "server": knot.primary.server,
        "key_name": knot.key_name,
        "key_secret": SecretStr(knot.key_secret),
        "zones": (ZONE,),
    }
    return Rfc2136Settings.model_validate(right | other)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"key_name": "nobody"}, "knows no key nobody of hmac-sha256"),
        ({"key_algorithm": TsigAlgorithm.HMAC_SHA512}, "of hmac-sha512"),
        ({"key_secret": SecretStr(OTHER_SECRET)}, "another secret"),
    ],
    ids=["name", "algorithm", "secret"],
)
async def test_it_is_said_what_is_wrong_with_a_key(
    knot: Knot, reach: Reach, other: dict[str, object], words: str
) -> None:
    provider = Rfc2136Provider(settings(knot, **other), reach)
    for asking in (provider.zones, lambda: provider.read(ZONE, None)):
        with pytest.raises(WrongCredentials, match=words):
            await asking()


@pytest.mark.parametrize("zone", ["other.example", WWW])
async def test_a_zone_of_another_server_is_not_taken_for_a_wrong_key(
    knot: Knot, reach: Reach, zone: str
) -> None:
    provider = Rfc2136Provider(settings(knot, zones=(zone,)), reach)
    for asking in (provider.zones, lambda: provider.read(zone, None)):
        with pytest.raises(NotFound, match=zone):
            await asking()


async def test_a_wrong_clock_is_told_as_such_and_by_how_much(reach: Reach) -> None:
    async with Knot({ZONE: ""}, second=False, clock="+1h") as knot:
        provider = Rfc2136Provider(settings(knot), reach)
        for asking in (provider.zones, lambda: provider.read(ZONE, None)):
            with pytest.raises(ProviderRefused, match=r"clocks differ.* (3599|360\d) s ahead"):
                await asking()


async def test_the_name_servers_of_a_zone_are_all_replaced_at_once(
    knot: Knot, reach: Reach
) -> None:
    provider = Rfc2136Provider(settings(knot), reach)
    held = await provider.read(ZONE, {ZONE})
    (before,) = (each for each in held.records if each.type is RecordType.NS)
    after = records(ZONE, RecordType.NS, "ns7.example.net", "ns8.example.net", ttl_s=900)
    change = make_change(before, after)
    assert change is not None
    await provider.apply(ZONE, [change])
    assert await knot.primary.ask(ZONE, "NS") == ("ns7.example.net.", "ns8.example.net.")


async def test_an_alias_is_never_left_out_silently(knot: Knot, reach: Reach) -> None:
    # A server leaves out a CNAME beside an address, and says that all is well.
    provider = Rfc2136Provider(settings(knot), reach)
    before = await knot.zone_text(ZONE)
    alias = created(records(WWW, RecordType.CNAME, "home.example.net"))
    assert alias is not None
    with pytest.raises(ZoneChanged, match=r"www\.lab\.example A"):
        await provider.apply(ZONE, [alias])
    assert await knot.zone_text(ZONE) == before


async def test_an_alias_takes_the_place_of_an_address_in_one_plan(knot: Knot, reach: Reach) -> None:
    provider = Rfc2136Provider(settings(knot), reach)
    address = records(WWW, RecordType.A, "192.0.2.1", ttl_s=300)
    alias = records(WWW, RecordType.CNAME, "home.example.net", ttl_s=300)
    there = [make_change(address, None), make_change(None, alias)]
    back = [make_change(alias, None), make_change(None, address)]
    before = await knot.zone_text(ZONE)
    await provider.apply(ZONE, [each for each in there if each])
    assert await knot.primary.ask(WWW, "CNAME") == ("home.example.net.",)
    await provider.apply(ZONE, [each for each in back if each])
    assert await knot.zone_text(ZONE) == before


async def test_a_new_ttl_that_was_left_out_of_a_larger_plan_is_told(
    knot: Knot, reach: Reach
) -> None:
    provider = Rfc2136Provider(settings(knot), reach)
    before = records(WWW, RecordType.A, "192.0.2.1", ttl_s=300)
    longer = make_change(before, before.model_copy(update={"ttl_s": 900}))
    new = created(records(f"new.{ZONE}", RecordType.A, "192.0.2.2"))
    with pytest.raises(ApplyUncertain, match=r"TTL.*www\.lab\.example A"):
        await provider.apply(ZONE, [each for each in (longer, new) if each])


async def test_a_plan_that_is_too_large_is_refused_before_it_is_sent(
    knot: Knot, reach: Reach
) -> None:
    provider = Rfc2136Provider(settings(knot), reach)
    before = await knot.primary.serial(ZONE)
    many = [
        created(records(f"t{number}.{ZONE}", RecordType.TXT, "x" * 4000)) for number in range(20)
    ]
    with pytest.raises(NotOffered, match="too large"):
        await provider.apply(ZONE, [each for each in many if each])
    assert await knot.primary.serial(ZONE) == before


async def test_asking_whether_the_key_is_right_changes_nothing(knot: Knot, reach: Reach) -> None:
    before = await knot.primary.serial(ZONE)
    assert await Rfc2136Provider(settings(knot), reach).zones() == (ZONE,)
    assert await knot.primary.serial(ZONE) == before


async def test_a_large_zone_of_many_messages_is_read_whole(reach: Reach) -> None:
    lines = "\n".join(f"h{number} TXT {'x' * 200}" for number in range(2000))
    async with Knot({ZONE: lines}, second=False) as knot:
        contents = await Rfc2136Provider(settings(knot), reach).read(ZONE, None)
    assert sum(each.type is RecordType.TXT for each in contents.records) == 2000
    assert contents.version == "1"


async def test_a_server_that_hangs_is_given_up_and_it_is_told_that_nobody_knows(
    knot: Knot, reach: Reach
) -> None:
    async with FaultyDnsProxy(knot.primary.address, DNS_PORT) as proxy:
        provider = Rfc2136Provider(settings(knot, server=proxy.address), reach, answer_s=0.5)
        proxy.fault = "hangs"
        change = created(records(f"new.{ZONE}", RecordType.A, "192.0.2.2"))
        assert change is not None
        with pytest.raises(ApplyUncertain, match="in time"):
            await provider.apply(ZONE, [change])


async def test_a_success_that_the_key_did_not_sign_is_not_believed(
    knot: Knot, reach: Reach
) -> None:
    async with FaultyDnsProxy(knot.primary.address, DNS_PORT) as proxy:
        proxy.fault = "lies"
        change = created(records(f"new.{ZONE}", RecordType.A, "192.0.2.2"))
        assert change is not None
        with pytest.raises(ApplyUncertain, match="did not sign"):
            await Rfc2136Provider(settings(knot, server=proxy.address), reach).apply(ZONE, [change])


async def test_it_is_not_sent_to_where_the_agent_must_not_go(knot: Knot, reach: Reach) -> None:
    reach.outbound.guard.keep("a door of ours", knot.primary.address, DNS_PORT)
    with pytest.raises(ProviderAway, match="a door of ours"):
        await Rfc2136Provider(settings(knot), reach).zones()


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"key_secret": SecretStr("no base64 !")}, "settings.key_secret"),
        ({"server": "http://ns1/"}, "settings.server"),
        ({"key_name": "a..b"}, "settings.key_name"),
        ({"zones": (ZONE, "-.x")}, "settings.zones.1"),
    ],
)
async def test_settings_that_cannot_be_are_named_without_the_secret(
    knot: Knot, reach: Reach, other: dict[str, object], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        Rfc2136Provider(settings(knot, **other), reach)
    assert refused.value.field == field
    assert refused.value.hint
    assert "no base64 !" not in f"{refused.value} {refused.value.__cause__}"


async def test_what_a_zone_holds_comes_back_in_one_spelling(reach: Reach) -> None:
    lines = (
        'WWW 60 MX 10 Mail.Example.NET.\nwww TXT "a" "b" "\\195\\169"\nsub NS ns.sub\nx HINFO a b'
    )
    async with Knot({ZONE: lines}, second=False) as knot:
        contents = await Rfc2136Provider(settings(knot), reach).read(ZONE, {WWW, f"x.{ZONE}"})
    assert contents.records == (
        RecordSet(name=WWW, type=RecordType.MX, values=("10 mail.example.net",), ttl_s=60),
        RecordSet(name=WWW, type=RecordType.TXT, values=("abé",), ttl_s=300),
    )
