"""What compose writes on its containers: enough to know a stack without its files."""

from collections.abc import Mapping
from dataclasses import dataclass

SERVICE_STARTED = "service_started"
SERVICE_HEALTHY = "service_healthy"
SERVICE_COMPLETED = "service_completed_successfully"

SERVICE = "com.docker.compose.service"

_CONFIG_FILES = "com.docker.compose.project.config_files"
_WORKING_DIR = "com.docker.compose.project.working_dir"
_ENVIRONMENT_FILE = "com.docker.compose.project.environment_file"
_DEPENDS_ON = "com.docker.compose.depends_on"
_CONFIG_HASH = "com.docker.compose.config-hash"

_MOST_ENTRIES = 100
_LONGEST = 4096
"""Anybody may write these labels."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a container's compose project came from: paths on the machine that deployed it."""

    config_files: tuple[str, ...]
    working_dir: str | None
    environment_files: tuple[str, ...] = ()


def origin_of(labels: Mapping[str, str]) -> Origin:
    """Return where the project of a container was deployed from."""
    return Origin(
        _paths(labels.get(_CONFIG_FILES, "")),
        labels.get(_WORKING_DIR, "")[:_LONGEST] or None,
        _paths(labels.get(_ENVIRONMENT_FILE, "")),
    )


def dependencies_of(labels: Mapping[str, str]) -> dict[str, str]:
    """Return what a container's service waits for: the condition by service."""
    found: dict[str, str] = {}
    for entry in labels.get(_DEPENDS_ON, "")[:_LONGEST].split(",")[:_MOST_ENTRIES]:
        service, _, rest = entry.strip().partition(":")
        if service:
            found[service] = rest.partition(":")[0] or SERVICE_STARTED
    return found


def config_hash_of(labels: Mapping[str, str]) -> str | None:
    """Return the hash of the service as it was when the container was made."""
    return labels.get(_CONFIG_HASH) or None


def _paths(text: str) -> tuple[str, ...]:
    return tuple(each for each in text[:_LONGEST].split(",")[:_MOST_ENTRIES] if each)
