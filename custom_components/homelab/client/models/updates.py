"""Newer images, and how updates, recreates and roll backs went."""

from dataclasses import dataclass, field
from datetime import datetime

from .base import EACH_BY_ITSELF, OpenEnum
from .containers import LogLine
from .jobs import Outcome


class UpdateState(OpenEnum):
    """Whether there is a newer image for a container.

    LOCAL: the image was built or imported here. PINNED: its digest is part of its name. OFF: the
    policy says not to look. UNKNOWN: `reason` says why, as when the registry does not answer.
    """

    CURRENT = "current"
    AVAILABLE = "available"
    LOCAL = "local"
    PINNED = "pinned"
    OFF = "off"
    UNKNOWN = "unknown"


class UpdatePolicy(OpenEnum):
    """What happens by itself. NOTIFY: look and tell. MANUAL: look only when asked.

    AUTOMATIC: look, tell, and update within the window. OFF: nothing.
    """

    NOTIFY = "notify"
    MANUAL = "manual"
    AUTOMATIC = "automatic"
    OFF = "off"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerUpdate:
    """Whether one container runs the newest image of what it follows. `key` is the container's.

    `image` is what it follows, `latest_image` what an update would take: the same, or a newer tag
    where a tag pattern allows one. Versions are readable where the image says one, else a short
    digest. `window` is local time of the host, "03:00-05:00", for AUTOMATIC.
    """

    key: str
    state: UpdateState
    reason: str | None = None
    policy: UpdatePolicy
    window: str | None = None
    image: str
    latest_image: str | None = None
    installed_version: str | None = None
    latest_version: str | None = None
    installed_digest: str | None = None
    latest_digest: str | None = None
    release_notes_url: str | None = None
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerUpdateList:
    """What is known of all containers, by key."""

    updates: tuple[ContainerUpdate, ...] = field(metadata=EACH_BY_ITSELF)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecreateResult:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RecreateStatus:
    """What can be rolled back and what was done last. `key` is the container's.

    `rollback_image` is None where nothing is kept to go back to.
    """

    key: str
    rollback_image: str | None = None
    rollback_version: str | None = None
    last: RecreateResult | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecreateBody:
    """`wait_s`: how long the answer may wait for the end; 0 answers at once with the job."""

    wait_s: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateBody(RecreateBody):
    """`image`: what to update to; what the container follows where None."""

    image: str | None = None
