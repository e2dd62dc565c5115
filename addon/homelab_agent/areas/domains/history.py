"""Lines of the histories of domains: who did what, how it was before and after, how it ended."""

import json
from datetime import datetime

from pydantic import JsonValue

from homelab_agent.areas.domains.models import DomainEventType, DomainSettings, KeptDomain
from homelab_agent.platform.commands import Outcome
from homelab_agent.platform.model import Model

LONGEST_MESSAGE = 2000
LONGEST_STEP = 64
LONGEST_SIDE = 16_384
"""Characters of how it was before, or after: what is longer is only told of. There are many lines,
and one domain's texts may be a megabyte."""


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


def shortened(side: JsonValue) -> JsonValue:
    """Return how it was before or after, or that it is too long to be kept here."""
    length = len(json.dumps(side))
    if length <= LONGEST_SIDE:
        return side
    return {"omitted": f"It is too long to be kept in a history: {length} characters."}


def as_written(kept: KeptDomain | None) -> JsonValue:
    """Return what was wanted of a domain, as a line of history has it."""
    return None if kept is None else settings_as_written(kept.settings)


def settings_as_written(settings: DomainSettings) -> JsonValue:
    """Return settings as a line of history has them: without what was not set."""
    return settings.model_dump(mode="json", exclude_none=True)
