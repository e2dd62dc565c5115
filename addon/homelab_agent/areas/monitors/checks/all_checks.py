"""One check of each kind, made of what they need."""

from homelab_agent.areas.certificates.service import CertificateService
from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.areas.monitors.checks.container_check import ContainerCheck
from homelab_agent.areas.monitors.checks.dns_check import DnsCheck
from homelab_agent.areas.monitors.checks.home_assistant_check import HomeAssistantCheck
from homelab_agent.areas.monitors.checks.http_check import HttpCheck
from homelab_agent.areas.monitors.checks.ping_check import PingCheck
from homelab_agent.areas.monitors.checks.plex_check import PlexCheck
from homelab_agent.areas.monitors.checks.registry import Checks
from homelab_agent.areas.monitors.checks.sunshine_check import SunshineCheck
from homelab_agent.areas.monitors.checks.tcp_check import TcpCheck
from homelab_agent.areas.monitors.checks.tls_check import TlsCheck
from homelab_agent.areas.monitors.checks.vnc_check import VncCheck
from homelab_agent.areas.monitors.checks.web import Web
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.outbound.connections import Outbound
from homelab_agent.platform.outbound.http import OutboundHttp
from homelab_agent.platform.outbound.tls_contexts import TlsContexts


def all_checks(
    outbound: Outbound,
    http: OutboundHttp,
    tls: TlsContexts,
    containers: ContainerService,
    certificates: CertificateService,
    clock: Clock,
) -> Checks:
    """Return them all. `http` is closed by whoever made it."""
    web = Web(http, tls, clock)
    return Checks(
        (
            HttpCheck(web),
            TcpCheck(outbound),
            DnsCheck(outbound),
            PingCheck(outbound),
            TlsCheck(certificates),
            ContainerCheck(containers),
            PlexCheck(web),
            VncCheck(outbound),
            SunshineCheck(web),
            HomeAssistantCheck(web),
        )
    )
