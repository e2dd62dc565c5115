"""The proxy from in front: which certificate it shows for a name, and what it answers there."""

import asyncio
from typing import Protocol

import aiohttp

from homelab_agent.areas.certificates.models import CertificateReport, EndpointBody
from homelab_agent.areas.certificates.service import CertificateService
from homelab_agent.areas.provisioning.partners import Proxy
from homelab_agent.platform.errors import Failed, Unavailable
from homelab_agent.platform.outbound.reasons import why_not
from homelab_agent.platform.outbound.sites import OutboundSites

_ASK_S = 10
_HANDSHAKE_S = 5


class Front(Protocol):
    """How the proxy looks to who types the name in."""

    async def certificate(self, name: str) -> CertificateReport:
        """Return what is shown for a name; what is wrong is told by the report."""
        ...

    async def ask(self, name: str) -> int:
        """Return the status of a real HTTPS request; raise `Failed` where none came."""
        ...


class ProxyFront:
    """Asks at the proxy's own address, so that nothing between here and there is asked along."""

    def __init__(
        self,
        proxy: Proxy,
        certificates: CertificateService,
        sites: OutboundSites,
    ) -> None:
        self._proxy = proxy
        self._certificates = certificates
        self._sites = sites

    async def certificate(self, name: str) -> CertificateReport:
        """Return what is shown for a name."""
        host, port = await self._address()
        return await self._certificates.look(
            EndpointBody(host=host, port=port, server_name=name, timeout_s=_HANDSHAKE_S)
        )

    async def ask(self, name: str) -> int:
        """Return the status of a real HTTPS request."""
        host, port = await self._address()
        try:
            # What the certificate is worth is judged by itself, with the reason in words.
            async with (
                asyncio.timeout(_ASK_S),
                self._sites.ask(name, (host, port), secure=True) as answer,
            ):
                return answer.status
        except (aiohttp.ClientError, OSError) as error:
            raise Failed(
                f"HTTPS at {host}:{port} for {name} failed: {why_not(error)}.",
                hint="Look at what Caddy says in its log.",
            ) from error

    async def _address(self) -> tuple[str, int]:
        addresses = await self._proxy.addresses()
        if not addresses:
            raise Unavailable(
                "The proxy serves HTTPS nowhere.",
                hint="Let it listen at a port for HTTPS, or look at GET /api/v1/proxy.",
            )
        host, _, port = addresses[0].rpartition(":")
        return host.strip("[]"), int(port)
