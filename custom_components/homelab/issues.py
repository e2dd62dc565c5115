"""Repair issues of one agent. Each goes away by itself when its cause does."""

from typing import Final

from homeassistant.config_entries import SOURCE_HASSIO, ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .client import (
    AcmeAccount,
    AgentError,
    AgentTooNew,
    AgentTooOld,
    EngineConnection,
    EngineStatus,
    ProxyReach,
    ProxyStatus,
)
from .const import DOMAIN

AGENT_TOO_OLD: Final = "agent_too_old"
AGENT_TOO_NEW: Final = "agent_too_new"
RIGHTS_MISSING: Final = "docker_rights_missing"
PROTECTION_MODE: Final = "protection_mode"
NO_DOCKER: Final = "docker_not_reached"
DOCKER_TOO_OLD: Final = "docker_too_old"

RESTART_LOOP: Final = "restart_loop"
UNHEALTHY: Final = "container_unhealthy"
ROLLED_BACK: Final = "update_rolled_back"
OF_CONTAINERS: Final = (RESTART_LOOP, UNHEALTHY, ROLLED_BACK)

DISK_FILLING: Final = "disk_filling"
DISK_FULL: Final = "disk_full"
DISK_FAILING: Final = "disk_failing"
FILESYSTEM_LOST: Final = "filesystem_lost"
FILESYSTEM_READ_ONLY: Final = "filesystem_read_only"
CLOCK_WRONG: Final = "clock_wrong"
OF_MACHINES: Final = (
    DISK_FILLING,
    DISK_FULL,
    DISK_FAILING,
    FILESYSTEM_LOST,
    FILESYSTEM_READ_ONLY,
    CLOCK_WRONG,
)

CERTIFICATE_EXPIRING: Final = "certificate_expiring"
CERTIFICATE_EXPIRED: Final = "certificate_expired"
CERTIFICATE_PROBLEM: Final = "certificate_problem"
OF_CERTIFICATES: Final = (CERTIFICATE_EXPIRING, CERTIFICATE_EXPIRED, CERTIFICATE_PROBLEM)

PROVIDER_REFUSED: Final = "provider_refused"
SECRET_UNREADABLE: Final = "secret_unreadable"  # noqa: S105 - the name of an issue
RENEWAL_FAILED: Final = "renewal_failed"
ROUTE_LOST: Final = "route_lost"
OF_DOMAINS: Final = (PROVIDER_REFUSED, SECRET_UNREADABLE, RENEWAL_FAILED, ROUTE_LOST)

ACME_TERMS: Final = "acme_terms"
PROXY_FORGETS: Final = "proxy_forgets"

OF_THINGS: Final = (*OF_CONTAINERS, *OF_MACHINES, *OF_CERTIFICATES, *OF_DOMAINS)
"""Of these there can be many; above a number one that counts them stands for all."""

_NAMED: Final = 10
"""So many are named where one issue stands for hundreds."""
_MANY: Final = {issue: f"{issue}_many" for issue in OF_THINGS}
_FIXABLE: Final = frozenset({*OF_CONTAINERS, DISK_FILLING, DISK_FULL, *OF_DOMAINS})
_SEVERE: Final = frozenset({DISK_FULL, DISK_FAILING, FILESYSTEM_LOST, CERTIFICATE_EXPIRED})
_RECHECKED: Final = frozenset({RIGHTS_MISSING, PROTECTION_MODE, NO_DOCKER, DOCKER_TOO_OLD})
_ALL: Final = (
    AGENT_TOO_OLD,
    AGENT_TOO_NEW,
    RIGHTS_MISSING,
    PROTECTION_MODE,
    NO_DOCKER,
    DOCKER_TOO_OLD,
    ACME_TERMS,
    PROXY_FORGETS,
    *OF_THINGS,
    *_MANY.values(),
)

