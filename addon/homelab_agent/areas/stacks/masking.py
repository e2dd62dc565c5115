"""A normalised compose model as text that may be shown: without secrets."""

import re
from collections.abc import Iterable, Mapping

import yaml

from homelab_agent.areas.stacks.compose_errors import without
from homelab_agent.platform.secrets import MASK

_SECRET_NAME = re.compile(
    r"(?i)pass|pwd|secret|token|key|credential|auth|private|salt|dsn|cookie|cert"
)
_PASSWORD_IN_URL = re.compile(r"(?<=://)[^\s/@:]*:[^\s/@]+(?=@)")
_PASSWORD_OPTION = re.compile(r"(?i)\b(password|pass|credentials)=[^,\s]+")
_SHORTEST_SECRET = 4
"""Anything shorter is found in innocent words too; under a secret name it is masked anyway."""


def secret_values(environment: Mapping[str, str]) -> frozenset[str]:
    """Return the values that look secret by their names, as far as they can be told in a text."""
    return frozenset(
        value
        for name, value in environment.items()
        if _SECRET_NAME.search(name) and len(value) >= _SHORTEST_SECRET
    )


def secrets_of(model: Mapping[str, object], environment: Mapping[str, str]) -> frozenset[str]:
    """Return every secret value of a model: of ${...} in it, and of its services' environment."""
    found = set(secret_values(environment))
    services = model.get("services")
    for service in services.values() if isinstance(services, dict) else ():
        own = service.get("environment") if isinstance(service, dict) else None
        if isinstance(own, dict):
            found |= secret_values({name: str(value) for name, value in own.items()})
    return frozenset(found)


def shown(model: Mapping[str, object], environment: Mapping[str, str]) -> str:
    """Return the model as sorted YAML with its secrets masked."""
    masked = _masked(model, secrets_of(model, environment))
    return yaml.safe_dump(masked, sort_keys=True, width=1000, allow_unicode=True)


def _masked(value: object, secrets: Iterable[str]) -> object:
    if isinstance(value, dict):
        return {key: _entry(str(key), each, secrets) for key, each in value.items()}
    if isinstance(value, list):
        return [_masked(each, secrets) for each in value]
    if isinstance(value, str):
        text = _PASSWORD_IN_URL.sub(MASK, without(secrets, value))
        return _PASSWORD_OPTION.sub(rf"\1={MASK}", text)
    return value


def _entry(key: str, value: object, secrets: Iterable[str]) -> object:
    if isinstance(value, dict) and key == "environment":
        return {
            name: MASK if _SECRET_NAME.search(str(name)) and each else _masked(each, secrets)
            for name, each in value.items()
        }
    if isinstance(value, dict) and key in ("secrets", "configs"):
        return {
            name: {
                part: MASK if part == "content" else _masked(each, secrets)
                for part, each in source.items()
            }
            if isinstance(source, dict)
            else source
            for name, source in value.items()
        }
    return _masked(value, secrets)
