"""Changes of records, written shortly."""

from homelab_agent.areas.dns.models import Change, RecordSet, RecordType
from homelab_agent.areas.dns.planning import make_change


def records(
    name: str, record_type: RecordType, *values: str, ttl_s: int | None = None
) -> RecordSet | None:
    """Return a record set; None where it has no values."""
    if not values:
        return None
    return RecordSet(name=name, type=record_type, values=tuple(sorted(values)), ttl_s=ttl_s)


def change(before: RecordSet | None, after: RecordSet | None) -> Change:
    """Return what leads from the one to the other."""
    made = make_change(before, after)
    assert made is not None
    return made
