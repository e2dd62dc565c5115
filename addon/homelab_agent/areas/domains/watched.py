"""One domain while it is looked after."""

from dataclasses import dataclass

from homelab_agent.areas.domains.models import DomainHealth, DomainStatus, KeptDomain

LOOKS_TO_CONFIRM = 2


@dataclass(slots=True)
class Watched:
    """What is kept of a domain, what was found when it was last looked at, and who changes it."""

    kept: KeptDomain
    health: DomainHealth | None = None
    failed_looks: int = 0
    job_id: str | None = None

    @property
    def id(self) -> str:
        """Its name, as the DNS writes it."""
        return self.kept.id

    @property
    def is_paused(self) -> bool:
        """Whether nobody looks after it."""
        return self.kept.settings.paused

    @property
    def status(self) -> DomainStatus:
        """How it is with it, for everybody."""
        if self.job_id is not None:
            return DomainStatus.CHANGING
        return DomainStatus.PAUSED if self.is_paused else self.kept.status

    @property
    def reason(self) -> str | None:
        """Why it is so."""
        return self.kept.reason if self.status is self.kept.status else None

    def last_health(self) -> DomainHealth:
        """Return what was found last."""
        if self.health is None or self.is_paused:
            return DomainHealth(id=self.id, status=self.status, reason=self.reason)
        return self.health

    def judged(self, found: DomainHealth) -> KeptDomain:
        """Return how it is to be kept after a look: one that failed alone changes nothing."""
        if self._is_not_made_yet(found):
            return self.kept.model_copy(update={"reason": found.reason})
        self.failed_looks = self.failed_looks + 1 if _is_bad(found) else 0
        if 0 < self.failed_looks < LOOKS_TO_CONFIRM and self.kept.status is not found.status:
            return self.kept
        bad, was = _is_bad(found), self.kept.told_unhealthy
        return self.kept.model_copy(
            update={
                "status": found.status,
                "reason": found.reason,
                "told_unhealthy": bad or (was and found.status is DomainStatus.UNKNOWN),
            }
        )

    def _is_not_made_yet(self, found: DomainHealth) -> bool:
        """Return whether its records never were there: nobody applied them, so nothing broke."""
        return (
            self.kept.status is DomainStatus.PENDING
            and bool(self.kept.settings.records)
            and bool(found.servers)
            and all(each.values == () for each in found.servers)
        )


def _is_bad(health: DomainHealth) -> bool:
    return health.status is DomainStatus.UNHEALTHY
