"""The reverse proxy. No logic."""

from functools import partial

from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.areas.proxy.board import Board
from homelab_agent.areas.proxy.book import Book
from homelab_agent.areas.proxy.caddy_admin import CaddyAdmin, HttpCaddyAdmin
from homelab_agent.areas.proxy.chooser import Chooser
from homelab_agent.areas.proxy.demo import DemoCaddy, DemoProber, invent_routes
from homelab_agent.areas.proxy.desk import Desk
from homelab_agent.areas.proxy.dry_run import DryRun
from homelab_agent.areas.proxy.editor import Connect, Editor
from homelab_agent.areas.proxy.facts import FactsFinder
from homelab_agent.areas.proxy.header_secrets import HeaderSecrets
from homelab_agent.areas.proxy.jobs import RouteJobs
from homelab_agent.areas.proxy.kept import ProxyRecord
from homelab_agent.areas.proxy.managed import ManagedCaddy, Stacks
from homelab_agent.areas.proxy.memory import RestartMemory
from homelab_agent.areas.proxy.passwords import Passwords
from homelab_agent.areas.proxy.preparing import Preparation
from homelab_agent.areas.proxy.routes import ProxyRoutes
from homelab_agent.areas.proxy.secret_values import SecretValues
from homelab_agent.areas.proxy.service import ProxyService, Tools
from homelab_agent.areas.proxy.serving import HttpProber, Prober
from homelab_agent.areas.proxy.setup import Setup
from homelab_agent.areas.proxy.setup_job import SetupJobs
from homelab_agent.areas.proxy.sites import Sites
from homelab_agent.areas.proxy.trying_here import CaddyHere
from homelab_agent.areas.proxy.trying_inside import CaddyInside
from homelab_agent.areas.proxy.wanted import Wishes
from homelab_agent.areas.proxy.watch import ProxyWatch
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.outbound.sites import OutboundSites
from homelab_agent.platform.store.records import Records
from homelab_agent.platform.store.tables import proxy_record
from homelab_agent.wiring.ground import Areas, Ground


def wire_proxy(
    ground: Ground, areas: Areas, containers: ContainerService, stacks: Stacks
) -> ProxyService:
    """Make the area of the reverse proxy."""
    settings, resources, runner = ground.settings, ground.resources, ground.runner
    book = Book(Records(ground.store, proxy_record, ProxyRecord), utc_now)
    passwords = Passwords(ground.vault)
    headers, values = HeaderSecrets(ground.vault), SecretValues(ground.vault)
    chooser = Chooser(book, passwords, headers)
    board = Board(book, chooser, resources, utc_now)
    connect, prober = _ways(ground)
    editor = Editor(book, connect)
    dry_run = DryRun(
        CaddyInside(ground.engine.execution, resources, book, board.status), CaddyHere()
    )
    wishes = Wishes(passwords, headers, ground.outbound)
    memory = RestartMemory(ground.host.machine, containers.with_id, resources)
    facts = FactsFinder(book, editor, memory)
    tools = Tools(
        facts=facts,
        chooser=chooser,
        preparation=Preparation(book, editor, chooser, wishes, dry_run, values, utc_now),
        sites=Sites(book, editor, prober),
        values=values,
    )
    service = ProxyService(book, editor, board, tools, utc_now)
    for kind in RouteJobs(service).kinds():
        runner.register(kind)
    watch = ProxyWatch(
        book,
        facts,
        service,
        board,
        interval_s=settings.proxy_interval_s,
        puts_back=settings.proxy_put_back,
        begin=partial(invent_routes, book, utc_now) if settings.demo else None,
    )
    caddy = None if settings.demo else _managed(ground, stacks, book, connect, watch)
    setup = Setup(book, connect, watch, runner, caddy)
    areas.routes.append(ProxyRoutes(Desk(service, board, runner), setup))
    areas.loops.append(watch.run)
    areas.ready.append(service.until_ready)
    return service


def _managed(
    ground: Ground, stacks: Stacks, book: Book, connect: Connect, watch: ProxyWatch
) -> ManagedCaddy:
    caddy = ManagedCaddy(
        stacks,
        ground.engine.objects,
        ground.resources,
        ground.runner,
        ground.settings.data_dir / "proxy",
    )
    for kind in SetupJobs(book, connect, caddy, watch.look_now).kinds():
        ground.runner.register(kind)
    return caddy


def _ways(ground: Ground) -> tuple[Connect, Prober]:
    """Return how a Caddy is told something, and how its sites are looked at."""
    if ground.settings.demo:
        return DemoCaddy, DemoProber()

    def connect(address: str) -> CaddyAdmin:
        return HttpCaddyAdmin(address, ground.http, ground.tls)

    return connect, HttpProber(OutboundSites(ground.http, ground.tls))
