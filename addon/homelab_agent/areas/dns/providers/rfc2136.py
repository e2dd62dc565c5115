"""A name server that takes signed updates (RFC 2136): BIND, Knot, PowerDNS, Windows.

Every change of a plan is in one message with what it presumes, so the server itself compares and
sets: all of it, or nothing where something is not as the plan saw it. TTLs cannot be presumed.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence

from dns.name import Name, from_text
from dns.rcode import NOTAUTH, NXDOMAIN, NXRRSET, REFUSED, SERVFAIL, YXDOMAIN, YXRRSET
from dns.rdatatype import RdataType
from dns.update import UpdateMessage
from dns.zone import Zone

from homelab_agent.areas.dns.models import (
    Capabilities,
    Change,
    RecordSet,
    RecordType,
    Rfc2136Settings,
)
from homelab_agent.areas.dns.providers.differences import (
    read_back,
    require_unchanged,
    ttl_to_write,
    zone_changed,
)
from homelab_agent.areas.dns.providers.errors import (
    ApplyUncertain,
    ProviderAway,
    ProviderRefused,
    WrongCredentials,
)
from homelab_agent.areas.dns.providers.interface import ZoneContents
from homelab_agent.areas.dns.providers.reach import Reach
from homelab_agent.areas.dns.providers.records_only import RecordsOnly
from homelab_agent.areas.dns.providers.signed_server import ANSWER_S, Refused, SignedServer
from homelab_agent.areas.dns.values import from_presented, presented
from homelab_agent.platform.dns_names import uniform_name
from homelab_agent.platform.errors import AgentError, NotFound

_OTHERWISE = {NXDOMAIN, NXRRSET, YXDOMAIN, YXRRSET}
"""The answers where something is not as it was presumed."""

type _Spelled = dict[tuple[str, str], str]
"""How a zone spells a text at a name."""

_MANAGED = {RdataType[each.value]: each for each in RecordType}


class Rfc2136Provider(RecordsOnly):
    """See `Provider`."""

    capabilities = Capabilities(lists=True, types=tuple(RecordType), atomic=True)

    def __init__(
        self, settings: Rfc2136Settings, reach: Reach, *, answer_s: float = ANSWER_S
    ) -> None:
        self._server = SignedServer(settings, reach.outbound, answer_s=answer_s)
        self._zones = tuple(
            uniform_name(zone, field=f"settings.zones.{number}")
            for number, zone in enumerate(settings.zones)
        )

    async def zones(self) -> tuple[str, ...]:
        """See `Provider.zones`; each is asked whether this key could update it."""
        for zone in self._zones:
            # An update of nothing changes nothing, but is refused to whom an update would be.
            await self._exchange(zone, UpdateMessage(_name(zone)))
        return self._zones

    async def read(self, zone: str, names: Collection[str] | None) -> ZoneContents:
        """See `Provider.read`."""
        try:
            held = await self._server.transfer(_name(zone))
        except Refused as refused:
            raise await self._refusal(refused, zone, "transfer (AXFR)") from refused
        records = await asyncio.to_thread(lambda: tuple(_records(held, names)))
        return ZoneContents(records=records, version=_serial(held))

    async def apply(self, zone: str, changes: Sequence[Change]) -> None:
        """See `Provider.apply`."""
        message = UpdateMessage(_name(zone))
        spelled = await self._spelled(zone, changes)
        for change in changes:
            _presume(message, change, spelled)
        _presume_alone(message, changes)
        for change in changes:
            _write(message, change, spelled)
        await self._exchange(zone, message, changes)
        await self._require_ttls(zone, changes)

    async def _spelled(self, zone: str, changes: Sequence[Change]) -> _Spelled:
        """Return how the zone spells the texts that these changes are about.

        The same text may be cut into other strings there than here, and to the server that is
        another record.
        """
        names = {change.name for change in changes if _is_about_text(change)}
        if not names:
            return {}
        try:
            held = await self._server.transfer(_name(zone))
        except Refused as refused:
            raise await self._refusal(refused, zone, "transfer (AXFR)") from refused
        return {
            (name, from_presented(RecordType.TXT, text)): text
            for name, text in await asyncio.to_thread(lambda: tuple(_held_texts(held, names)))
        }

    async def _exchange(
        self, zone: str, message: UpdateMessage, changes: Sequence[Change] = ()
    ) -> None:
        try:
            await self._server.exchange(message, changes=bool(changes))
        except Refused as refused:
            if refused.rcode in _OTHERWISE:
                await self._tell_what_changed(zone, changes)
            if refused.rcode == SERVFAIL and changes:
                raise ApplyUncertain(
                    f"{self._server.place} is in trouble ({refused}).",
                    hint="Nobody knows whether it was applied: look what is there now.",
                ) from refused
            raise await self._refusal(refused, zone, "update") from refused

    async def _require_ttls(self, zone: str, changes: Sequence[Change]) -> None:
        """Look after new TTLs of values that were there already: Knot takes none, silently."""
        alone = [change for change in changes if _changes_ttl_alone(change)]
        if not alone:
            return
        held = await read_back(self.read(zone, {change.name for change in alone}))
        left = {(each.name, each.type): each.ttl_s for each in held.records}
        for change in alone:
            if change.after is None or left.get((change.name, change.type)) == change.after.ttl_s:
                continue
            what = (
                f"{self._server.place} takes a new TTL only together with a new value, and left "
                f"{change.name} {change.type} as it was"
            )
            hint = "Delete these records and make them anew with that TTL, in two plans."
            if len(alone) == len(changes):
                raise ProviderRefused(f"{what}.", hint=hint)
            raise ApplyUncertain(f"{what}; the rest of the plan was made.", hint=hint)

    async def _tell_what_changed(self, zone: str, changes: Sequence[Change]) -> None:
        """Raise `ZoneChanged`: what is not as presumed, as far as it can be found out."""
        names = {change.name for change in changes}
        try:
            held = await self.read(zone, names)
        except AgentError as error:
            raise zone_changed("something is not as the plan saw it") from error
        require_unchanged(held.records, changes)
        there = ", ".join(f"{each.name} {each.type}" for each in held.records) or "nothing"
        raise zone_changed(f"at {', '.join(sorted(names))} there is {there}")

    async def _refusal(self, refused: Refused, zone: str, what: str) -> AgentError:
        place = self._server.place
        if refused.rcode == NOTAUTH and not refused.signed:
            # Without a signature it may be about the key as well as about the zone.
            if await self._server.serves(_name(zone)):
                return self._server.key_unknown()
            return NotFound(
                f"{place} does not serve the zone {zone} ({refused}).",
                field="zone",
                hint="Name zones of which this server is the primary.",
            )
        if refused.rcode in {NOTAUTH, REFUSED}:
            return WrongCredentials(
                f"{place} does not let this key {what} the zone {zone} ({refused}).",
                hint="Allow the key to update and to transfer the zone in the server's settings.",
            )
        if refused.rcode == SERVFAIL:
            return ProviderAway(f"{place} is in trouble with the zone {zone} ({refused}).")
        return ProviderRefused(f"{place} will not {what} the zone {zone} ({refused}).")


def _name(name: str) -> Name:
    return from_text(f"{name}.")


def _texts(record: RecordSet, spelled: _Spelled) -> list[str]:
    return [
        spelled.get((record.name, value), presented(record.type, value))
        if record.type is RecordType.TXT
        else presented(record.type, value)
        for value in record.values
    ]


def _is_about_text(change: Change) -> bool:
    return change.type is RecordType.TXT and change.before is not None


def _presume(message: UpdateMessage, change: Change, spelled: _Spelled) -> None:
    """Presume that a record set is what the plan saw: exactly these values, or none at all."""
    if change.before is None:
        message.absent(_name(change.name), change.type.value)
    else:
        texts = _texts(change.before, spelled)
        message.present(_name(change.name), change.type.value, *texts)


def _presume_alone(message: UpdateMessage, changes: Sequence[Change]) -> None:
    """Presume that no alias will stand beside something else.

    A server leaves out silently what would, and says that all is well.
    """
    touched = {(change.name, change.type) for change in changes}
    for change in changes:
        if change.before is not None:
            continue
        alias = change.type is RecordType.CNAME
        for other in RecordType if alias else (RecordType.CNAME,):
            if (change.name, other) not in touched:
                message.absent(_name(change.name), other.value)


def _write(message: UpdateMessage, change: Change, spelled: _Spelled) -> None:
    name, kind = _name(change.name), change.type.value
    if change.after is None:
        message.delete(name, kind)
        return
    # First what comes: a server ignores whoever deletes all name servers of a zone, and an alias
    # that comes takes the place of the one that is there.
    wanted = _texts(change.after, spelled)
    message.add(name, ttl_to_write(change), kind, *wanted)
    before = _texts(change.before, spelled) if change.before else []
    gone = [text for text in before if text not in wanted]
    if gone:
        message.delete(name, kind, *gone)


def _changes_ttl_alone(change: Change) -> bool:
    before, after = change.before, change.after
    if before is None or after is None or after.ttl_s in {None, before.ttl_s}:
        return False
    return set(after.values) <= set(before.values)


def _records(held: Zone, names: Collection[str] | None) -> Iterable[RecordSet]:
    found = []
    for owner, rdataset in held.iterate_rdatasets():
        kind = _MANAGED.get(rdataset.rdtype)
        name = owner.to_text(omit_final_dot=True).lower()
        if kind is None or (names is not None and name not in names):
            continue
        values = sorted(from_presented(kind, rdata.to_text()) for rdata in rdataset)
        found.append(RecordSet(name=name, type=kind, values=tuple(values), ttl_s=rdataset.ttl))
    return sorted(found, key=lambda record: (record.name, record.type))


def _held_texts(held: Zone, names: Collection[str]) -> Iterable[tuple[str, str]]:
    for owner, rdataset in held.iterate_rdatasets(RdataType.TXT):
        name = owner.to_text(omit_final_dot=True).lower()
        if name in names:
            for rdata in rdataset:
                yield name, rdata.to_text()


def _serial(held: Zone) -> str:
    return str(held.get_soa().serial)
