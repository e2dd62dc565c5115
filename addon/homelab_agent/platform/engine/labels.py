"""Labels of containers and other objects that more than one area goes by."""

from collections.abc import Mapping

COMPOSE_PROJECT = "com.docker.compose.project"
PROTECT = "homelab.protect"

_TRUE = frozenset({"true", "1", "yes", "on"})


def label_protection(labels: Mapping[str, str]) -> str | None:
    """Return in a sentence that labels protect what has them; None where they do not."""
    is_protected = labels.get(PROTECT, "").lower() in _TRUE
    return f"Its label {PROTECT}=true protects it." if is_protected else None
