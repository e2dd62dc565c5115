"""The area of dynamic DNS. No logic."""

from homelab_agent.areas.ddns.board import Board
from homelab_agent.areas.ddns.demo import DemoNames
from homelab_agent.areas.ddns.desk import Desk
from homelab_agent.areas.ddns.kept import KeptAddress
from homelab_agent.areas.ddns.routes import DynamicAddressRoutes
from homelab_agent.areas.ddns.service import DynamicAddressService
from homelab_agent.areas.ddns.sources import Sources
from homelab_agent.areas.ddns.updater import Updater
from homelab_agent.areas.ddns.watch import DynamicAddressWatch
from homelab_agent.areas.dns.service import DnsService
from homelab_agent.platform.clock import steady_s, utc_now
from homelab_agent.platform.store.records import Records
from homelab_agent.platform.store.tables import dynamic_address
from homelab_agent.wiring.ground import Areas, Ground


def wire_ddns(ground: Ground, areas: Areas, dns: DnsService) -> DynamicAddressService:
    """Make the area of dynamic DNS."""
    records = Records(ground.store, dynamic_address, KeptAddress)
    board = Board(records, ground.resources, utc_now, steady_s)
    updater = Updater(dns, board, utc_now, steady_s)
    sources = Sources(ground.resources)
    desk = Desk(board, updater, sources, steady_s)
    demo = DemoNames(records, utc_now) if ground.settings.demo else None
    watch = DynamicAddressWatch(desk, dns, ground.resources, begin=demo.invent if demo else None)
    service = DynamicAddressService(desk, watch, dns, sources, steady_s)
    areas.routes.append(DynamicAddressRoutes(service))
    areas.loops.append(watch.run)
    areas.ready.append(service.until_ready)
    return service
