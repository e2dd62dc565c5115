"""What happens to certificates that are watched: the next rung of the ladder, a new one."""

from typing import override

from homeassistant.core import callback

from .client.kinds import CERTIFICATE, CERTIFICATE_EVENT
from .client.models import CertificateEvent, CertificateEventType
from .happening import EventWatch, Happening, HappeningType
from .subjects import Subject

_TYPES = {
    CertificateEventType.EXPIRING: HappeningType.CERTIFICATE_EXPIRING,
    CertificateEventType.EXPIRED: HappeningType.CERTIFICATE_EXPIRING,
    CertificateEventType.CHANGED: HappeningType.CERTIFICATE_CHANGED,
}


class CertificateWatch(EventWatch[CertificateEvent]):
    """Watches certificates."""

    event_kind = CERTIFICATE_EVENT

    @override
    @callback
    def happened(self, event: CertificateEvent) -> None:
        """Tell of a certificate that ends soon, and of one that was replaced."""
        if event.type not in _TYPES:
            return
        known = self._coordinator.mirror.get(CERTIFICATE, event.key)
        details = known.details if known else None
        self._tell(
            Happening(
                type=_TYPES[event.type],
                coordinator=self._coordinator,
                subject=Subject(CERTIFICATE.name, event.key),
                device=self._coordinator.home_of(known) if known else None,
                name=event.name,
                at=event.at,
                details={
                    "stage": event.stage.value,
                    "days_left": event.days_left,
                    "expires_at": event.expires_at and event.expires_at.isoformat(),
                    "verdict": event.verdict.value,
                    "reason": event.reason,
                    "issuer": details and details.issuer,
                    "names": list(details.names) if details else [],
                    "old_fingerprint": event.old_fingerprint_sha256,
                    "new_fingerprint": event.new_fingerprint_sha256,
                },
            )
        )
