"""What is found where no certificate is."""

from dataclasses import dataclass

from homelab_agent.areas.certificates.models import Verdict
from homelab_agent.platform.outbound.causes import UnreachableCause


@dataclass(frozen=True, slots=True)
class Nothing:
    """There was no certificate to be read: UNREACHABLE or NO_CERTIFICATE, and why.

    `cause`: what an address was unreachable for.
    """

    verdict: Verdict
    reason: str
    cause: UnreachableCause | None = None
