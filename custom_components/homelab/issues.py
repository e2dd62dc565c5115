"""Repair issues of one agent. Each goes away by itself when its cause does."""

from typing import Final

from homeassistant.config_entries import SOURCE_HASSIO, ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .client import AgentError, AgentTooNew, AgentTooOld, EngineConnection, EngineStatus
from .const import DOMAIN

AGENT_TOO_OLD: Final = "agent_too_old"
AGENT_TOO_NEW: Final = "agent_too_new"
RIGHTS_MISSING: Final = "docker_rights_missing"
PROTECTION_MODE: Final = "protection_mode"
NO_DOCKER: Final = "docker_not_reached"

_ALL: Final = (AGENT_TOO_OLD, AGENT_TOO_NEW, RIGHTS_MISSING, PROTECTION_MODE, NO_DOCKER)


@callback
def review_connection(hass: HomeAssistant, entry: ConfigEntry, error: AgentError | None) -> None:
    """Raise or withdraw the issues about the two sides not understanding each other."""
    version = str(error.extra.get("version", "")) if error else ""
    placeholders = {"name": entry.title, "version": version}
    _set(hass, entry, AGENT_TOO_OLD, placeholders, present=isinstance(error, AgentTooOld))
    _set(hass, entry, AGENT_TOO_NEW, placeholders, present=isinstance(error, AgentTooNew))


@callback
def review_engine(hass: HomeAssistant, entry: ConfigEntry, engine: EngineStatus | None) -> None:
    """Raise or withdraw the issues about what the agent may do at its Docker."""
    rights = ", ".join(engine.missing_rights) if engine else ""
    _set(
        hass,
        entry,
        RIGHTS_MISSING,
        {"name": entry.title, "rights": rights},
        present=bool(rights),
        severity=ir.IssueSeverity.WARNING,
    )
    # An engine that was reached before is only away for a while: no case for a repair.
    never_reached = (
        engine is not None
        and engine.connection is EngineConnection.UNAVAILABLE
        and engine.version is None
    )
    reason = (engine.reason if engine else None) or ""
    is_app = entry.source == SOURCE_HASSIO
    placeholders = {"name": entry.title, "reason": reason}
    _set(hass, entry, PROTECTION_MODE, placeholders, present=never_reached and is_app)
    _set(hass, entry, NO_DOCKER, placeholders, present=never_reached and not is_app)


@callback
def withdraw_all(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Withdraw every issue of an entry that is unloaded or removed."""
    for issue in _ALL:
        ir.async_delete_issue(hass, DOMAIN, f"{issue}_{entry.entry_id}")


def _set(
    hass: HomeAssistant,
    entry: ConfigEntry,
    issue: str,
    placeholders: dict[str, str],
    *,
    present: bool,
    severity: ir.IssueSeverity = ir.IssueSeverity.ERROR,
) -> None:
    issue_id = f"{issue}_{entry.entry_id}"
    if not present:
        ir.async_delete_issue(hass, DOMAIN, issue_id)
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        is_fixable=False,
        severity=severity,
        translation_key=issue,
        translation_placeholders=placeholders,
    )
