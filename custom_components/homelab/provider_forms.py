"""The forms for providers of DNS: what each kind is asked for, and what becomes of the answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import voluptuous as vol
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from .client import AgentError
from .client.models import DnsProvider, ProviderType

STARS: Final = "*" * 10
"""What the agent takes for "as it is"; it shows no secret that it has."""

CONF_NAME_SERVERS: Final = "name_servers"
_NAME: Final = "name"

_LIST: Final = TextSelector(TextSelectorConfig(multiple=True))
_URL: Final = TextSelector(TextSelectorConfig(type=TextSelectorType.URL))
_SECRET: Final = TextSelector(
    TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off")
)
_PAIRS: Final = TextSelector(
    TextSelectorConfig(multiple=True, type=TextSelectorType.PASSWORD, autocomplete="off")
)
_ALGORITHMS: Final = SelectSelector(
    SelectSelectorConfig(
        options=["hmac-sha256", "hmac-sha384", "hmac-sha512", "hmac-sha224", "hmac-sha1"],
        mode=SelectSelectorMode.DROPDOWN,
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One line of a form. `usual` is what is filled in for a new provider."""

    name: str
    selector: Any = field(default_factory=TextSelector)
    required: bool = True
    secret: bool = False
    usual: Any = None


_ZONES: Final = Field(name="zones", selector=_LIST)
_TOKEN: Final = Field(name="token", selector=_SECRET, secret=True)

FORMS: Final[Mapping[ProviderType, tuple[Field, ...]]] = {
    ProviderType.CLOUDFLARE: (Field(name="api_token", selector=_SECRET, secret=True),),
    ProviderType.DESEC: (_TOKEN,),
    ProviderType.DUCKDNS: (Field(name="domains", selector=_LIST), _TOKEN),
    ProviderType.POWERDNS: (
        Field(name="url", selector=_URL),
        Field(name="api_key", selector=_SECRET, secret=True),
        Field(name="server_id", usual="localhost"),
        Field(name="verify_tls", selector=BooleanSelector(), usual=True),
    ),
    ProviderType.RFC2136: (
        Field(name="server"),
        _ZONES,
        Field(name="key_name"),
        Field(name="key_algorithm", selector=_ALGORITHMS, usual="hmac-sha256"),
        Field(name="key_secret", selector=_SECRET, secret=True),
    ),
    ProviderType.ZONEEDIT: (_ZONES, Field(name="user"), _TOKEN),
    ProviderType.LEXICON: (
        Field(name="provider"),
        _ZONES,
        Field(name="options", selector=_PAIRS, secret=True, required=False),
    ),
}
"""What is asked for, by the kind of provider."""

_FRAME: Final = (
    Field(name=_NAME),
    Field(name=CONF_NAME_SERVERS, selector=_LIST, required=False),
)


def schema_of(kind: ProviderType, *, changing: bool = False) -> vol.Schema:
    """Return the form of a kind. A secret that is not given anew in a change stays."""
    form: dict[Any, Any] = {}
    for line in (_FRAME[0], *FORMS[kind], _FRAME[1]):
        asked = line.required and not (changing and line.secret)
        default = vol.UNDEFINED if line.usual is None or changing else line.usual
        marker = vol.Required if asked else vol.Optional
        form[marker(line.name, default=default)] = line.selector
    return vol.Schema(form)


def shown_of(provider: DnsProvider) -> dict[str, Any]:
    """Return what a form shows of a provider."""
    settings = {
        name: list(value) if isinstance(value, tuple | list) else value
        for name, value in provider.settings.items()
    }
    return {
        **settings,
        _NAME: provider.name,
        CONF_NAME_SERVERS: list(provider.name_servers),
    }


def settings_of(
    kind: ProviderType, given: Mapping[str, Any], known: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the settings that a form stands for; `known` are those that no form shows.

    Raises:
        ValueError: an option of lexicon is no `name=value`.
    """
    settings: dict[str, Any] = {**(known or {}), "type": kind.value}
    for line in FORMS[kind]:
        value = given.get(line.name)
        if line.name == "options":
            settings[line.name] = _pairs(value or ())
        elif value is not None:
            settings[line.name] = value.strip() if isinstance(value, str) else value
        elif line.secret:
            settings[line.name] = STARS
    return settings


def field_of(error: AgentError, kind: ProviderType) -> str:
    """Return the line of the form that an error is about; "base" where it is none."""
    named = (error.field or "").split(".")
    names = {line.name for line in (*_FRAME, *FORMS[kind])}
    return next((part for part in reversed(named) if part in names), "base")


def _pairs(lines: tuple[str, ...] | list[str]) -> dict[str, str]:
    pairs = [line.partition("=") for line in lines]
    if not all(name.strip() and equals for name, equals, _ in pairs):
        raise ValueError("an option is name=value")
    return {name.strip(): value for name, _, value in pairs}
