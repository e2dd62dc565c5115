"""Actions on the machine and its network: what runs, what listens, what is about to go wrong."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import voluptuous as vol
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util

from .client import Reach
from .client.models import (
    ConnectionQuery,
    PortQuery,
    ProcessOrder,
    ProcessQuery,
    StopProcessBody,
    StopSignal,
    Transport,
)
from .coordinator import HomelabConfigEntry
from .services_answers import (
    ATTR_LIMIT,
    as_answer,
    asked_of,
    each_host,
    one_host,
    outcome_of,
    register,
    register_reading,
    within,
)
from .targets import Target

ATTR_PID: Final = "pid"
ATTR_PORT: Final = "port"
ATTR_REACH: Final = "reach"
ATTR_SEARCH: Final = "search"
ATTR_SIGNAL: Final = "signal"
ATTR_SORT: Final = "sort"
ATTR_STARTED_AT: Final = "started_at"
ATTR_STATE: Final = "state"
ATTR_TRANSPORT: Final = "transport"

_ORDERS: Final = [one.value for one in ProcessOrder if one is not ProcessOrder.UNKNOWN]
_SIGNALS: Final = [one.value for one in StopSignal if one is not StopSignal.UNKNOWN]
_REACHES: Final = [one.value for one in Reach if one is not Reach.UNKNOWN]
_TRANSPORTS: Final = [one.value for one in Transport if one is not Transport.UNKNOWN]
_PROCESSES: Any = {
    vol.Optional(ATTR_SORT, default=ProcessOrder.CPU.value): vol.In(_ORDERS),
    vol.Optional(ATTR_SEARCH): vol.All(cv.string, vol.Length(min=1, max=200)),
    vol.Optional(ATTR_LIMIT, default=20): vol.All(vol.Coerce(int), vol.Range(1, 1000)),
}
_STOP: Any = {
    vol.Required(ATTR_PID): vol.All(vol.Coerce(int), vol.Range(min=1)),
    vol.Required(ATTR_STARTED_AT): cv.datetime,
    vol.Optional(ATTR_SIGNAL, default=StopSignal.TERM.value): vol.In(_SIGNALS),
}
_PORTS: Any = {
    vol.Optional(ATTR_REACH): vol.In(_REACHES),
    vol.Optional(ATTR_TRANSPORT): vol.In(_TRANSPORTS),
}
_CONNECTIONS: Any = {
    vol.Optional(ATTR_STATE): cv.string,
    vol.Optional(ATTR_PORT): cv.port,
    vol.Optional(ATTR_LIMIT, default=200): vol.All(vol.Coerce(int), vol.Range(1, 5000)),
}


def set_up(hass: HomeAssistant) -> None:
    """Register the actions. What runs and who is connected is not for everyone."""
    only = SupportsResponse.ONLY
    register_reading(hass, "host_report", _host_report, {})
    register_reading(hass, "list_ports", _list_ports, _PORTS)
    register(hass, "list_processes", _list_processes, _PROCESSES, response=only)
    register(hass, "list_connections", _list_connections, _CONNECTIONS, response=only)
    register(hass, "stop_process", _stop_process, _STOP)


async def _host_report(call: ServiceCall) -> ServiceResponse:
    async def read(entry: HomelabConfigEntry) -> dict[str, Any]:
        coordinator = entry.runtime_data
        client = coordinator.client
        info = await asked_of(coordinator, client.host.info())
        now = await asked_of(coordinator, client.host.report())
        disks = await asked_of(coordinator, client.host.disks())
        network = await asked_of(coordinator, client.network.report())
        insight = await asked_of(coordinator, client.host.insight())
        return {
            "host": entry.title,
            "info": as_answer(info),
            **as_answer(now),
            **as_answer(disks),
            "network": as_answer(network),
            **as_answer(insight),
        }

    return await each_host(call, read)


async def _list_ports(call: ServiceCall) -> ServiceResponse:
    reach, transport = call.data.get(ATTR_REACH), call.data.get(ATTR_TRANSPORT)
    query = PortQuery(
        reach=reach and Reach(reach),
        transport=transport and Transport(transport),
    )

    async def read(entry: HomelabConfigEntry) -> dict[str, Any]:
        coordinator = entry.runtime_data
        keys = within(call, coordinator, Target.containers)
        found = await asked_of(coordinator, coordinator.client.network.ports(query))
        ports = [as_answer(port) for port in found if keys is None or port.container in keys]
        return {"host": entry.title, "ports": ports}

    return await each_host(call, read)


async def _list_processes(call: ServiceCall) -> ServiceResponse:
    query = ProcessQuery(
        sort=ProcessOrder(call.data[ATTR_SORT]),
        search=call.data.get(ATTR_SEARCH),
        limit=call.data[ATTR_LIMIT],
    )

    async def read(entry: HomelabConfigEntry) -> dict[str, Any]:
        coordinator = entry.runtime_data
        found = await asked_of(coordinator, coordinator.client.host.processes(query))
        return {"host": entry.title, **as_answer(found)}

    return await each_host(call, read)


async def _list_connections(call: ServiceCall) -> ServiceResponse:
    query = ConnectionQuery(
        state=call.data.get(ATTR_STATE), port=call.data.get(ATTR_PORT), limit=call.data[ATTR_LIMIT]
    )

    async def read(entry: HomelabConfigEntry) -> dict[str, Any]:
        coordinator = entry.runtime_data
        keys = within(call, coordinator, Target.containers)
        queries = [query] if keys is None else [replace(query, container=key) for key in keys]
        lists = [
            await asked_of(coordinator, coordinator.client.network.connections(one))
            for one in queries
        ]
        return {
            "host": entry.title,
            "connections": [as_answer(one) for found in lists for one in found.connections],
            "total": sum(found.total for found in lists),
        }

    return await each_host(call, read)


async def _stop_process(call: ServiceCall) -> ServiceResponse:
    entry = one_host(call)
    coordinator = entry.runtime_data
    started_at: datetime = call.data[ATTR_STARTED_AT]
    body = StopProcessBody(
        started_at=dt_util.as_utc(started_at), signal=StopSignal(call.data[ATTR_SIGNAL])
    )
    stopped = coordinator.client.host.stop_process(call.data[ATTR_PID], body)
    return {"host": entry.title, **outcome_of(await coordinator.async_run(stopped))}
