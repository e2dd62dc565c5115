"""All domains written down, and read again: JSON, and CSV for spreadsheets.

CSV has a row for each value of a record; what is said of the whole domain stands in each of its
rows. No cell is a formula to a spreadsheet: where one would be, an apostrophe is put in front, and
taken away again on reading. What a spreadsheet of another country saves is read, too: with
semicolons or tabs between the cells, and true and false in its own language.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError

from homelab_agent.areas.dns.models import RecordType
from homelab_agent.areas.domains.models import (
    MOST_DOMAINS,
    DomainExport,
    ExportedDomain,
    ExportFormat,
    KeptDomain,
)
from homelab_agent.platform.errors import Extra, Invalid

COLUMNS = (
    "name",
    "service_type",
    "container",
    "note",
    "provider",
    "paused",
    "record_type",
    "ttl_s",
    "value",
)
MOST_ROWS = 50_000

_OF_DOMAIN = COLUMNS[1:6]
_BEGINS = r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
"""What makes a formula of a cell, also as the wide signs of East Asia."""
_FORMULA = re.compile(rf"'*{_BEGINS}")
_ESCAPED = re.compile(rf"'+{_BEGINS}")
_LOST = "\ufffd"
"""What readers put in place of what is no UTF-8."""
_BETWEEN = (",", ";", "\t")
_TRUE = frozenset({"true", "wahr", "vrai", "verdadero", "vero", "waar", "1"})
_FALSE = frozenset({"false", "falsch", "faux", "falso", "onwaar", "0", ""})


@dataclass(slots=True)
class Entry:
    """One domain that was read, not yet checked, and where each part of it stands."""

    domain: ExportedDomain
    places: Mapping[str, str] = field(default_factory=dict)
    """Where a field stands, for a person: by its path in the domain, as "records.0.ttl_s"."""
    at: str = ""

    def place(self, path: str | None) -> str:
        """Return where the field of this path stands, or whatever it is a part of."""
        while path:
            if path in self.places:
                return self.places[path]
            path = path.rpartition(".")[0]
        return self.at


def exported(kept: KeptDomain) -> ExportedDomain:
    """Return a domain as it is exported."""
    return ExportedDomain(name=kept.id, **dict(kept.settings))


def as_csv(domains: Iterable[ExportedDomain]) -> str:
    """Return domains as CSV."""
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for domain in domains:
        for row in _rows(domain):
            writer.writerow([_harmless(row.get(column, "")) for column in COLUMNS])
    return written.getvalue()


def read(text: str, form: ExportFormat) -> list[Entry]:
    """Return the domains of an export.

    Raises:
        Invalid: it cannot be understood; the message names the row and the column, or the path.
    """
    entries = _read_json(text) if form is ExportFormat.JSON else _read_csv(text)
    if len(entries) > MOST_DOMAINS:
        raise wrong(f"there are {len(entries)} domains, and {MOST_DOMAINS} are the most")
    return entries


def wrong(what: str, hint: str | None = None, extra: Extra | None = None) -> Invalid:
    """Return the error for a text that cannot be imported."""
    return Invalid(
        f"Nothing was imported: {what}",
        field="text",
        hint=hint or "Correct it there, and import the whole text again",
        extra=extra,
    )


def _read_json(text: str) -> list[Entry]:
    try:
        found = DomainExport.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        at = ".".join(map(str, first["loc"])) or "the text"
        raise wrong(f"{at}: {first['msg']}", extra={"at": at}) from error
    return [Entry(each, at=f"domains.{index}") for index, each in enumerate(found.domains)]


def _read_csv(text: str) -> list[Entry]:
    rows = list(_numbered_rows(text))
    entries: dict[str, _Gathered] = {}
    for number, row in rows:
        name = row["name"]
        if not name:
            raise _wrong_cell(number, "name", "the name is missing")
        gathered = entries.setdefault(name, _Gathered(name, number, row))
        gathered.add(number, row)
    return [gathered.entry() for gathered in entries.values()]


def _numbered_rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row with its number: a spreadsheet's, that of the headings is 1."""
    text = text.removeprefix("\ufeff")
    headings_line = text.partition("\n")[0]
    # No heading has any of them in it; of none the first is taken.
    between = max(_BETWEEN, key=headings_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=between, strict=True)
    try:
        headings = next(reader, [])
        _require_columns(headings)
        for number, cells in enumerate(reader, start=2):
            if number > MOST_ROWS:
                raise wrong(f"there are more than {MOST_ROWS} rows")
            if not any(cells):
                continue
            if len(cells) != len(headings):
                raise wrong(
                    f"row {number} has {len(cells)} cells, and there are {len(headings)} columns",
                    extra={"row": number},
                )
            _require_readable(number, headings, cells)
            yield (
                number,
                dict.fromkeys(COLUMNS, "") | dict(zip(headings, map(_plain, cells), strict=True)),
            )
    except csv.Error as error:
        raise wrong(f"line {reader.line_num}: {error}", extra={"row": reader.line_num}) from error


