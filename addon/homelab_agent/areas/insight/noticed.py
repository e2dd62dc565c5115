"""What a rule noticed, before it is a finding."""

from collections.abc import Callable
from dataclasses import dataclass

from homelab_agent.areas.insight.models import Fact, FindingSeverity, FindingType


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """Something that is so at this look."""

    type: FindingType
    severity: FindingSeverity
    subject_kind: str
    subject: str
    message: str
    evidence: tuple[Fact, ...]

    @property
    def key(self) -> str:
        """The key of its finding."""
        return finding_key(self.type, self.subject)


type Known = Callable[[FindingType, str], FindingSeverity | None]
"""Returns how bad what was noticed before is; None where there is no such finding."""


def finding_key(type_: FindingType, subject: str) -> str:
    """Return the key of the finding of a type about a subject."""
    return f"{type_}:{subject}"
