"""The areas that are about the machine, its network and what becomes of both. No logic."""

from dataclasses import dataclass

from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.areas.network.address_memory import AddressMemory
from homelab_agent.areas.network.address_sources import AddressSources
from homelab_agent.areas.network.address_watch import AddressWatch
from homelab_agent.areas.network.demo_sources import DemoSources
from homelab_agent.areas.network.figures_watch import ConnectionsWatch, TrafficWatch
from homelab_agent.areas.network.port_book import PortBook
from homelab_agent.areas.network.port_store import KnownPorts
from homelab_agent.areas.network.published import ContainerPorts
from homelab_agent.areas.network.routes import NetworkRoutes
from homelab_agent.areas.network.seen_ports import PortEyes
from homelab_agent.areas.network.service import NetworkService
from homelab_agent.areas.network.setup_watch import SetupWatch
from homelab_agent.areas.network.status_board import StatusBoard
from homelab_agent.areas.network.traffic import TrafficMeter
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.counters import Counters
from homelab_agent.wiring.ground import Areas, Ground


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What the machine's areas give to others."""

    network: NetworkService


def wire_house(ground: Ground, areas: Areas, containers: ContainerService) -> House:
    """Make the areas of the machine."""
    return House(network=_network(ground, areas, containers))


def _network(ground: Ground, areas: Areas, containers: ContainerService) -> NetworkService:
    network, resources, settings = ground.host.network, ground.resources, ground.settings
    board, ports = StatusBoard(resources), ContainerPorts(containers, resources)
    book = PortBook(
        resources,
        KnownPorts(ground.store, utc_now),
        utc_now,
        ports.is_worked_on,
        view="container" if network.is_of_container else "host",
    )
    setup = SetupWatch(
        network,
        PortEyes(network, ports),
        book,
        board,
        resources,
        interval_s=settings.port_interval_s,
    )
    traffic = TrafficWatch(
        TrafficMeter(network, Counters(ground.store, utc_now)),
        setup.interface_names,
        resources,
        interval_s=settings.host_interval_s,
    )
    connections = ConnectionsWatch(network, resources, interval_s=settings.host_interval_s)
    addresses = AddressWatch(
        DemoSources()
        if settings.demo
        else AddressSources(settings.public_address_sources, utc_now),
        board,
        AddressMemory(ground.store),
        utc_now,
        interval_s=settings.public_address_interval_s,
    )
    service = NetworkService(network, ports, traffic, resources)
    areas.routes.append(NetworkRoutes(service))
    areas.loops += (setup.run, traffic.run, connections.run, addresses.run)
    return service
