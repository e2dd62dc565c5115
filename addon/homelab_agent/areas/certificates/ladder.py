"""The rungs of the ladder: how soon a certificate ends."""

from datetime import datetime, timedelta

from homelab_agent.areas.certificates.models import ExpiryStage

_RUNGS = {
    ExpiryStage.DAYS_30: timedelta(days=30),
    ExpiryStage.DAYS_14: timedelta(days=14),
    ExpiryStage.DAYS_7: timedelta(days=7),
    ExpiryStage.DAYS_3: timedelta(days=3),
    ExpiryStage.DAYS_1: timedelta(days=1),
    ExpiryStage.EXPIRED: timedelta(0),
}
_ORDER = tuple(ExpiryStage)


def stage_of(expires_at: datetime, now: datetime) -> ExpiryStage:
    """Return the lowest rung that was reached."""
    left = expires_at - now
    reached = [stage for stage, before in _RUNGS.items() if left <= before]
    return reached[-1] if reached else ExpiryStage.FINE


def is_below(stage: ExpiryStage, other: ExpiryStage) -> bool:
    """Return whether one rung is nearer to the end than another."""
    return _ORDER.index(stage) > _ORDER.index(other)


def next_rung_at(expires_at: datetime, now: datetime) -> datetime | None:
    """Return when the next rung is reached; None when it has ended."""
    left = expires_at - now
    coming = [before for before in _RUNGS.values() if before < left]
    return expires_at - max(coming) if coming else None


def days_left(expires_at: datetime, now: datetime) -> int:
    """Return how many whole days are left; minus those since it ended."""
    return int((expires_at - now) / timedelta(days=1))
