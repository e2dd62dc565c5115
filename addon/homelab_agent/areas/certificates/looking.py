"""How a watched place is looked at: an address by a handshake, a file by reading it."""

from homelab_agent.areas.certificates.files import Files
from homelab_agent.areas.certificates.models import CertificateReport, Verdict
from homelab_agent.areas.certificates.nothing import Nothing
from homelab_agent.areas.certificates.service import CertificateService
from homelab_agent.areas.certificates.watched import Place
from homelab_agent.platform.outbound.guard import GuardedAddress

_TIMEOUT_S = 10


class Looker:
    """Looks, and says of whatever is in the way what it is."""

    def __init__(self, certificates: CertificateService, files: Files) -> None:
        self._certificates = certificates
        self._files = files

    async def look(self, place: Place) -> CertificateReport:
        """Return what is found at a place."""
        endpoint = place.endpoint(_TIMEOUT_S)
        if endpoint is None:
            return await self._look_into_file(place)
        try:
            return await self._certificates.look(endpoint)
        except GuardedAddress as error:
            return self._certificates.nothing(Verdict.UNREACHABLE, error.message)

    async def _look_into_file(self, place: Place) -> CertificateReport:
        found = await self._files.read_file(place.path or "")
        if isinstance(found, Nothing):
            return self._certificates.nothing(found.verdict, found.reason)
        return await self._certificates.judge_file(found)
