"""Which records at a name are still those that the agent wrote."""

from dataclasses import dataclass

from homelab_agent.areas.ddns.models import DynamicAddress
from homelab_agent.areas.dns.models import PlanBody, RecordSet, RecordType, WantedRecords
from homelab_agent.areas.domains.models import Domain
from homelab_agent.areas.provisioning.wanted import ADDRESS_TYPES


@dataclass(frozen=True, slots=True)
class SortedOut:
    """What is at a name: `ours` may be removed, `others` stay, and are told."""

    ours: tuple[RecordSet, ...]
    others: tuple[RecordSet, ...]

    @property
    def told(self) -> str:
        """What to say of those that stay; empty where all are ours."""
        return "".join(
            f" {each.type} {' '.join(each.values)} was changed by somebody else, and stays."
            for each in self.others
        )


def written_records(domain: Domain | None, dynamic: DynamicAddress | None) -> tuple[RecordSet, ...]:
    """Return what the agent may have written: as the domain wants it, and as its address was."""
    kept = tuple(each for each in (domain.records if domain else ()) if each.type in ADDRESS_TYPES)
    if dynamic is None:
        return kept
    followed = (
        (RecordType.A, dynamic.ipv4),
        (RecordType.A, dynamic.wanted_ipv4),
        (RecordType.AAAA, dynamic.ipv6),
        (RecordType.AAAA, dynamic.wanted_ipv6),
    )
    return kept + tuple(
        RecordSet(name=dynamic.key, type=type_, values=(value,))
        for type_, value in followed
        if value
    )


def sorted_out(there: tuple[RecordSet, ...], written: tuple[RecordSet, ...]) -> SortedOut:
    """Return what of the addresses that are there is as the agent wrote it."""
    known = {(each.type, frozenset(each.values)) for each in written}
    addresses = [each for each in there if each.type in ADDRESS_TYPES and each.values]
    return SortedOut(
        ours=tuple(each for each in addresses if (each.type, frozenset(each.values)) in known),
        others=tuple(
            each for each in addresses if (each.type, frozenset(each.values)) not in known
        ),
    )


def removal_of(records: tuple[RecordSet, ...], provider: str | None) -> PlanBody:
    """Return what to ask the DNS for, so that these are there no more."""
    return PlanBody(
        wanted=tuple(WantedRecords(name=each.name, type=each.type) for each in records),
        provider=provider,
    )
