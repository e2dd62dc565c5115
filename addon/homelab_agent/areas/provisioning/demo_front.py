"""The front of a proxy that does not exist: after a while everything is there."""

import asyncio

from homelab_agent.areas.certificates.models import CertificateReport, Verdict
from homelab_agent.platform.clock import Clock

_HANDSHAKE_S = 1.5
_LOOKS_BEFORE_ISSUED = 3
_ANSWER_S = 0.8


class DemoFront:
    """Shows a certificate at the third look, as an authority takes a moment."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._looks: dict[str, int] = {}

    async def certificate(self, name: str) -> CertificateReport:
        """Return nothing at first, then a trusted one."""
        await asyncio.sleep(_HANDSHAKE_S)
        looks = self._looks[name] = self._looks.get(name, 0) + 1
        if looks < _LOOKS_BEFORE_ISSUED:
            return CertificateReport(
                verdict=Verdict.NO_CERTIFICATE,
                reason="There is no certificate for this name yet.",
                checked_at=self._clock(),
            )
        return CertificateReport(verdict=Verdict.TRUSTED, days_left=89, checked_at=self._clock())

    async def ask(self, name: str) -> int:
        """Return that all is well."""
        await asyncio.sleep(_ANSWER_S)
        self._looks.pop(name, None)
        return 200
