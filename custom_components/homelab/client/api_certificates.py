"""What an agent can be asked and told about certificates."""

from .models import (
    CertificateList,
    CertificateReport,
    CommandResult,
    EndpointBody,
    WatchBody,
)
from .parse import reader
from .requests import COMMAND_MARGIN_S, Requests

WATCH_TIMEOUT_S = 60.0
"""A folder of certificates is read file by file, an address with the patience of one look."""

_CERTIFICATES = reader(CertificateList)
_REPORT = reader(CertificateReport)


class CertificatesApi:
    """The certificates that one agent watches, and any other read once."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def watch(self, body: WatchBody) -> CertificateList:
        """Watch an address, a file or the files of a folder; return what is watched by that."""
        return await self._requests.post(
            _CERTIFICATES, "certificates", body=body, timeout_s=WATCH_TIMEOUT_S
        )

    async def forget(self, key: str) -> CommandResult:
        """Watch a certificate no longer."""
        return await self._requests.command(
            "certificates", key, body=None, wait_s=0, method="DELETE"
        )

    async def read(self, body: EndpointBody) -> CertificateReport:
        """Read the certificate at an address once, whether or not it is to be trusted."""
        timeout_s = body.timeout_s + COMMAND_MARGIN_S
        return await self._requests.post(
            _REPORT, "certificates", "read", body=body, timeout_s=timeout_s
        )
