"""The settings of a provider: what is shown of them, and what is sealed."""

from collections.abc import Callable, Mapping

from pydantic import SecretStr, TypeAdapter

from homelab_agent.areas.dns.models import ProviderSettings
from homelab_agent.platform.dns_names import uniform_name
from homelab_agent.platform.errors import Invalid
from homelab_agent.platform.model import Model
from homelab_agent.platform.secrets import STARS
from homelab_agent.platform.vault import Vault

type ShownSetting = str | int | bool | tuple[str, ...]
type Secrets = dict[str, str | dict[str, str]]

_SETTINGS: TypeAdapter[ProviderSettings] = TypeAdapter(ProviderSettings)
_ADDRESS = ("type", "url", "server", "provider")
"""Which settings say whom the secrets are sent to."""


class KeptSettings(Model):
    """Settings as they are kept: the secrets sealed, each by itself."""

    shown: dict[str, ShownSetting]
    sealed: dict[str, str | dict[str, str]]


def seal(settings: ProviderSettings, key: str, vault: Vault) -> KeptSettings:
    """Return settings as they are kept for the provider of this key."""

    def sealed(secret: str) -> str:
        return vault.seal(secret, _purpose(key))

    secrets = _secrets(settings)
    shown = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in settings.model_dump(mode="json", exclude=set(secrets)).items()
    }
    return KeptSettings(shown=shown, sealed=_mapped(secrets, sealed))


def unseal(kept: KeptSettings, key: str, vault: Vault) -> ProviderSettings:
    """Return the settings with their secrets.

    Raises:
        SecretUnreadable: the agent's key does not open them.
    """

    def opened(sealed: str) -> str:
        return vault.open(sealed, _purpose(key))

    return _SETTINGS.validate_python({**kept.shown, **_mapped(kept.sealed, opened)})


def uniform_settings(settings: ProviderSettings) -> ProviderSettings:
    """Return settings with their names as they are written here.

    Raises:
        Invalid: one is no name.
    """
    update: dict[str, object] = {}
    for field in ("zones", "domains"):
        names = getattr(settings, field, None)
        if names is not None:
            update[field] = tuple(
                dict.fromkeys(
                    uniform_name(name, field=f"settings.{field}.{number}")
                    for number, name in enumerate(names)
                )
            )
    key_name = getattr(settings, "key_name", None)
    if key_name is not None:
        update["key_name"] = uniform_name(key_name, field="settings.key_name")
    return settings.model_copy(update=update)


def with_kept_secrets(new: ProviderSettings, old: ProviderSettings | None) -> ProviderSettings:
    """Return the new settings with the old secrets where the new ones are stars.

    Raises:
        Invalid: there is no old secret to keep, or it would go to somebody else.
    """
    known = _secrets(old) if old is not None and not _goes_elsewhere(new, old) else {}
    update: dict[str, object] = {}
    for name, value in _secrets(new).items():
        kept, place = known.get(name), f"settings.{name}"
        if isinstance(value, str):
            update[name] = SecretStr(_kept(value, kept, place))
        else:
            # Any of them may say whom the others are sent to.
            others = {each: one for each, one in value.items() if one != STARS}
            those = kept if isinstance(kept, Mapping) and others.items() <= kept.items() else {}
            update[name] = {
                each: SecretStr(_kept(one, those.get(each), f"{place}.{each}"))
                for each, one in value.items()
            }
    return new.model_copy(update=update)


def _kept(new: str, old: str | Mapping[str, str] | None, field: str) -> str:
    if new != STARS:
        return new
    if not isinstance(old, str):
        raise Invalid(
            f"{field} is stars, and there is no secret to keep for this address",
            field=field,
            hint="Give the secret itself",
        )
    return old


def _goes_elsewhere(new: ProviderSettings, old: ProviderSettings) -> bool:
    # Else whoever may change an address would be sent what nobody is shown.
    trusts_anybody = getattr(old, "verify_tls", True) and not getattr(new, "verify_tls", True)
    moved = any(getattr(new, name, None) != getattr(old, name, None) for name in _ADDRESS)
    return trusts_anybody or moved


def _secrets(settings: ProviderSettings) -> Secrets:
    found: Secrets = {}
    for name, value in settings.model_dump().items():
        if isinstance(value, SecretStr):
            found[name] = value.get_secret_value()
        elif isinstance(value, Mapping):
            found[name] = {each: one.get_secret_value() for each, one in value.items()}
    return found


def _mapped(secrets: Secrets, change: Callable[[str], str]) -> Secrets:
    return {
        name: change(value)
        if isinstance(value, str)
        else {each: change(one) for each, one in value.items()}
        for name, value in secrets.items()
    }


def _purpose(key: str) -> str:
    return f"dns_provider:{key}"
