"""The areas that are about the services people reach: monitors and certificates. No logic."""

from functools import partial

from homelab_agent.areas.certificates.board import CertificateBoard
from homelab_agent.areas.certificates.caddy import caddy_stores
from homelab_agent.areas.certificates.endpoint import EndpointReader
from homelab_agent.areas.certificates.files import MOUNTED_ROOT, CertificateFiles, Files
from homelab_agent.areas.certificates.files_watch import FilesWatch
from homelab_agent.areas.certificates.looking import Looker, ReadManaged, keeps_none
from homelab_agent.areas.certificates.managed import ManagedCertificates
from homelab_agent.areas.certificates.monitored import MonitoredCertificates
from homelab_agent.areas.certificates.routes import CertificateRoutes
from homelab_agent.areas.certificates.service import CertificateService
from homelab_agent.areas.certificates.store import CertificateStore
from homelab_agent.areas.certificates.trust import TrustStore
from homelab_agent.areas.certificates.watch import CertificateWatch, Rhythm
from homelab_agent.areas.certificates.watching import WatchingService
from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.areas.monitors.board import Board
from homelab_agent.areas.monitors.checks.all_checks import all_checks
from homelab_agent.areas.monitors.demo import DemoMonitors, demo_checks
from homelab_agent.areas.monitors.desk import Desk
from homelab_agent.areas.monitors.history import History
from homelab_agent.areas.monitors.history_store import HistoryStore
from homelab_agent.areas.monitors.intake import Intake
from homelab_agent.areas.monitors.keeper import Keeper
from homelab_agent.areas.monitors.label_monitors import LabelMonitors
from homelab_agent.areas.monitors.maintenance_book import MaintenanceBook
from homelab_agent.areas.monitors.routes import MaintenanceRoutes, MonitorRoutes
from homelab_agent.areas.monitors.service import MonitorService
from homelab_agent.areas.monitors.store import MonitorStore
from homelab_agent.areas.monitors.timeline import Timeline
from homelab_agent.areas.monitors.watch import MonitorWatch
from homelab_agent.areas.renewal.files import FULL_CHAIN, CertificateFolders
from homelab_agent.platform.clock import utc_now
from homelab_agent.wiring.ground import Areas, Ground
from homelab_agent.wiring.house import House

_HOUR_S = 3600


def wire_services(
    ground: Ground, areas: Areas, containers: ContainerService, _house: House
) -> CertificateService:
    """Make the areas of services."""
    certificates, watch = _certificates(ground, areas)
    monitors = _monitors(ground, areas, containers, certificates)
    monitored = MonitoredCertificates(watch, ground.resources, monitors.ready.wait)
    areas.loops.append(monitored.run)
    return certificates


def _certificates(ground: Ground, areas: Areas) -> tuple[CertificateService, CertificateWatch]:
    settings = ground.settings
    if settings.demo:
        # Only where it is used: nobody else needs to make certificates.
        from homelab_agent.areas.certificates.demo import DemoCertificates  # noqa: PLC0415

        demo = DemoCertificates(utc_now)
        service = CertificateService(demo, TrustStore(utc_now, demo.authority), utc_now)
        # Those that the demo keeps have no files; they are shown at its addresses.
        _, watch = _watch_certificates(ground, areas, service, demo, keeps_none)
        return service, watch
    trust = TrustStore(utc_now, further=settings.trusted_ca_file)
    service = CertificateService(EndpointReader(ground.outbound), trust, utc_now)
    stores = caddy_stores(settings.caddy_storage)
    root = settings.host_root or MOUNTED_ROOT
    files = CertificateFiles(root, settings.certificate_paths, stores)
    folders = CertificateFolders(settings.certificates_folder)
    read_managed = partial(folders.read, name=FULL_CHAIN)
    board, watch = _watch_certificates(ground, areas, service, files, read_managed)
    areas.loops.append(ManagedCertificates(board, watch, ground.resources).run)
    return service, watch


def _watch_certificates(
    ground: Ground,
    areas: Areas,
    service: CertificateService,
    files: Files,
    read_managed: ReadManaged,
) -> tuple[CertificateBoard, CertificateWatch]:
    board = CertificateBoard(CertificateStore(ground.store, utc_now), ground.resources, utc_now)
    rhythm = Rhythm(interval_s=ground.settings.certificate_interval_h * _HOUR_S)
    watch = CertificateWatch(board, Looker(service, files, read_managed).look, utc_now, rhythm)
    areas.routes.append(CertificateRoutes(WatchingService(service, files, board, watch)))
    areas.loops.append(watch.run)
    areas.ready.append(watch.until_ready)
    areas.loops.append(FilesWatch(files, board, watch).run)
    return board, watch


def _monitors(
    ground: Ground,
    areas: Areas,
    containers: ContainerService,
    certificates: CertificateService,
) -> MonitorService:
    settings, resources = ground.settings, ground.resources
    store = MonitorStore(ground.store, utc_now, ground.vault)
    past = HistoryStore(ground.store, keep_checks_h=settings.monitor_result_retention_h)
    demo = DemoMonitors(store, past, utc_now) if settings.demo else None
    checks = (
        demo_checks()
        if settings.demo
        else all_checks(ground.outbound, ground.http, ground.tls, containers, certificates, utc_now)
    )
    board, history, timeline = Board(resources, utc_now), History(past), Timeline(utc_now)
    intake = Intake(history, board)
    desk = Desk(
        store,
        history,
        intake,
        board,
        checks,
        timeline,
        ground.secrets,
        most_at_once=settings.monitor_concurrency,
    )
    book = MaintenanceBook(store, resources, intake, desk.watched, utc_now)
    labels = LabelMonitors(
        desk,
        board,
        ground.engine.recreate,
        resources,
        utc_now,
        machine=ground.host.address,
    )
    service = MonitorService(desk, history, labels, utc_now)
    keeper = Keeper(service, history, past, board, timeline, begin=demo.past if demo else None)
    watch = MonitorWatch(
        desk,
        service,
        book,
        labels,
        keeper,
        board,
        begin=demo.monitors if demo else None,
    )
    areas.routes.append(MonitorRoutes(service, containers, ground.host.address))
    areas.routes.append(MaintenanceRoutes(book, service))
    areas.loops.append(watch.run)
    areas.ready.append(service.until_ready)
    return service
