"""The areas that are about the addresses people type in, in the order of who builds on whom.

Each has a file of its own beside this one. No logic.
"""

from homelab_agent.areas.certificates.service import CertificateService
from homelab_agent.wiring.ddns import wire_ddns
from homelab_agent.wiring.dns import wire_dns
from homelab_agent.wiring.docker import Docker
from homelab_agent.wiring.domains import wire_domains
from homelab_agent.wiring.ground import Areas, Ground
from homelab_agent.wiring.provisioning import wire_provisioning
from homelab_agent.wiring.proxy import wire_proxy
from homelab_agent.wiring.renewal import wire_renewal


def wire_addresses(
    ground: Ground,
    areas: Areas,
    docker: Docker,
    certificates: CertificateService,
) -> None:
    """Make the areas of DNS, dynamic DNS, proxy, renewal, domains and provisioning."""
    containers = docker.containers
    dns = wire_dns(ground, areas)
    dynamic = wire_ddns(ground, areas, dns)
    proxy = wire_proxy(ground, areas, containers, docker.stacks)
    renewal = wire_renewal(ground, areas, dns, proxy, containers, certificates)
    domains = wire_domains(ground, areas, dns, certificates)
    wire_provisioning(
        ground,
        areas,
        dns=dns,
        dynamic=dynamic,
        proxy=proxy,
        renewal=renewal,
        domains=domains,
        containers=containers,
        certificates=certificates,
    )
