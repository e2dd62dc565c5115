"""The routes of certificates that the agent keeps valid."""

from homelab_agent.areas.renewal.models import (
    AcmeAccount,
    AcmeAccountBody,
    CertificateDeleteQuery,
    IssueBody,
    ManagedCertificate,
    ManagedCertificateList,
    RenewBody,
    RevokeBody,
    UploadBody,
)
from homelab_agent.areas.renewal.service import RenewalService
from homelab_agent.platform.commands import Caller, Scope, command, query
from homelab_agent.platform.jobs.models import CommandResult


class RenewalRoutes:
    """Certificates of the agent: order, renew, revoke, upload."""

    def __init__(self, service: RenewalService) -> None:
        self._service = service

    @query("managed_certificates.list", "/managed-certificates")
    async def list(self) -> ManagedCertificateList:
        """List all certificates that the agent keeps, the one that ends first first."""
        return await self._service.list()

    @query("managed_certificates.get", "/managed-certificates/{key}")
    async def get(self, key: str) -> ManagedCertificate:
        """Return one certificate that the agent keeps."""
        return await self._service.get(key)

    @command(
        "managed_certificates.issue",
        "POST",
        "/managed-certificates",
        scope=Scope.OPERATE,
        dangerous=False,
    )
    async def issue(self, caller: Caller, body: IssueBody) -> CommandResult:
        """Order a certificate with a proof by DNS, and keep it valid from now on."""
        return await self._service.issue(body, caller)

    @command(
        "managed_certificates.upload",
        "POST",
        "/managed-certificates/upload",
        scope=Scope.OPERATE,
        dangerous=False,
    )
    async def upload(self, caller: Caller, body: UploadBody) -> CommandResult:
        """Keep a certificate of one's own, checked first."""
        return await self._service.upload(body, caller)

    @command(
        "managed_certificates.renew",
        "POST",
        "/managed-certificates/{key}/renew",
        scope=Scope.OPERATE,
        dangerous=False,
    )
    async def renew(self, key: str, caller: Caller, body: RenewBody) -> CommandResult:
        """Renew a certificate now, also where it is not due."""
        return await self._service.renew(key, caller, body.wait_s)

    @command(
        "managed_certificates.revoke",
        "POST",
        "/managed-certificates/{key}/revoke",
        scope=Scope.ADMIN,
        idempotent=True,
        dangerous=False,
    )
    async def revoke(self, key: str, caller: Caller, body: RevokeBody) -> CommandResult:
        """Have the authority revoke a certificate; its files stay."""
        return await self._service.revoke(key, body, caller)

    @command(
        "managed_certificates.delete",
        "DELETE",
        "/managed-certificates/{key}",
        scope=Scope.ADMIN,
        dangerous=False,
    )
    async def delete(
        self, key: str, query: CertificateDeleteQuery, caller: Caller
    ) -> CommandResult:
        """Forget a certificate and remove its files."""
        return await self._service.delete(key, caller, query.wait_s)

    @query("acme_account.get", "/acme/account")
    async def account(self) -> AcmeAccount:
        """Return with whom certificates are ordered."""
        return await self._service.account()

    @command(
        "acme_account.set",
        "PUT",
        "/acme/account",
        scope=Scope.ADMIN,
        idempotent=True,
        dangerous=False,
    )
    async def choose_account(self, body: AcmeAccountBody) -> AcmeAccount:
        """Order certificates from this authority from now on."""
        return await self._service.choose_account(body)
