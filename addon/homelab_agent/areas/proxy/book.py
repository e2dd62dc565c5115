"""What the agent remembers of its proxy, over restarts: routes, certificates, what it made."""

import asyncio

from homelab_agent.areas.proxy.kept import (
    KeptCertificate,
    KeptSetup,
    Made,
    ProxyRecord,
    Withdrawn,
)
from homelab_agent.areas.proxy.models import KeptRoute
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.store.records import Records

_SETUP = "setup"
_MADE = "made"
_ROUTE = "route:"
_CERTIFICATE = "certificate:"
_PENDING = "pending:"
_WITHDRAWN = "withdrawn:"


class Book:
    """Holds everything in memory; writes each change down before it counts."""

    def __init__(self, records: Records[ProxyRecord], clock: Clock) -> None:
        self._records = records
        self._clock = clock
        self._loaded = False
        self._loading = asyncio.Lock()
        self.setup: KeptSetup | None = None
        self.made = Made()
        self.routes: dict[str, KeptRoute] = {}
        self.certificates: dict[str, KeptCertificate] = {}
        self.pending: set[str] = set()
        """Routes of which Caddy could not be told: it was away."""
        self.withdrawn: dict[str, Withdrawn] = {}

    async def load(self) -> None:
        """Read it, once; `Unavailable` while the store is away."""
        async with self._loading:
            if not self._loaded:
                await self._load()
                self._loaded = True

    async def keep_setup(self, setup: KeptSetup | None) -> None:
        """Remember which Caddy is used."""
        await self._put(_SETUP, ProxyRecord(setup=setup) if setup else None)
        self.setup = setup

    async def keep_made(self, made: Made) -> None:
        """Remember what the agent made in Caddy."""
        if made != self.made:
            empty = made == Made()
            await self._put(_MADE, None if empty else ProxyRecord(made=made))
            self.made = made

    async def keep_route(self, host: str, route: KeptRoute | None) -> None:
        """Remember a route, or forget it."""
        if route != self.routes.get(host):
            await self._put(_ROUTE + host, ProxyRecord(route=route) if route else None)
            if route:
                self.routes[host] = route
            else:
                del self.routes[host]

    async def keep_certificate(self, key: str, certificate: KeptCertificate | None) -> None:
        """Remember a certificate that Caddy was given, or forget it."""
        if certificate != self.certificates.get(key):
            record = ProxyRecord(certificate=certificate) if certificate else None
            await self._put(_CERTIFICATE + key, record)
            if certificate:
                self.certificates[key] = certificate
            else:
                del self.certificates[key]

    async def keep_pending(self, host: str, *, pending: bool) -> None:
        """Remember that Caddy has to be told of a route as soon as it is there, or that it was."""
        if pending != (host in self.pending):
            await self._put(_PENDING + host, ProxyRecord(pending=host) if pending else None)
            if pending:
                self.pending.add(host)
            else:
                self.pending.discard(host)

    async def keep_withdrawn(self, host: str, route: KeptRoute | None) -> None:
        """Remember that a route was taken back just now, or that this is no matter any more."""
        if route:
            before = self.withdrawn.get(host)
            made = self.made.joined(before.made) if before else self.made
            withdrawn = Withdrawn(route=route, made=made, at=self._clock())
            await self._put(_WITHDRAWN + host, ProxyRecord(withdrawn=withdrawn))
            self.withdrawn[host] = withdrawn
        elif host in self.withdrawn:
            await self._put(_WITHDRAWN + host, None)
            del self.withdrawn[host]

    async def forget_all(self) -> None:
        """Forget routes, certificates and what was made: their Caddy is gone."""
        for host in tuple(self.routes):
            await self.keep_route(host, None)
        for key in tuple(self.certificates):
            await self.keep_certificate(key, None)
        for host in tuple(self.pending):
            await self.keep_pending(host, pending=False)
        for host in tuple(self.withdrawn):
            await self.keep_withdrawn(host, None)
        await self.keep_made(Made())

    async def _load(self) -> None:
        for record in (await self._records.all()).values():
            self.setup = record.setup or self.setup
            self.made = record.made or self.made
            if record.route:
                self.routes[record.route.host] = record.route
            if record.certificate:
                self.certificates[record.certificate.key] = record.certificate
            if record.pending:
                self.pending.add(record.pending)
            if record.withdrawn:
                self.withdrawn[record.withdrawn.route.host] = record.withdrawn

    async def _put(self, key: str, record: ProxyRecord | None) -> None:
        if record is None:
            await self._records.put({}, gone=[key])
        else:
            await self._records.put({key: (self._clock(), record)})
