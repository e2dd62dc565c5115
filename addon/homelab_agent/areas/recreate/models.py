"""Updating, recreating and rolling back containers, as the API and the stream show it."""

from datetime import datetime

from pydantic import Field

from homelab_agent.platform.commands import Outcome
from homelab_agent.platform.engine.models import LogLine
from homelab_agent.platform.model import Model

RECREATE_KIND = "container_recreate"


class RecreateResult(Model):
    """How the last update, recreate or roll back of a container went.

    UNDONE: the old container was put back and runs as before; `reason` says why, and `log` holds
    the last lines of the container that did not make it.
    """

    action: str
    outcome: Outcome
    at: datetime
    from_image: str
    to_image: str
    from_version: str | None = None
    to_version: str | None = None
    reason: str | None = None
    log: tuple[LogLine, ...] = ()


class RecreateStatus(Model):
    """What can be rolled back and what was done last. `key` is the container's.

    `rollback_image` is None where nothing is kept to go back to.
    """

    key: str
    rollback_image: str | None = None
    rollback_version: str | None = None
    last: RecreateResult | None = None


class RecreateBody(Model):
    """`wait_s`: how long the answer may wait for the end; 0 answers at once with the job."""

    wait_s: float = Field(default=0, ge=0, le=300)


class UpdateBody(RecreateBody):
    """`image`: what to update to; what the container follows where None."""

    image: str | None = Field(default=None, min_length=1, max_length=512)
