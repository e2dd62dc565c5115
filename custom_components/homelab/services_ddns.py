"""Actions on names that follow this network's address."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import voluptuous as vol
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
from homeassistant.helpers import config_validation as cv

from .client.api_dynamic_addresses import DynamicAddressesApi
from .client.kinds import DYNAMIC_ADDRESS
from .client.models import (
    AddressSource,
    CommandResult,
    DynamicAddressBody,
)
from .coordinator import HomelabConfigEntry
from .services_answers import (
    ATTR_NAME,
    as_answer,
    asked_of,
    each_host,
    one_host,
    outcome_of,
    register,
    register_reading,
)
from .services_domains_targets import ATTR_PROVIDER, ATTR_TTL, NAME, TTL_FIELD, one_of

ATTR_INTERFACE: Final = "interface"
ATTR_IPV4: Final = "ipv4"
ATTR_IPV6: Final = "ipv6"

_WHICH: Any = {vol.Optional(ATTR_NAME): NAME}
_ADD: Any = {
    vol.Required(ATTR_NAME): NAME,
    **TTL_FIELD,
    vol.Optional(ATTR_PROVIDER): cv.string,
    vol.Optional(ATTR_INTERFACE): vol.All(cv.string, vol.Length(min=1, max=64)),
    vol.Optional(ATTR_IPV4, default=True): cv.boolean,
    vol.Optional(ATTR_IPV6, default=False): cv.boolean,
}


def set_up(hass: HomeAssistant) -> None:
    """Register the actions."""
    register(hass, "add_dynamic_address", _add, _ADD)
    register(hass, "remove_dynamic_address", _remove, _WHICH)
    register(hass, "pause_dynamic_address", _pause, _WHICH)
    register(hass, "resume_dynamic_address", _resume, _WHICH)
    register(hass, "update_dynamic_address", _update, _WHICH)
    register_reading(hass, "list_dynamic_addresses", _list, {})


async def _add(call: ServiceCall) -> ServiceResponse:
    entry = one_host(call)
    coordinator = entry.runtime_data
    interface: str | None = call.data.get(ATTR_INTERFACE)
    body = DynamicAddressBody(
        name=call.data[ATTR_NAME],
        provider=call.data.get(ATTR_PROVIDER),
        source=AddressSource.INTERFACE if interface else AddressSource.PUBLIC,
        interface=interface,
        ipv4=call.data[ATTR_IPV4],
        ipv6=call.data[ATTR_IPV6],
        ttl_s=call.data.get(ATTR_TTL),
    )
    added = await asked_of(coordinator, coordinator.client.dynamic_addresses.add(body))
    return {"host": entry.title, **as_answer(added)}


async def _list(call: ServiceCall) -> ServiceResponse:
    async def read(entry: HomelabConfigEntry) -> dict[str, Any]:
        coordinator = entry.runtime_data
        found = await asked_of(coordinator, coordinator.client.dynamic_addresses.list())
        return {"host": entry.title, "addresses": [as_answer(one) for one in found]}

    return await each_host(call, read)


async def _remove(call: ServiceCall) -> ServiceResponse:
    return await _told(call, DynamicAddressesApi.remove)


async def _pause(call: ServiceCall) -> ServiceResponse:
    return await _told(call, DynamicAddressesApi.pause)


async def _resume(call: ServiceCall) -> ServiceResponse:
    return await _told(call, DynamicAddressesApi.resume)


async def _update(call: ServiceCall) -> ServiceResponse:
    entry, name = _known(call)
    coordinator = entry.runtime_data
    updated = await asked_of(coordinator, coordinator.client.dynamic_addresses.update(name))
    return {"host": entry.title, **as_answer(updated)}


async def _told(
    call: ServiceCall, tell: Callable[[DynamicAddressesApi, str], Awaitable[CommandResult]]
) -> ServiceResponse:
    entry, name = _known(call)
    coordinator = entry.runtime_data
    command = tell(coordinator.client.dynamic_addresses, name)
    return {"host": entry.title, "name": name, **outcome_of(await coordinator.async_run(command))}


def _known(call: ServiceCall) -> tuple[HomelabConfigEntry, str]:
    """Return whose name it is, and its key."""
    entry, address = one_of(
        call,
        DYNAMIC_ADDRESS,
        call.data.get(ATTR_NAME),
        lambda address: (address.key,),
        "no_such_dynamic_address",
    )
    return entry, address.key
