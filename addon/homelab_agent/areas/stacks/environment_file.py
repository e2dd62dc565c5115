"""The file that ${NAME} in a compose text is read from."""

import re
from collections.abc import Mapping

from homelab_agent.platform.errors import Invalid

MOST_NAMES = 500
LONGEST_VALUE = 32 * 1024

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
_STEERING = ("COMPOSE_", "DOCKER_")
"""Names that docker compose takes as orders to itself."""


def require_environment(environment: Mapping[str, str]) -> None:
    """Raise `Invalid` for names and values that cannot stand in the file."""
    if len(environment) > MOST_NAMES:
        raise Invalid(f"More than {MOST_NAMES} names are too many.", field="environment")
    for name, value in environment.items():
        field = f"environment.{name[:80]}"
        if not _NAME.fullmatch(name):
            raise Invalid(
                f"{name[:80]!r} cannot be a name in the environment.",
                field="environment",
                hint="Letters, digits and '_'; no digit first.",
            )
        if name.startswith(_STEERING):
            raise Invalid(
                f"{name} would steer docker compose itself.",
                field=field,
                hint="Leave it out: profiles are given as `profiles`.",
            )
        if "\0" in value or len(value) > LONGEST_VALUE:
            raise Invalid(
                f"The value of {name} holds a NUL or is longer than {LONGEST_VALUE}.", field=field
            )


def is_name(name: str) -> bool:
    """Return whether this can be a name in the environment of a stack."""
    return _NAME.fullmatch(name) is not None and not name.startswith(_STEERING)


def written(environment: Mapping[str, str]) -> str:
    """Return the file's content; every value is read back exactly as it is."""
    return "".join(f"{name}={_quoted(value)}\n" for name, value in environment.items())


def _quoted(value: str) -> str:
    if "'" not in value and not value.endswith("\\"):
        return f"'{value}'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return '"' + escaped.replace("\n", "\\n").replace("\r", "\\r") + '"'
