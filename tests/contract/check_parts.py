"""All checks on loopback, as the suites about them need them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from homelab_agent.areas.certificates.endpoint import EndpointReader
from homelab_agent.areas.certificates.service import CertificateService
from homelab_agent.areas.certificates.trust import TrustStore
from homelab_agent.areas.monitors.checks.all_checks import all_checks
from homelab_agent.areas.monitors.checks.registry import Checks
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.outbound.connections import Outbound
from homelab_agent.platform.outbound.http import OutboundHttp
from homelab_agent.platform.outbound.tls_contexts import TlsContexts
from tests.fakes.commanded import commanded
from tests.fakes.docker_engine import fake_docker


@asynccontextmanager
async def checks_with_a_container(
    outbound: Outbound, trusted: Path, folder: Path
) -> AsyncIterator[Checks]:
    """Give all checks; there is a container "web", and `trusted` holds the only authority."""
    trust = TrustStore(utc_now, trusted)
    certificates = CertificateService(EndpointReader(outbound), trust, utc_now)
    http = OutboundHttp(outbound)
    async with fake_docker() as docker:
        docker.add("web")
        async with commanded(docker.url, folder) as containers:
            await containers.live.until(lambda: containers.live.container("web"))
            yield all_checks(
                outbound, http, TlsContexts(), containers.service, certificates, utc_now
            )
    await http.close()
