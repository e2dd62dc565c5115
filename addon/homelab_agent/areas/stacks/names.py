"""Names of stacks, as compose takes them."""

import re
from collections.abc import Iterable

from homelab_agent.platform.errors import Invalid

_PROFILE = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}")
_EVERY_PROFILE = "*"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def require_name(name: str) -> str:
    """Return the name of a stack that is to be deployed; raise `Invalid` for what is none."""
    if not _NAME.fullmatch(name):
        raise Invalid(
            f"{name[:80]!r} cannot be the name of a stack.",
            field="name",
            hint="Lower-case letters, digits, '-' and '_', at most 63; a letter or digit first.",
        )
    return name


def require_profiles(profiles: Iterable[str]) -> None:
    """Raise `Invalid` for what is no name of a profile: a program's option could look like it."""
    for number, profile in enumerate(profiles):
        if profile != _EVERY_PROFILE and not _PROFILE.fullmatch(profile):
            raise Invalid(
                f"{profile[:80]!r} cannot be the name of a profile.",
                field=f"profiles[{number}]",
                hint="Letters, digits, '-', '_' and '.'; a letter or digit first. '*' is all.",
            )


def job_target(name: str) -> str:
    """Return what a job about a stack locks."""
    return f"stack:{name}"
