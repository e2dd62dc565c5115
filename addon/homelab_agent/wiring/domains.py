"""The area of domains. No logic."""

from homelab_agent.areas.certificates.service import CertificateService
from homelab_agent.areas.dns.service import DnsService
from homelab_agent.areas.domains.around import Around
from homelab_agent.areas.domains.board import Board
from homelab_agent.areas.domains.book import Book
from homelab_agent.areas.domains.checks.page import Pages
from homelab_agent.areas.domains.checks.records import RecordsCheck
from homelab_agent.areas.domains.checks.web import WebCheck
from homelab_agent.areas.domains.demo import DemoDomains, DemoWeb
from homelab_agent.areas.domains.dns_changes import DnsChanges
from homelab_agent.areas.domains.following import Following
from homelab_agent.areas.domains.imports import DomainImports
from homelab_agent.areas.domains.looking import Looker
from homelab_agent.areas.domains.reading import DomainReader
from homelab_agent.areas.domains.routes import DomainRoutes
from homelab_agent.areas.domains.service import DomainService
from homelab_agent.areas.domains.store import DomainStore, history_rule
from homelab_agent.areas.domains.watch import DomainWatch
from homelab_agent.areas.domains.wishes import Wishes
from homelab_agent.platform.clock import utc_now
from homelab_agent.wiring.ground import Areas, Ground


def wire_domains(
    ground: Ground, areas: Areas, dns: DnsService, certificates: CertificateService
) -> DomainService:
    """Make the area of domains."""
    settings, resources = ground.settings, ground.resources
    wishes, store = Wishes(dns), DomainStore(ground.store, utc_now)
    around = Around(wishes, resources)
    board = Board(around, resources, utc_now)
    demo = DemoDomains(store, utc_now) if settings.demo else None
    pages = Pages(ground.outbound, ground.http, ground.tls)
    web = DemoWeb(utc_now) if settings.demo else WebCheck(pages, certificates, utc_now)
    looker = Looker(RecordsCheck(dns), web, around, utc_now)
    book = Book(store, board, looker.look, utc_now, interval_s=settings.domain_interval_s)
    service = DomainService(book, wishes, board, utc_now)
    reader = DomainReader(book, board, store, dns)
    changes = DnsChanges(dns, service, ground.runner)
    imports = DomainImports(book, wishes, utc_now)
    areas.routes.append(DomainRoutes(service, reader, imports, changes))
    following = Following(service, book, around, resources)
    dns.tell(following.applied)
    areas.loops.append(
        DomainWatch(book, board, following, dns, begin=demo.invent if demo else None).run
    )
    areas.ready.append(service.until_ready)
    areas.retention.append(history_rule(settings.domain_history_retention_days))
    return service
