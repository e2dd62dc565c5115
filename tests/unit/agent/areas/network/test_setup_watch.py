"""How the network is set up: published when it changes, and honest when it cannot be read."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from homelab_agent.areas.network.figures_watch import TrafficWatch
from homelab_agent.areas.network.models import (
    LISTENING_PORT_KIND,
    NETWORK_INTERFACE_KIND,
    NETWORK_KEY,
    NETWORK_STATUS_KIND,
    NetworkInterface,
    NetworkStatus,
    PortQuery,
    Reach,
)
from homelab_agent.areas.network.port_book import PortBook
from homelab_agent.areas.network.port_store import KnownPorts
from homelab_agent.areas.network.published import ContainerPorts
from homelab_agent.areas.network.seen_ports import PortEyes
from homelab_agent.areas.network.service import NetworkService
from homelab_agent.areas.network.setup_watch import SetupWatch
from homelab_agent.areas.network.status_board import StatusBoard
from homelab_agent.areas.network.traffic import TrafficMeter
from homelab_agent.platform.counters import Counters
from homelab_agent.platform.errors import Unavailable
from homelab_agent.platform.host.linux_network import LinuxNetwork
from homelab_agent.platform.store.database import Store
from tests.clock import HandClock
from tests.fakes.commanded import Commanded, commanded
from tests.fakes.docker_engine import fake_docker
from tests.fakes.network_files import ANYWHERE, Link, NetworkFiles

LISTEN = 10


class Area:
    """The whole area over a fake machine, with an engine that has no containers."""

    def __init__(
        self, files: NetworkFiles, containers: Commanded, store: Store, clock: HandClock
    ) -> None:
        self.files = files
        self.resources = containers.live.resources
        network = LinuxNetwork(files.paths)
        ports = ContainerPorts(containers.service, self.resources)
        self.setup = SetupWatch(
            network,
            PortEyes(network, ports),
            PortBook(
                self.resources, KnownPorts(store, clock), clock, ports.is_worked_on, view="host"
            ),
            StatusBoard(self.resources),
            self.resources,
            interval_s=15,
        )
        traffic = TrafficWatch(
            TrafficMeter(network, Counters(store, clock)),
            self.setup.interface_names,
            self.resources,
            interval_s=10,
        )
        self.service = NetworkService(network, ports, traffic, self.resources)

    @property
    def status(self) -> NetworkStatus:
        found = self.resources.get(NETWORK_STATUS_KIND, NETWORK_KEY)
        assert isinstance(found, NetworkStatus)
        return found

    def interfaces(self) -> dict[str, NetworkInterface]:
        return {each.key: each for each in self.service.interfaces().interfaces}


@pytest.fixture
async def area(tmp_path: Path, store: Store, clock: HandClock) -> AsyncIterator[Area]:
    folder = tmp_path / "agent"
    folder.mkdir()
    files = NetworkFiles(tmp_path / "machine")
    files.write_links(Link("lo", 1, files={"type": "772"}), Link("eth0", 2))
    files.write("fib_trie", "  |-- 192.168.1.10\n     /32 host LOCAL\n")
    files.write_routes(
        ("eth0", ANYWHERE, "192.168.1.1", ANYWHERE, 100),
        ("eth0", "192.168.1.0", ANYWHERE, "255.255.255.0", 100),
    )
    async with fake_docker() as docker, commanded(docker.url, folder) as containers:
        await containers.live.connected()
        yield Area(files, containers, store, clock)


async def test_the_setup_is_published_as_it_is_and_as_it_becomes(area: Area) -> None:
    await area.setup.look()
    assert area.status.default_interface == "eth0"
    assert area.status.gateway_ipv4 == "192.168.1.1"
    assert area.interfaces()["eth0"].addresses == ("192.168.1.10/24",)
    assert area.interfaces()["eth0"].carries_default_route
    assert not area.interfaces()["lo"].carries_default_route
    area.files.write_links(Link("lo", 1, files={"type": "772"}), Link("wg0", 7))
    area.files.write_routes()
    await area.setup.look()
    assert set(area.interfaces()) == {"lo", "wg0"}
    assert (area.status.default_interface, area.status.gateway_ipv4) == (None, None)


async def test_a_look_that_changes_nothing_tells_nobody(area: Area) -> None:
    await area.setup.look()
    before = area.resources.seq
    await area.setup.look()
    assert area.resources.seq == before


async def test_ports_can_be_asked_for_by_who_can_get_to_them(area: Area) -> None:
    nobody = (ANYWHERE, 0, LISTEN)
    area.files.write_sockets(
        "tcp", (ANYWHERE, 22, *nobody, 1), ("127.0.0.1", 631, *nobody, 2), ("::", 80, *nobody, 3)
    )
    await area.setup.look()
    assert (area.status.listening_ports, area.status.exposed_ports) == (3, 2)
    every = area.service.ports(PortQuery()).ports
    assert [each.port for each in every] == [22, 80, 631]
    local = area.service.ports(PortQuery(reach=Reach.MACHINE)).ports
    assert [each.port for each in local] == [631]
    assert area.service.ports(PortQuery(container="nobody")).ports == ()


async def test_before_the_first_look_the_network_is_unavailable_and_not_empty(area: Area) -> None:
    with pytest.raises(Unavailable):
        await area.service.report()
    (area.files.net / "dev").unlink()
    await area.setup.look()
    with pytest.raises(Unavailable):
        await area.service.report()
    with pytest.raises(Unavailable):
        await area.service.bandwidth()


async def test_a_look_that_fails_leaves_what_is_known_and_the_next_one_goes_on(
    area: Area,
) -> None:
    await area.setup.look()
    known = area.interfaces()
    (area.files.net / "dev").unlink()
    await area.setup.look()
    assert area.interfaces() == known
    area.files.write_links(Link("eth0", 2), Link("eth1", 3))
    await area.setup.look()
    assert set(area.interfaces()) == {"eth0", "eth1"}


async def test_a_store_that_is_away_stops_no_look_and_gets_the_ports_later(
    area: Area, store: Store, clock: HandClock
) -> None:
    await area.setup.look()
    async with store.write() as connection:
        await connection.execute(text("ALTER TABLE known_port RENAME TO away"))
    area.files.write_sockets("tcp", (ANYWHERE, 22, ANYWHERE, 0, LISTEN, 1))
    await area.setup.look()
    assert area.resources.keys(LISTENING_PORT_KIND) == ("tcp-0.0.0.0-22",)
    assert area.status.listening_ports == 1
    async with store.write() as connection:
        await connection.execute(text("ALTER TABLE away RENAME TO known_port"))
    await area.setup.look()
    assert set(await KnownPorts(store, clock).load()) == {"tcp-0.0.0.0-22"}


async def test_bandwidth_is_there_at_once_for_whoever_asks(area: Area) -> None:
    await area.setup.look()
    bandwidth = (await area.service.bandwidth()).interfaces
    assert [each.key for each in bandwidth] == ["eth0", "lo"]
    assert bandwidth[0].receive_bytes_per_s == 0
    assert area.resources.keys(NETWORK_INTERFACE_KIND)
