"""Values have one form, and come back from a zone file as they went in."""

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homelab_agent.areas.dns.models import RecordType
from homelab_agent.areas.dns.values import (
    bytes_text,
    from_presented,
    presented,
    text_bytes,
    uniform_value,
)
from homelab_agent.platform.errors import Invalid

_HOSTS = st.from_regex(r"([a-zA-Z0-9]{1,12}\.){0,3}[a-zA-Z0-9]{1,12}[a-zA-Z]\.?", fullmatch=True)
_NUMBERS = st.integers(0, 65535)
_CAA_TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
_VALUES = st.one_of(
    st.tuples(st.just(RecordType.A), st.ip_addresses(v=4).map(str)),
    st.tuples(st.just(RecordType.AAAA), st.ip_addresses(v=6).map(str)),
    st.tuples(st.just(RecordType.AAAA), st.ip_addresses(v=6).map(lambda one: one.exploded.upper())),
    st.tuples(st.sampled_from([RecordType.CNAME, RecordType.NS]), _HOSTS),
    st.tuples(st.just(RecordType.MX), st.builds("{}  {}".format, _NUMBERS, _HOSTS)),
    st.tuples(
        st.just(RecordType.SRV),
        st.builds("{} {} {}\t{}".format, _NUMBERS, _NUMBERS, _NUMBERS, _HOSTS),
    ),
    st.tuples(
        st.just(RecordType.CAA),
        st.builds(
            lambda flag, tag, text: f"{flag} {tag} " + _quoted(text),
            st.integers(0, 255),
            st.sampled_from(["issue", "ISSUEWILD", "iodef"]),
            _CAA_TEXT,
        ),
    ),
    st.tuples(st.just(RecordType.TXT), st.text(max_size=600)),
)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@given(_VALUES)
def test_a_value_stays_as_it_is_and_comes_back_through_dnspython(
    value: tuple[RecordType, str],
) -> None:
    record_type, text = value
    uniform = uniform_value(record_type, text, field="values.0")
    assert uniform_value(record_type, uniform, field="values.0") == uniform

    rdata = dns.rdata.from_text(
        dns.rdataclass.IN, dns.rdatatype.from_text(record_type), presented(record_type, uniform)
    )
    wire = rdata.to_wire()
    assert wire is not None
    again = dns.rdata.from_wire(
        dns.rdataclass.IN, dns.rdatatype.from_text(record_type), wire, 0, len(wire)
    )
    assert from_presented(record_type, again.to_text()) == uniform


@given(st.binary(max_size=600))
def test_a_txt_of_any_bytes_comes_back_byte_for_byte(raw: bytes) -> None:
    text = bytes_text(raw)
    assert text_bytes(text) == raw
    assert uniform_value(RecordType.TXT, text, field="values.0") == text
    assert from_presented(RecordType.TXT, presented(RecordType.TXT, text)) == text
    text.encode()  # it can be stored and sent


def test_a_long_txt_is_written_in_several_strings_and_read_as_one() -> None:
    key = "v=DKIM1; k=rsa; p=" + "A" * 400
    shown = presented(RecordType.TXT, key)
    assert shown.count('" "') == 1
    assert all(len(piece) <= 255 for piece in shown.strip('"').split('" "'))
    assert from_presented(RecordType.TXT, shown) == key


@pytest.mark.parametrize(
    ("record_type", "text", "uniform"),
    [
        (RecordType.AAAA, "2001:0DB8:0:0::0001", "2001:db8::1"),
        (RecordType.CNAME, "WWW.Büro.example.", "www.xn--bro-hoa.example"),
        (RecordType.MX, "010 Mail.Example.ORG.", "10 mail.example.org"),
        (RecordType.MX, "0 .", "0 ."),
        (RecordType.SRV, "0 0 0 .", "0 0 0 ."),
        (RecordType.CAA, "0 issue letsencrypt.org", '0 issue "letsencrypt.org"'),
        (RecordType.TXT, ' say "hi" \\ ', ' say "hi" \\ '),
    ],
)
def test_what_means_the_same_is_the_same(record_type: RecordType, text: str, uniform: str) -> None:
    assert uniform_value(record_type, text, field="values.0") == uniform


@pytest.mark.parametrize(
    ("record_type", "wrong", "says"),
    [
        (RecordType.A, "192.0.2.256", "no IPv4"),
        (RecordType.A, "192.0.2.010", "no IPv4"),
        (RecordType.A, "2001:db8::1", "no IPv4"),
        (RecordType.AAAA, "192.0.2.1", "no IPv6"),
        (RecordType.AAAA, "fe80::1%eth0", "no IPv6"),
        (RecordType.CNAME, "two names", "no part of a name"),
        (RecordType.CNAME, "192.0.2.1", "is an address"),
        (RecordType.NS, "192.0.2.1", "is an address"),
        (RecordType.MX, "10 192.0.2.1", "is an address"),
        (RecordType.NS, "my_server.example", "underscore"),
        (RecordType.MX, "mail.example.org", "preference"),
        (RecordType.MX, "70000 mail.example.org", "65535"),
        (RecordType.MX, "10 my_mail.example.org", "underscore"),
        (RecordType.MX, "10 .", "preference 0"),
        (RecordType.SRV, "10 5 sip.example.org", "priority"),
        (RecordType.SRV, "10 5 -1 sip.example.org", "65535"),
        (RecordType.CAA, 'issue "letsencrypt.org"', "no CAA"),
        (RecordType.CAA, '256 issue "letsencrypt.org"', "255"),
        (RecordType.CAA, '0 issue "bücher.example"', "ASCII"),
        (RecordType.TXT, "x" * 8193, "8192"),
        (RecordType.TXT, "\ud800", "half a character"),
    ],
)
def test_a_value_that_does_not_fit_is_told_with_its_place_and_how_one_looks(
    record_type: RecordType, wrong: str, says: str
) -> None:
    with pytest.raises(Invalid, match=says) as caught:
        uniform_value(record_type, wrong, field="records.0.values.1")
    assert caught.value.field == "records.0.values.1"
    assert caught.value.hint


@pytest.mark.parametrize("record_type", RecordType)
@pytest.mark.parametrize("odd", ["", " ", "0", "a b c d e", '"', "\\"])
def test_what_is_odd_at_a_provider_is_read_all_the_same(record_type: RecordType, odd: str) -> None:
    assert isinstance(from_presented(record_type, odd), str)
