"""DuckDNS: names below duckdns.org, each with addresses and one TXT.

Built from duckdns.org/spec.jsp, and not tried against the real service.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from homelab_agent.areas.dns.models import (
    Capabilities,
    Change,
    DuckDnsSettings,
    RecordType,
)
from homelab_agent.areas.dns.providers.errors import NotOffered, ProviderRefused, WrongCredentials
from homelab_agent.areas.dns.providers.interface import AddressOutcome, ZoneContents
from homelab_agent.areas.dns.providers.one_by_one import Step, one_by_one
from homelab_agent.areas.dns.providers.reach import Reach
from homelab_agent.areas.dns.providers.web_api import DEADLINE_S, WebApi
from homelab_agent.platform.dns_names import is_within, uniform_name

_PARENT = "duckdns.org"
_LIMITS = (
    "DuckDNS holds one IPv4 address, one IPv6 address and one TXT for each of its names; names "
    "below have the same. It cannot be asked what it holds, and TTLs are its own."
)
_ADDRESS_LINES = 2


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a verbose answer tells. `addresses`: IPv4 and IPv6 as they are now; None for none."""

    addresses: tuple[str | None, str | None]
    changed: bool


class DuckDnsProvider:
    """Each name of the settings counts as a zone of its own."""

    def __init__(
        self, settings: DuckDnsSettings, reach: Reach, *, deadline_s: float = DEADLINE_S
    ) -> None:
        self._token = settings.token.get_secret_value()
        self._domains = tuple(map(_whole, settings.domains))
        self._api = WebApi(settings.url, reach, headers={}, deadline_s=deadline_s)

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        return Capabilities(
            lists=False,
            types=(RecordType.A, RecordType.AAAA, RecordType.TXT),
            several_values=False,
            sets_ttl=False,
            limits=_LIMITS,
        )

    @property
    def sets_addresses(self) -> bool:
        """It is a service of dynamic DNS."""
        return True

    async def zones(self) -> tuple[str, ...]:
        """Return the names of the settings: there is no call that only asks."""
        return self._domains

    async def read(self, _zone: str, _names: Collection[str] | None) -> ZoneContents:
        """Refuse: it tells nobody."""
        raise NotOffered(_LIMITS)

    async def apply(self, zone: str, changes: Sequence[Change]) -> None:
        """Make the changes, a request each."""
        for change in changes:
            self._require_own(zone, change)
        await one_by_one([partial(self._make, zone, change) for change in changes])

    async def set_addresses(self, name: str, ipv4: str | None, ipv6: str | None) -> AddressOutcome:
        """Give a name these addresses."""
        given = {key: value for key, value in (("ip", ipv4), ("ipv6", ipv6)) if value is not None}
        if not given:
            return AddressOutcome.UNCHANGED
        answer = await self._update(name, given)
        return AddressOutcome.CHANGED if answer.changed else AddressOutcome.UNCHANGED

    async def close(self) -> None:
        """Have nothing open."""

    async def _make(self, zone: str, change: Change) -> None:
        value = change.after.values[0] if change.after is not None else None
        match change.type:
            case RecordType.TXT if value is None:
                await self._update(zone, {"txt": "", "clear": "true"})
            case RecordType.TXT:
                await self._update(zone, {"txt": value or ""})
            case _ if value is None:
                await self._clear(zone, change)
            case _:
                await self._update(zone, {_parameter(change.type): value})

    async def _clear(self, zone: str, change: Change) -> None:
        """Take one address away. Only both can be cleared at once; the other is put back."""
        before = change.before.values[0] if change.before is not None else None
        if before is None:
            return
        # Setting what is there already changes nothing, and tells the other address.
        known = await self._update(zone, {_parameter(change.type): before})
        other = known.addresses[1 if change.type is RecordType.A else 0]
        steps: list[Step] = [partial(self._update, zone, {"clear": "true"})]
        if other is not None:
            beside = RecordType.AAAA if change.type is RecordType.A else RecordType.A
            steps.append(partial(self._update, zone, {_parameter(beside): other}))
        await one_by_one(steps)

    async def _update(self, name: str, what: Mapping[str, str]) -> _Answer:
        query = {
            "domains": name.removesuffix(f".{_PARENT}"),
            "token": self._token,
            "verbose": "true",
            **what,
        }
        answer = await self._api.ask("GET", "/update", changes=True, query=query)
        lines = [line.strip() for line in answer.text.splitlines()]
        match lines[:1]:
            case ["OK"] if answer.status == HTTPStatus.OK:
                return _read(lines)
            case ["KO"]:
                raise WrongCredentials(
                    f"DuckDNS refused (KO): the token is wrong, or {name} is not a name of its "
                    "account. It does not say which.",
                    hint="Compare the token and the names with those on duckdns.org.",
                )
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise ProviderRefused(f"DuckDNS refused ({answer.status}): {answer.words}")
        raise answer.unreadable()

    def _require_own(self, zone: str, change: Change) -> None:
        if zone not in self._domains or not is_within(change.name, zone):
            raise NotOffered(f"{change.name} is none of the names of this DuckDNS account")
        if change.name != zone and change.type is not RecordType.TXT:
            raise NotOffered(
                f"DuckDNS gives {change.name} the addresses of {zone}, and no other ones",
                hint=f"Change the addresses of {zone}.",
            )
        if change.after is not None and len(change.after.values) > 1:
            raise NotOffered(
                f"DuckDNS holds one {change.type} for a name, and not {len(change.after.values)}",
                hint="Give one value.",
            )


def _parameter(record_type: RecordType) -> str:
    return "ip" if record_type is RecordType.A else "ipv6"


def _read(lines: Sequence[str]) -> _Answer:
    """Read a verbose answer: OK, the addresses as they are now (or the TXT), UPDATED."""
    told = [*lines[1:-1], "", ""][:_ADDRESS_LINES]
    return _Answer(addresses=(told[0] or None, told[1] or None), changed=lines[-1] != "NOCHANGE")


def _whole(name: str) -> str:
    """Return a name as it is in DNS: "photos" and "photos.duckdns.org" are the same."""
    name = uniform_name(name, field="settings.domains", underscore=False)
    return name if name.endswith(f".{_PARENT}") else f"{name}.{_PARENT}"
