"""An invented provider with an invented zone: what is written there stays until the end."""

import asyncio
from collections.abc import Collection, Sequence

from homelab_agent.areas.dns.models import Capabilities, Change, RecordSet, RecordType
from homelab_agent.areas.dns.providers.errors import NotOffered, WrongCredentials, ZoneChanged
from homelab_agent.areas.dns.providers.interface import AddressOutcome, ZoneContents
from homelab_agent.areas.dns.record_sets import RecordKey
from homelab_agent.platform.dns_names import is_within
from homelab_agent.platform.errors import NotFound

DEMO_ZONE = "home.example.org"
DEMO_SERVERS = (
    ("ns1.invented-dns.example", "192.0.2.53"),
    ("ns2.invented-dns.example", "198.51.100.53"),
)

_PAUSE_S = 0.15
_DAY_S, _HOUR_S, _MINUTES_5_S = 86400, 3600, 300
_RECORDS: tuple[tuple[str, RecordType, tuple[str, ...], int], ...] = (
    ("", RecordType.NS, tuple(name for name, _ in DEMO_SERVERS), _DAY_S),
    ("", RecordType.A, ("203.0.113.20",), _MINUTES_5_S),
    ("", RecordType.AAAA, ("2001:db8:20::1",), _MINUTES_5_S),
    ("", RecordType.MX, ("10 mail.{zone}",), _HOUR_S),
    ("", RecordType.TXT, ("v=spf1 mx -all",), _HOUR_S),
    ("", RecordType.CAA, ('0 issue "letsencrypt.org"',), _HOUR_S),
    ("www.", RecordType.CNAME, ("{zone}",), _HOUR_S),
    ("photos.", RecordType.CNAME, ("{zone}",), _MINUTES_5_S),
    ("git.", RecordType.CNAME, ("{zone}",), _MINUTES_5_S),
    ("mail.", RecordType.A, ("203.0.113.20",), _HOUR_S),
    ("nas.", RecordType.A, ("192.168.1.10",), _HOUR_S),
    ("vpn.", RecordType.A, ("203.0.113.24",), _MINUTES_5_S),
    (
        "_dmarc.",
        RecordType.TXT,
        ("v=DMARC1; p=quarantine; rua=mailto:post@{zone}",),
        3600,
    ),
    ("_imaps._tcp.", RecordType.SRV, ("0 1 993 mail.{zone}",), _HOUR_S),
)


class DemoProvider:
    """Keeps zones in memory, and changes all or nothing."""

    capabilities = Capabilities(
        lists=True,
        types=tuple(RecordType),
        atomic=True,
        smallest_ttl_s=30,
        limits="An invented provider: nothing of it is in the real DNS.",
    )
    sets_addresses = False

    def __init__(self, zones: Sequence[str], *, refuses: bool = False) -> None:
        self.held_zones = tuple(zones)
        self._refuses = refuses
        self._serial = 2026112101
        self._records: dict[RecordKey, RecordSet] = {}
        for zone in zones:
            self._records |= _invented(zone)

    async def zones(self) -> tuple[str, ...]:
        """See `Provider.zones`."""
        if self._refuses:
            raise WrongCredentials(
                "The invented provider does not take this key.",
                hint="In the demo it takes any without the word wrong in it.",
            )
        return self.held_zones

    async def read(self, zone: str, names: Collection[str] | None) -> ZoneContents:
        """See `Provider.read`."""
        self._require(zone)
        found = tuple(
            record
            for (name, _), record in sorted(self._records.items())
            if is_within(name, zone) and (names is None or name in names)
        )
        return ZoneContents(records=found, version=str(self._serial))

    async def apply(self, zone: str, changes: Sequence[Change]) -> None:
        """See `Provider.apply`."""
        self._require(zone)
        await asyncio.sleep(_PAUSE_S)
        for change in changes:
            if self.record(change.name, change.type) != change.before:
                raise ZoneChanged(f"{change.name} {change.type} was changed meanwhile.")
        for change in changes:
            if change.after is None:
                self._records.pop((change.name, change.type), None)
            else:
                before = self.record(change.name, change.type)
                kept_s = before.ttl_s if before else _HOUR_S
                self._records[change.name, change.type] = change.after.model_copy(
                    update={"ttl_s": change.after.ttl_s or kept_s}
                )
        self._serial += 1

    async def set_addresses(
        self,
        name: str,
        ipv4: str | None,  # noqa: ARG002 - it is not offered
        ipv6: str | None,  # noqa: ARG002
    ) -> AddressOutcome:
        """See `Provider.set_addresses`."""
        raise NotOffered(f"{name}: addresses are records like all others here.", field="name")

    async def close(self) -> None:
        """Have nothing open."""

    def record(self, name: str, record_type: RecordType) -> RecordSet | None:
        """Return what there is, as a name server of the zone would answer."""
        return self._records.get((name, record_type))

    @property
    def serial(self) -> int:
        """What tells one state of the zone from another."""
        return self._serial

    def _require(self, zone: str) -> None:
        if zone not in self.held_zones:
            raise NotFound(f"There is no zone {zone} here.", field="zone")


def _invented(zone: str) -> dict[RecordKey, RecordSet]:
    return {
        (f"{label}{zone}", record_type): RecordSet(
            name=f"{label}{zone}",
            type=record_type,
            values=tuple(sorted(value.format(zone=zone) for value in values)),
            ttl_s=ttl_s,
        )
        for label, record_type, values, ttl_s in _RECORDS
    }
