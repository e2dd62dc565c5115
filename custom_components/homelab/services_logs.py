"""Actions that read logs: of some containers, or many searched at once."""

from datetime import datetime, timedelta
from typing import Any, Final

import voluptuous as vol
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util

from .client import LogOutput, Logs, LogSearchQuery, LogsQuery
from .const import DOMAIN
from .coordinator import HomelabConfigEntry
from .services_answers import (
    ATTR_LIMIT,
    ATTR_SINCE,
    asked_of,
    each_container,
    each_host,
    label_of,
    register,
    within,
)
from .targets import Target

ATTR_LAST: Final = "last"
ATTR_SEARCH: Final = "search"
ATTR_STREAM: Final = "stream"
ATTR_TAIL: Final = "tail"
ATTR_UNTIL: Final = "until"

MOST_LOGS: Final = 200
"""So many the agent searches by name; the whole host has no such limit."""

_STREAMS = [output.value for output in LogOutput if output is not LogOutput.UNKNOWN]
_WHEN: Any = {
    vol.Exclusive(ATTR_SINCE, "begin"): cv.datetime,
    vol.Exclusive(ATTR_LAST, "begin"): cv.positive_time_period,
    vol.Optional(ATTR_UNTIL): cv.datetime,
    vol.Optional(ATTR_STREAM, default=LogOutput.BOTH.value): vol.In(_STREAMS),
}
_TEXT: Any = vol.All(cv.string, vol.Length(min=1, max=200))
_GET: Any = {
    **_WHEN,
    vol.Optional(ATTR_TAIL, default=100): vol.All(vol.Coerce(int), vol.Range(1, 5000)),
    vol.Optional(ATTR_SEARCH): _TEXT,
}
_SEARCH: Any = {
    **_WHEN,
    vol.Required(ATTR_SEARCH): _TEXT,
    vol.Optional(ATTR_LIMIT, default=500): vol.All(vol.Coerce(int), vol.Range(1, 5000)),
}


def set_up(hass: HomeAssistant) -> None:
    """Register the actions."""
    register(hass, "get_logs", _get_logs, _GET, response=SupportsResponse.ONLY)
    register(hass, "search_logs", _search_logs, _SEARCH, response=SupportsResponse.ONLY)


async def _get_logs(call: ServiceCall) -> ServiceResponse:
    query = LogsQuery(
        tail=call.data[ATTR_TAIL],
        since=_since(call),
        until=_moment(call.data.get(ATTR_UNTIL)),
        stream=LogOutput(call.data[ATTR_STREAM]),
        search=call.data.get(ATTR_SEARCH),
    )

    async def read(target: Target, key: str) -> dict[str, Any]:
        coordinator = target.coordinator
        logs = await asked_of(coordinator, coordinator.client.logs(key, query))
        return {**label_of(target), "truncated": logs.truncated, "lines": _lines(logs)}

    return await each_container(call, read)


async def _search_logs(call: ServiceCall) -> ServiceResponse:
    since, until = _since(call), _moment(call.data.get(ATTR_UNTIL))

    async def search(entry: HomelabConfigEntry) -> dict[str, Any]:
        coordinator = entry.runtime_data
        # Without any names all logs of the host are searched.
        keys = within(call, coordinator, Target.containers)
        if keys == ():
            nothing: dict[str, Any] = {"searched": 0, "truncated": False, "unread": []}
            return {"host": entry.title, **nothing, "containers": []}
        if keys is not None and len(keys) > MOST_LOGS:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="too_many_logs",
                translation_placeholders={"count": str(len(keys)), "most": str(MOST_LOGS)},
            )
        query = LogSearchQuery(
            search=call.data[ATTR_SEARCH],
            names=keys or (),
            since=since,
            until=until,
            stream=LogOutput(call.data[ATTR_STREAM]),
            limit=call.data[ATTR_LIMIT],
        )
        result = await asked_of(coordinator, coordinator.client.search_logs(query))
        # Logs go by the names that containers have at Docker, devices by their keys.
        keys_by_name = {container.name: container.key for container in coordinator.containers}
        return {
            "host": entry.title,
            "searched": result.searched,
            "truncated": result.truncated,
            "unread": [{"name": one.container, "reason": one.message} for one in result.unread],
            "containers": [
                {
                    "device_id": coordinator.devices.id_of(
                        keys_by_name.get(logs.container, logs.container)
                    ),
                    "name": logs.container,
                    "truncated": logs.truncated,
                    "lines": _lines(logs),
                }
                for logs in result.found
            ],
        }

    return await each_host(call, search)


def _lines(logs: Logs) -> list[dict[str, Any]]:
    return [
        {"at": line.at and line.at.isoformat(), "stream": line.stream.value, "text": line.text}
        for line in logs.lines
    ]


def _since(call: ServiceCall) -> datetime | None:
    """Return the time that is given, or the one so long ago."""
    last: timedelta | None = call.data.get(ATTR_LAST)
    return _moment(call.data.get(ATTR_SINCE)) if last is None else dt_util.utcnow() - last


def _moment(value: datetime | None) -> datetime | None:
    """Return a time as the agent takes it; without a zone it is Home Assistant's local one."""
    return None if value is None else dt_util.as_utc(value)
