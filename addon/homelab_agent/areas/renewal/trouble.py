"""What failed is written down: why, what to do, and when it is tried again."""

from datetime import datetime

from homelab_agent.areas.renewal.book import CertificateBook
from homelab_agent.areas.renewal.challenges import Challenges
from homelab_agent.areas.renewal.failures import authority_says, what_to_do
from homelab_agent.areas.renewal.kept import KeptCertificate
from homelab_agent.areas.renewal.models import (
    AcmeStep,
    ManagedCertificateEventType,
    RenewalFailure,
)
from homelab_agent.areas.renewal.timing import retry_after
from homelab_agent.platform.clock import Clock, Steady
from homelab_agent.platform.errors import AgentError, Failed, errors_by_code
from homelab_agent.platform.logging import get_logger

_log = get_logger(__name__)


class Troubles:
    """Knows who has to wait, by a clock that nobody sets."""

    def __init__(
        self, book: CertificateBook, challenges: Challenges, clock: Clock, steady: Steady
    ) -> None:
        self._book = book
        self._challenges = challenges
        self._clock = clock
        self._steady = steady
        self._resting: dict[str, float] = {}

    async def note(self, key: str, step: AcmeStep, error: AgentError) -> AgentError:
        """Write a failure down, leave nothing in the DNS, and return what to tell the caller."""
        record = self._book.find(key)
        if record is None:
            return error
        await self._challenges.clear(key)
        failure = self._failure(record, step, error)
        await self._book.change(
            key,
            lambda now: self._book.with_event(
                now.model_copy(update={"failure": failure}),
                ManagedCertificateEventType.FAILED,
                step=step,
                reason=failure.message,
                what_to_do=failure.what_to_do,
            ),
        )
        _log.warning("certificate_not_renewed", certificate=key, step=step, why=failure.message)
        next_try = failure.next_try_at.isoformat() if failure.next_try_at else None
        return errors_by_code().get(error.code, Failed)(
            f"{step}: {failure.message}",
            field=error.field,
            hint=failure.what_to_do,
            retry_after_s=error.retry_after_s,
            extra={"step": step.value, "next_try_at": next_try},
        )

    def may_try(self, record: KeptCertificate) -> bool:
        """Return whether it is time for another try. The wall clock may have been set meanwhile."""
        failure = record.failure
        if failure is None:
            return True
        if failure.next_try_at is None:
            return False
        rests_until = self._resting.get(record.key)
        if rests_until is not None:
            return self._steady() >= rests_until
        now = self._clock()
        # It failed in the future: the clock was wrong then, or is now.
        return now >= failure.next_try_at or failure.at > now

    def _failure(
        self, record: KeptCertificate, step: AcmeStep, error: AgentError
    ) -> RenewalFailure:
        now, attempts = self._clock(), (record.failure.attempts if record.failure else 0) + 1
        return RenewalFailure(
            step=step,
            message=error.message,
            authority_says=authority_says(error),
            what_to_do=what_to_do(step, error),
            at=now,
            attempts=attempts,
            next_try_at=self._next_try_at(record, attempts, now, error),
        )

    def _next_try_at(
        self, record: KeptCertificate, attempts: int, now: datetime, error: AgentError
    ) -> datetime | None:
        if record.provisioned and record.issued is None:
            return None  # who wanted it for a domain is told, and takes it back
        left = record.issued.expires_at - now if record.issued else None
        wait = retry_after(attempts, wanted_s=error.retry_after_s, time_left=left)
        self._resting[record.key] = self._steady() + wait.total_seconds()
        return now + wait
