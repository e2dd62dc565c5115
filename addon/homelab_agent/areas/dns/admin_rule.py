"""Which changes of a zone need an admin's word: its name servers, and much of it within a day."""

from collections.abc import Collection, Mapping, Sequence

from homelab_agent.areas.dns.models import Change, RecordType
from homelab_agent.areas.dns.record_sets import RecordKey

HANDFUL = 5
"""A zone with so few record sets has nothing that a third of would be much."""

ADMIN_HINT = "Do it with a token of the scope admin"

type Lately = Mapping[RecordKey, bool]
"""Record sets that others than admins changed within a day: whether each was there before that."""


def zone_size(held: Collection[RecordKey], lately: Lately) -> int:
    """Return how many record sets a zone had before it was changed lately.

    So who creates many may not change many of those that were there, and who deletes some does not
    make it a small one.
    """
    there = {key for key, was_there in lately.items() if was_there}
    created = lately.keys() - there
    return len((set(held) | there) - created)


def needs_admin(
    zone: str, changes: Sequence[Change], size: int | None, lately: Lately
) -> str | None:
    """Return why an admin has to say this; None: anybody may. `size`: None: it is not known.

    What was created lately may be changed again: nobody else has got used to it.
    """
    name_servers = sorted({change.name for change in changes if change.type is RecordType.NS})
    if name_servers:
        return f"It changes who serves {', '.join(name_servers)} (NS)."
    touched = {
        (change.name, change.type)
        for change in changes
        if change.before is not None and lately.get((change.name, change.type), True)
    }
    before = {key for key, was_there in lately.items() if was_there} - touched
    if not touched - lately.keys() or size is None or size <= HANDFUL:
        return None
    if (len(touched) + len(before)) * 3 <= size:
        return None
    others = f" and {len(before)} others were changed within a day" if before else ""
    return (
        f"It changes {len(touched)} of the {size} record sets of {zone}{others}, which is more "
        "than a third."
    )
