"""How a watched place is looked at: an address by a handshake, a file by reading it."""

from collections.abc import Awaitable, Callable

from homelab_agent.areas.certificates.files import Files
from homelab_agent.areas.certificates.models import CertificateReport, Verdict
from homelab_agent.areas.certificates.nothing import Nothing
from homelab_agent.areas.certificates.pem import certificates_in
from homelab_agent.areas.certificates.service import CertificateService
from homelab_agent.areas.certificates.watched import Place
from homelab_agent.platform.outbound.guard import GuardedAddress

_TIMEOUT_S = 10

type ReadManaged = Callable[[str], Awaitable[str | None]]
"""Reads the chain (PEM) of a certificate that the agent keeps, by its key."""


async def keeps_none(_key: str) -> None:
    """Read nothing: there are no certificates that the agent keeps."""


class Looker:
    """Looks, and says of whatever is in the way what it is."""

    def __init__(
        self, certificates: CertificateService, files: Files, read_managed: ReadManaged
    ) -> None:
        self._certificates = certificates
        self._files = files
        self._read_managed = read_managed

    async def look(self, place: Place) -> CertificateReport:
        """Return what is found at a place."""
        if place.managed is not None:
            return await self._look_at_managed(place.managed)
        endpoint = place.endpoint(_TIMEOUT_S)
        if endpoint is None:
            return await self._look_into_file(place)
        try:
            return await self._certificates.look(endpoint)
        except GuardedAddress as error:
            return self._certificates.nothing(Verdict.UNREACHABLE, error.message)

    async def _look_at_managed(self, key: str) -> CertificateReport:
        text = await self._read_managed(key)
        found = certificates_in(text.encode()) if text else ()
        if not found:
            return self._certificates.nothing(
                Verdict.UNREACHABLE, f"The agent's own file of {key} is gone or damaged. Renew it."
            )
        return await self._certificates.judge_file(found)

    async def _look_into_file(self, place: Place) -> CertificateReport:
        found = await self._files.read_file(place.path or "")
        if isinstance(found, Nothing):
            return self._certificates.nothing(found.verdict, found.reason)
        return await self._certificates.judge_file(found)