def _require_readable(number: int, headings: list[str], cells: list[str]) -> None:
    for heading, given in zip(headings, cells, strict=True):
        if _LOST in given:
            raise wrong(
                f"{_at(number, heading)}: letters were lost when the text was read",
                "Save it as UTF-8, which spreadsheets call CSV UTF-8, and import the whole again",
                extra=cell(_at(number, heading)),
            )


def _require_columns(headings: list[str]) -> None:
    unknown = [each for each in headings if each not in COLUMNS]
    if unknown or "name" not in headings or len(set(headings)) != len(headings):
        what = f"there is no column {unknown[0][:40]!r}" if unknown else "the headings are wrong"
        raise wrong(f"row 1: {what}", f"The columns are {', '.join(COLUMNS)}", extra={"row": 1})


class _Gathered:
    """The rows of one domain."""

    def __init__(self, name: str, number: int, row: Mapping[str, str]) -> None:
        self._name = name
        self._first = number
        self._row = row
        self._values: dict[str, list[tuple[int, str]]] = {}
        self._ttls: dict[str, tuple[int, str]] = {}

    def add(self, number: int, row: Mapping[str, str]) -> None:
        """Take one more row."""
        for column in _OF_DOMAIN:
            if row[column] != self._row[column]:
                raise _wrong_cell(
                    number, column, f"it is another than in row {self._first} of the same domain"
                )
        kind, ttl, value = row["record_type"], row["ttl_s"], row["value"]
        if not kind and (ttl or value):
            raise _wrong_cell(number, "record_type", "the type of the record is missing")
        if not kind:
            return
        if kind not in RecordType:
            raise _wrong_cell(number, "record_type", f"there is no type {kind[:20]!r}")
        known = self._ttls.setdefault(kind, (number, ttl))
        if known[1] != ttl:
            raise _wrong_cell(
                number, "ttl_s", f"it is another than in row {known[0]}, of the same records"
            )
        self._values.setdefault(kind, []).append((number, value))

    def entry(self) -> Entry:
        """Return the domain."""
        fields, places = self._fields()
        try:
            domain = ExportedDomain.model_validate(fields)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            path = ".".join(map(str, first["loc"]))
            at = Entry(ExportedDomain(name=self._name), places, f"row {self._first}").place(path)
            raise wrong(f"{at}: {first['msg']}", extra=cell(at)) from error
        return Entry(domain, places, f"row {self._first}")

    def _fields(self) -> tuple[dict[str, object], dict[str, str]]:
        """Return what the rows say, and where each of it stands."""
        row = self._row
        paused = row["paused"].strip().lower()
        if paused not in _TRUE | _FALSE:
            raise _wrong_cell(self._first, "paused", "it is true or false")
        places = {column: _at(self._first, column) for column in ("name", *_OF_DOMAIN)}
        records: list[dict[str, object]] = []
        for index, (kind, values) in enumerate(self._values.items()):
            number, ttl = self._ttls[kind]
            places[f"records.{index}"] = _at(number, "record_type")
            places[f"records.{index}.ttl_s"] = _at(number, "ttl_s")
            for place, (at, _) in enumerate(values):
                places[f"records.{index}.values.{place}"] = _at(at, "value")
            records.append(
                {"type": kind, "values": [value for _, value in values], "ttl_s": ttl or None}
            )
        return {
            "name": self._name,
            "service_type": row["service_type"] or "web",
            "container": row["container"] or None,
            "note": row["note"] or None,
            "provider": row["provider"] or None,
            "paused": paused in _TRUE,
            "records": records,
        }, places


def _rows(domain: ExportedDomain) -> Iterator[dict[str, str]]:
    whole = {
        "name": domain.name,
        "service_type": domain.service_type.value,
        "container": domain.container or "",
        "note": domain.note or "",
        "provider": domain.provider or "",
        "paused": "true" if domain.paused else "false",
    }
    if not domain.records:
        yield whole
    for records in domain.records:
        ttl = "" if records.ttl_s is None else str(records.ttl_s)
        for value in records.values:
            yield whole | {"record_type": records.type.value, "ttl_s": ttl, "value": value}


def _harmless(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text


def _plain(cell: str) -> str:
    return cell[1:] if _ESCAPED.match(cell) else cell


def _at(number: int, column: str) -> str:
    return f"row {number}, column {column}"


def cell(at: str) -> Extra:
    """Return row and column of a place for programs; nothing where it is no cell."""
    row, _, column = at.removeprefix("row ").partition(", column ")
    if not row.isdecimal():
        return {}
    return {"row": int(row), "column": column} if column else {"row": int(row)}


def _wrong_cell(number: int, column: str, what: str) -> Invalid:
    return wrong(f"{_at(number, column)}: {what}", extra=cell(_at(number, column)))
