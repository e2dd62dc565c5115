"""Names of stacks, as compose takes them."""

import re

from homelab_agent.platform.errors import Invalid

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


def job_target(name: str) -> str:
    """Return what a job about a stack locks."""
    return f"stack:{name}"
