"""The providers that cannot be had here: tried against small servers built from their protocols."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

from pydantic import SecretStr

from homelab_agent.areas.dns.models import (
    CloudflareSettings,
    DesecSettings,
    DuckDnsSettings,
    ProviderSettings,
    ProviderType,
    RecordSet,
    RecordType,
    ZoneEditSettings,
)
from homelab_agent.areas.dns.providers.interface import Provider
from homelab_agent.areas.dns.providers.reach import Reach
from homelab_agent.areas.dns.providers.zoneedit import ZoneEditProvider
from tests.contract.dns_providers.place import Subject, Trouble
from tests.fakes.dns_providers import cloudflare, desec, duckdns, zoneedit
from tests.fakes.dns_providers.name_service import serving_zones
from tests.fakes.dns_providers.records import Record
from tests.fakes.dns_providers.server import Applies, Fault, ProviderServer, running

ZONE = "lab.example"
DUCK = "photos.duckdns.org"
WRONG = "not-the-right-token"

_AUTOMATIC_TTL = 1
_SOON_PAUSE_S = 0.01
_SLOW_DOWN = Fault(status=429, headers={"Retry-After": "30"}, body="slow down")
_SECOND_FAILS = Fault(status=500, after=1, times=1)
_HALF_OF_IT = Fault(status=500, applies=Applies.HALF, times=1)
_TROUBLES = {
    Trouble.CUT_BEFORE: Fault(cut=True, times=1),
    Trouble.CUT_AFTER: Fault(cut=True, applies=Applies.ALL, times=1),
    Trouble.LIES: Fault(lie=True, times=1),
}


class SmallPlace:
    """A small server, and the name server that shows what it holds."""

    def __init__(
        self,
        server: ProviderServer,
        settings: ProviderSettings,
        wrong_key: ProviderSettings,
        token: str,
        name_server: str,
        busy: Fault,
        half: Fault,
    ) -> None:
        self._server = server
        self.settings = settings
        self.wrong_key = wrong_key
        self.secrets = (token, WRONG)
        self.name_servers = (name_server,)
        self._troubles = {Trouble.BUSY: busy, Trouble.HALF: half, **_TROUBLES}

    def changes_asked(self) -> int:
        return self._server.changes

    async def held(self) -> tuple[RecordSet, ...]:
        sets: dict[tuple[str, str], list[Record]] = {}
        for records in self._server.zones.records.values():
            for each in records:
                sets.setdefault((each.name, each.type), []).append(each)
        return tuple(_record_set(held) for _, held in sorted(sets.items()))

    async def put(self, record: RecordSet) -> None:
        self._server.zones.put(record.name, record.type, *record.values, ttl_s=record.ttl_s or 3600)

    def trouble(self, trouble: Trouble) -> None:
        self._server.faults.append(replace(self._troubles[trouble], changing=True))

    async def go_away(self) -> None:
        await self._server.stop()


def _record_set(held: list[Record]) -> RecordSet:
    first = held[0]
    return RecordSet(
        name=first.name,
        type=RecordType(first.type),
        values=tuple(sorted(each.value for each in held)),
        ttl_s=None if first.ttl_s == _AUTOMATIC_TTL else first.ttl_s,
    )


type _Make = Callable[[str, SecretStr], ProviderSettings]
"""Makes the settings of an address and a token."""


@asynccontextmanager
async def _place(
    server: ProviderServer, token: str, make: _Make, busy: Fault, half: Fault = _SECOND_FAILS
) -> AsyncIterator[SmallPlace]:
    async with running(server), serving_zones(server) as names:
        right, wrong = (make(server.url, SecretStr(each)) for each in (token, WRONG))
        yield SmallPlace(server, right, wrong, token, names.address, busy, half)


def cloudflare_place() -> AbstractAsyncContextManager[SmallPlace]:
    def make(url: str, token: SecretStr) -> ProviderSettings:
        return CloudflareSettings(type=ProviderType.CLOUDFLARE, api_token=token, url=url)

    server = cloudflare.CloudflareServer(ZONE)
    return _place(server, cloudflare.TOKEN, make, cloudflare.RATE_LIMITED)


def desec_place() -> AbstractAsyncContextManager[SmallPlace]:
    def make(url: str, token: SecretStr) -> ProviderSettings:
        return DesecSettings(type=ProviderType.DESEC, token=token, url=url)

    return _place(desec.DesecServer(ZONE), desec.TOKEN, make, desec.THROTTLED, _HALF_OF_IT)


def duckdns_place() -> AbstractAsyncContextManager[SmallPlace]:
    def make(url: str, token: SecretStr) -> ProviderSettings:
        return DuckDnsSettings(type=ProviderType.DUCKDNS, token=token, domains=(DUCK,), url=url)

    return _place(duckdns.DuckDnsServer(DUCK), duckdns.TOKEN, make, _SLOW_DOWN)


def zoneedit_place() -> AbstractAsyncContextManager[SmallPlace]:
    def make(url: str, token: SecretStr) -> ProviderSettings:
        return ZoneEditSettings(
            type=ProviderType.ZONEEDIT, user=zoneedit.USER, token=token, zones=(ZONE,), url=url
        )

    return _place(zoneedit.ZoneEditServer(ZONE), zoneedit.TOKEN, make, zoneedit.TOO_SOON)


def zoneedit_without_pauses(settings: ProviderSettings, reach: Reach) -> Provider:
    assert isinstance(settings, ZoneEditSettings)
    return ZoneEditProvider(settings, reach, txt_pause_s=_SOON_PAUSE_S)


SMALL_SERVERS = (
    Subject(
        name="cloudflare",
        real=False,
        server="from its published API",
        zone=ZONE,
        running=cloudflare_place,
    ),
    Subject(
        name="desec",
        real=False,
        server="from its documentation",
        zone=ZONE,
        running=desec_place,
        whole_plans=True,
    ),
    Subject(
        name="duckdns",
        real=False,
        server="from its specification",
        zone=DUCK,
        running=duckdns_place,
        fixed_name=DUCK,
    ),
    Subject(
        name="zoneedit",
        real=False,
        server="from what its users know",
        zone=ZONE,
        running=zoneedit_place,
        make=zoneedit_without_pauses,
    ),
)
