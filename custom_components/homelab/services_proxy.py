"""Actions on the reverse proxy: what it serves, and one route at a time."""

from typing import Any, Final

import voluptuous as vol
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.helpers import config_validation as cv

from .client.models import (
    RouteBody,
    RouteCertificate,
)
from .coordinator import HomelabConfigEntry
from .services_answers import (
    ATTR_WAIT,
    WAIT_FIELD,
    as_answer,
    asked_of,
    done,
    each_host,
    register,
    register_reading,
)
from .services_domains_targets import (
    ATTR_CERTIFICATE,
    ATTR_DOMAIN,
    NAME,
    ROUTE_FIELDS,
    host_for,
    route_options,
    users,
)

ATTR_ALIASES: Final = "aliases"
ATTR_UPSTREAMS: Final = "upstreams"

_SOURCES: Final = [one.value for one in RouteCertificate if one is not RouteCertificate.UNKNOWN]
_NAME: Any = {vol.Required(ATTR_DOMAIN): NAME}
_ROUTE: Any = {
    **_NAME,
    **ROUTE_FIELDS,
    vol.Required(ATTR_UPSTREAMS): vol.All(cv.ensure_list, vol.Length(min=1), [cv.string]),
    vol.Optional(ATTR_ALIASES, default=[]): vol.All(cv.ensure_list, [NAME]),
    vol.Optional(ATTR_CERTIFICATE, default=RouteCertificate.CADDY.value): vol.All(
        vol.In(_SOURCES), vol.Coerce(RouteCertificate)
    ),
}


def set_up(hass: HomeAssistant) -> None:
    """Register the actions."""
    register_reading(hass, "proxy_report", _report, {})
    register(hass, "plan_proxy_route", _plan, _ROUTE, response=SupportsResponse.ONLY)
    register(hass, "set_proxy_route", _set, {**_ROUTE, **WAIT_FIELD})
    register(hass, "remove_proxy_route", _remove, {**_NAME, **WAIT_FIELD})
    register(hass, "restore_proxy_route", _restore, {**_NAME, **WAIT_FIELD})


async def _report(call: ServiceCall) -> ServiceResponse:
    async def read(entry: HomelabConfigEntry) -> dict[str, Any]:
        coordinator = entry.runtime_data
        report = await asked_of(coordinator, coordinator.client.proxy.report())
        return {"host": entry.title, **as_answer(report)}

    return await each_host(call, read)


async def _plan(call: ServiceCall) -> ServiceResponse:
    name: str = call.data[ATTR_DOMAIN]
    entry = host_for(call, name)
    coordinator = entry.runtime_data
    planned = coordinator.client.proxy.plan(name, _body(call))
    return {"host": entry.title, **as_answer(await asked_of(coordinator, planned))}


async def _set(call: ServiceCall) -> ServiceResponse:
    name: str = call.data[ATTR_DOMAIN]
    entry = host_for(call, name)
    coordinator = entry.runtime_data
    command = coordinator.client.proxy.put(name, _body(call))
    ended = await done(coordinator, command, wait=call.data[ATTR_WAIT])
    return {"host": entry.title, "domain": name, **ended}


async def _remove(call: ServiceCall) -> ServiceResponse:
    name: str = call.data[ATTR_DOMAIN]
    entry = host_for(call, name)
    coordinator = entry.runtime_data
    command = coordinator.client.proxy.remove(name)
    ended = await done(coordinator, command, wait=call.data[ATTR_WAIT])
    return {"host": entry.title, "domain": name, **ended}


async def _restore(call: ServiceCall) -> ServiceResponse:
    name: str = call.data[ATTR_DOMAIN]
    entry = host_for(call, name)
    coordinator = entry.runtime_data
    command = coordinator.client.proxy.restore(name)
    ended = await done(coordinator, command, wait=call.data[ATTR_WAIT])
    return {"host": entry.title, "domain": name, **ended}


def _body(call: ServiceCall) -> RouteBody:
    return RouteBody(
        upstreams=tuple(call.data[ATTR_UPSTREAMS]),
        aliases=tuple(call.data[ATTR_ALIASES]),
        certificate=call.data[ATTR_CERTIFICATE],
        options=route_options(call.data),
        basic_auth=users(call.data),
    )
