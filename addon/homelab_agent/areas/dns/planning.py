"""Plans: exactly what would change in a zone so that it holds what is wanted."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from homelab_agent.areas.dns.admin_rule import Lately, needs_admin, zone_size
from homelab_agent.areas.dns.models import (
    Capabilities,
    Change,
    ChangeAction,
    DnsPlan,
    RecordSet,
    RecordType,
    ZoneHome,
)
from homelab_agent.areas.dns.providers.errors import NotOffered
from homelab_agent.areas.dns.record_sets import ADDRESSES, RecordKey, same, told
from homelab_agent.platform.dns_names import is_within
from homelab_agent.platform.errors import Conflict, Invalid

type Held = Mapping[RecordKey, RecordSet]


def make_plan(
    home: ZoneHome,
    wanted: Sequence[RecordSet],
    held: Held,
    *,
    set_up_at: datetime | None = None,
    lately: Lately | None = None,
    field: str = "wanted",
) -> DnsPlan:
    """Return the plan. `held` is the whole zone where the provider lists, else what was asked for.

    `set_up_at`: when a person gave the provider its settings. With others it may be another server,
    and nobody said that this is to be done there. `lately`: what others than admins changed.

    Raises:
        Invalid: it cannot be had at this provider, or in any zone.
        Conflict: it does not go together with what is there.
    """
    _refuse_twice(wanted, field)
    changes: list[Change] = []
    warnings: list[str] = []
    for number, each in enumerate(wanted):
        place = f"{field}.{number}"
        _refuse_outside(home, each, place)
        change = _change(home.capabilities, each, held.get((each.name, each.type)))
        if each.ttl_s is not None and not home.capabilities.sets_ttl:
            warnings.append(f"{each.name} {each.type}: the provider decides the TTL by itself.")
        if change is not None:
            _refuse_not_offered(home.capabilities, change, each, place)
            changes.append(change)
    result = _result(held, changes)
    _refuse_conflicts(wanted, result, field)
    warnings += _below_delegations(home.zone, changes, result)
    # What goes makes room for what comes: so an alias can take the place of an address.
    changes.sort(key=lambda one: (one.after is not None, one.name, one.type))
    size = zone_size(held, lately or {}) if home.capabilities.lists else None
    return DnsPlan(
        zone=home.zone,
        provider=home.provider,
        changes=tuple(changes),
        hash=_hash(home, changes, set_up_at),
        zone_size=size,
        needs_admin=needs_admin(home.zone, changes, size, lately or {}),
        warnings=tuple(dict.fromkeys(warnings)),
        text="\n".join(map(line, changes)) or "Nothing has to be changed.",
    )


def line(change: Change) -> str:
    """Return a change as a person reads it."""
    what = f"{change.name} {change.type}"
    match change.action:
        case ChangeAction.CREATE:
            return f"create {what}: {told(change.after)}"
        case ChangeAction.UPDATE:
            return f"change {what}: {told(change.before)} -> {told(change.after)}"
        case ChangeAction.DELETE:
            return f"delete {what}: {told(change.before)}"


def make_change(before: RecordSet | None, after: RecordSet | None) -> Change | None:
    """Return what leads from the one to the other; None where they are the same."""
    some = after or before
    if some is None or same(before, after):
        return None
    if before is None:
        action = ChangeAction.CREATE
    else:
        action = ChangeAction.DELETE if after is None else ChangeAction.UPDATE
    return Change(action=action, name=some.name, type=some.type, before=before, after=after)


def address_changes(
    held: Held, name: str, wanted: Mapping[RecordType, str | None], ttl_s: int | None
) -> list[Change]:
    """Return what gives a name one address of each type; None leaves that type as it is."""
    changes: list[Change] = []
    for record_type, address in wanted.items():
        if address is None:
            continue
        before = held.get((name, record_type))
        kept_s = before.ttl_s if before and ttl_s is None else ttl_s
        after = RecordSet(name=name, type=record_type, values=(address,), ttl_s=kept_s)
        change = make_change(before, after)
        changes += [change] if change else []
    return changes


def _change(
    capabilities: Capabilities, wanted: RecordSet, before: RecordSet | None
) -> Change | None:
    if not wanted.values:
        return make_change(before, None)
    ttl_s = wanted.ttl_s
    if ttl_s is None and before is not None:
        ttl_s = before.ttl_s
    if not capabilities.sets_ttl:
        ttl_s = None
    return make_change(before, wanted.model_copy(update={"ttl_s": ttl_s}))


def _refuse_twice(wanted: Sequence[RecordSet], field: str) -> None:
    seen: dict[RecordKey, int] = {}
    for number, each in enumerate(wanted):
        first = seen.setdefault((each.name, each.type), number)
        if first != number:
            raise Invalid(
                f"{each.name} {each.type} is wanted twice",
                field=f"{field}.{number}",
                hint=f"Put all its values into {field}.{first}",
            )


def _refuse_outside(home: ZoneHome, wanted: RecordSet, place: str) -> None:
    if not is_within(wanted.name, home.zone):
        raise Invalid(
            f"{wanted.name} is not in the zone {home.zone}",
            field=f"{place}.name",
            hint="All names of a plan are in one zone; make a plan for each zone",
        )
    if wanted.name != home.zone:
        return
    if wanted.type is RecordType.CNAME and wanted.values:
        raise Invalid(
            f"{home.zone} is the zone's own name, which cannot be an alias (CNAME)",
            field=f"{place}.type",
            hint="Use A and AAAA records there, or an alias at a name below it",
        )
    if wanted.type is RecordType.NS and not wanted.values:
        raise Invalid(
            f"{home.zone} would be without name servers, and nothing of it could be found",
            field=f"{place}.values",
            hint="Give the name servers that are to serve it",
        )


def _refuse_not_offered(
    capabilities: Capabilities, change: Change, wanted: RecordSet, place: str
) -> None:
    why = capabilities.limits
    if change.type not in capabilities.types:
        types = ", ".join(capabilities.types)
        raise NotOffered(
            f"This provider does not offer records of type {change.type}",
            field=f"{place}.type",
            hint=why or f"It offers {types}",
        )
    comes_or_goes = change.before is None or change.after is None
    if comes_or_goes and change.type in ADDRESSES and not capabilities.creates_addresses:
        verb = "created" if change.before is None else "deleted"
        raise NotOffered(
            f"{change.name} {change.type} cannot be {verb} through this provider",
            field=place,
            hint=why or "Do it at the provider's own pages; its address can then be changed",
        )
    if len(wanted.values) > 1 and not capabilities.several_values:
        raise NotOffered(
            f"This provider keeps one value for {change.name} {change.type}",
            field=f"{place}.values.1",
            hint=why or "Give one value",
        )
    smallest = capabilities.smallest_ttl_s
    if smallest is not None and wanted.ttl_s is not None and wanted.ttl_s < smallest:
        raise NotOffered(
            f"The smallest TTL at this provider is {smallest} s",
            field=f"{place}.ttl_s",
            hint=f"Give {smallest} or more, or none at all",
        )


def _result(held: Held, changes: Sequence[Change]) -> dict[RecordKey, RecordSet]:
    result = dict(held)
    for change in changes:
        result.pop((change.name, change.type), None)
        if change.after is not None:
            result[change.name, change.type] = change.after
    return result


def _refuse_conflicts(wanted: Sequence[RecordSet], result: Held, field: str) -> None:
    types: dict[str, list[RecordType]] = {}
    for name, record_type in result:
        types.setdefault(name, []).append(record_type)
    for number, each in enumerate(wanted):
        there = types.get(each.name, [])
        if not each.values or RecordType.CNAME not in there or len(there) == 1:
            continue
        others = ", ".join(sorted(one for one in there if one is not RecordType.CNAME))
        raise Conflict(
            f"{each.name} would be an alias (CNAME) and have {others} records as well, and an "
            "alias stands alone",
            field=f"{field}.{number}.type",
            hint=f"Want no {others} there (no values) in the same plan, or no CNAME",
        )


def _below_delegations(zone: str, changes: Sequence[Change], result: Held) -> Iterator[str]:
    for change in changes:
        if change.after is None or change.name == zone:
            continue
        above = change.name if change.type is not RecordType.NS else _parent(change.name)
        while above != zone:
            if (above, RecordType.NS) in result:
                yield (
                    f"{change.name} is within {above}, which other name servers serve: "
                    "what is written here is not seen by anybody."
                )
            above = _parent(above)


def _parent(name: str) -> str:
    return name.partition(".")[2]


def _hash(home: ZoneHome, changes: Sequence[Change], set_up_at: datetime | None) -> str:
    content = {
        "provider": home.provider,
        "set_up_at": set_up_at and set_up_at.isoformat(),
        "zone": home.zone,
        "changes": [change.model_dump(mode="json") for change in changes],
    }
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
