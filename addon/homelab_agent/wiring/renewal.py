"""The area of certificates that the agent keeps valid. No logic."""

from functools import partial

from homelab_agent.areas.certificates.service import CertificateService
from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.areas.renewal.accounts import Accounts
from homelab_agent.areas.renewal.acme_authority import AcmeAuthority
from homelab_agent.areas.renewal.authority import Authority
from homelab_agent.areas.renewal.book import CertificateBook
from homelab_agent.areas.renewal.challenges import Challenges
from homelab_agent.areas.renewal.demo import invent
from homelab_agent.areas.renewal.files import CertificateFolders
from homelab_agent.areas.renewal.hand_over import HandingOver
from homelab_agent.areas.renewal.issuance import Issuance, Parts, Patience
from homelab_agent.areas.renewal.jobs import RenewalJobs
from homelab_agent.areas.renewal.needs import Dns, Proxy
from homelab_agent.areas.renewal.routes import RenewalRoutes
from homelab_agent.areas.renewal.service import RenewalService
from homelab_agent.areas.renewal.trouble import Troubles
from homelab_agent.areas.renewal.upload import UploadCheck
from homelab_agent.areas.renewal.watch import RenewalWatch
from homelab_agent.areas.renewal.windows import RenewalWindows
from homelab_agent.platform.clock import steady_s, utc_now
from homelab_agent.wiring.ground import Areas, Ground


def wire_renewal(
    ground: Ground,
    areas: Areas,
    dns: Dns,
    proxy: Proxy,
    containers: ContainerService,
    certificates: CertificateService,
) -> RenewalService:
    """Make the area; return what others may ask of it."""
    authority = _authority(ground)
    book = CertificateBook(ground.store, ground.resources, utc_now)
    accounts = Accounts(ground.store, ground.vault, authority, ground.resources, utc_now)
    challenges = Challenges(book, dns)
    folders = CertificateFolders(ground.settings.certificates_folder)
    handing = HandingOver(book, folders, proxy, containers)
    troubles = Troubles(book, challenges, utc_now, steady_s)
    parts = Parts(
        book=book,
        accounts=accounts,
        challenges=challenges,
        folders=folders,
        handing=handing,
        troubles=troubles,
        vault=ground.vault,
        clock=utc_now,
    )
    issuance = Issuance(parts, Patience())
    jobs = RenewalJobs(parts, issuance)
    for kind in jobs.issuing_kinds():
        ground.runner.register(kind)
    ground.runner.register(jobs.install_kind())
    ground.runner.register(jobs.revoke_kind())
    check = UploadCheck(certificates, utc_now)
    service = RenewalService(parts, issuance, check, ground.runner)
    areas.routes.append(RenewalRoutes(service))
    begin = partial(invent, book, accounts, utc_now) if ground.settings.demo else None
    areas.ready.append(book.ready)
    areas.loops.append(RenewalWatch(parts, service, begin=begin).run)
    areas.loops.append(RenewalWindows(book, accounts, folders, authority, utc_now, steady_s).run)
    return service


def _authority(ground: Ground) -> Authority:
    if ground.settings.demo:
        # Only where it is used: nobody else needs to sign certificates.
        from homelab_agent.areas.renewal.demo_authority import DemoAuthority  # noqa: PLC0415

        return DemoAuthority(utc_now)
    return AcmeAuthority(ground.http, ground.tls, utc_now)
