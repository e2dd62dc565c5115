"""Which values of Caddy's configuration are secrets; how it is shown and journaled without them."""

from collections.abc import Callable, Mapping

from pydantic import JsonValue
from pydantic_core import from_json, to_json

from homelab_agent.areas.proxy.header_secrets import is_secret
from homelab_agent.areas.proxy.json_tree import as_texts
from homelab_agent.areas.proxy.kept import Parts
from homelab_agent.platform.secrets import MASK
from homelab_agent.platform.vault import Vault

type _ChangeText = Callable[[str], str]

_PURPOSE = "proxy configuration"


class SecretValues:
    """Makes text of parts that may be journaled, and parts of that text again."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def conceal(self, parts: Parts) -> str:
        """Return parts as JSON, each of its secrets sealed."""
        plain: JsonValue = parts.model_dump(mode="json")
        sealed = with_secrets(plain, lambda secret: self._vault.seal(secret, _PURPOSE))
        return to_json(sealed).decode()

    def reveal(self, text: str) -> Parts:
        """Return the parts that `conceal` was given; `SecretUnreadable` with another key."""
        sealed: JsonValue = from_json(text)
        plain = with_secrets(sealed, lambda each: self._vault.open(each, _PURPOSE))
        return Parts.model_validate(plain)


def secret_keys(value: Mapping[str, JsonValue]) -> frozenset[str]:
    """Return under which keys of an object secrets are: a hash, or the values of a header."""
    found = {key for key, each in value.items() if _is_header(key, each)}
    if "username" in value and isinstance(value.get("password"), str):
        found.add("password")
    return frozenset(found)


def with_secrets(value: JsonValue, change: _ChangeText) -> JsonValue:
    """Return a piece of configuration with each secret changed."""
    if isinstance(value, list):
        return [with_secrets(each, change) for each in value]
    if not isinstance(value, dict):
        return value
    secret = secret_keys(value)
    return {
        key: _changed(each, change) if key in secret else with_secrets(each, change)
        for key, each in value.items()
    }


def masked(value: JsonValue) -> JsonValue:
    """Return a piece of configuration that may be shown."""
    return with_secrets(value, lambda _: MASK)


def _is_header(name: str, value: JsonValue) -> bool:
    return isinstance(value, list) and any(is_secret(name, each) for each in as_texts(value))


def _changed(value: JsonValue, change: _ChangeText) -> JsonValue:
    if isinstance(value, list):
        return [change(each) if isinstance(each, str) else each for each in value]
    return change(value) if isinstance(value, str) else value
