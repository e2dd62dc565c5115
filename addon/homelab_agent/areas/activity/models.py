"""Pages of what happened."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

from homelab_agent.platform.audit import ActivityEntry
from homelab_agent.platform.commands import Outcome
from homelab_agent.platform.model import Model

MAX_PAGE_ENTRIES = 500

type Moment = Annotated[
    AwareDatetime, Field(ge=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(9999, 1, 1, tzinfo=UTC))
]
"""A time that can be told in every zone."""


class ActivityQuery(Model):
    """Which entries to list, the newest first; all where nothing is given.

    `before` is the id below which to go on. `text` is looked for in callers, actions, targets
    and messages.
    """

    before: int | None = Field(default=None, ge=1, le=2**63 - 1)
    limit: int = Field(default=100, ge=1, le=MAX_PAGE_ENTRIES)
    text: str | None = Field(default=None, min_length=1, max_length=200)
    caller: str | None = Field(default=None, max_length=200)
    action: str | None = Field(default=None, max_length=200)
    target: str | None = Field(default=None, max_length=300)
    outcome: Outcome | None = None
    since: Moment | None = None
    until: Moment | None = None


class ActivityPage(Model):
    """Entries, the newest first. `next_before`: the `before` of the next page, None at the end."""

    entries: tuple[ActivityEntry, ...]
    next_before: int | None
