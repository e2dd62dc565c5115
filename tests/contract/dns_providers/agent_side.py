"""The agent's side of the suite: its service of DNS with one provider that was set up."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from homelab_agent.areas.dns.book import ProviderBook
from homelab_agent.areas.dns.entries import KeptProvider
from homelab_agent.areas.dns.models import (
    Change,
    DnsPlan,
    DnsProvider,
    PlanBody,
    ProviderBody,
    ProviderSettings,
    RecordSet,
    RecordType,
    WantedRecords,
)
from homelab_agent.areas.dns.name_servers import RealNameServers
from homelab_agent.areas.dns.planning import make_change
from homelab_agent.areas.dns.providers.interface import Provider
from homelab_agent.areas.dns.providers.reach import Reach
from homelab_agent.areas.dns.service import DnsService
from homelab_agent.areas.dns.writer import Patience, ZoneWriter
from homelab_agent.areas.dns.zone_tally import ZoneTally
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.secrets import SecretFilter
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.records import Records
from homelab_agent.platform.store.tables import dns_provider
from homelab_agent.platform.vault import Vault
from tests.contract.dns_providers.place import Place, Subject

_SOON = Patience(read_back_s=1.5, served_s=3.0, away_s=1.0)


class AgentSide:
    """The service, and the provider below it."""

    def __init__(self, service: DnsService, provider: Provider, subject: Subject) -> None:
        self.service = service
        self.provider = provider
        self._subject = subject

    async def added(self, place: Place) -> DnsProvider:
        """Have the provider set up."""
        return await self.service.add_provider(
            ProviderBody(
                name=self._subject.name, settings=place.settings, name_servers=place.name_servers
            )
        )

    async def plan(self, *wanted: RecordSet) -> DnsPlan:
        """Return the plan to have these; one without values is to go."""
        return await self.service.plan(
            PlanBody(
                wanted=tuple(
                    WantedRecords(
                        name=each.name, type=each.type, values=each.values, ttl_s=each.ttl_s
                    )
                    for each in wanted
                )
            )
        )

    async def have(self, *wanted: RecordSet) -> DnsPlan:
        """Have these."""
        plan = await self.plan(*wanted)
        await self.service.write(plan)
        return plan

    async def apply(self, *changes: Change | None) -> None:
        """Give changes to the provider itself, past everything that the service looks at."""
        made = [change for change in changes if change is not None]
        await self.provider.apply(self._subject.zone, made)


@asynccontextmanager
async def agent_side(
    subject: Subject, settings: ProviderSettings, reach: Reach, store: Store
) -> AsyncIterator[AgentSide]:
    """Give the agent's side, with nothing set up yet."""
    provider = subject.make(settings, reach)
    servers = RealNameServers(reach.outbound, ())
    book = ProviderBook(
        Records(store, dns_provider, KeptProvider),
        Vault(b"k" * 32, SecretFilter()),
        Resources(),
        lambda _: provider,
        utc_now,
    )
    try:
        yield AgentSide(
            DnsService(book, ZoneWriter(book, servers, _SOON), servers, ZoneTally(store, utc_now)),
            provider,
            subject,
        )
    finally:
        await book.close()


def records(name: str, kind: RecordType, *values: str, ttl_s: int | None = None) -> RecordSet:
    """Return a record set."""
    return RecordSet(name=name, type=kind, values=tuple(sorted(values)), ttl_s=ttl_s)


def created(record: RecordSet) -> Change | None:
    """Return the change that makes it, where a plan saw nothing."""
    return make_change(None, record)


def bare(held: Sequence[RecordSet]) -> dict[tuple[str, RecordType], tuple[str, ...]]:
    """Return what is held without its TTLs."""
    return {(each.name, each.type): each.values for each in held}


async def open_store(folder: Path) -> Store:
    """Return a new store."""
    return await Store.open(f"sqlite+aiosqlite:///{folder}/homelab.db", folder)
