"""The providers that are tried against real servers: Knot and PowerDNS."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from pydantic import SecretStr

from homelab_agent.areas.dns.models import (
    LexiconSettings,
    PowerDnsSettings,
    ProviderType,
    RecordSet,
    RecordType,
    Rfc2136Settings,
)
from homelab_agent.areas.dns.values import from_presented, presented
from tests.contract.dns_providers.cases import Case
from tests.contract.dns_providers.place import Subject, Trouble
from tests.fakes.faulty_dns_proxy import FaultyDnsProxy, faulty_dns_proxy
from tests.fakes.faulty_http_proxy import FaultyHttpProxy, faulty_http_proxy
from tests.harness.knot import Knot
from tests.harness.name_servers import DNS_PORT
from tests.harness.pdns import PowerDns

ZONE = "lab.example"
SECRET = "bm90LXRoZS1yaWdodC1zZWNyZXQ="

_FAULTS = {
    Trouble.BUSY: "busy",
    Trouble.CUT_BEFORE: "cut before",
    Trouble.CUT_AFTER: "cut after",
    Trouble.HALF: "half",
    Trouble.LIES: "lies",
}


def record_sets(lines: Iterable[str]) -> tuple[RecordSet, ...]:
    """Return the lines of a zone as record sets."""
    found: dict[tuple[str, RecordType], tuple[set[str], int]] = {}
    for line in lines:
        name, ttl, _, kind, text = line.split("\t", 4)
        if kind in RecordType:
            key = (name.lower().removesuffix("."), RecordType(kind))
            found.setdefault(key, (set(), int(ttl)))[0].add(from_presented(key[1], text))
    return tuple(
        RecordSet(name=name, type=kind, values=tuple(sorted(values)), ttl_s=ttl_s)
        for (name, kind), (values, ttl_s) in sorted(found.items())
    )


class KnotPlace:
    """Knot, behind a proxy that may misbehave."""

    def __init__(self, knot: Knot, proxy: FaultyDnsProxy) -> None:
        self._knot = knot
        self._proxy = proxy
        self.settings = Rfc2136Settings(
            type=ProviderType.RFC2136,
            server=proxy.address,
            key_name=knot.key_name,
            key_secret=SecretStr(knot.key_secret),
            zones=(ZONE,),
        )
        self.wrong_key = self.settings.model_copy(update={"key_secret": SecretStr(SECRET)})
        self.secrets = (knot.key_secret, SECRET)
        self.name_servers = knot.servers

    def changes_asked(self) -> int:
        return self._proxy.changes

    async def held(self) -> tuple[RecordSet, ...]:
        return record_sets(await self._knot.records(ZONE))

    async def put(self, record: RecordSet) -> None:
        there = {(each.name, each.type) for each in await self.held()}
        drop = (f"{record.name}. {record.type}",) if (record.name, record.type) in there else ()
        lines = (
            f"{record.name}. {record.ttl_s or 3600} {record.type} {presented(record.type, value)}"
            for value in record.values
        )
        await self._knot.edit(ZONE, drop=drop, put=tuple(lines))

    def trouble(self, trouble: Trouble) -> None:
        self._proxy.fault = _FAULTS[trouble]

    async def go_away(self) -> None:
        await self._proxy.close()


class PowerDnsPlace:
    """PowerDNS, behind a proxy that may misbehave."""

    def __init__(self, pdns: PowerDns, proxy: FaultyHttpProxy, *, by_lexicon: bool) -> None:
        self._pdns = pdns
        self._proxy = proxy
        made = self._by_lexicon if by_lexicon else self._by_api
        self.settings = made(pdns.api_key)
        self.wrong_key = made(SECRET)
        self.secrets = (pdns.api_key, SECRET)
        self.name_servers = (pdns.server,)

    def changes_asked(self) -> int:
        return self._proxy.changes

    async def held(self) -> tuple[RecordSet, ...]:
        return record_sets(await self._pdns.records(ZONE))

    async def put(self, record: RecordSet) -> None:
        contents = (presented(record.type, value) for value in record.values)
        ttl_s = record.ttl_s or 3600
        await self._pdns.edit(ZONE, record.name, record.type, *contents, ttl_s=ttl_s)

    def trouble(self, trouble: Trouble) -> None:
        self._proxy.fault = _FAULTS[trouble]

    async def go_away(self) -> None:
        await self._proxy.close()

    def _by_api(self, key: str) -> PowerDnsSettings:
        return PowerDnsSettings(
            type=ProviderType.POWERDNS, url=self._proxy.url, api_key=SecretStr(key)
        )

    def _by_lexicon(self, key: str) -> LexiconSettings:
        return LexiconSettings(
            type=ProviderType.LEXICON,
            provider="powerdns",
            zones=(ZONE,),
            options={"pdns_server": SecretStr(self._proxy.url), "auth_token": SecretStr(key)},
        )


@asynccontextmanager
async def knot_place() -> AsyncIterator[KnotPlace]:
    async with AsyncExitStack() as stack:
        knot = await stack.enter_async_context(Knot({ZONE: ""}, second=False))
        proxy = await stack.enter_async_context(faulty_dns_proxy(knot.primary.address, DNS_PORT))
        yield KnotPlace(knot, proxy)


@asynccontextmanager
async def pdns_place(*, by_lexicon: bool) -> AsyncIterator[PowerDnsPlace]:
    async with AsyncExitStack() as stack:
        pdns = await stack.enter_async_context(PowerDns({ZONE: ""}))
        proxy = await stack.enter_async_context(faulty_http_proxy(pdns.url))
        yield PowerDnsPlace(pdns, proxy, by_lexicon=by_lexicon)


REAL_SERVERS = (
    Subject(
        name="rfc2136",
        real=True,
        server="Knot",
        zone=ZONE,
        running=knot_place,
        whole_plans=True,
        ttl_alone=False,  # it is Knot that does not
        not_offered={
            Case.BUSY: "DNS knows no such answer",
            Case.HALF: "a plan is one message, which is done as a whole or not at all",
        },
    ),
    Subject(
        name="powerdns",
        real=True,
        server="PowerDNS",
        zone=ZONE,
        running=lambda: pdns_place(by_lexicon=False),
        whole_plans=True,
        odd_texts=False,
    ),
    Subject(
        name="lexicon",
        real=True,
        server="PowerDNS",
        zone=ZONE,
        running=lambda: pdns_place(by_lexicon=True),
        odd_texts=False,
    ),
)
