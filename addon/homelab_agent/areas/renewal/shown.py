"""How a certificate that is kept is shown to everybody."""

from datetime import datetime

from homelab_agent.areas.renewal.kept import Issued, KeptCertificate
from homelab_agent.areas.renewal.models import ManagedCertificate, ManagedState

_DAY_S = 86400


def shown(record: KeptCertificate, now: datetime, *, is_worked_on: bool) -> ManagedCertificate:
    """Return what everybody may see: neither keys nor orders."""
    issued, state = record.issued, _state(record, now, is_worked_on=is_worked_on)
    return ManagedCertificate(
        key=record.key,
        names=record.names,
        origin=record.origin,
        state=state,
        reason=_reason(record, state),
        issuer=issued.issuer if issued else None,
        key_type=record.key_type,
        serial=issued.serial if issued else None,
        fingerprint_sha256=issued.fingerprint_sha256 if issued else None,
        not_before=issued.not_before if issued else None,
        expires_at=issued.expires_at if issued else None,
        days_left=days_left(issued.expires_at if issued else None, now),
        renew_at=record.renew_at if record.revoked_at is None else None,
        renewed_at=issued.renewed_at if issued else None,
        hand_over=record.hand_over,
        failure=record.failure,
        directory=record.directory,
    )


def days_left(expires_at: datetime | None, now: datetime) -> int | None:
    """Return for how many whole days it is good; below 0 once it ended."""
    if expires_at is None:
        return None
    return int((expires_at - now).total_seconds() // _DAY_S)


def is_good(record: KeptCertificate, now: datetime) -> bool:
    """Return whether there is a certificate that clients take."""
    return (
        record.issued is not None
        and record.revoked_at is None
        and record.issued.not_before <= now < record.issued.expires_at
    )


def covers(issued_names: tuple[str, ...], name: str) -> bool:
    """Return whether a certificate for these names is good for `name`, itself maybe a wildcard."""
    return name in issued_names or f"*.{name.partition('.')[2]}" in issued_names


def _state(record: KeptCertificate, now: datetime, *, is_worked_on: bool) -> ManagedState:
    issued: Issued | None = record.issued
    if is_worked_on and record.pending is not None:
        return ManagedState.ISSUING if issued is None else ManagedState.RENEWING
    if issued is None:
        return ManagedState.NONE
    if record.revoked_at is not None:
        return ManagedState.REVOKED
    if now >= issued.expires_at:
        return ManagedState.EXPIRED
    return ManagedState.FAILING if record.failure else ManagedState.VALID


def _reason(record: KeptCertificate, state: ManagedState) -> str | None:
    if record.failure is not None and state is not ManagedState.REVOKED:
        return record.failure.message
    if state is ManagedState.REVOKED:
        return "It was revoked. Renew it to get another one, or delete it."
    if state is ManagedState.EXPIRED:
        return "It has expired."
    return record.note
