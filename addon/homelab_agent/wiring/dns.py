"""The area of DNS. No logic."""

from functools import partial

from homelab_agent.areas.dns.apply_job import ApplyJob
from homelab_agent.areas.dns.applying import PlanDesk
from homelab_agent.areas.dns.book import ProviderBook
from homelab_agent.areas.dns.demo import DemoDns
from homelab_agent.areas.dns.entries import KeptProvider
from homelab_agent.areas.dns.name_servers import RealNameServers
from homelab_agent.areas.dns.providers.all_providers import make_provider
from homelab_agent.areas.dns.providers.reach import Reach
from homelab_agent.areas.dns.routes import DnsRoutes
from homelab_agent.areas.dns.service import DnsService
from homelab_agent.areas.dns.watch import ProviderWatch
from homelab_agent.areas.dns.writer import ZoneWriter
from homelab_agent.areas.dns.zone_tally import ZoneTally, tally_rule
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.store.records import Records
from homelab_agent.platform.store.tables import dns_provider
from homelab_agent.wiring.ground import Areas, Ground


def wire_dns(ground: Ground, areas: Areas) -> DnsService:
    """Make the area of DNS."""
    demo = DemoDns() if ground.settings.demo else None
    reach = Reach(ground.outbound, ground.http, ground.tls, utc_now)
    book = ProviderBook(
        Records(ground.store, dns_provider, KeptProvider),
        ground.vault,
        ground.resources,
        demo.make if demo else partial(make_provider, reach=reach),
        utc_now,
        first=demo.first() if demo else None,
    )
    servers = demo or RealNameServers(ground.outbound, ground.settings.dns_resolvers)
    tally = ZoneTally(ground.store, utc_now)
    areas.retention.append(tally_rule())
    service = DnsService(book, ZoneWriter(book, servers), servers, tally)
    ground.runner.register(ApplyJob(service).kind())
    areas.routes.append(DnsRoutes(service, PlanDesk(service, ground.runner)))
    areas.loops.append(ProviderWatch(book).run)
    areas.ready.append(service.until_ready)
    return service
