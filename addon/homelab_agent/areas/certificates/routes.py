"""The routes of certificates."""

from homelab_agent.areas.certificates.models import (
    Certificate,
    CertificateList,
    CertificateReport,
    EndpointBody,
    WatchBody,
)
from homelab_agent.areas.certificates.watching import WatchingService
from homelab_agent.platform.commands import Caller, Scope, command, query
from homelab_agent.platform.jobs.models import CommandResult


class CertificateRoutes:
    """Certificates: those that are watched, and any other read once."""

    def __init__(self, service: WatchingService) -> None:
        self._service = service

    @query("certificates.list", "/certificates")
    async def list(self) -> CertificateList:
        """List the certificates that are watched, the one that ends first first."""
        return await self._service.watched()

    @command(
        "certificates.watch",
        "POST",
        "/certificates",
        scope=Scope.OPERATE,
        idempotent=True,
        dangerous=False,
    )
    async def watch(self, caller: Caller, body: WatchBody) -> CertificateList:
        """Watch the certificate at an address, of a file or of a folder's files from now on."""
        return await self._service.watch(body, caller)

    @command(
        "certificates.forget",
        "DELETE",
        "/certificates/{key}",
        scope=Scope.OPERATE,
        idempotent=True,
        dangerous=False,
    )
    async def forget(self, key: str) -> CommandResult:
        """Watch a certificate no longer."""
        return await self._service.forget(key)

    @command(
        "certificates.check",
        "POST",
        "/certificates/{key}/check",
        scope=Scope.OPERATE,
        idempotent=True,
        dangerous=False,
    )
    async def check(self, key: str) -> Certificate:
        """Look at a watched certificate now."""
        return await self._service.check(key)

    @command(
        "certificates.read",
        "POST",
        "/certificates/read",
        scope=Scope.OPERATE,
        idempotent=True,
        dangerous=False,
    )
    async def read(self, caller: Caller, body: EndpointBody) -> CertificateReport:
        """Read the certificate at an address once."""
        return await self._service.read(body, caller)
