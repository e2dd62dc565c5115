"""The providers that are tried against real servers: Knot and PowerDNS."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from pydantic import SecretStr

from homelab_agent.areas.dns.models import (
    LexiconSettings,
    PowerDnsSettings,
    ProviderSettings,
    ProviderType,
    RecordSet,
    RecordType,
    Rfc2136Settings,
)
from homelab_agent.areas.dns.values import from_presented, presented
from tests.contract.dns_providers.cases import Case
from tests.contract.dns_providers.place import Subject, Trouble
from tests.fakes.faulty_dns_proxy import FaultyDnsProxy
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


class RealPlace:
    """A real server, behind a proxy that may misbehave. `make`: settings of one of its keys."""

    def __init__(
        self,
        server: Knot | PowerDns,
        proxy: FaultyDnsProxy | FaultyHttpProxy,
        make: Callable[[str], ProviderSettings],
        key: str,
    ) -> None:
        self._server = server
        self._proxy = proxy
        self.settings = make(key)
        self.wrong_key = make(SECRET)
        self.secrets = (key, SECRET)
        self.name_servers = server.servers if isinstance(server, Knot) else (server.server,)

    def changes_asked(self) -> int:
        return self._proxy.changes

    async def held(self) -> tuple[RecordSet, ...]:
        return record_sets(await self._server.records(ZONE))

    async def put(self, record: RecordSet) -> None:
        texts = [presented(record.type, value) for value in record.values]
        ttl_s = record.ttl_s or 3600
        if isinstance(self._server, PowerDns):
            await self._server.edit(ZONE, record.name, record.type, *texts, ttl_s=ttl_s)
            return
        there = {(each.name, each.type) for each in await self.held()}
        drop = (f"{record.name}. {record.type}",) if (record.name, record.type) in there else ()
        lines = [f"{record.name}. {ttl_s} {record.type} {text}" for text in texts]
        await self._server.edit(ZONE, drop=drop, put=tuple(lines))

    def trouble(self, trouble: Trouble) -> None:
        self._proxy.fault = _FAULTS[trouble]

    async def go_away(self) -> None:
        await self._proxy.close()


@asynccontextmanager
async def signed_updates(server: Knot | PowerDns, address: str) -> AsyncIterator[RealPlace]:
    """Give a server, behind a proxy of DNS, with its key of signed updates."""
    async with server, FaultyDnsProxy(address, DNS_PORT) as proxy:

        def make(secret: str) -> ProviderSettings:
            return Rfc2136Settings(
                type=ProviderType.RFC2136,
                server=proxy.address,
                key_name=server.key_name,
                key_secret=SecretStr(secret),
                zones=(ZONE,),
            )

        yield RealPlace(server, proxy, make, server.key_secret)


def knot_place() -> AbstractAsyncContextManager[RealPlace]:
    knot = Knot({ZONE: ""}, second=False)
    return signed_updates(knot, knot.primary.address)


def signed_pdns_place() -> AbstractAsyncContextManager[RealPlace]:
    pdns = PowerDns({ZONE: ""})
    return signed_updates(pdns, pdns.address)


@asynccontextmanager
async def pdns_place(*, by_lexicon: bool) -> AsyncIterator[RealPlace]:
    """Give PowerDNS, behind a proxy of HTTP, with the key of its API."""
    async with PowerDns({ZONE: ""}) as pdns, faulty_http_proxy(pdns.url) as proxy:

        def make(key: str) -> ProviderSettings:
            if not by_lexicon:
                return PowerDnsSettings(
                    type=ProviderType.POWERDNS, url=proxy.url, api_key=SecretStr(key)
                )
            return LexiconSettings(
                type=ProviderType.LEXICON,
                provider="powerdns",
                zones=(ZONE,),
                options={"pdns_server": SecretStr(proxy.url), "auth_token": SecretStr(key)},
            )

        yield RealPlace(pdns, proxy, make, pdns.api_key)


_ONE_MESSAGE = {
    Case.BUSY: "DNS knows no such answer",
    Case.HALF: "a plan is one message, which is done as a whole or not at all",
}

REAL_SERVERS = (
    Subject(
        name="rfc2136",
        real=True,
        server="Knot",
        zone=ZONE,
        running=knot_place,
        whole_plans=True,
        ttl_alone=False,  # it is Knot that does not
        not_offered=_ONE_MESSAGE,
    ),
    Subject(
        name="rfc2136-pdns",
        real=True,
        server="PowerDNS",
        zone=ZONE,
        running=signed_pdns_place,
        whole_plans=True,
        not_offered=_ONE_MESSAGE,
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
