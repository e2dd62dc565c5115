"""Secrets in settings: kept as they are in the agent's own store, shown to nobody."""

from collections.abc import Iterator, Mapping
from enum import Enum

from pydantic import JsonValue, SecretStr
from yarl import URL

from homelab_agent.areas.monitors.models import MonitorSettings
from homelab_agent.platform.errors import Invalid
from homelab_agent.platform.secrets import SHORTEST_SECRET, SecretFilter

STARS = "*" * 10
"""How a secret is shown; given like this in an update it stays as it is."""

_ORDINARY_HEADERS = {"accept", "accept-encoding", "accept-language", "cache-control", "origin"} | {
    "content-type",
    "host",
    "pragma",
    "range",
    "referer",
    "user-agent",
}
"""What is said to everybody: "application/json" masked in each log would hide what logs are for."""


def revealed(settings: MonitorSettings) -> dict[str, JsonValue]:
    """Return the settings with their secrets, for the store alone."""
    found = _revealed(settings.model_dump())
    if not isinstance(found, dict):
        raise TypeError("settings are fields")
    return found


def with_kept_secrets(new: MonitorSettings, old: MonitorSettings) -> MonitorSettings:
    """Return the new settings with the old secrets where the new ones are stars.

    Raises:
        Invalid: there is no old secret to keep, or it would go to somebody else.
    """
    check, known = new.check.model_dump(), old.check.model_dump()
    trusts_anybody = known.get("verify_tls") and not check.get("verify_tls")
    if trusts_anybody or _origin(check) != _origin(known):
        # Else whoever may change an address would be sent what nobody is shown.
        known = {}
    kept = {name: _kept(value, known.get(name), name) for name, value in check.items()}
    return new.model_copy(update={"check": new.check.model_copy(update=kept)})


def refuse_stars(settings: MonitorSettings) -> None:
    """Raise `Invalid` where a secret is stars: a new monitor has none to keep."""
    for name, value in settings.check.model_dump().items():
        _kept(value, None, name)


def hide(settings: MonitorSettings, secrets: SecretFilter) -> None:
    """Have the secrets masked wherever they would be written."""
    for secret in _secrets(settings.model_dump()):
        if len(secret) >= SHORTEST_SECRET:
            secrets.add(secret)


def _kept(new: object, old: object, field: str) -> object:
    if isinstance(new, Mapping):
        known = old if isinstance(old, Mapping) else {}
        return {
            name: _kept(value, known.get(name), f"{field}.{name}") for name, value in new.items()
        }
    if isinstance(new, SecretStr) and new.get_secret_value() == STARS:
        if not isinstance(old, SecretStr):
            raise Invalid(
                f"check.{field} is stars, and there is no secret to keep for this address",
                field=f"check.{field}",
                hint="Give the secret itself",
            )
        return old
    return new


def _origin(check: Mapping[str, object]) -> tuple[str, ...]:
    """Return whom a check talks to."""
    address = check.get("url")
    if isinstance(address, str):
        return (str(URL(address).origin()),)
    return tuple(str(check.get(name)) for name in ("type", "host", "port"))


def _revealed(value: object) -> JsonValue:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case Mapping():
            return {str(name): _revealed(each) for name, each in value.items()}
        case list() | tuple():
            return [_revealed(each) for each in value]
        case Enum():
            return _revealed(value.value)
        case None | bool() | int() | float() | str():
            return value
        case _:
            raise TypeError(f"settings hold a {type(value).__name__}")


def _secrets(value: object) -> Iterator[str]:
    match value:
        case SecretStr():
            yield value.get_secret_value()
        case Mapping():
            for name, each in value.items():
                if str(name).lower() not in _ORDINARY_HEADERS:
                    yield from _secrets(each)
        case list() | tuple():
            for each in value:
                yield from _secrets(each)
