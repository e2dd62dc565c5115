"""Records as Cloudflare's API writes them."""

from collections.abc import Iterable

from homelab_agent.areas.dns.models import RecordSet, RecordType
from homelab_agent.areas.dns.providers.web_api import Said
from homelab_agent.areas.dns.values import from_presented, presented

AUTOMATIC_TTL = 1
"""Cloudflare decides; proxied records have no other."""


class RecordData(Said):
    """The parts of a record that has parts: of an SRV, or of a CAA."""

    priority: int = 0
    weight: int = 0
    port: int = 0
    target: str = "."
    flags: int = 0
    tag: str = ""
    value: str = ""


class CloudflareRecord(Said):
    """One record. A proxied one is answered with addresses of Cloudflare's own."""

    id: str
    name: str
    type: str
    ttl: int = AUTOMATIC_TTL
    proxied: bool = False
    content: str = ""
    priority: int | None = None
    data: RecordData | None = None

    @property
    def value(self) -> str:
        """The value as it is written here."""
        record_type, content, data = RecordType(self.type), self.content, self.data
        match record_type:
            case RecordType.MX:
                content = f"{self.priority or 0} {content}"
            case RecordType.SRV if data is not None:
                content = f"{data.priority} {data.weight} {data.port} {data.target}"
            case RecordType.CAA if data is not None:
                quoted = presented(RecordType.TXT, data.value)
                content = f"{data.flags} {data.tag} {quoted}"
            case RecordType.TXT if not content.startswith('"'):
                return content  # made before Cloudflare had them in quotes
        return from_presented(record_type, content)

    @property
    def ttl_s(self) -> int | None:
        """The TTL; None where Cloudflare decides it."""
        return None if self.ttl == AUTOMATIC_TTL else self.ttl


def record_sets(records: Iterable[CloudflareRecord]) -> tuple[RecordSet, ...]:
    """Return records as sets; types that cannot be managed are left out."""
    sets: dict[tuple[str, RecordType], list[CloudflareRecord]] = {}
    for record in records:
        if record.type in RecordType:
            sets.setdefault((record.name.lower(), RecordType(record.type)), []).append(record)
    return tuple(
        RecordSet(
            name=name,
            type=record_type,
            values=tuple(sorted({record.value for record in held})),
            ttl_s=min((record.ttl_s for record in held if record.ttl_s), default=None),
        )
        for (name, record_type), held in sets.items()
    )


def written(record_type: RecordType, value: str) -> dict[str, object]:
    """Return the fields of a record that have its value in them."""
    match record_type:
        case RecordType.MX:
            preference, host = value.split()
            return {"priority": int(preference), "content": host}
        case RecordType.SRV:
            priority, weight, port, target = value.split()
            return {
                "data": {
                    "priority": int(priority),
                    "weight": int(weight),
                    "port": int(port),
                    "target": target,
                }
            }
        case RecordType.CAA:
            flags, tag, quoted = value.split(maxsplit=2)
            bare = from_presented(RecordType.TXT, quoted)
            return {"data": {"flags": int(flags), "tag": tag, "value": bare}}
        case RecordType.TXT:
            return {"content": presented(record_type, value)}
        case _:
            return {"content": value}
