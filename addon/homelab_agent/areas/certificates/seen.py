"""What is shown at one place: one certificate, or several by turns."""

from homelab_agent.areas.certificates.models import CertificateDetails, CertificateReport, Verdict
from homelab_agent.areas.certificates.watched import Seen, Watched

LOOKS_WITHOUT = 30
"""What was not shown at so many looks in a row is not there any more: of a pair, one in a billion
would be given up though it is."""

_MOST_SEEN = 8
_ORDER = tuple(Verdict)


def seen_now(
    watched: Watched, report: CertificateReport, details: CertificateDetails
) -> tuple[Seen, ...]:
    """Return what is shown at a place, what this look found first.

    A certificate that was never shown there takes the place of a single one. When one that is known
    is shown again, there are several servers behind the address.
    """
    found = Seen(details=details, verdict=report.verdict, reason=report.reason)
    fingerprint = details.fingerprint_sha256
    others = [each for each in watched.seen if each.details.fingerprint_sha256 != fingerprint]
    if len(watched.seen) == 1 and not watched.knows(fingerprint):
        others = []
    older = (each.model_copy(update={"looks_ago": each.looks_ago + 1}) for each in others)
    lasting = (each for each in older if each.looks_ago < LOOKS_WITHOUT)
    return (found, *lasting)[:_MOST_SEEN]


def worst_of(seen: tuple[Seen, ...]) -> Seen:
    """Return the one of which the worst is to be said; of equal ones, the one that ends first."""
    return min(seen, key=_badness)


def reason_of(worst: Seen, count: int) -> str | None:
    """Return what is said of a place at which `count` certificates are shown."""
    if count == 1 or worst.reason is None:
        return worst.reason
    return f"{count} certificates are shown here by turns. The worst of them: {worst.reason}"


def _badness(seen: Seen) -> tuple[bool, int, float]:
    is_good = seen.verdict is Verdict.TRUSTED
    return is_good, _ORDER.index(seen.verdict), seen.details.expires_at.timestamp()