_ENGINE_TOO_OLD: Final = "engine_too_old"
_DOCS: Final = "https://github.com/homelab-ha/homelab/blob/main/docs"
_LEARN_MORE: Final = {
    RIGHTS_MISSING: f"{_DOCS}/INSTALL.md#rights-behind-a-proxy",
    NO_DOCKER: f"{_DOCS}/TROUBLESHOOTING.md#docker-cannot-be-reached",
    PROXY_FORGETS: f"{_DOCS}/DOMAINS.md#reverse-proxy",
    DOCKER_TOO_OLD: "https://docs.docker.com/engine/install/",
}


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
    away = engine is not None and engine.connection is EngineConnection.UNAVAILABLE
    too_old = away and engine is not None and engine.reason_code == _ENGINE_TOO_OLD
    # An engine that was reached before is only away for a while: no case for a repair.
    never_reached = away and engine is not None and engine.version is None and not too_old
    is_app = entry.source == SOURCE_HASSIO
    placeholders = {"name": entry.title, "reason": (engine.reason if engine else None) or ""}
    _set(hass, entry, DOCKER_TOO_OLD, placeholders, present=too_old)
    _set(hass, entry, PROTECTION_MODE, placeholders, present=never_reached and is_app)
    _set(hass, entry, NO_DOCKER, placeholders, present=never_reached and not is_app)


@callback
def review_proxy(hass: HomeAssistant, entry: ConfigEntry, proxy: ProxyStatus | None) -> None:
    """Raise or withdraw the issue about a proxy that forgets what it was told."""
    if proxy and proxy.survives_restart is None and proxy.reach is not ProxyReach.OK:
        return  # not looked at yet, as after a restart of the agent
    present = proxy is not None and proxy.survives_restart is False
    warning = (proxy.warning if proxy else None) or ""
    _set(
        hass,
        entry,
        PROXY_FORGETS,
        {"name": entry.title, "warning": warning},
        present=present,
        severity=ir.IssueSeverity.WARNING,
    )


@callback
def review_terms(hass: HomeAssistant, entry: ConfigEntry, account: AcmeAccount | None) -> None:
    """Raise the issue that somebody has to agree to an authority's terms; withdraw it for None."""
    directory = account.directory if account else ""
    terms = (account.terms_url if account else None) or directory
    placeholders = {"name": entry.title, "authority": directory, "terms": terms}
    _set(hass, entry, ACME_TERMS, placeholders, present=account is not None)


@callback
def show_of_thing(
    hass: HomeAssistant,
    entry: ConfigEntry,
    issue_id: str,
    issue: str,
    key: str,
    placeholders: dict[str, str],
) -> None:
    """Raise an issue about one thing."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        data={"entry_id": entry.entry_id, "key": key, "issue": issue, **placeholders},
        is_fixable=issue in _FIXABLE,
        severity=_severity(issue),
        translation_key=issue,
        translation_placeholders=placeholders,
    )


@callback
def count_of_things(
    hass: HomeAssistant, entry: ConfigEntry, issue: str, names: list[str], *, present: bool
) -> None:
    """Raise or withdraw the one issue that stands for too many of a kind."""
    shown = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
    placeholders = {"name": entry.title, "count": str(len(names)), "names": shown}
    severity = _severity(issue)
    _set(hass, entry, _MANY[issue], placeholders, present=present, severity=severity)


@callback
def ids_of_things(hass: HomeAssistant, entry: ConfigEntry, issue: str) -> list[str]:
    """Return the ids of all issues of a kind about single things."""
    prefix = id_of_thing(entry, issue, "")
    return [
        issue_id
        for domain, issue_id in ir.async_get(hass).issues
        if domain == DOMAIN and issue_id.startswith(prefix)
    ]


def id_of_thing(entry: ConfigEntry, issue: str, key: str) -> str:
    """Return the id of an issue about one thing."""
    return f"{issue}_{entry.entry_id}_{key}"


@callback
def withdraw_all(hass: HomeAssistant, entry: ConfigEntry, *, for_good: bool = False) -> None:
    """Withdraw the issues of an entry that is unloaded, or with `for_good` removed.

    What a person has seen and put aside stays so over an unload.
    """
    of_things = [one for issue in OF_THINGS for one in ids_of_things(hass, entry, issue)]
    registry = ir.async_get(hass)
    for issue_id in (*(f"{issue}_{entry.entry_id}" for issue in _ALL), *of_things):
        known = registry.async_get_issue(DOMAIN, issue_id)
        if for_good or known is None or known.dismissed_version is None:
            ir.async_delete_issue(hass, DOMAIN, issue_id)


def _severity(issue: str) -> ir.IssueSeverity:
    return ir.IssueSeverity.ERROR if issue in _SEVERE else ir.IssueSeverity.WARNING


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
        data={"entry_id": entry.entry_id, "issue": issue, **placeholders},
        is_fixable=issue in _RECHECKED or issue == ACME_TERMS,
        learn_more_url=_LEARN_MORE.get(issue),
        severity=severity,
        translation_key=issue,
        translation_placeholders=placeholders,
    )
