"""The forms for providers of DNS: what each kind is asked for, and what becomes of the answers."""

from collections.abc import Mapping, Sequence
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
CONF_OPTIONS: Final = "options"
CONF_WITHOUT_ANSWER: Final = "without_answer"
_NAME: Final = "name"

_LIST: Final = TextSelector(TextSelectorConfig(multiple=True))
_URL: Final = TextSelector(TextSelectorConfig(type=TextSelectorType.URL))
_SECRET: Final = TextSelector(
    TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off")
)
_SECRETS: Final = TextSelector(
    TextSelectorConfig(multiple=True, type=TextSelectorType.PASSWORD, autocomplete="off")
)
_ALGORITHMS: Final = SelectSelector(
    SelectSelectorConfig(
        options=["hmac-sha256", "hmac-sha384", "hmac-sha512", "hmac-sha224", "hmac-sha1"],
        mode=SelectSelectorMode.DROPDOWN,
    )
)


class Mistake(Exception):  # it is a person's, and told where it was made
    """Something in a form that the agent cannot be told. `key` is that of the text about it."""

    def __init__(self, field: str, key: str) -> None:
        super().__init__(key)
        self.field = field
        self.key = key


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
        Field(name=CONF_OPTIONS, selector=_SECRETS, secret=True, required=False),
    ),
}
"""What is asked for, by the kind of provider."""

_FRAME: Final = (
    Field(name=_NAME),
    Field(name=CONF_NAME_SERVERS, selector=_LIST, required=False),
)


def schema_of(
    kind: ProviderType, *, changing: bool = False, without_answer: bool = False
) -> vol.Schema:
    """Return the form of a kind. A secret that is not given anew in a change stays.

    `without_answer`: it can be said that the provider is to be kept though it does not answer.
    """
    form: dict[Any, Any] = {}
    for line in (_FRAME[0], *FORMS[kind], _FRAME[1]):
        asked = line.required and not (changing and line.secret)
        default = vol.UNDEFINED if line.usual is None or changing else line.usual
        marker = vol.Required if asked else vol.Optional
        form[marker(line.name, default=default)] = line.selector
    if without_answer:
        form[vol.Optional(CONF_WITHOUT_ANSWER, default=False)] = BooleanSelector()
    return vol.Schema(form)


def shown_of(provider: DnsProvider) -> dict[str, Any]:
    """Return what a form shows of a provider."""
    settings = {name: _plain(value) for name, value in provider.settings.items()}
    return {
        **settings,
        _NAME: provider.name,
        CONF_NAME_SERVERS: list(provider.name_servers),
    }


def settings_of(kind: ProviderType, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that a form stands for.

    Raises:
        Mistake: an option of lexicon is no `name=value`.
    """
    settings: dict[str, Any] = {"type": kind.value}
    for line in FORMS[kind]:
        value = given.get(line.name)
        if line.name == CONF_OPTIONS:
            settings[line.name] = _pairs(value or ())
        elif value:
            settings[line.name] = value.strip() if isinstance(value, str) else value
        elif line.secret:
            settings[line.name] = STARS
        else:
            settings[line.name] = value
    return settings


def changed_settings_of(
    kind: ProviderType, given: Mapping[str, Any], known: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Return the settings that a form stands for, with those that no form shows; None: they stay.

    Raises:
        Mistake: something cannot be changed without its options, which nobody can read again.
    """
    settings = {**known, **settings_of(kind, given)}
    secrets = {line.name for line in FORMS[kind] if line.secret}
    if any(given.get(name) for name in secrets):
        return settings
    shown = {name: _plain(value) for name, value in settings.items() if name not in secrets}
    if shown == {**{name: _plain(value) for name, value in known.items()}, "type": kind.value}:
        return None
    if CONF_OPTIONS in secrets:
        raise Mistake(CONF_OPTIONS, "options_again")
    return settings


def field_of(error: AgentError, kind: ProviderType) -> str:
    """Return the line of the form that an error is about; "base" where it is none."""
    named = (error.field or "").split(".")
    names = {line.name for line in (*_FRAME, *FORMS[kind])}
    return next((part for part in reversed(named) if part in names), "base")


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple | list) else value


def _pairs(lines: Sequence[str]) -> dict[str, str]:
    pairs = [line.partition("=") for line in lines]
    if not all(name.strip() and equals for name, equals, _ in pairs):
        raise Mistake(CONF_OPTIONS, "no_option")
    return {name.strip(): value for name, _, value in pairs}
