"""What a look changes, and what of it is told."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from homelab_agent.areas.certificates.ladder import is_below, stage_of
from homelab_agent.areas.certificates.models import (
    CertificateDetails,
    CertificateEventType,
    CertificateReport,
    ExpiryStage,
    Verdict,
)
from homelab_agent.areas.certificates.seen import reason_of, seen_now, worst_of
from homelab_agent.areas.certificates.watched import Told, Watched

TRIES = 3
"""So many looks in a row have to fail until it counts: servers restart, machines wake up."""

OF_THE_LADDER = frozenset({CertificateEventType.EXPIRING, CertificateEventType.EXPIRED})

_MOST_TOLD = 8
"""So many certificates are remembered of each place."""


@dataclass(frozen=True, slots=True)
class News:
    """Something to tell of a certificate. `reason` where it is not the verdict's."""

    type: CertificateEventType
    details: CertificateDetails | None
    old_fingerprint: str | None = None
    reason: str | None = None


def take(watched: Watched, report: CertificateReport) -> tuple[Watched, tuple[News, ...]]:
    """Return what is known after a look, and what is to be told, in this order."""
    now = report.checked_at
    if report.details is None:
        after = _without_reading(watched, report)
    else:
        changed = _is_new(watched, report.details)
        seen = seen_now(watched, report, report.details)
        worst = worst_of(seen)
        after = watched.model_copy(
            update={
                "seen": seen,
                "verdict": worst.verdict,
                "reason": reason_of(worst, len(seen)),
                "details": worst.details,
                "checked_at": now,
                "read_at": now,
                "changed_at": now if changed else watched.changed_at,
                "tries": 0,
            }
        )
    news = tuple(_news(watched, after, report.details, now))
    return _having_told(after, report.details, now), news


def _without_reading(watched: Watched, report: CertificateReport) -> Watched:
    tries = watched.tries + 1
    known = {"checked_at": report.checked_at, "tries": tries}
    if tries >= TRIES or watched.details is None:
        known |= {"verdict": report.verdict, "reason": report.reason}
    return watched.model_copy(update=known)


def _is_new(watched: Watched, found: CertificateDetails) -> bool:
    """Return whether this certificate was not shown here lately, where others were.

    Behind one address may be several servers with a certificate each: who is asked by turns is no
    news.
    """
    return bool(watched.told) and not watched.knows(found.fingerprint_sha256)


def _news(
    before: Watched, after: Watched, found: CertificateDetails | None, now: datetime
) -> Iterator[News]:
    old, worst = None, after.details
    if before.details and found and _is_new(before, found):
        old = before.details.fingerprint_sha256
        difference = _difference(before.details, found)
        yield News(CertificateEventType.CHANGED, found, old, difference)
    stage = after.stage(now)
    if is_below(stage, after.told_stage()):
        expired = stage is ExpiryStage.EXPIRED
        rung = CertificateEventType.EXPIRED if expired else CertificateEventType.EXPIRING
        yield News(rung, worst, old)
    # A place that was just added is shown as it is; nothing happened to it.
    if before.verdict is None or after.verdict is None or before.details is None:
        return
    was_good, is_good = before.verdict is Verdict.TRUSTED, after.verdict is Verdict.TRUSTED
    # That an expired one is a problem too goes without saying.
    of_the_ladder = after.verdict is Verdict.EXPIRED and stage is ExpiryStage.EXPIRED
    if was_good and not is_good and not of_the_ladder:
        yield News(CertificateEventType.PROBLEM, worst, old)
    elif is_good and not was_good:
        yield News(CertificateEventType.RECOVERED, worst, old)


def _difference(old: CertificateDetails, new: CertificateDetails) -> str | None:
    """Return what a person would not expect of a renewal."""
    found = []
    if old.issuer != new.issuer:
        found.append(f"It is issued by {new.issuer}; the one before was by {old.issuer}.")
    if new.expires_at < old.expires_at:
        found.append(f"It ends earlier than the one before, on {new.expires_at:%Y-%m-%d}.")
    return " ".join(found) or None


def _having_told(watched: Watched, found: CertificateDetails | None, now: datetime) -> Watched:
    """Note what was found, and the rung, also one that was not told: the clock may go back."""
    worst = watched.details
    if worst is None:
        return watched
    told = watched.told
    if found is not None and not watched.knows(found.fingerprint_sha256):
        # Its own rungs are told when it is the worst.
        told = (_told(found, ExpiryStage.FINE), *told)
    stage = stage_of(worst.expires_at, now)
    lowest = stage if is_below(stage, watched.told_stage()) else watched.told_stage()
    others = (each for each in told if each.fingerprint_sha256 != worst.fingerprint_sha256)
    told = (_told(worst, lowest), *others)[:_MOST_TOLD]
    return watched.model_copy(update={"told": told})


def _told(details: CertificateDetails, stage: ExpiryStage) -> Told:
    return Told(fingerprint_sha256=details.fingerprint_sha256, stage=stage)
