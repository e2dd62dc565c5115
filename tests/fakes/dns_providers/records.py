"""What a provider of DNS holds: its zones and their records."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count

import dns.rdata
import dns.rdataclass
import dns.rdatatype
from dns.rdtypes.ANY.TXT import TXT

_NAME_TYPES = {"CNAME", "NS", "MX", "SRV"}


@dataclass(frozen=True)
class Record:
    """One record; names without final dot. `value` is as in a zone file, a TXT's is bare.

    What some providers keep beside it: `id`, `proxied`, `comment`.
    """

    name: str
    type: str
    value: str
    ttl_s: int = 300
    id: str = ""
    proxied: bool = False
    comment: str | None = None

    @property
    def presented(self) -> str:
        """The value as a zone file has it."""
        if self.type in _NAME_TYPES:
            return f"{self.value}."
        if self.type == "TXT":
            return quoted(self.value)
        return self.value


@dataclass
class Zones:
    """All zones of an account. `serial` grows with every change."""

    records: dict[str, list[Record]] = field(default_factory=dict)
    serial: int = 1
    _ids: count[int] = field(default_factory=lambda: count(1))

    def zone_of(self, name: str) -> str | None:
        """Return the zone that a name is in."""
        fitting = [each for each in self.records if name == each or name.endswith(f".{each}")]
        return max(fitting, key=len, default=None)

    def put(
        self,
        name: str,
        record_type: str,
        *values: str,
        ttl_s: int = 300,
        proxied: bool = False,
        comment: str | None = None,
    ) -> None:
        """Hold exactly these at a name, as somebody who changes it by hand."""
        zone = self.zone_of(name)
        assert zone is not None, f"{name} is in none of the zones"
        key = (name, record_type)
        there = {
            (each.value, each.ttl_s, each.proxied, each.comment)
            for each in self.records[zone]
            if (each.name, each.type) == key
        }
        if there == {(value, ttl_s, proxied, comment) for value in values}:
            return
        kept = [each for each in self.records[zone] if (each.name, each.type) != key]
        made = [
            Record(name, record_type, value, ttl_s, self.new_id(), proxied, comment)
            for value in values
        ]
        self.replace(zone, [*kept, *made])

    def values(self, name: str, record_type: str) -> tuple[str, ...]:
        """Return what is held at a name, sorted."""
        zone = self.zone_of(name)
        found = self.records.get(zone or "", [])
        return tuple(
            sorted(each.value for each in found if (each.name, each.type) == (name, record_type))
        )

    def new_id(self) -> str:
        """Return an id as Cloudflare gives them."""
        return f"{next(self._ids):032x}"

    def replace(self, zone: str, records: Iterable[Record]) -> None:
        """Hold these in a zone, and nothing else."""
        records = list(records)
        if records != self.records.get(zone):
            self.records[zone] = records
            self.serial += 1

    def copy(self) -> Zones:
        """Return the same for trying something out."""
        records = {zone: list(held) for zone, held in self.records.items()}
        return Zones(records, self.serial, self._ids)


def half_way(before: list[Record], after: list[Record]) -> list[Record]:
    """Return what there is when only the first half of the changes was made."""
    gone = [each for each in before if each not in after]
    new = [each for each in after if each not in before]
    changes = sorted({(each.name, each.type, each.value) for each in (*gone, *new)})
    done = set(changes[: len(changes) // 2])

    def is_done(record: Record) -> bool:
        return (record.name, record.type, record.value) in done

    kept = [each for each in before if each in after or not is_done(each)]
    return kept + [each for each in new if is_done(each)]


def quoted(text: str) -> str:
    """Return a TXT as a zone file has it: in quotes, and in pieces."""
    raw = text.encode()
    pieces = tuple(raw[at : at + 255] for at in range(0, len(raw) or 1, 255))
    return TXT(dns.rdataclass.IN, dns.rdatatype.TXT, pieces).to_text()


def bare(text: str) -> str:
    """Return the text that a zone file has in quotes and in pieces."""
    read = dns.rdata.from_text("IN", "TXT", text)
    assert isinstance(read, TXT)
    return b"".join(read.strings).decode()
