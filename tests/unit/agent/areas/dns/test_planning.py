"""A plan says exactly what would change, and refuses what cannot be."""

import pytest

from homelab_agent.areas.dns.models import (
    Capabilities,
    ChangeAction,
    DnsPlan,
    RecordSet,
    RecordType,
    ZoneHome,
)
from homelab_agent.areas.dns.planning import make_plan
from homelab_agent.areas.dns.providers.errors import NotOffered
from homelab_agent.platform.errors import AgentError, Conflict, Invalid
from tests.fakes.scripted_dns import BLIND, LISTING, records

ZONE = "example.org"
HELD = records(
    "example.org 86400 NS ns1.example.org",
    "example.org 86400 NS ns2.example.org",
    "example.org 300 A 192.0.2.1",
    "www.example.org 300 CNAME example.org",
    "nas.example.org 300 A 192.0.2.10",
    "mail.example.org 300 A 192.0.2.11",
    "example.org 3600 MX 10 mail.example.org",
    "example.org 3600 TXT v=spf1 mx -all",
    "lab.example.org 3600 NS ns.lab.example.org",
)


def plan(
    *wanted: RecordSet,
    capabilities: Capabilities = LISTING,
    held: tuple[RecordSet, ...] = HELD,
) -> DnsPlan:
    home = ZoneHome(zone=ZONE, provider="knot", capabilities=capabilities)
    return make_plan(home, wanted, {(each.name, each.type): each for each in held})


def none(name: str, record_type: RecordType) -> RecordSet:
    return RecordSet(name=name, type=record_type, values=())


def test_a_plan_tells_every_change_with_what_is_there_before() -> None:
    made = plan(
        *records("nas.example.org 300 A 192.0.2.20", "wiki.example.org 60 A 192.0.2.30"),
        none("www.example.org", RecordType.CNAME),
        *records("mail.example.org 300 A 192.0.2.11"),
    )
    assert [change.action for change in made.changes] == [
        ChangeAction.DELETE,
        ChangeAction.UPDATE,
        ChangeAction.CREATE,
    ]
    assert made.text == (
        "delete www.example.org CNAME: example.org (TTL 300 s)\n"
        "change nas.example.org A: 192.0.2.10 (TTL 300 s) -> 192.0.2.20 (TTL 300 s)\n"
        "create wiki.example.org A: 192.0.2.30 (TTL 60 s)"
    )
    assert made.needs_admin is None


def test_the_hash_is_the_same_for_the_same_changes_and_another_for_another_before() -> None:
    wanted = records("nas.example.org 300 A 192.0.2.20", "a.example.org 300 A 192.0.2.30")
    made = plan(*wanted)
    assert plan(*wanted[::-1]).hash == made.hash
    moved = tuple(each for each in HELD if each.name != "nas.example.org")
    other = plan(*wanted, held=(*moved, *records("nas.example.org 300 A 192.0.2.12")))
    assert other.hash != made.hash


def test_what_is_so_already_is_no_change_and_without_a_ttl_it_stays() -> None:
    same = RecordSet(name="nas.example.org", type=RecordType.A, values=("192.0.2.10",))
    assert plan(same).changes == ()
    assert plan(same).text == "Nothing has to be changed."
    (change,) = plan(same.model_copy(update={"values": ("192.0.2.20",)})).changes
    assert change.after is not None
    assert change.after.ttl_s == 300


@pytest.mark.parametrize(
    ("wanted", "error", "field", "says"),
    [
        (records("nas.example.net 60 A 192.0.2.1"), Invalid, "wanted.0.name", "not in the zone"),
        (records("example.org 60 CNAME a.org"), Invalid, "wanted.0.type", "zone's own name"),
        (
            (none("example.org", RecordType.NS),),
            Invalid,
            "wanted.0.values",
            "without name servers",
        ),
        (
            records("nas.example.org 60 CNAME example.org"),
            Conflict,
            "wanted.0.type",
            "stands alone",
        ),
        (
            records("a.example.org 60 A 192.0.2.1", "www.example.org 60 TXT hello"),
            Conflict,
            "wanted.1.type",
            "stands alone",
        ),
        (
            records("a.example.org 60 A 192.0.2.1") * 2,
            Invalid,
            "wanted.1",
            "wanted twice",
        ),
    ],
)
def test_what_no_zone_can_hold_is_found_in_the_plan(
    wanted: tuple[RecordSet, ...], error: type[AgentError], field: str, says: str
) -> None:
    with pytest.raises(error, match=says) as caught:
        plan(*wanted)
    assert caught.value.field == field
    assert caught.value.hint


def test_an_alias_takes_the_place_of_an_address_in_one_plan() -> None:
    made = plan(
        *records("nas.example.org 60 CNAME example.org"), none("nas.example.org", RecordType.A)
    )
    assert [change.type for change in made.changes] == [RecordType.A, RecordType.CNAME]


@pytest.mark.parametrize(
    ("wanted", "field", "says"),
    [
        (records("www.example.org 60 MX 10 a.org"), "wanted.0.type", "type MX"),
        (records("new.example.org 60 A 192.0.2.1"), "wanted.0", "created"),
        ((none("nas.example.org", RecordType.A),), "wanted.0", "deleted"),
    ],
)
def test_what_a_provider_does_not_offer_is_refused_with_what_it_does_offer(
    wanted: tuple[RecordSet, ...], field: str, says: str
) -> None:
    with pytest.raises(NotOffered, match=says) as caught:
        plan(*wanted, capabilities=BLIND)
    assert caught.value.field == field
    assert caught.value.hint == BLIND.limits


def test_one_value_and_the_smallest_ttl_of_a_provider_hold() -> None:
    one = LISTING.model_copy(update={"several_values": False, "smallest_ttl_s": 3600})
    with pytest.raises(NotOffered, match="one value"):
        plan(*records("a.example.org 3600 TXT a", "a.example.org 3600 TXT b"), capabilities=one)
    with pytest.raises(NotOffered, match="3600") as caught:
        plan(*records("a.example.org 60 TXT a"), capabilities=one)
    assert caught.value.field == "wanted.0.ttl_s"


def test_a_provider_that_decides_the_ttl_itself_is_asked_for_none_and_it_is_said() -> None:
    made = plan(*records("nas.example.org 60 A 192.0.2.9"), capabilities=BLIND)
    (change,) = made.changes
    assert change.after is not None
    assert change.after.ttl_s is None
    assert "decides the TTL" in made.warnings[0]


def test_more_than_a_third_of_a_zone_needs_an_admin_and_a_handful_does_not() -> None:
    wanted = records(
        "nas.example.org 300 A 192.0.2.40",
        "mail.example.org 300 A 192.0.2.40",
        "example.org 300 A 192.0.2.40",
    )
    assert "3 of the 8" in str(plan(*wanted).needs_admin)
    assert plan(*wanted[:2]).needs_admin is None
    assert plan(*wanted, held=HELD[1:5]).needs_admin is None
    many_new = (f"n{number}.example.org 60 A 192.0.2.1" for number in range(9))
    assert plan(*records(*many_new)).needs_admin is None


def test_name_servers_need_an_admin() -> None:
    made = plan(*records("sub.example.org 300 NS ns1.example.net"))
    assert "sub.example.org (NS)" in str(made.needs_admin)


def test_what_nobody_would_see_below_a_delegation_is_said() -> None:
    made = plan(*records("deep.lab.example.org 300 A 192.0.2.9"))
    assert "within lab.example.org" in made.warnings[0]
