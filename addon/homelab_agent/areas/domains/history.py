"""Lines of the histories of domains: who did what, how it was before and after, how it ended."""

from datetime import datetime

from pydantic import JsonValue

from homelab_agent.areas.domains.models import DomainEventType, DomainSettings, KeptDomain
from homelab_agent.platform.commands import Outcome
from homelab_agent.platform.model import Model

LONGEST_MESSAGE = 2000
LONGEST_STEP = 64


class Line(Model):
    """One line before it has its number. Nothing secret may be in it."""

    domain: str
    at: datetime
    caller: str
    type: DomainEventType
    step: str | None = None
    outcome: Outcome | None = None
    message: str | None = None
    before: JsonValue = None
    after: JsonValue = None
    job_id: str | None = None


def as_written(kept: KeptDomain | None) -> JsonValue:
    """Return what was wanted of a domain, as a line of history has it."""
    return None if kept is None else settings_as_written(kept.settings)


def settings_as_written(settings: DomainSettings) -> JsonValue:
    """Return settings as a line of history has them: without what was not set."""
    return settings.model_dump(mode="json", exclude_none=True)
