"""What a person wants of a name is checked before anything is sent."""

import pytest

from homelab_agent.areas.dns.models import RecordSet, RecordType, WantedRecords
from homelab_agent.areas.dns.record_sets import checked, same
from homelab_agent.platform.errors import Invalid


def test_values_are_uniform_and_in_order() -> None:
    wanted = WantedRecords(
        name="NAS.Example.org.", type=RecordType.A, values=("192.0.2.9", "192.0.2.10"), ttl_s=60
    )
    assert checked(wanted, field="records.0") == RecordSet(
        name="nas.example.org", type=RecordType.A, values=("192.0.2.10", "192.0.2.9"), ttl_s=60
    )


@pytest.mark.parametrize(
    ("name", "record_type", "values", "field", "says"),
    [
        ("my_nas.example.org", RecordType.A, ("192.0.2.1",), "records.1.name", "underscore"),
        ("my_nas.example.org", RecordType.MX, ("0 .",), "records.1.name", "underscore"),
        ("*.example.org", RecordType.NS, ("ns1.example.org",), "records.1.name", "wildcard"),
        ("a.org", RecordType.A, ("192.0.2.1", "192.0.2.1"), "records.1.values.1", "twice"),
        ("a.org", RecordType.AAAA, ("::1", "0::1"), "records.1.values.1", "twice"),
        ("a.org", RecordType.CNAME, ("b.org", "c.org"), "records.1.values.1", "one other name"),
        ("a.org", RecordType.CNAME, ("A.org.",), "records.1.values.0", "itself"),
        ("a.org", RecordType.A, ("192.0.2.1", "nas"), "records.1.values.1", "no IPv4"),
    ],
)
def test_a_mistake_is_told_with_its_place(
    name: str, record_type: RecordType, values: tuple[str, ...], field: str, says: str
) -> None:
    wanted = WantedRecords(name=name, type=record_type, values=values)
    with pytest.raises(Invalid, match=says) as caught:
        checked(wanted, field="records.1")
    assert caught.value.field == field
    assert caught.value.hint


def test_underscores_stay_where_they_belong_and_what_is_wrong_can_be_removed() -> None:
    for record_type, values in (
        (RecordType.TXT, ("v=DMARC1",)),
        (RecordType.CNAME, ("_x.acm.example",)),
        (RecordType.A, ()),
    ):
        wanted = WantedRecords(name="_dmarc.example.org", type=record_type, values=values)
        assert checked(wanted, field="records.0").name == "_dmarc.example.org"


def test_a_ttl_that_is_not_known_is_no_difference() -> None:
    one = RecordSet(name="a.org", type=RecordType.A, values=("192.0.2.1", "192.0.2.2"), ttl_s=60)
    assert same(one, one.model_copy(update={"ttl_s": None}))
    assert same(one, one.model_copy(update={"values": one.values[::-1]}))
    assert not same(one, one.model_copy(update={"ttl_s": 61}))
    assert not same(one, None)
    assert same(None, None)
