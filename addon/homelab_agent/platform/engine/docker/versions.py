"""Which version of Docker's API to speak."""

import re

from homelab_agent.platform.errors import Unavailable

type ApiVersion = tuple[int, int]

TOO_OLD = "engine_too_old"
"""The cause that a client can tell apart from an engine that does not answer."""

NEWEST: ApiVersion = (1, 51)
"""The newest that was tested; from 1.52 on the event stream has another format."""

OLDEST: ApiVersion = (1, 41)
"""Docker 20.10, and Podman's Docker API."""

_VERSION = re.compile(r"(\d+)\.(\d+)")


def agree(newest: str, oldest: str | None) -> ApiVersion:
    """Return the version to speak with an engine that speaks `oldest` to `newest`.

    Raises `Unavailable` with a sentence when there is none.
    """
    theirs = _parse(newest)
    chosen = min(theirs, NEWEST)
    if chosen < OLDEST:
        raise Unavailable(
            f"This Docker engine is too old: it speaks API {newest}, "
            f"the agent needs {written(OLDEST)} or newer.",
            hint="Update Docker to version 20.10 or newer.",
            extra={"cause": TOO_OLD},
        )
    if oldest and _parse(oldest) > chosen:
        raise Unavailable(
            f"This Docker engine is too new: it speaks API {oldest} and newer, "
            f"the agent speaks up to {written(NEWEST)}.",
            hint="Update the agent.",
        )
    return chosen


def written(version: ApiVersion) -> str:
    """Return a version as Docker writes it."""
    return f"{version[0]}.{version[1]}"


def _parse(text: str) -> ApiVersion:
    found = _VERSION.fullmatch(text)
    if not found:
        raise Unavailable(f"The Docker engine names its API version {text[:40]!r}: not a version.")
    return int(found[1]), int(found[2])
