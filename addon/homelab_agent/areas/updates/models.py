"""What is known of newer images, as the API and the stream show it."""

from datetime import datetime
from enum import StrEnum

from homelab_agent.platform.model import Model

CONTAINER_UPDATE_KIND = "container_update"


class UpdateState(StrEnum):
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


class UpdatePolicy(StrEnum):
    """What happens by itself. NOTIFY: look and tell. MANUAL: look only when asked.

    AUTOMATIC: look, tell, and update within the window. OFF: nothing.
    """

    NOTIFY = "notify"
    MANUAL = "manual"
    AUTOMATIC = "automatic"
    OFF = "off"


class ContainerUpdate(Model):
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


class ContainerUpdateList(Model):
    """What is known of all containers, by key."""

    updates: tuple[ContainerUpdate, ...]
