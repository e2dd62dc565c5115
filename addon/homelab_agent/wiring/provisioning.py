"""A container at a name: what puts the areas of addresses together. No logic."""

from homelab_agent.areas.certificates.service import CertificateService
from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.areas.ddns.service import DynamicAddressService
from homelab_agent.areas.dns.service import DnsService
from homelab_agent.areas.domains.service import DomainService
from homelab_agent.areas.provisioning.authority_words import AuthorityWords
from homelab_agent.areas.provisioning.certificate_step import CertificateStep
from homelab_agent.areas.provisioning.demo_front import DemoFront
from homelab_agent.areas.provisioning.deprovision_job import DeprovisionJob
from homelab_agent.areas.provisioning.front import ProxyFront
from homelab_agent.areas.provisioning.patience import Patience
from homelab_agent.areas.provisioning.planner import Partners, Planner
from homelab_agent.areas.provisioning.provision_job import ProvisionJob
from homelab_agent.areas.provisioning.routes import ProvisioningRoutes
from homelab_agent.areas.provisioning.service import ProvisioningService
from homelab_agent.areas.provisioning.upstreams import Upstreams
from homelab_agent.areas.provisioning.users import Users
from homelab_agent.areas.proxy.service import ProxyService
from homelab_agent.areas.renewal.service import RenewalService
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.outbound.sites import OutboundSites
from homelab_agent.platform.settings import Settings
from homelab_agent.wiring.ground import Areas, Ground


def wire_provisioning(  # noqa: PLR0913 - it is what puts all of them together
    ground: Ground,
    areas: Areas,
    *,
    dns: DnsService,
    dynamic: DynamicAddressService,
    proxy: ProxyService,
    renewal: RenewalService,
    domains: DomainService,
    containers: ContainerService,
    certificates: CertificateService,
) -> None:
    """Make the area."""
    engine = ground.engine
    partners = Partners(
        dns=dns,
        dynamic=dynamic,
        proxy=proxy,
        certificates=renewal,
        domains=domains,
        upstreams=Upstreams(containers, engine.recreate, engine.objects),
    )
    patience = _patience(ground.settings)
    front = (
        DemoFront(utc_now)
        if ground.settings.demo
        else ProxyFront(proxy, certificates, OutboundSites(ground.http, ground.tls))
    )
    planner, users = Planner(partners), Users(ground.vault)
    words = AuthorityWords(proxy, containers, engine.containers)
    step = CertificateStep(renewal, front, words, patience)
    ground.runner.register(ProvisionJob(partners, planner, front, step, users, patience).kind())
    ground.runner.register(DeprovisionJob(partners, step, patience).kind())
    service = ProvisioningService(partners, planner, users, ground.runner)
    areas.routes.append(ProvisioningRoutes(service))


def _patience(settings: Settings) -> Patience:
    return Patience(
        step_s=settings.provision_step_s,
        propagation_s=settings.provision_propagation_s,
        certificate_s=settings.provision_certificate_s,
        health_s=settings.provision_step_s,
        undo_s=settings.provision_undo_s,
    )
