"""How what a zone holds differs from what a plan saw, for a person."""

from collections.abc import Awaitable, Iterable, Sequence

from homelab_agent.areas.dns.models import Change, RecordSet
from homelab_agent.areas.dns.providers.errors import ApplyUncertain, ZoneChanged
from homelab_agent.areas.dns.providers.interface import ZoneContents
from homelab_agent.areas.dns.record_sets import same, told
from homelab_agent.platform.errors import AgentError

USUAL_TTL_S = 300
"""The TTL of new records where a server has none of its own and nobody said one."""

_MOST_TOLD = 5


def ttl_to_write(change: Change) -> int:
    """Return the TTL that records are to have after a change."""
    for record in (change.after, change.before):
        if record is not None and record.ttl_s is not None:
            return record.ttl_s
    return USUAL_TTL_S


def require_unchanged(held: Iterable[RecordSet], changes: Sequence[Change]) -> None:
    """Check that every record set is as the plan saw it.

    Raises:
        ZoneChanged: one is not; it names up to five.
    """
    found = {(record.name, record.type): record for record in held}
    differing = [
        f"{change.name} {change.type} is {told(now)} and not {told(change.before)}"
        for change in changes
        if not same(now := found.get((change.name, change.type)), change.before)
    ]
    if differing:
        raise zone_changed("; ".join(differing[:_MOST_TOLD]))


async def read_back(reading: Awaitable[ZoneContents]) -> ZoneContents:
    """Return what there is after a change.

    Raises:
        ApplyUncertain: it could not be read; the change may well have been made.
    """
    try:
        return await reading
    except AgentError as error:
        raise ApplyUncertain(
            f"It was sent, and could not be read back: {error.message}", hint=error.hint
        ) from error


def zone_changed(what: str) -> ZoneChanged:
    """Return the error that says what is not as the plan saw it."""
    return ZoneChanged(
        f"The zone was changed meanwhile, and nothing was written: {what}.",
        hint="Make the plan again.",
    )
