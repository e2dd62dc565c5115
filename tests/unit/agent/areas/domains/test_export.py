"""An export can be imported again, exactly, whatever is in it; and no spreadsheet runs it."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homelab_agent.areas.dns.models import RecordType
from homelab_agent.areas.domains.export import COLUMNS, as_csv, read
from homelab_agent.areas.domains.models import (
    DomainExport,
    ExportedDomain,
    ExportFormat,
    ServiceType,
    WantedRecordSet,
)
from homelab_agent.platform.errors import Invalid

NASTY = st.sampled_from(
    ["=1+1", "'=1", "''", "'", "+x", "@SUM(A1)", "-1", "\t=", "a,b", '"', '""x', "a\nb", "\n", ";"]
)
NOTES = st.one_of(
    NASTY,
    st.text(
        st.characters(
            exclude_categories=("Cs", "Cc"), include_characters="\n\t", exclude_characters="\ufffd"
        ),
        max_size=80,
    ),
).filter(bool)
VALUES = st.one_of(NASTY, NOTES)
NAMES = st.from_regex(
    r"(\*\.)?[a-z0-9_]([a-z0-9-]{0,8}[a-z0-9])?\.(xn--bro-hoa\.)?example\.org", fullmatch=True
)


@st.composite
def domains(draw: st.DrawFn) -> tuple[ExportedDomain, ...]:
    found = []
    for name in draw(st.lists(NAMES, unique=True, max_size=5)):
        kinds = draw(st.lists(st.sampled_from(RecordType), unique=True, max_size=3))
        records = tuple(
            WantedRecordSet(
                type=kind,
                values=tuple(draw(st.lists(VALUES, min_size=1, max_size=3))),
                ttl_s=draw(st.none() | st.integers(1, 2**31 - 1)),
            )
            for kind in kinds
        )
        found.append(
            ExportedDomain(
                name=name,
                service_type=draw(st.sampled_from(ServiceType)),
                records=records,
                container=draw(st.none() | NOTES),
                note=draw(st.none() | NOTES),
                provider=draw(st.none() | st.just("hetzner-1")),
                paused=draw(st.booleans()),
            )
        )
    return tuple(found)


@given(domains())
def test_csv_gives_back_exactly_what_was_written(wanted: tuple[ExportedDomain, ...]) -> None:
    entries = read(as_csv(wanted), ExportFormat.CSV)
    assert tuple(each.domain for each in entries) == wanted


@given(domains())
def test_json_gives_back_exactly_what_was_written(wanted: tuple[ExportedDomain, ...]) -> None:
    text = DomainExport(domains=wanted).model_dump_json()
    assert tuple(each.domain for each in read(text, ExportFormat.JSON)) == wanted


@given(domains())
def test_no_cell_is_a_formula_to_a_spreadsheet(wanted: tuple[ExportedDomain, ...]) -> None:
    for row in csv.reader(io.StringIO(as_csv(wanted), newline="")):
        assert not any(re.match(r"[=+\-@\t\r\n＝＋－＠]", cell) for cell in row)  # noqa: RUF001


def test_a_spreadsheet_may_put_columns_in_another_order_and_leave_some_out() -> None:
    text = (
        "\ufeffvalue,name,record_type\r\n"
        "192.0.2.1,a.example.org,A\r\n"
        ",,\r\n"
        "192.0.2.2,a.example.org,A\r\n"
    )
    (entry,) = read(text, ExportFormat.CSV)
    assert entry.domain.records[0].values == ("192.0.2.1", "192.0.2.2")
    assert entry.domain.service_type is ServiceType.WEB


HEAD = ",".join(COLUMNS) + "\r\n"

BROKEN = {
    "no name": (HEAD + ",web,,,,,A,,192.0.2.1", 2, "name"),
    "no such type": (HEAD + "a.example.org,web,,,,,SPF,,x", 2, "record_type"),
    "no such service": (HEAD + "a.example.org,webb,,,,,A,,192.0.2.1", 2, "service_type"),
    "a TTL that is no number": (HEAD + "a.example.org,web,,,,,A,soon,192.0.2.1", 2, "ttl_s"),
    "a TTL out of range": (HEAD + "a.example.org,web,,,,,A,0,192.0.2.1", 2, "ttl_s"),
    "two TTLs of one set": (
        HEAD + "a.example.org,web,,,,,A,60,192.0.2.1\r\na.example.org,web,,,,,A,61,192.0.2.2",
        3,
        "ttl_s",
    ),
    "two notes of one domain": (
        HEAD + "a.example.org,web,,x,,,A,60,192.0.2.1\r\na.example.org,web,,y,,,A,60,192.0.2.2",
        3,
        "note",
    ),
    "neither true nor false": (HEAD + "a.example.org,web,,,,maybe,,,", 2, "paused"),
    "an empty value": (HEAD + "a.example.org,web,,,,,A,60,", 2, "value"),
    "a value without a type": (HEAD + "a.example.org,web,,,,,,,192.0.2.1", 2, "record_type"),
    "a note that is too long": (HEAD + f"a.example.org,web,,{'x' * 501},,,,,", 2, "note"),
    "a cell too many": (HEAD + "a.example.org,web,,,,,,,,", 2, None),
    "quotes that do not end": (HEAD + 'a.example.org,web,,"x', 2, None),
    "an unknown column": ("name,colour\r\na.example.org,red", 1, None),
    "no headings": ("a.example.org,web", 1, None),
    "a heading twice": ("name,name\r\na,b", 1, None),
    "nothing but blanks": ("  ", 1, None),
}


@pytest.mark.parametrize(("text", "row", "column"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_row_is_named_with_its_column(text: str, row: int, column: str | None) -> None:
    with pytest.raises(Invalid) as caught:
        read(text, ExportFormat.CSV)
    assert caught.value.field == "text"
    assert (caught.value.extra.get("row"), caught.value.extra.get("column")) == (row, column)
    assert f"{row}" in caught.value.message


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("not json", "the text"),
        ('{"version": 2, "domains": []}', "version"),
        ('{"domains": [{"name": "a.example.org"}, {"nam": "b"}]}', "domains.1.name"),
        (
            '{"domains": [{"name": "a.b", "records": [{"type": "A", "values": []}]}]}',
            "domains.0.records.0.values",
        ),
    ],
)
def test_what_is_wrong_in_json_is_named_by_its_path(text: str, at: str) -> None:
    with pytest.raises(Invalid) as caught:
        read(text, ExportFormat.JSON)
    assert caught.value.field == "text"
    assert at in caught.value.message
