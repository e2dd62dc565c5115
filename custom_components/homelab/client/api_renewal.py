"""What an agent can be asked and told about the certificates that it keeps valid."""

from .models import (
    AcmeAccount,
    AcmeAccountBody,
    CertificateDeleteQuery,
    CommandResult,
    IssueBody,
    ManagedCertificate,
    ManagedCertificateList,
    RenewBody,
    RevokeBody,
    UploadBody,
)
from .parse import reader
from .requests import Requests

ACCOUNT_TIMEOUT_S = 60.0
"""The authority is asked for its terms."""
HAND_OVER_S = 120.0
"""Those who use a certificate are told of it."""

_ACCOUNT = reader(AcmeAccount)
_CERTIFICATE = reader(ManagedCertificate)
_CERTIFICATES = reader(ManagedCertificateList)


class RenewalApi:
    """The certificates that one agent keeps."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def list(self) -> tuple[ManagedCertificate, ...]:
        """Return all of them, the one that ends first first."""
        return (await self._requests.get(_CERTIFICATES, "managed-certificates")).certificates

    async def get(self, key: str) -> ManagedCertificate:
        """Return one."""
        return await self._requests.get(_CERTIFICATE, "managed-certificates", key)

    async def issue(self, body: IssueBody) -> CommandResult:
        """Order a certificate, and keep it valid from now on."""
        return await self._requests.command("managed-certificates", body=body, wait_s=body.wait_s)

    async def upload(self, body: UploadBody) -> CommandResult:
        """Keep a certificate of one's own."""
        return await self._requests.command(
            "managed-certificates", "upload", body=body, wait_s=HAND_OVER_S
        )

    async def renew(self, key: str, body: RenewBody) -> CommandResult:
        """Renew a certificate now, also where it is not due."""
        return await self._requests.command(
            "managed-certificates", key, "renew", body=body, wait_s=body.wait_s
        )

    async def revoke(self, key: str, body: RevokeBody) -> CommandResult:
        """Have a certificate declared invalid by its authority."""
        return await self._requests.command(
            "managed-certificates", key, "revoke", body=body, wait_s=body.wait_s
        )

    async def forget(self, key: str, query: CertificateDeleteQuery) -> CommandResult:
        """Keep a certificate no longer."""
        return await self._requests.command(
            "managed-certificates",
            key,
            body=None,
            query=query,
            wait_s=query.wait_s,
            method="DELETE",
        )

    async def account(self) -> AcmeAccount:
        """Return with whom certificates are ordered."""
        return await self._requests.get(_ACCOUNT, "acme", "account")

    async def set_account(self, body: AcmeAccountBody) -> AcmeAccount:
        """Order certificates from this authority from now on."""
        return await self._requests.put(
            _ACCOUNT, "acme", "account", body=body, timeout_s=ACCOUNT_TIMEOUT_S
        )
