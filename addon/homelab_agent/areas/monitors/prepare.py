"""Settings as somebody gave them, before anything is watched with them."""

from homelab_agent.areas.monitors.check_settings import ContainerCheckSettings
from homelab_agent.areas.monitors.models import MonitorSettings
from homelab_agent.platform.commands import Caller, Scope
from homelab_agent.platform.errors import Denied


def prepared(body: MonitorSettings) -> MonitorSettings:
    """Return the settings alone, of a body that may hold more."""
    settings = MonitorSettings(
        **{name: getattr(body, name) for name in MonitorSettings.model_fields}
    )
    if isinstance(settings.check, ContainerCheckSettings):
        return settings.model_copy(update={"container": settings.check.container})
    return settings


def require_allowed(settings: MonitorSettings, caller: Caller) -> None:
    """Raise `Denied` for what only an admin may have asked."""
    if settings.allow_guarded and not caller.scope.includes(Scope.ADMIN):
        raise Denied(
            "Only an admin may have guarded addresses checked, like those of cloud metadata",
            field="allow_guarded",
            hint="Leave allow_guarded out, or use a token with the scope admin",
        )
