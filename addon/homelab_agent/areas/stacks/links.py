"""Where a path of the machine leads, links followed as Docker follows them. Reads files."""

import os
from pathlib import Path

_MOST_LINKS = 40
"""As many as the kernel follows."""


def followed(path: Path, machine: Path) -> Path:
    """Return where `path` leads on the machine whose `/` is seen at `machine`.

    What is not there yet leads to itself. Links that go round in circles lead nowhere: what is
    returned then still has one of them in it.
    """
    left = list(reversed(Path(os.path.normpath(path)).parts[1:]))
    place, links = Path("/"), 0
    while left:
        part = left.pop()
        if part == "..":
            place = place.parent
            continue
        try:
            target = Path((machine / (place / part).relative_to("/")).readlink())
        except OSError:  # no link, or nothing there
            place /= part
            continue
        links += 1
        if links > _MOST_LINKS:
            return place / part
        if target.is_absolute():
            place = Path("/")
        left += reversed([each for each in target.parts if each != "/"])
    return place
