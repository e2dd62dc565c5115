"""A home with a provider of DNS, its name server, and the area of dynamic addresses."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from homelab_agent.areas.ddns.board import Board
from homelab_agent.areas.ddns.desk import Desk
from homelab_agent.areas.ddns.kept import KeptAddress
from homelab_agent.areas.ddns.models import (
    DYNAMIC_ADDRESS_EVENT_KIND,
    DYNAMIC_ADDRESS_KIND,
    DynamicAddress,
    DynamicAddressBody,
    DynamicAddressEvent,
)
from homelab_agent.areas.ddns.service import DynamicAddressService
from homelab_agent.areas.ddns.sources import Sources
from homelab_agent.areas.ddns.updater import Updater
from homelab_agent.areas.ddns.watch import DynamicAddressWatch
from homelab_agent.areas.dns.book import ProviderBook
from homelab_agent.areas.dns.entries import KeptProvider
from homelab_agent.areas.dns.models import ProviderBody, ProviderSettings
from homelab_agent.areas.dns.name_servers import RealNameServers
from homelab_agent.areas.dns.providers.all_providers import Reach, make_provider
from homelab_agent.areas.dns.service import DnsService
from homelab_agent.areas.dns.writer import Patience, ZoneWriter
from homelab_agent.areas.dns.zone_tally import ZoneTally
from homelab_agent.areas.network.models import (
    NETWORK_INTERFACE_KIND,
    NETWORK_KEY,
    NETWORK_STATUS_KIND,
    NetworkInterface,
    NetworkStatus,
    PublicAddress,
)
from homelab_agent.platform.host.network import InterfaceState, InterfaceType
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.secrets import SecretFilter
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.records import Records
from homelab_agent.platform.store.tables import dns_provider, dynamic_address
from homelab_agent.platform.vault import Vault
from tests.clock import HandClock, HandTime
from tests.fakes.dns_providers.name_service import serving_zones
from tests.fakes.dns_providers.server import ProviderServer, running
from tests.harness.waiting import wait_until

_SOON = Patience(read_back_s=0.5, served_s=0.5, away_s=20)


class Home:
    """One life of the area. `events` are those that were told, in order, also of lives before."""

    def __init__(
        self, store: Store, reach: Reach, time: HandTime, provider: ProviderServer
    ) -> None:
        self.time = time
        self.provider = provider
        self.resources = Resources()
        self.events: list[DynamicAddressEvent] = []
        self._book = ProviderBook(
            Records(store, dns_provider, KeptProvider),
            Vault(b"k" * 32, SecretFilter()),
            self.resources,
            lambda settings: make_provider(settings, reach),
            time.wall,
        )
        servers = RealNameServers(reach.outbound, ())
        self.dns = DnsService(
            self._book,
            ZoneWriter(self._book, servers, _SOON),
            servers,
            ZoneTally(store, time.wall),
        )
        records = Records(store, dynamic_address, KeptAddress)
        board = Board(records, self.resources, time.wall, time.steady)
        sources = Sources(self.resources)
        updater = Updater(self.dns, board, time.wall, time.steady)
        self.desk = Desk(board, updater, sources, time.steady)
        self.watch = DynamicAddressWatch(self.desk, self.dns, self.resources, tick_s=0.05)
        self.service = DynamicAddressService(self.desk, self.watch, self.dns, sources, time.steady)

    def network(self, ipv4: str | None, ipv6: str | None = None) -> None:
        """Have these public addresses; None: the sources do not agree."""
        public = [
            PublicAddress(address=each, reason=None if each else "The sources do not agree.")
            for each in (ipv4, ipv6)
        ]
        status = NetworkStatus(
            public_ipv4=public[0], public_ipv6=public[1], listening_ports=0, exposed_ports=0
        )
        self.resources.publish(NETWORK_STATUS_KIND, NETWORK_KEY, status)

    def interface(self, *addresses: str, state: InterfaceState = InterfaceState.UP) -> None:
        """Have the interface eth0 with these addresses."""
        interface = NetworkInterface(
            key="eth0", type=InterfaceType.ETHERNET, state=state, addresses=addresses
        )
        self.resources.publish(NETWORK_INTERFACE_KIND, "eth0", interface)

    async def follow(self, name: str, *, admin: bool = False, **how: object) -> DynamicAddress:
        """Have a name follow."""
        body = DynamicAddressBody.model_validate({"name": name, **how})
        return await self.service.add(body, "a person", admin=admin)

    async def later(self, seconds: float = 0) -> None:
        """Let time pass, and everything be done that is due then."""
        self.time.pass_by(seconds)
        self.desk.look()
        await wait_until(self._is_idle, what="everything to be done")
        # What was seen first has to last.
        self.desk.look()
        await wait_until(self._is_idle, what="everything to be done")

    async def settled(self) -> None:
        """Let what is new last for long enough to count."""
        await self.later()
        await self.later(11)

    def shown(self, name: str) -> DynamicAddress:
        """Return what is published of a name."""
        found = self.resources.get(DYNAMIC_ADDRESS_KIND, name)
        assert isinstance(found, DynamicAddress)
        return found

    def told(self) -> list[str]:
        """Return what was told, each event once."""
        return [each.type.value for each in self.events]

    async def close(self) -> None:
        """End what is open."""
        await self._book.close()

    async def _is_idle(self) -> bool:
        return not self.desk.working


@asynccontextmanager
async def home(
    store: Store,
    reach: Reach,
    provider: ProviderServer,
    *,
    time: HandTime | None = None,
    settings: ProviderSettings | None = None,
    name_servers: tuple[str, ...] = (),
) -> AsyncIterator[Home]:
    """Give a home whose agent runs; leaving is a crash: nothing is noted any more.

    `settings`: the provider is set up with them; None: as it was before.
    """
    one = Home(store, reach, time or HandTime(HandClock()), provider)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(one.close)
        if settings is not None:
            await one.dns.add_provider(
                ProviderBody(key="mine", name="Mine", settings=settings, name_servers=name_servers)
            )
        subscription = stack.enter_context(
            one.resources.subscribe(kinds=(DYNAMIC_ADDRESS_EVENT_KIND,))
        )

        async def listen() -> None:
            async for batch in subscription.batches():
                one.events += [
                    each.data for each in batch if isinstance(each.data, DynamicAddressEvent)
                ]

        tasks = [asyncio.create_task(listen()), asyncio.create_task(one.watch.run())]
        try:
            await one.watch.ready.wait()
            yield one
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


@asynccontextmanager
async def served[Server: ProviderServer](server: Server) -> AsyncIterator[tuple[Server, str]]:
    """Give a provider's server and the address of its name server."""
    async with running(server), serving_zones(server) as names:
        yield server, names.address
