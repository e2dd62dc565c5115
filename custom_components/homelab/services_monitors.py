"""Actions on monitors: add, change, remove, pause and resume them, and have them check now."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any, Final

import voluptuous as vol
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv

from .client import CheckType, CommandResult, MonitorTier
from .client.api_monitors import MonitorsApi
from .client.models import (
    AddMonitorBody,
    CheckNowBody,
    MonitorSettings,
    UpdateMonitorBody,
)
from .const import DOMAIN
from .services_answers import (
    ATTR_NAME,
    as_answer,
    asked_of,
    gathered,
    one_host,
    outcome_of,
    register,
)
from .services_targets import (
    MONITOR_FIELD,
    NamedMonitor,
    monitors_of,
    one_container,
    one_monitor,
)
from .targets import CONF_TIER, TIERS

type _Tell = Callable[[MonitorsApi, str], Awaitable[CommandResult]]

ATTR_ALLOW_GUARDED: Final = "allow_guarded"
ATTR_CONFIRM_DOWN: Final = "confirm_down"
ATTR_INTERVAL: Final = "interval"
ATTR_KEY: Final = "key"
ATTR_OPTIONS: Final = "options"
ATTR_RETRIES: Final = "retries"
ATTR_TIMEOUT: Final = "timeout"
ATTR_TYPE: Final = "type"

WAIT_S: Final = 60.0
"""How long a check that is asked for may take, with all its retries."""

_TYPES: Final = [kind.value for kind in CheckType if kind is not CheckType.UNKNOWN]
_PLAIN: Final = (ATTR_NAME, CONF_TIER, ATTR_RETRIES, ATTR_CONFIRM_DOWN, ATTR_ALLOW_GUARDED)
_LENGTHS: Final = {ATTR_INTERVAL: "interval_s", ATTR_TIMEOUT: "timeout_s"}
_FIELDS_OF_CHECKS: Final = ("url", "host", "port", "status", "contains", "verify_tls")
_TEXT: Final = vol.All(cv.string, vol.Length(min=1))
_CHECK: Any = {
    vol.Optional("url"): _TEXT,
    vol.Optional("host"): _TEXT,
    vol.Optional("port"): cv.port,
    vol.Optional("status"): vol.All(cv.ensure_list, [cv.string]),
    vol.Optional("contains"): _TEXT,
    vol.Optional("verify_tls"): cv.boolean,
    vol.Optional(ATTR_OPTIONS): dict,
}
"""What is checked; what has no field of its own is in the options."""
_SLO: Final = {
    "slo_uptime": "uptime_percent",
    "slo_errors": "error_percent",
    "slo_response": "response_ms",
}
_PERCENT: Final = vol.All(vol.Coerce(float), vol.Range(0, 100))
_SETTINGS: Any = {
    **_CHECK,
    vol.Optional(CONF_TIER): vol.All(vol.In(TIERS), vol.Coerce(MonitorTier)),
    vol.Optional(ATTR_INTERVAL): cv.positive_time_period,
    vol.Optional(ATTR_TIMEOUT): cv.positive_time_period,
    vol.Optional(ATTR_RETRIES): vol.All(vol.Coerce(int), vol.Range(0, 10)),
    vol.Optional(ATTR_CONFIRM_DOWN): vol.All(vol.Coerce(int), vol.Range(1, 100)),
    vol.Optional("slo_uptime"): _PERCENT,
    vol.Optional("slo_errors"): _PERCENT,
    vol.Optional("slo_response"): vol.All(vol.Coerce(float), vol.Range(min=1)),
    vol.Optional(ATTR_ALLOW_GUARDED): cv.boolean,
}
_ADD: Any = {
    **_SETTINGS,
    vol.Required(ATTR_NAME): vol.All(cv.string, vol.Length(min=1, max=64)),
    vol.Required(ATTR_TYPE): vol.In(_TYPES),
    vol.Optional(ATTR_KEY): _TEXT,
}
_UPDATE: Any = {
    **MONITOR_FIELD,
    **_SETTINGS,
    vol.Optional(ATTR_NAME): vol.All(cv.string, vol.Length(min=1, max=64)),
    vol.Optional(ATTR_TYPE): vol.In(_TYPES),
}


def set_up(hass: HomeAssistant) -> None:
    """Register the actions."""
    register(hass, "add_monitor", _add, _ADD)
    register(hass, "update_monitor", _update, _UPDATE)
    register(hass, "remove_monitor", _remove, MONITOR_FIELD)
    register(hass, "pause_monitor", _pause, MONITOR_FIELD)
    register(hass, "resume_monitor", _resume, MONITOR_FIELD)
    register(hass, "check_monitor", _check, MONITOR_FIELD)


async def _add(call: ServiceCall) -> ServiceResponse:
    entry = one_host(call)
    coordinator = entry.runtime_data
    kind, container = call.data[ATTR_TYPE], one_container(call, coordinator)
    check = _check_with(call, {ATTR_TYPE: kind})
    if kind == CheckType.CONTAINER and "container" not in check:
        if container is None:
            raise ServiceValidationError(
                translation_domain=DOMAIN, translation_key="no_container_targeted"
            )
        check["container"] = container
    settings = MonitorSettings(name=call.data[ATTR_NAME], check=check, container=container)
    settings = replace(settings, **_given(call, settings))
    body = AddMonitorBody(**_fields_of(settings), key=call.data.get(ATTR_KEY))
    added = await asked_of(coordinator, coordinator.client.monitors.add(body))
    return {"host": entry.title, **as_answer(added)}


async def _update(call: ServiceCall) -> ServiceResponse:
    one = one_monitor(call)
    monitors = one.coordinator.client.monitors
    settings = (await asked_of(one.coordinator, monitors.get(one.key))).settings
    kind = call.data.get(ATTR_TYPE, settings.check[ATTR_TYPE])
    # What one kind of check is told means nothing to another.
    kept = settings.check if kind == settings.check[ATTR_TYPE] else {ATTR_TYPE: kind}
    settings = replace(settings, check=_check_with(call, kept), **_given(call, settings))
    body = UpdateMonitorBody(**_fields_of(settings))
    updated = await asked_of(one.coordinator, monitors.update(one.key, body))
    return {"host": one.host, **as_answer(updated)}


async def _remove(call: ServiceCall) -> ServiceResponse:
    found = monitors_of(call, many=False)
    return await _each(found, lambda monitors, key: monitors.remove(key))


async def _pause(call: ServiceCall) -> ServiceResponse:
    return await _each(monitors_of(call), lambda monitors, key: monitors.pause(key))


async def _resume(call: ServiceCall) -> ServiceResponse:
    return await _each(monitors_of(call), lambda monitors, key: monitors.resume(key))


async def _each(found: Sequence[NamedMonitor], tell: _Tell) -> ServiceResponse:
    async def run(one: NamedMonitor) -> dict[str, Any]:
        asked = tell(one.coordinator.client.monitors, one.key)
        return {**one.label, **outcome_of(await one.coordinator.async_run(asked))}

    return {"monitors": await gathered([(one.name, run(one)) for one in found])}


async def _check(call: ServiceCall) -> ServiceResponse:
    body = CheckNowBody(wait_s=WAIT_S)

    async def check(one: NamedMonitor) -> dict[str, Any]:
        asked = one.coordinator.client.monitors.check(one.key, body)
        return {**one.label, **as_answer(await asked_of(one.coordinator, asked))}

    return {"monitors": await gathered([(one.name, check(one)) for one in monitors_of(call)])}


def _check_with(call: ServiceCall, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return what to check: what is known of it, and what the call says."""
    said = {field: call.data[field] for field in _FIELDS_OF_CHECKS if field in call.data}
    if known[ATTR_TYPE] == CheckType.DNS and "host" in said:
        said["name"] = said.pop("host")
    return {**known, **said, **call.data.get(ATTR_OPTIONS, {})}


def _given(call: ServiceCall, settings: MonitorSettings) -> dict[str, Any]:
    """Return the settings that the call says, other than the check."""
    said = {field: call.data[field] for field in _PLAIN if field in call.data}
    for field, setting in _LENGTHS.items():
        if field in call.data:
            length: timedelta = call.data[field]
            said[setting] = length.total_seconds()
    promised = {part: call.data[field] for field, part in _SLO.items() if field in call.data}
    return {**said, "slo": replace(settings.slo, **promised)}


def _fields_of(settings: MonitorSettings) -> dict[str, Any]:
    return {field.name: getattr(settings, field.name) for field in fields(settings)}
