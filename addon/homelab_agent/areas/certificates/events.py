"""The events of certificates, as they are told."""

from datetime import datetime

from homelab_agent.areas.certificates.course import News
from homelab_agent.areas.certificates.ladder import days_left, stage_of
from homelab_agent.areas.certificates.models import (
    CERTIFICATE_EVENT_KIND,
    CertificateEvent,
    ExpiryStage,
    Verdict,
)
from homelab_agent.areas.certificates.watched import Watched
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.newest_events import NewestEvents
from homelab_agent.platform.resources import Resources


class CertificateEvents(NewestEvents):
    """The newest event of each certificate.

    An event gets its number when it is decided on, so that it can be stored before it is told:
    told again after a crash, it has the same number.
    """

    def __init__(self, resources: Resources, clock: Clock) -> None:
        super().__init__(resources, CERTIFICATE_EVENT_KIND, clock)

    def make(self, watched: Watched, news: News, now: datetime) -> CertificateEvent:
        """Return the event of something that happened."""
        details = news.details
        return CertificateEvent(
            key=watched.place.key,
            name=watched.place.name,
            type=news.type,
            number=self.next_number(now),
            at=now,
            stage=stage_of(details.expires_at, now) if details else ExpiryStage.FINE,
            days_left=days_left(details.expires_at, now) if details else None,
            expires_at=details.expires_at if details else None,
            verdict=watched.verdict or Verdict.UNREACHABLE,
            reason=news.reason or watched.reason,
            old_fingerprint_sha256=news.old_fingerprint,
            new_fingerprint_sha256=details.fingerprint_sha256 if details else None,
        )

    def publish(self, event: CertificateEvent) -> None:
        """Tell an event in place of the one before it."""
        self.show(event.key, event.number, event)
