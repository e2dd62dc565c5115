"""The domains of one run of the agent, on an invented zone; looks are what a test says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from homelab_agent.areas.dns.book import ProviderBook
from homelab_agent.areas.dns.demo import DemoDns
from homelab_agent.areas.dns.entries import KeptProvider
from homelab_agent.areas.dns.models import ServerAnswer
from homelab_agent.areas.dns.providers.demo import DEMO_ZONE
from homelab_agent.areas.dns.service import DnsService
from homelab_agent.areas.dns.writer import ZoneWriter
from homelab_agent.areas.dns.zone_tally import ZoneTally
from homelab_agent.areas.domains.around import Around
from homelab_agent.areas.domains.board import Board
from homelab_agent.areas.domains.book import Book
from homelab_agent.areas.domains.dns_changes import DnsChanges
from homelab_agent.areas.domains.following import Following
from homelab_agent.areas.domains.imports import DomainImports
from homelab_agent.areas.domains.models import (
    DOMAIN_EVENT_KIND,
    Domain,
    DomainBody,
    DomainEvent,
    DomainHealth,
    DomainHistoryQuery,
    DomainStatus,
    HistoryEntry,
    KeptDomain,
)
from homelab_agent.areas.domains.reading import DomainReader
from homelab_agent.areas.domains.service import DomainService
from homelab_agent.areas.domains.store import DomainStore
from homelab_agent.areas.domains.wishes import Wishes
from homelab_agent.platform.audit import Audit
from homelab_agent.platform.commands import Caller, Scope
from homelab_agent.platform.jobs.runner import JobRunner
from homelab_agent.platform.model import Model
from homelab_agent.platform.resources import Change, Resources
from homelab_agent.platform.secrets import SecretFilter
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.records import Records
from homelab_agent.platform.store.tables import dns_provider
from homelab_agent.platform.vault import Vault
from tests.clock import HandClock

ZONE = DEMO_ZONE
PERSON = Caller(name="anna", scope=Scope.OPERATE)


def body(name: str = f"wiki.{ZONE}", **more: object) -> DomainBody:
    return DomainBody.model_validate({"name": name, **more})


def a_record(*values: str, ttl_s: int | None = None) -> dict[str, object]:
    return {"type": "A", "values": values or ("192.0.2.1",), "ttl_s": ttl_s}


@dataclass
class OneHouse:
    """Everything that a domain passes through. Another one on the same store is a restart."""

    store: DomainStore
    resources: Resources
    clock: HandClock
    dns: DnsService
    runner: JobRunner
    found: dict[str, DomainStatus] = field(default_factory=dict)
    """What a look finds; healthy where nothing is said."""
    hold: asyncio.Event | None = None
    """What looks wait for: all, or only those at the domains in `held`."""
    held: set[str] = field(default_factory=set)
    answers: tuple[ServerAnswer, ...] = ()
    """What the name servers say to each look."""
    broken: dict[str, Exception] = field(default_factory=dict)
    """Where the look itself fails, and how."""

    def __post_init__(self) -> None:
        wishes = Wishes(self.dns)
        self.around = Around(wishes, self.resources)
        self.board = Board(self.around, self.resources, self.clock)
        self.book = Book(
            self.store, self.board, self._look, self.clock, interval_s=300, confirm_s=0.05
        )
        self.service = DomainService(self.book, wishes, self.board, self.clock)
        self.reader = DomainReader(self.book, self.board, self.store, self.dns)
        self.changes = DnsChanges(self.dns, self.service, self.runner)
        self.imports = DomainImports(self.book, wishes, self.clock)
        self.following = Following(self.service, self.book, self.around, self.resources)

    async def _look(self, kept: KeptDomain) -> DomainHealth:
        if kept.id in self.broken:
            raise self.broken[kept.id]
        if self.hold is not None and (not self.held or kept.id in self.held):
            await self.hold.wait()
        status = self.found.get(kept.id, DomainStatus.HEALTHY)
        reason = None if status is DomainStatus.HEALTHY else f"It is {status}."
        return DomainHealth(
            id=kept.id,
            status=status,
            reason=reason,
            servers=self.answers,
            checked_at=self.clock(),
        )

    @asynccontextmanager
    async def looking(self, *names: str) -> AsyncIterator[asyncio.Task[None]]:
        """Look at domains in turn meanwhile, at these at once."""
        looks = asyncio.create_task(self.book.schedule.run())
        await asyncio.sleep(0)
        for name in names:
            self.book.schedule.now(name)
        yield looks
        looks.cancel()
        await asyncio.gather(looks, return_exceptions=True)

    async def add(self, name: str = f"wiki.{ZONE}", **more: object) -> Domain:
        return await self.service.create(body(name, **more), PERSON)

    async def history(self, name: str = f"wiki.{ZONE}") -> list[HistoryEntry]:
        return list((await self.reader.history(name, DomainHistoryQuery())).events)

    def changed(self, kind: str, key: str, data: Model) -> tuple[Change, ...]:
        """What a subscriber is given for a change."""
        return (Change(self.resources.seq, kind, key, data),)

    def told(self) -> list[DomainEvent]:
        return list(self.resources.every(DOMAIN_EVENT_KIND, DomainEvent))


@asynccontextmanager
async def one_house(
    store: Store, clock: HandClock, resources: Resources | None = None
) -> AsyncIterator[OneHouse]:
    """Give the domains as they are on this store."""
    resources = resources or Resources()
    demo, secrets = DemoDns(), SecretFilter()
    book = ProviderBook(
        Records(store, dns_provider, KeptProvider),
        Vault(bytes(32), secrets),
        resources,
        demo.make,
        clock,
        first=demo.first(),
    )
    dns = DnsService(book, ZoneWriter(book, demo), demo, ZoneTally(store, clock))
    runner = JobRunner(store, resources, clock, Audit(store, clock, secrets))
    house = OneHouse(DomainStore(store, clock), resources, clock, dns, runner)
    await dns.until_ready()
    await house.book.load()
    try:
        yield house
    finally:
        await runner.close()
