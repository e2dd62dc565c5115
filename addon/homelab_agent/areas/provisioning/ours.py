"""Which records at a name are still those that the agent wrote, and what was there before."""

from dataclasses import dataclass

from homelab_agent.areas.ddns.models import DynamicAddress
from homelab_agent.areas.dns.models import DnsPlan, PlanBody, RecordSet, RecordType, WantedRecords
from homelab_agent.areas.domains.models import Domain, FoundRecords
from homelab_agent.areas.provisioning.arguments import Before
from homelab_agent.areas.provisioning.wanted import ADDRESS_TYPES


@dataclass(frozen=True, slots=True)
class SortedOut:
    """What is at a name. `ours` may go, or make room for `back`, which was there before.

    The rest stays, and is told: `before` was there before, `others` somebody else wrote.
    """

    ours: tuple[RecordSet, ...]
    back: tuple[RecordSet, ...]
    before: tuple[RecordSet, ...]
    others: tuple[RecordSet, ...]

    @property
    def told(self) -> str:
        """What to say of those that are there afterwards; empty where there are none."""
        return "".join(
            (
                *(f" {_named(each)} is there again, as before." for each in self.back),
                *(f" {_named(each)} was there before, and stays." for each in self.before),
                *(
                    f" {_named(each)} was written by somebody else, and stays."
                    for each in self.others
                ),
            )
        )

    def removal(self, provider: str | None) -> PlanBody:
        """Return what to ask the DNS for, so that it is as it was before."""
        back = {each.type: each for each in self.back}
        return PlanBody(
            wanted=tuple(_wanted(each, back.get(each.type)) for each in self.ours),
            provider=provider,
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


def found_before(
    before: Before, plan: DnsPlan | None, records: tuple[RecordSet, ...]
) -> FoundRecords:
    """Return what was at a name before it was provisioned, for the first time or again.

    `plan`: what was changed for it. `records`: the wanted ones.
    """
    changed = {each.type: each.before for each in (plan.changes if plan else ())}
    known = FoundRecords(followed=before.dynamic is not None)
    ours: frozenset[RecordType] = frozenset()
    if before.domain is not None and before.domain.provisioned:
        known = before.domain.found
        wrote = frozenset(each.type for each in before.domain.settings.records)
        ours = (wrote if before.dynamic is None else ADDRESS_TYPES) - set(known.same)
    foreign = [each.type for each in records if each.type not in ours]
    kept = [each for each in known.same if each not in foreign]
    return FoundRecords(
        same=(*kept, *(each for each in foreign if each not in changed)),
        replaced=known.replaced + tuple(there for each in foreign if (there := changed.get(each))),
        followed=known.followed,
    )


def sorted_out(
    there: tuple[RecordSet, ...], written: tuple[RecordSet, ...], found: FoundRecords
) -> SortedOut:
    """Return what of the addresses that are there is as the agent wrote it."""
    known = {(each.type, frozenset(each.values)) for each in written}
    ours: list[RecordSet] = []
    before: list[RecordSet] = []
    others: list[RecordSet] = []
    for each in there:
        if each.type not in ADDRESS_TYPES or not each.values:
            continue
        if found.followed or each.type in found.same:
            before.append(each)
        elif (each.type, frozenset(each.values)) in known:
            ours.append(each)
        else:
            others.append(each)
    makes_room = {each.type for each in ours}
    return SortedOut(
        ours=tuple(ours),
        back=tuple(each for each in found.replaced if each.type in makes_room),
        before=tuple(before),
        others=tuple(others),
    )


def _wanted(there: RecordSet, back: RecordSet | None) -> WantedRecords:
    if back is None:
        return WantedRecords(name=there.name, type=there.type)
    return WantedRecords(name=back.name, type=back.type, values=back.values, ttl_s=back.ttl_s)


def _named(records: RecordSet) -> str:
    return f"{records.type} {' '.join(records.values)}"
