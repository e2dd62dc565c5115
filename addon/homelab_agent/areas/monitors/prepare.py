"""Settings as somebody gave them, before anything is watched with them."""

from urllib.parse import urlsplit

from homelab_agent.areas.monitors.check_settings import (
    ContainerCheckSettings,
    HomeAssistantCheckSettings,
    HttpCheckSettings,
    PlexCheckSettings,
)
from homelab_agent.areas.monitors.models import MonitorSettings
from homelab_agent.platform.commands import Caller, Scope
from homelab_agent.platform.errors import Denied, Invalid


def prepared(body: MonitorSettings) -> MonitorSettings:
    """Return the settings alone, of a body that may hold more.

    Raises:
        Invalid: an address cannot be one, or holds a password.
    """
    settings = MonitorSettings(
        **{name: getattr(body, name) for name in MonitorSettings.model_fields}
    )
    check = settings.check
    if isinstance(check, HttpCheckSettings | PlexCheckSettings | HomeAssistantCheckSettings):
        _require_plain(check.url)
    if isinstance(check, ContainerCheckSettings):
        return settings.model_copy(update={"container": check.container})
    return settings


def require_allowed(settings: MonitorSettings, caller: Caller) -> None:
    """Raise `Denied` for what only an admin may have asked."""
    if settings.allow_guarded and not caller.scope.includes(Scope.ADMIN):
        raise Denied(
            "Only an admin may have guarded addresses checked, like those of cloud metadata",
            field="allow_guarded",
            hint="Leave allow_guarded out, or use a token with the scope admin",
        )


def _require_plain(url: str) -> None:
    """Refuse what is shown to everybody who may read and holds a password."""
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise Invalid(
            "check.url is no address", field="check.url", hint="As in http://192.0.2.10:8080/"
        )
    if parts.username is not None or parts.password is not None:
        raise Invalid(
            "check.url holds a user or a password, and addresses are shown",
            field="check.url",
            hint="Send it as the header Authorization: headers are never shown",
        )
