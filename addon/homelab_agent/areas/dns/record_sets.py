"""Record sets: what a person wants, checked; when two are the same; how they are told."""

from homelab_agent.areas.dns.models import RecordSet, RecordType, WantedRecords
from homelab_agent.areas.dns.values import uniform_value
from homelab_agent.platform.dns_names import uniform_name
from homelab_agent.platform.errors import Invalid

ADDRESSES = frozenset({RecordType.A, RecordType.AAAA})

_OF_HOSTS = ADDRESSES | {RecordType.MX}
"""Records at the name of a host, which has no underscore."""

type RecordKey = tuple[str, RecordType]


def checked(wanted: WantedRecords, *, field: str) -> RecordSet:
    """Return what is wanted with its name and values as they are written here, in order.

    Raises:
        Invalid: something of it is wrong; `field` is the place, as in "records.0.values.1".
    """
    name = _checked_name(wanted, f"{field}.name")
    values: list[str] = []
    for number, text in enumerate(wanted.values):
        place = f"{field}.values.{number}"
        value = uniform_value(wanted.type, text, field=place)
        if value in values:
            raise Invalid(f"“{value}” is there twice", field=place, hint="Leave one of them out")
        values.append(value)
    if wanted.type is RecordType.CNAME and values:
        _check_alias(name, values, f"{field}.values")
    return RecordSet(name=name, type=wanted.type, values=tuple(sorted(values)), ttl_s=wanted.ttl_s)


def uniform(held: RecordSet) -> RecordSet:
    """Return what a provider holds with its values in order."""
    return held.model_copy(update={"values": tuple(sorted(set(held.values)))})


def same(one: RecordSet | None, other: RecordSet | None) -> bool:
    """Return whether both say the same. A TTL that is not known is any."""
    if one is None or other is None:
        return one is other
    ttls = {one.ttl_s, other.ttl_s} - {None}
    return sorted(one.values) == sorted(other.values) and len(ttls) <= 1


def told(record: RecordSet | None) -> str:
    """Return values and TTL as a person reads them."""
    if record is None:
        return "nothing"
    values = ", ".join(record.values)
    return f"{values} (TTL {record.ttl_s} s)" if record.ttl_s is not None else values


def _checked_name(wanted: WantedRecords, field: str) -> str:
    # What is to go may be called whatever it is called.
    is_host = wanted.type in _OF_HOSTS and bool(wanted.values)
    name = uniform_name(wanted.name, field=field, wildcard=True, underscore=not is_host)
    if wanted.type is RecordType.NS and name.startswith("*"):
        raise Invalid(
            "A wildcard cannot have name servers of its own",
            field=field,
            hint="Delegate each name by itself",
        )
    return name


def _check_alias(name: str, values: list[str], field: str) -> None:
    if len(values) > 1:
        raise Invalid(
            "A name can be an alias (CNAME) of one other name only",
            field=f"{field}.1",
            hint="Give one name; for several machines use A and AAAA records",
        )
    if values[0] == name:
        raise Invalid(
            f"{name} cannot be an alias of itself",
            field=f"{field}.0",
            hint="Give the name that it is to lead to",
        )
