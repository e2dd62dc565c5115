"""The area as it is wired, with an authority, a DNS and a proxy that a test can make fail."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from homelab_agent.areas.certificates.endpoint import EndpointReader
from homelab_agent.areas.certificates.service import CertificateService
from homelab_agent.areas.certificates.trust import TrustStore
from homelab_agent.areas.containers.inventory import Inventory
from homelab_agent.areas.containers.protection import Protection
from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.areas.containers.status import EngineState
from homelab_agent.areas.dns.models import (
    AuthoritativeAnswers,
    Capabilities,
    RecordSet,
    RecordType,
    ZoneHome,
)
from homelab_agent.areas.proxy.models import ProxyMode, ProxyReach, ProxyStatus
from homelab_agent.areas.renewal.accounts import Accounts
from homelab_agent.areas.renewal.authority import Account, Order
from homelab_agent.areas.renewal.book import CertificateBook
from homelab_agent.areas.renewal.challenges import Challenges
from homelab_agent.areas.renewal.demo_authority import DemoAuthority
from homelab_agent.areas.renewal.files import CertificateFolders
from homelab_agent.areas.renewal.hand_over import HandingOver
from homelab_agent.areas.renewal.issuance import Issuance, Parts, Patience
from homelab_agent.areas.renewal.jobs import RenewalJobs
from homelab_agent.areas.renewal.models import AcmeAccountBody
from homelab_agent.areas.renewal.service import RenewalService
from homelab_agent.areas.renewal.trouble import Troubles
from homelab_agent.areas.renewal.upload import UploadCheck
from homelab_agent.areas.renewal.watch import RenewalWatch
from homelab_agent.platform.audit import Audit
from homelab_agent.platform.errors import AgentError, Unavailable
from homelab_agent.platform.jobs.runner import JobRunner
from homelab_agent.platform.outbound.connections import Outbound
from homelab_agent.platform.outbound.guard import Guard
from homelab_agent.platform.outbound.names import Names
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.secrets import SecretFilter
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.vault import Vault
from tests.clock import HandClock, HandTime

ZONE = "home.example"
TICK_S = 0.01


class HandAuthority(DemoAuthority):
    """Signs for everybody, unless it is told to fail."""

    def __init__(self, clock: HandClock) -> None:
        super().__init__(clock)
        self.trouble: AgentError | None = None
        self.orders = 0
        self.tries = 0

    async def open(self, account: Account) -> HandAuthority:
        """Be there, or not."""
        self.tries += 1
        if self.trouble is not None:
            raise self.trouble
        await super().open(account)
        return self

    async def new_order(self, names: Sequence[str], replaces: str | None = None) -> Order:
        """Count, and sign."""
        self.orders += 1
        return await super().new_order(names, replaces)


class LookedAtBook(CertificateBook):
    """Counts how often the watch began a look."""

    looks = 0

    def refresh(self) -> None:
        """Count, and do what is to be done."""
        self.looks += 1
        super().refresh()


class HandDns:
    """A zone in memory; `trouble` is raised by whatever would change it.

    `texts`: what is there, with the provider; `served`: what was waited for.
    """

    def __init__(self) -> None:
        self.trouble: AgentError | None = None
        self.providers = ["hand"]
        self.texts: set[tuple[str | None, str, str]] = set()
        self.served: list[RecordSet] = []

    async def until_ready(self) -> None:
        """Be ready."""

    def homes_of(self, name: str, *, field: str = "name") -> tuple[ZoneHome, ...]:
        """Manage everything."""
        del name, field
        capabilities = Capabilities(lists=True, types=tuple(RecordType))
        return tuple(
            ZoneHome(zone=ZONE, provider=each, capabilities=capabilities) for each in self.providers
        )

    async def answers(self, name: str, type: RecordType) -> AuthoritativeAnswers:  # noqa: A002
        """Know of no record."""
        return AuthoritativeAnswers(name=name, type=type, zone=ZONE, agree=True, servers=())

    async def wait_until_served(
        self, wanted: Sequence[RecordSet], *, within_s: float, exactly: bool = True
    ) -> None:
        """Serve at once."""
        del within_s, exactly
        self.served += wanted

    async def add_txt(
        self, name: str, value: str, *, ttl_s: int = 60, provider: str | None = None
    ) -> None:
        """Take it."""
        del ttl_s
        self._raise_trouble()
        self.texts.add((provider, name, value))

    async def remove_txt(self, name: str, value: str, *, provider: str | None = None) -> None:
        """Drop it."""
        self._raise_trouble()
        self.texts.discard((provider, name, value))

    def _raise_trouble(self) -> None:
        if self.trouble is not None:
            raise self.trouble


@dataclass(slots=True)
class HandProxy:
    """A proxy that holds certificates, or is away."""

    mode: ProxyMode = ProxyMode.OWN
    away: bool = False
    held: dict[str, str] = field(default_factory=dict)
    is_known: bool = False

    async def until_ready(self) -> None:
        """Know of it from now on, and not before."""
        self.is_known = True

    def status(self) -> ProxyStatus:
        """Return how it is."""
        mode = self.mode if self.is_known else ProxyMode.NONE
        return ProxyStatus(mode=mode, reach=ProxyReach.OK)

    async def give_certificate(
        self, key: str, certificate_file: Path, key_file: Path, names: tuple[str, ...]
    ) -> None:
        """Hold what is in the file."""
        del key_file, names
        if self.away:
            raise Unavailable("Caddy does not answer")
        self.held[key] = await asyncio.to_thread(certificate_file.read_text)

    async def take_certificate(self, key: str) -> None:
        """Hold it no more."""
        self.held.pop(key, None)


@dataclass(slots=True)
class Desk:
    """What a test works with."""

    service: RenewalService
    book: LookedAtBook
    folders: CertificateFolders
    authority: HandAuthority
    proxy: HandProxy
    dns: HandDns
    runner: JobRunner
    watch: RenewalWatch
    resources: Resources
    time: HandTime
    trusted: Path


@asynccontextmanager
async def open_desk(store: Store, folder: Path, clock: HandClock) -> AsyncIterator[Desk]:
    """Give the area, with an account at its authority."""
    resources, time, secrets = Resources(), HandTime(clock), SecretFilter()
    runner = JobRunner(store, resources, clock, Audit(store, clock))
    authority, proxy, trusted = HandAuthority(clock), HandProxy(), folder / "roots.pem"
    inventory = Inventory(resources, Protection(own_id=None, listed=()))
    containers = ContainerService(inventory, EngineState(resources, inventory, clock), runner)
    book = LookedAtBook(store, resources, clock)
    accounts = Accounts(store, Vault(bytes(32), secrets), authority, resources, clock)
    dns = HandDns()
    challenges, folders = Challenges(book, dns), CertificateFolders(folder / "certificates")
    parts = Parts(
        book=book,
        accounts=accounts,
        challenges=challenges,
        folders=folders,
        handing=HandingOver(book, folders, proxy, containers),
        troubles=Troubles(book, challenges, clock, time.steady),
        vault=Vault(bytes(32), secrets),
        clock=clock,
    )
    issuance = Issuance(parts, Patience())
    jobs = RenewalJobs(parts, issuance)
    for kind in jobs.issuing_kinds():
        runner.register(kind)
    runner.register(jobs.install_kind())
    runner.register(jobs.revoke_kind())
    names = Names()
    reader = EndpointReader(Outbound(names, Guard(names)))
    certificates = CertificateService(
        reader, TrustStore(clock, further=trusted, look_every_s=0), clock
    )
    service = RenewalService(parts, issuance, UploadCheck(certificates, clock), runner)
    watch = RenewalWatch(parts, service, tick_s=TICK_S)
    body = AcmeAccountBody(directory="https://authority.example/dir", terms_agreed=True)
    await service.choose_account(body)
    yield Desk(
        service, book, folders, authority, proxy, dns, runner, watch, resources, time, trusted
    )
    await runner.close()


@asynccontextmanager
async def watching(desk: Desk) -> AsyncIterator[None]:
    """Have the watch run meanwhile."""
    task = asyncio.create_task(desk.watch.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
