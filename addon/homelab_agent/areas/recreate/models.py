"""Updating, recreating and rolling back containers, as the API and the stream show it."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from homelab_agent.platform.commands import Outcome
from homelab_agent.platform.engine.models import LogLine
from homelab_agent.platform.model import Model

RECREATE_KIND = "container_recreate"

NEW_SUFFIX = "-homelab-new"
OLD_SUFFIX = "-homelab-old"
"""What the two containers are called of which one is to replace the other."""


def lasting_name(name: str) -> str:
    """Return what a container is called when it is not just replacing or being replaced."""
    return name.removesuffix(NEW_SUFFIX).removesuffix(OLD_SUFFIX)


class RecreateAction(StrEnum):
    """Why a container is made anew. ROLLBACK: from the image that was kept."""

    UPDATE = "update"
    RECREATE = "recreate"
    ROLLBACK = "rollback"


class RecreateTarget(Model):
    """One container to be made anew. `key` outlives that, `container_id` does not.

    `image` is what it is made from; its own where None. `image_id`: which image is to be behind
    that name first. `uses` are keys of targets before this one, which it cannot be without;
    where `only_with_them`, it is made anew because they are, and has no reason of its own.
    """

    key: str
    name: str
    container_id: str
    action: RecreateAction
    image: str | None = None
    image_id: str | None = None
    uses: tuple[str, ...] = ()
    only_with_them: bool = False


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
