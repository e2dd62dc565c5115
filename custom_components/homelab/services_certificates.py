"""Actions on certificates: read one at any address, watch it, watch it no longer."""

from typing import Any, Final

import voluptuous as vol
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv

from .client import Certificate
from .client.kinds import CERTIFICATE
from .client.models import EndpointBody, StartTls, WatchBody
from .const import DOMAIN
from .coordinator import HomelabConfigEntry
from .services_answers import (
    ATTR_NAME,
    as_answer,
    asked_of,
    gathered,
    hosts,
    one_host,
    outcome_of,
    refuse_namesakes,
    register,
    targets,
)

ATTR_ALLOW_GUARDED: Final = "allow_guarded"
ATTR_CERTIFICATE: Final = "certificate"
ATTR_HOST: Final = "host"
ATTR_PATH: Final = "path"
ATTR_PORT: Final = "port"
ATTR_SERVER_NAME: Final = "server_name"
ATTR_START_TLS: Final = "start_tls"

_STARTS: Final = [one.value for one in StartTls if one is not StartTls.UNKNOWN]
_HOST_NAME: Final = vol.All(cv.string, vol.Length(min=1, max=253))
_ENDPOINT: Any = {
    vol.Optional(ATTR_PORT, default=443): cv.port,
    vol.Optional(ATTR_SERVER_NAME): _HOST_NAME,
    vol.Optional(ATTR_START_TLS): vol.All(vol.In(_STARTS), vol.Coerce(StartTls)),
    vol.Optional(ATTR_ALLOW_GUARDED, default=False): cv.boolean,
}
_READ: Any = {**_ENDPOINT, vol.Required(ATTR_HOST): _HOST_NAME}
_WATCH: Any = {
    **_ENDPOINT,
    vol.Exclusive(ATTR_HOST, "place"): _HOST_NAME,
    vol.Exclusive(ATTR_PATH, "place"): vol.All(cv.string, vol.Length(min=1, max=1024)),
    vol.Optional(ATTR_NAME): vol.All(cv.string, vol.Length(min=1, max=64)),
}
_UNWATCH: Any = {vol.Optional(ATTR_CERTIFICATE): cv.string}


def set_up(hass: HomeAssistant) -> None:
    """Register the actions."""
    register(hass, "read_certificate", _read, _READ, response=SupportsResponse.ONLY)
    register(hass, "watch_certificate", _watch, _WATCH)
    register(hass, "unwatch_certificate", _unwatch, _UNWATCH)


async def _read(call: ServiceCall) -> ServiceResponse:
    entry = one_host(call)
    coordinator = entry.runtime_data
    body = EndpointBody(host=call.data[ATTR_HOST], **_endpoint(call))
    found = await asked_of(coordinator, coordinator.client.certificates.read(body))
    return {"host": entry.title, **as_answer(found)}


async def _watch(call: ServiceCall) -> ServiceResponse:
    entry = one_host(call)
    coordinator = entry.runtime_data
    body = WatchBody(
        name=call.data.get(ATTR_NAME),
        host=call.data.get(ATTR_HOST),
        path=call.data.get(ATTR_PATH),
        **_endpoint(call),
    )
    found = await asked_of(coordinator, coordinator.client.certificates.watch(body))
    return {"host": entry.title, **as_answer(found)}


async def _unwatch(call: ServiceCall) -> ServiceResponse:
    async def forget(entry: HomelabConfigEntry, certificate: Certificate) -> dict[str, Any]:
        coordinator = entry.runtime_data
        forgotten = coordinator.client.certificates.forget(certificate.key)
        result = outcome_of(await coordinator.async_run(forgotten))
        return {"host": entry.title, "name": certificate.name, "key": certificate.key, **result}

    asked = [(found.name, forget(entry, found)) for entry, found in _certificates(call)]
    return {"certificates": await gathered(asked)}


def _certificates(call: ServiceCall) -> list[tuple[HomelabConfigEntry, Certificate]]:
    """Return the certificates that are targeted by their devices, or the one that is named."""
    named: str | None = call.data.get(ATTR_CERTIFICATE)
    chosen = {
        (target.coordinator, target.subject.key)
        for target in targets(call)
        if target.subject is not None and target.kind == CERTIFICATE.name
    }
    found = [
        (entry, certificate)
        for entry in hosts(call)
        for certificate in entry.runtime_data.mirror.every(CERTIFICATE)
        if (entry.runtime_data, certificate.key) in chosen or (not chosen and named is not None)
        if named is None or named in {certificate.key, certificate.name}
    ]
    if not found:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="no_certificate_targeted"
        )
    refuse_namesakes(call, ((entry.runtime_data, entry.title) for entry, _ in found))
    return found


def _endpoint(call: ServiceCall) -> dict[str, Any]:
    return {
        "port": call.data[ATTR_PORT],
        "server_name": call.data.get(ATTR_SERVER_NAME),
        "start_tls": call.data.get(ATTR_START_TLS),
        "allow_guarded": call.data[ATTR_ALLOW_GUARDED],
    }
