"""What is found where no certificate is."""

from dataclasses import dataclass

from homelab_agent.areas.certificates.models import Verdict


@dataclass(frozen=True, slots=True)
class Nothing:
    """There was no certificate to be read: UNREACHABLE or NO_CERTIFICATE, and why."""

    verdict: Verdict
    reason: str
