"""The records that a domain is to have, as it was asked for."""

from homelab_agent.areas.ddns.models import DynamicAddressBody
from homelab_agent.areas.dns.models import RecordSet, RecordType, WantedRecords
from homelab_agent.areas.provisioning.models import ProvisionBody
from homelab_agent.areas.provisioning.partners import Dns, DynamicAddresses
from homelab_agent.platform.errors import Conflict

ADDRESS_TYPES = frozenset({RecordType.A, RecordType.AAAA, RecordType.CNAME})
"""What decides to where a name leads; the agent writes these and leaves the rest alone."""


def wanted_records(
    name: str, body: ProvisionBody, dns: Dns, dynamic: DynamicAddresses
) -> tuple[RecordSet, ...]:
    """Return the records, checked.

    Raises:
        Conflict: no address was given, and this network's are not known.
        Invalid: a value is wrong; it names the field.
    """
    if body.cname is not None:
        given = [(RecordType.CNAME, body.cname, "cname")]
    elif body.ipv4 or body.ipv6:
        given = [
            (type_, str(value), field)
            for type_, value, field in (
                (RecordType.A, body.ipv4, "ipv4"),
                (RecordType.AAAA, body.ipv6, "ipv6"),
            )
            if value
        ]
    else:
        given = [_public(dynamic)]
    return tuple(
        dns.checked(
            WantedRecords(name=name, type=type_, values=(value,), ttl_s=body.ttl_s), field=field
        )
        for type_, value, field in given
    )


def follows(
    name: str, body: ProvisionBody, records: tuple[RecordSet, ...]
) -> DynamicAddressBody | None:
    """Return how the name is to follow this network's addresses; None: it is not to."""
    if not body.dynamic:
        return None
    types = {each.type for each in records}
    return DynamicAddressBody(
        name=name,
        provider=body.provider,
        ipv4=RecordType.A in types,
        ipv6=RecordType.AAAA in types,
        ttl_s=body.ttl_s,
    )


def _public(dynamic: DynamicAddresses) -> tuple[RecordType, str, str]:
    ipv4, ipv6 = dynamic.public_addresses()
    if ipv4:
        return RecordType.A, ipv4, "ipv4"
    if ipv6:
        return RecordType.AAAA, ipv6, "ipv6"
    raise Conflict(
        "This network's public addresses are not known (yet).",
        field="ipv4",
        hint="Give `ipv4` or `ipv6`, or look why the public address cannot be found out.",
    )
