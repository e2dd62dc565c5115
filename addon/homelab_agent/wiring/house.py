"""The areas that are about the machine, its network and what becomes of both. No logic."""

from dataclasses import dataclass

from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.areas.host.disk_health import DiskHealthWatch
from homelab_agent.areas.host.filesystems import FilesystemWatch
from homelab_agent.areas.host.power import PowerWatch
from homelab_agent.areas.host.processes import ProcessLister
from homelab_agent.areas.host.routes import PROCESS_TARGET, HostRoutes
from homelab_agent.areas.host.service import HostService
from homelab_agent.areas.host.stopping import ProcessStopper
from homelab_agent.areas.host.watch import HostWatch
from homelab_agent.areas.insight.board import PATIENCE, Board
from homelab_agent.areas.insight.demo_past import DEMO_FIRST_AFTER_S, DemoPast
from homelab_agent.areas.insight.forecasts import Forecasts
from homelab_agent.areas.insight.kept import PLANS
from homelab_agent.areas.insight.readings import ContainerMemory, Temperatures, Traffic
from homelab_agent.areas.insight.routes import InsightRoutes
from homelab_agent.areas.insight.rules.clock import ClockWatch
from homelab_agent.areas.insight.rules.disks import DiskFacts
from homelab_agent.areas.insight.service import InsightService
from homelab_agent.areas.insight.store import FindingMemory
from homelab_agent.areas.insight.watch import InsightWatch, Pace, Senses
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
from homelab_agent.platform.clock import steady_s, utc_now
from homelab_agent.platform.counters import Counters
from homelab_agent.platform.history.samples import History
from homelab_agent.platform.store.retention import counter_rule
from homelab_agent.wiring.ground import Areas, Ground


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What the machine's areas give to others."""

    network: NetworkService


def wire_house(ground: Ground, areas: Areas, containers: ContainerService) -> House:
    """Make the areas of the machine."""
    _host(ground, areas, containers)
    _insight(ground, areas)
    return House(network=_network(ground, areas, containers))


def _host(ground: Ground, areas: Areas, containers: ContainerService) -> None:
    machine, resources, settings = ground.host.machine, ground.resources, ground.settings
    watch = HostWatch(
        machine, resources, interval_s=settings.host_interval_s, always=settings.stats_always
    )
    filesystems = FilesystemWatch(machine, resources, interval_s=settings.filesystem_interval_s)
    power = PowerWatch(
        machine,
        Counters(ground.store, utc_now),
        resources,
        interval_s=settings.host_interval_s,
    )
    health = DiskHealthWatch(machine, resources, utc_now)
    service = HostService(machine, watch, filesystems, resources)
    processes = ProcessLister(machine, containers, ground.secrets, service.memory_bytes)
    stopper = ProcessStopper(machine, containers)
    ground.gate.protect(PROCESS_TARGET, stopper.protected_reason)
    areas.routes.append(HostRoutes(service, processes, stopper))
    areas.loops += (watch.run, filesystems.run, power.run, health.run)


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
    areas.ready.append(setup.until_looked)
    areas.retention.append(counter_rule())
    return service


def _insight(ground: Ground, areas: Areas) -> None:
    resources = ground.resources
    history = History(ground.store, utc_now, PLANS)
    board = Board(resources, FindingMemory(ground.store), utc_now, PATIENCE)
    senses = Senses(
        disks=DiskFacts(steady_s),
        forecasts=Forecasts(history, resources, utc_now),
        memory=ContainerMemory(history, resources, utc_now),
        temperatures=Temperatures(history, resources),
        traffic=Traffic(history, resources),
        clock=ClockWatch(utc_now, steady_s),
    )
    is_demo = ground.settings.demo
    watch = InsightWatch(
        history,
        board,
        senses,
        resources,
        # The demo costs nothing, and whoever looks at it wants to see all of it.
        Pace(first_after_s=DEMO_FIRST_AFTER_S) if is_demo else Pace(),
        DemoPast(history, resources).invent if is_demo else None,
    )
    areas.routes.append(InsightRoutes(InsightService(resources)))
    areas.loops.append(watch.run)
    areas.ready.append(watch.until_loaded)
