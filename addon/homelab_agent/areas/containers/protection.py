"""Which containers must not be stopped by accident, and why."""

import re
from collections.abc import Iterable
from pathlib import Path

from homelab_agent.platform.engine.labels import label_protection
from homelab_agent.platform.engine.models import EngineContainer

_HOME_ASSISTANT_NAMES = re.compile(r"home[-_]?assistant|hassio_[a-z_]+")
_HOME_ASSISTANT_IMAGES = re.compile(
    r"(?:[\w.-]+(?::\d+)?/)?"  # a registry
    r"(?:homeassistant/(?:home-assistant|[\w-]+-homeassistant|[\w-]+-hassio-[\w-]+)"
    r"|home-assistant/[\w./-]+"
    r"|linuxserver/homeassistant)"
    r"(?:[:@].*)?"
)
_HOME_ASSISTANT = "This belongs to Home Assistant. Use Home Assistant's own system menu."
_CONTAINER_ID = re.compile(r"[0-9a-f]{64}")
_SHORT_ID = re.compile(r"[0-9a-f]{12}")
_OWN_FILES = frozenset({"/etc/hostname", "/etc/hosts", "/etc/resolv.conf"})
"""What an engine mounts into each container from that container's own folder."""


class Protection:
    """The rules of this host. `listed` are container names or keys from the settings."""

    def __init__(self, *, own_id: str | None, listed: Iterable[str]) -> None:
        self._own_id = own_id
        self._listed = frozenset(listed)

    def reason(self, container: EngineContainer, key: str) -> str | None:
        """Return why a container is protected and what would lift that; None where nothing does."""
        if self._own_id and container.id.startswith(self._own_id):
            return "This is the Homelab agent itself: it would be cut off. Use docker on the host."
        if _HOME_ASSISTANT_NAMES.fullmatch(container.name) or _is_home_assistant(container.image):
            return _HOME_ASSISTANT
        if labelled := label_protection(container.labels):
            return f"{labelled} Remove the label to allow this."
        if {container.name, key} & self._listed:
            return "The agent's setting `protect` names it. Remove it there to allow this."
        return None


def image_protection(image: str) -> str | None:
    """Return why containers of an image are protected wherever they run; None where it is not."""
    return _HOME_ASSISTANT if _is_home_assistant(image) else None


def own_container_id(process: Path = Path("/proc/self"), host_name: str = "") -> str | None:
    """Return the id (or its first 12 characters) of the container this program runs in, if any.

    Reads files: call it in a thread. `host_name` is the last resort, as Docker by default names
    a container's host by its id.
    """
    found = _from_mounts(_text(process / "mountinfo")) or _from_cgroup(_text(process / "cgroup"))
    if found:
        return found
    return host_name if _SHORT_ID.fullmatch(host_name) else None


def _is_home_assistant(image: str) -> bool:
    return _HOME_ASSISTANT_IMAGES.fullmatch(image) is not None


def _from_mounts(text: str) -> str | None:
    # A line: mount id, parent, device, root (.../containers/<id>/hostname), mount point, options.
    for line in text.splitlines():
        fields = line.split(" ")
        if len(fields) > 4 and fields[4] in _OWN_FILES:  # noqa: PLR2004 - the mount point's place
            found = _CONTAINER_ID.findall(fields[3])
            if found:
                return str(found[-1])
    return None


def _from_cgroup(text: str) -> str | None:
    # "12:memory:/docker/<id>" (version 1), "0::/system.slice/docker-<id>.scope" (version 2)
    for line in text.splitlines():
        found = _CONTAINER_ID.findall(line.rpartition(":")[2])
        if found:
            return str(found[-1])
    return None


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
