"""Actions on the reverse proxy: what it serves, and one route at a time."""

from collections.abc import Awaitable
from typing import Any, Final

import voluptuous as vol
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.helpers import config_validation as cv

from .client import CommandResult
from .client.models import RouteBody, RouteCertificate
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
    NAME,
    PLACE_FIELD,
    ROUTE_FIELDS,
    NamedDomain,
    place_of,
    route_options,
)

ATTR_ALIASES: Final = "aliases"
ATTR_UPSTREAMS: Final = "upstreams"

_SOURCES: Final = [one.value for one in RouteCertificate if one is not RouteCertificate.UNKNOWN]
_ROUTE: Any = {
    **PLACE_FIELD,
    **ROUTE_FIELDS,
    vol.Required(ATTR_UPSTREAMS): vol.All(cv.ensure_list, vol.Length(min=1), [cv.string]),
    vol.Optional(ATTR_ALIASES, default=[]): vol.All(cv.ensure_list, [NAME]),
    vol.Optional(ATTR_CERTIFICATE, default=RouteCertificate.CADDY.value): vol.All(
        vol.In(_SOURCES), vol.Coerce(RouteCertificate)
    ),
}
_ONE: Any = {**PLACE_FIELD, **WAIT_FIELD}


def set_up(hass: HomeAssistant) -> None:
    """Register the actions."""
    register_reading(hass, "proxy_report", _report, {})
    register(hass, "plan_proxy_route", _plan, _ROUTE, response=SupportsResponse.ONLY)
    register(hass, "set_proxy_route", _set, {**_ROUTE, **WAIT_FIELD})
    register(hass, "remove_proxy_route", _remove, _ONE)
    register(hass, "restore_proxy_route", _restore, _ONE)


async def _report(call: ServiceCall) -> ServiceResponse:
    async def read(entry: HomelabConfigEntry) -> dict[str, Any]:
        coordinator = entry.runtime_data
        report = await asked_of(coordinator, coordinator.client.proxy.report())
        return {"host": entry.title, **as_answer(report)}

    return await each_host(call, read)


async def _plan(call: ServiceCall) -> ServiceResponse:
    place = place_of(call)
    planned = place.coordinator.client.proxy.plan(place.name, _body(call))
    return {"host": place.host, **as_answer(await asked_of(place.coordinator, planned))}


async def _set(call: ServiceCall) -> ServiceResponse:
    place = place_of(call)
    return await _carried_out(
        call, place, place.coordinator.client.proxy.put(place.name, _body(call))
    )


async def _remove(call: ServiceCall) -> ServiceResponse:
    place = place_of(call)
    return await _carried_out(call, place, place.coordinator.client.proxy.remove(place.name))


async def _restore(call: ServiceCall) -> ServiceResponse:
    place = place_of(call)
    return await _carried_out(call, place, place.coordinator.client.proxy.restore(place.name))


async def _carried_out(
    call: ServiceCall, place: NamedDomain, command: Awaitable[CommandResult]
) -> ServiceResponse:
    ended = await done(place.coordinator, command, wait=call.data[ATTR_WAIT])
    return {"host": place.host, "domain": place.name, **ended}


def _body(call: ServiceCall) -> RouteBody:
    return RouteBody(
        upstreams=tuple(call.data[ATTR_UPSTREAMS]),
        aliases=tuple(call.data[ATTR_ALIASES]),
        certificate=call.data[ATTR_CERTIFICATE],
        options=route_options(call.data),
    )
