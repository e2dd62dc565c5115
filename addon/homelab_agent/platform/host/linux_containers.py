"""Which container a process runs in, by its control group."""

import re
from dataclasses import dataclass

from homelab_agent.platform.host.paths import HostPaths

_CONTAINER_ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class OwnGroup:
    """The agent's own control group as it sees it, and its container's id where it is in one.

    In a namespace of its own, as containers have it with cgroup v2, a container's group is "/" to
    all that is in it: there the id of the others is told, and its own is not.
    """

    text: str | None
    container_id: str | None

    def container_of(self, group: str) -> str | None:
        """Return the full id of the container that a control group, as text, belongs to."""
        found = _CONTAINER_ID.search(group)
        if found is not None:
            return found[0]
        return self.container_id if group == self.text else None


def own_group(paths: HostPaths) -> OwnGroup:
    """Return the agent's own. Reads a file."""
    try:
        text = (paths.proc / "self/cgroup").read_text(errors="replace")
    except OSError:
        text = None
    is_full = paths.own_id is not None and _CONTAINER_ID.fullmatch(paths.own_id)
    return OwnGroup(text, paths.own_id if is_full else None)
