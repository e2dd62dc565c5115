"""Labels as they are sent: bounded, as whoever starts a container may write anything there."""

from collections.abc import Mapping

LONGEST_VALUE = 4096
LONGEST_NAME = 512
MOST_CHARS = 64 * 1024
CUT_MARK = "…"

_FIRST = ("homelab.", "com.docker.compose.")
"""What somebody here may act on; the others go first where there is too much."""


def bounded(labels: Mapping[str, str]) -> dict[str, str]:
    """Return the labels, long values cut with a mark, and only as many as there is room for."""
    kept: dict[str, str] = {}
    room = MOST_CHARS
    for name in sorted(labels, key=lambda name: (not name.startswith(_FIRST), name)):
        value = labels[name]
        if len(value) > LONGEST_VALUE:
            value = value[:LONGEST_VALUE] + CUT_MARK
        room -= len(name) + len(value)
        if len(name) <= LONGEST_NAME and room >= 0:
            kept[name] = value
    return {name: kept[name] for name in labels if name in kept}
