"""Names and records that make no sense are refused, each with its field and a remedy."""

import pytest

from homelab_agent.platform.errors import AgentError, Conflict
from tests.unit.agent.areas.domains.one_house import PERSON, ZONE, OneHouse, a_record, body

CNAME = {"type": "CNAME", "values": ["nas.example.org"]}

WRONG_NAMES = {
    "too long": "a." * 130 + "example.org",
    "a part too long": "a" * 64 + ".example.org",
    "an empty part": "www..example.org",
    "a dot in front": ".example.org",
    "a single word": "localhost",
    "an address": "192.168.1.10",
    "blanks": "my nas.example.org",
    "a wildcard in the middle": "www.*.example.org",
    "half a wildcard": "w*.example.org",
    "a wildcard alone": "*",
    "no letters of a name": "ni☃✈ce.example.org",
    "a hyphen in front": "-www.example.org",
    "an address with a port": "www.example.org:443",
}

UNIFORM = {
    "Photos.Example.ORG.": "photos.example.org",
    "*.example.org": "*.example.org",
    "_acme-challenge.example.org": "_acme-challenge.example.org",
    "Büro.example.org": "xn--bro-hoa.example.org",
    "XN--BRO-HOA.example.org": "xn--bro-hoa.example.org",
    "例え.テスト": "xn--r8jz45g.xn--zckzah",
}

WRONG_RECORDS: dict[str, tuple[list[object], str]] = {
    "no address": ([a_record("192.0.2.256")], "records.0.values.0"),
    "an IPv6 address as A": ([a_record("192.0.2.1", "2001:db8::1")], "records.0.values.1"),
    "an IPv4 address as AAAA": (
        [{"type": "AAAA", "values": ["192.0.2.1"]}],
        "records.0.values.0",
    ),
    "two CNAMEs": (
        [{"type": "CNAME", "values": ["a.example.org", "b.example.org"]}],
        "records.0.values",
    ),
    "a CNAME beside others": ([a_record(), CNAME], "records.1.type"),
    "a type twice": ([a_record(), a_record("192.0.2.2")], "records.1.type"),
    "a value twice": ([a_record("192.0.2.1", "192.0.2.1")], "records.0.values.1"),
    "an MX without its number": (
        [{"type": "MX", "values": ["mail.example.org"]}],
        "records.0.values.0",
    ),
    "an SRV with a port too high": (
        [{"type": "SRV", "values": ["0 1 70000 a.example.org"]}],
        "records.0.values.0",
    ),
    "a CAA without its words": ([{"type": "CAA", "values": ["x"]}], "records.0.values.0"),
}


@pytest.mark.parametrize("name", WRONG_NAMES.values(), ids=WRONG_NAMES.keys())
async def test_a_name_that_dns_cannot_have_is_refused(house: OneHouse, name: str) -> None:
    with pytest.raises(AgentError) as caught:
        await house.add(name)
    assert (caught.value.code, caught.value.field) == ("invalid", "name")
    assert caught.value.hint


@pytest.mark.parametrize(("given", "kept"), UNIFORM.items())
async def test_every_spelling_of_a_name_is_the_same_domain(
    house: OneHouse, given: str, kept: str
) -> None:
    assert (await house.add(given)).id == kept
    with pytest.raises(Conflict):
        await house.add(kept.upper())
    assert (await house.service.shown(f"{given}.".replace("..", "."))).id == kept


async def test_an_international_name_is_shown_in_its_own_letters(house: OneHouse) -> None:
    assert (await house.add("xn--bro-hoa.example.org")).name == "büro.example.org"


@pytest.mark.parametrize(("records", "field"), WRONG_RECORDS.values(), ids=WRONG_RECORDS.keys())
async def test_records_that_make_no_sense_are_refused_with_their_place(
    house: OneHouse, records: list[object], field: str
) -> None:
    with pytest.raises(AgentError) as caught:
        await house.add(records=records)
    assert caught.value.code == "invalid"
    assert (caught.value.field or "").startswith(field)
    assert caught.value.hint
    assert not house.book.watched


async def test_the_zone_itself_cannot_be_an_alias(house: OneHouse) -> None:
    with pytest.raises(AgentError, match="the zone itself") as caught:
        await house.add(ZONE, records=[CNAME])
    assert caught.value.field == "records.0.type"


@pytest.mark.parametrize("ttl_s", [0, -1, 2**31])
def test_a_time_to_live_that_cannot_be_is_refused(ttl_s: int) -> None:
    with pytest.raises(ValueError, match="ttl_s"):
        body(records=[a_record(ttl_s=ttl_s)])


async def test_a_provider_that_is_not_there_or_has_another_zone_is_named(house: OneHouse) -> None:
    for name, provider in (("www.example.com", "nobody"), ("www.example.com", "invented")):
        with pytest.raises(AgentError) as caught:
            await house.service.create(body(name, provider=provider), PERSON)
        assert caught.value.field == "provider"


async def test_a_name_in_nobodys_zone_is_looked_after_all_the_same(house: OneHouse) -> None:
    domain = await house.add("www.example.com")
    assert (domain.provider, domain.zone) == (None, None)
    assert (await house.add()).zone == ZONE


async def test_a_note_keeps_its_lines_and_has_no_signs_that_nobody_can_write(
    house: OneHouse,
) -> None:
    domain = await house.add(note="first\r\nsecond, “quoted”\tend", container="")
    assert domain.note == "first\nsecond, “quoted”\tend"
    assert domain.container is None
    with pytest.raises(AgentError) as caught:
        await house.add("b.example.org", note="a\x00b")
    assert caught.value.field == "note"
