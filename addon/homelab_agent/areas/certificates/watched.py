"""What is watched, and what is remembered of it across restarts."""

from datetime import datetime
from enum import StrEnum

from homelab_agent.areas.certificates.ladder import days_left, stage_of
from homelab_agent.areas.certificates.models import (
    Certificate,
    CertificateDetails,
    CertificateEvent,
    CertificateSource,
    EndpointBody,
    ExpiryStage,
    StartTls,
    Verdict,
)
from homelab_agent.platform.model import Model


class Origin(StrEnum):
    """Why it is watched: a person asked, or it was found."""

    PERSON = "person"
    MONITOR = "monitor"
    FILES = "files"
    MANAGED = "managed"


class Place(Model):
    """Where a certificate is. `host` and what belongs to it, `path`, or the key of a managed one.

    `kept_valid`: the agent itself renews that.
    """

    key: str
    name: str
    source: CertificateSource
    origin: Origin
    host: str | None = None
    port: int | None = None
    server_name: str | None = None
    start_tls: StartTls | None = None
    path: str | None = None
    allow_guarded: bool = False
    container: str | None = None
    monitor: str | None = None
    managed: str | None = None
    kept_valid: bool = False

    def endpoint(self, timeout_s: float) -> EndpointBody | None:
        """Return the address to read it at; None for a file."""
        if self.host is None or self.port is None:
            return None
        return EndpointBody(
            host=self.host,
            port=self.port,
            server_name=self.server_name,
            start_tls=self.start_tls,
            timeout_s=timeout_s,
            allow_guarded=self.allow_guarded,
        )


class Told(Model):
    """The lowest rung that was told of one certificate."""

    fingerprint_sha256: str
    stage: ExpiryStage


class Seen(Model):
    """A certificate that is shown at a place. Others were, at the last `looks_ago` looks."""

    details: CertificateDetails
    verdict: Verdict
    reason: str | None = None
    looks_ago: int = 0


class Watched(Model):
    """A place and what was found there. `verdict` is None until the first look.

    `seen`: what is shown there by turns; verdict, reason and details are those of the worst.
    `tries`: looks in a row at which nothing could be read. `untold`: events that are decided on,
    but perhaps were not published when the agent ended. `is_shelved`: it is not watched just now.
    """

    place: Place
    verdict: Verdict | None = None
    reason: str | None = None
    details: CertificateDetails | None = None
    checked_at: datetime | None = None
    read_at: datetime | None = None
    changed_at: datetime | None = None
    tries: int = 0
    seen: tuple[Seen, ...] = ()
    told: tuple[Told, ...] = ()
    untold: tuple[CertificateEvent, ...] = ()
    is_shelved: bool = False

    def stage(self, now: datetime) -> ExpiryStage:
        """Return the rung of the certificate that was read last."""
        return ExpiryStage.FINE if self.details is None else stage_of(self.details.expires_at, now)

    def told_stage(self) -> ExpiryStage:
        """Return the lowest rung that was told of the certificate that was read last."""
        fingerprint = self.details.fingerprint_sha256 if self.details else None
        known = (each.stage for each in self.told if each.fingerprint_sha256 == fingerprint)
        return next(known, ExpiryStage.FINE)

    def knows(self, fingerprint_sha256: str) -> bool:
        """Return whether a certificate was shown here lately."""
        return any(each.fingerprint_sha256 == fingerprint_sha256 for each in self.told)

    def shown(self, now: datetime, kept_as: Watched | None = None) -> Certificate | None:
        """Return it as the wire has it; None before the first look.

        `kept_as`: the certificate of the agent that it is.
        """
        if self.verdict is None:
            return None
        place, details = self.place, self.details
        kept = kept_as.place if kept_as else place
        return Certificate(
            key=place.key,
            name=place.name,
            source=place.source,
            host=place.host,
            port=place.port,
            server_name=place.server_name,
            start_tls=place.start_tls,
            path=place.path,
            container=place.container,
            monitor=place.monitor,
            managed=kept.managed,
            kept_valid=kept.kept_valid,
            verdict=self.verdict,
            reason=self.reason,
            shown_by_turns=max(1, len(self.seen)),
            stage=self.stage(now),
            details=details,
            days_left=days_left(details.expires_at, now) if details else None,
            checked_at=self.checked_at,
            read_at=self.read_at,
            changed_at=self.changed_at,
            removable=place.origin is Origin.PERSON,
        )
