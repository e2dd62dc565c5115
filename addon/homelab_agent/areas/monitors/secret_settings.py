"""Secrets in settings: encrypted in the agent's own store, shown to nobody."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from enum import Enum

from pydantic import JsonValue, SecretStr
from yarl import URL

from homelab_agent.areas.monitors.models import MonitorSettings
from homelab_agent.platform.errors import Invalid
from homelab_agent.platform.model import Model
from homelab_agent.platform.secrets import SHORTEST_SECRET, STARS, SecretFilter

_ORDINARY_HEADERS = {"accept", "accept-encoding", "accept-language", "cache-control", "origin"} | {
    "content-type",
    "host",
    "pragma",
    "range",
    "referer",
    "user-agent",
}
"""What is said to everybody: "application/json" masked in each log would hide what logs are for."""


class SealedSecret(Model):
    """One secret of some settings, encrypted, and the way to where it belongs in them."""

    path: tuple[str, ...]
    sealed: str


def sealed_apart(
    settings: MonitorSettings, seal: Callable[[str], str]
) -> tuple[dict[str, JsonValue], tuple[SealedSecret, ...]]:
    """Return the settings for the store with stars for their secrets, and those, sealed."""
    secrets: list[SealedSecret] = []
    starred = _apart(settings.model_dump(), (), seal, secrets)
    if not isinstance(starred, dict):
        raise TypeError("settings are fields")
    return starred, tuple(secrets)


def put_together(
    settings: Mapping[str, JsonValue],
    secrets: Iterable[SealedSecret],
    open_: Callable[[str], str],
) -> dict[str, JsonValue]:
    """Return the settings of the store with their secrets."""
    whole = deepcopy(dict(settings))
    for each in secrets:
        inner: JsonValue = whole
        for name in each.path[:-1]:
            inner = inner[name] if isinstance(inner, dict) else None
        if isinstance(inner, dict):
            inner[each.path[-1]] = open_(each.sealed)
    return whole


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
        # Stars are what is left of a secret whose key was lost.
        if not isinstance(old, SecretStr) or old.get_secret_value() == STARS:
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


def _apart(
    value: object, path: tuple[str, ...], seal: Callable[[str], str], found: list[SealedSecret]
) -> JsonValue:
    match value:
        case SecretStr() if path[-1].lower() in _ORDINARY_HEADERS:
            return value.get_secret_value()
        case SecretStr():
            found.append(SealedSecret(path=path, sealed=seal(value.get_secret_value())))
            return STARS
        case Mapping():
            return {
                str(name): _apart(each, (*path, str(name)), seal, found)
                for name, each in value.items()
            }
        case list() | tuple():
            return [_apart(each, path, seal, found) for each in value]
        case Enum():
            return _apart(value.value, path, seal, found)
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
