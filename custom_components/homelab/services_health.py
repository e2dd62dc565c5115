"""Actions on how services are: the report, and when failures are expected."""

from datetime import datetime, timedelta
from typing import Any, Final

import voluptuous as vol
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util

from .client import MaintenanceWindow
from .client.kinds import MAINTENANCE
from .client.models import MaintenanceBody, Repeat, ReportFormat, ReportQuery
from .const import DOMAIN
from .coordinator import HomelabConfigEntry
from .services_answers import (
    ATTR_NAME,
    as_answer,
    asked_of,
    each_host,
    gathered,
    hosts,
    outcome_of,
    refuse_namesakes,
    register,
    register_reading,
    within,
)
from .targets import Target

ATTR_DURATION: Final = "duration"
ATTR_FORMAT: Final = "format"
ATTR_REPEAT: Final = "repeat"
ATTR_STARTS_AT: Final = "starts_at"
ATTR_WINDOW: Final = "window"

_FORMATS: Final = [one.value for one in ReportFormat if one is not ReportFormat.UNKNOWN]
_REPEATS: Final = [one.value for one in Repeat if one is not Repeat.UNKNOWN]
_REPORT: Any = {vol.Optional(ATTR_FORMAT, default=ReportFormat.JSON.value): vol.In(_FORMATS)}
_ADD: Any = {
    vol.Required(ATTR_NAME): vol.All(cv.string, vol.Length(min=1, max=64)),
    vol.Required(ATTR_DURATION): cv.positive_time_period,
    vol.Optional(ATTR_STARTS_AT): cv.datetime,
    vol.Optional(ATTR_REPEAT, default=Repeat.NEVER.value): vol.In(_REPEATS),
}
_NOTHING: Final[dict[str, Any]] = {"critical": [], "optional": [], "down": 0, "total": 0}
_REMOVE: Any = {vol.Required(ATTR_WINDOW): cv.string}


def set_up(hass: HomeAssistant) -> None:
    """Register the actions."""
    register_reading(hass, "monitor_report", _report, _REPORT)
    register(hass, "add_maintenance_window", _add_window, _ADD)
    register(hass, "remove_maintenance_window", _remove_window, _REMOVE)


async def _report(call: ServiceCall) -> ServiceResponse:
    wanted = ReportFormat(call.data[ATTR_FORMAT])

    async def read(entry: HomelabConfigEntry) -> dict[str, Any]:
        coordinator = entry.runtime_data
        keys = within(call, coordinator, Target.monitors)
        if keys == ():
            return {"host": entry.title, **_NOTHING}
        monitors = coordinator.client.monitors
        query = ReportQuery(format=wanted, name=keys or ())
        if wanted is ReportFormat.JSON:
            return {
                "host": entry.title,
                **as_answer(await asked_of(coordinator, monitors.report(query))),
            }
        text = await asked_of(coordinator, monitors.written_report(query))
        return {"host": entry.title, "text": text}

    return await each_host(call, read)


async def _add_window(call: ServiceCall) -> ServiceResponse:
    duration: timedelta = call.data[ATTR_DURATION]
    starts_at: datetime | None = call.data.get(ATTR_STARTS_AT)
    at = dt_util.as_utc(starts_at) if starts_at else dt_util.utcnow()

    meant = [(entry, within(call, entry.runtime_data, Target.monitors)) for entry in hosts(call)]
    # Without any names it would be about all.
    meant = [(entry, keys) for entry, keys in meant if keys != ()]
    if not meant:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="no_monitor_targeted"
        )

    async def add(entry: HomelabConfigEntry, keys: tuple[str, ...] | None) -> dict[str, Any]:
        coordinator = entry.runtime_data
        body = MaintenanceBody(
            name=call.data[ATTR_NAME],
            starts_at=at,
            duration_s=duration.total_seconds(),
            repeat=Repeat(call.data[ATTR_REPEAT]),
            time_zone=call.hass.config.time_zone,
            monitors=keys or (),
        )
        added = await asked_of(coordinator, coordinator.client.monitors.add_window(body))
        return {"host": entry.title, **as_answer(added)}

    return {"windows": await gathered([(entry.title, add(entry, keys)) for entry, keys in meant])}


async def _remove_window(call: ServiceCall) -> ServiceResponse:
    text: str = call.data[ATTR_WINDOW]
    found = [
        (entry, window)
        for entry in hosts(call)
        for window in entry.runtime_data.mirror.every(MAINTENANCE)
        if text == window.key or text.casefold() == window.name.casefold()
    ]
    if not found:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_such_window",
            translation_placeholders={"window": text},
        )
    refuse_namesakes(call, ((entry.runtime_data, entry.title) for entry, _ in found))

    async def remove(entry: HomelabConfigEntry, window: MaintenanceWindow) -> dict[str, Any]:
        coordinator = entry.runtime_data
        removed = coordinator.client.monitors.remove_window(window.key)
        result = outcome_of(await coordinator.async_run(removed))
        return {"host": entry.title, "name": window.name, "key": window.key, **result}

    return {"windows": await gathered([(window.name, remove(at, window)) for at, window in found])}
