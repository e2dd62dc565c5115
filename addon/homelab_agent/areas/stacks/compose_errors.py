"""What compose says of a text it does not take, as an error with the place in the text."""

import json
import re
from collections.abc import Iterable, Sequence

from homelab_agent.platform.errors import Invalid

_PLACE = re.compile(r"\b((?:services|networks|volumes|secrets|configs)\.[\w-]+(?:\.[\w-]+)*)")
_UNKNOWN_KEY = re.compile(r"additional properties '([^']+)' not allowed")
_SERVICE = re.compile(r'service "([\w.-]+)"')
_LINE = re.compile(r"\bline (\d+)")
_FILE = re.compile(r"(?:validating |failed to parse )?/\S*/(?:compose\.yaml|\S+\.ya?ml): ?")
_LONGEST_MESSAGE = 600


def final_error(told: Sequence[str]) -> str:
    """Return what compose itself called the error, else the last line it told."""
    for line in reversed(told):
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if isinstance(said, dict) and said.get("error"):
            return str(said.get("message", ""))
    return next((line for line in reversed(told) if line.strip()), "it said nothing")


def invalid_text(message: str, secrets: Iterable[str]) -> Invalid:
    """Return the error for a text that compose refused; `secrets` do not show in it."""
    told = without(secrets, message)
    told = " ".join(_FILE.sub("", told).split())[:_LONGEST_MESSAGE]
    line = _LINE.search(told)
    return Invalid(
        f"docker compose does not take this: {told}",
        field=_field(told),
        hint="Correct the compose text; nothing was changed.",
        extra={"line": int(line[1])} if line else None,
    )


def without(secrets: Iterable[str], text: str) -> str:
    """Return the text with each secret masked."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def _field(told: str) -> str:
    place, unknown, service = (
        _PLACE.search(told),
        _UNKNOWN_KEY.search(told),
        _SERVICE.search(told),
    )
    if unknown:
        return f"{place[1]}.{unknown[1]}" if place else unknown[1]
    if place:
        return place[1]
    return f"services.{service[1]}" if service else "compose"
