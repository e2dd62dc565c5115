"""Actions on names that follow this network's address."""

from typing import Any, Final

import voluptuous as vol
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv

from .client.kinds import DYNAMIC_ADDRESS
from .client.models import (
    AddressSource,
    DynamicAddressBody,
)
from .const import DOMAIN
from .coordinator import HomelabConfigEntry
from .services_answers import (
    ATTR_NAME,
    as_answer,
    asked_of,
    hosts,
    one_host,
    outcome_of,
    register,
)
from .services_domains_targets import ATTR_PROVIDER, ATTR_TTL, NAME, TTL_FIELD

ATTR_INTERFACE: Final = "interface"
ATTR_IPV4: Final = "ipv4"
ATTR_IPV6: Final = "ipv6"

_NAME: Any = {vol.Required(ATTR_NAME): NAME}
_ADD: Any = {
    **_NAME,
    **TTL_FIELD,
    vol.Optional(ATTR_PROVIDER): cv.string,
    vol.Optional(ATTR_INTERFACE): vol.All(cv.string, vol.Length(min=1, max=64)),
    vol.Optional(ATTR_IPV4, default=True): cv.boolean,
    vol.Optional(ATTR_IPV6, default=False): cv.boolean,
}


def set_up(hass: HomeAssistant) -> None:
    """Register the actions."""
    register(hass, "add_dynamic_address", _add, _ADD)
    register(hass, "remove_dynamic_address", _remove, _NAME)
    register(hass, "update_dynamic_address", _update, _NAME)


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


async def _remove(call: ServiceCall) -> ServiceResponse:
    entry, name = _known(call)
    coordinator = entry.runtime_data
    removed = coordinator.client.dynamic_addresses.remove(name)
    return {"host": entry.title, "name": name, **outcome_of(await coordinator.async_run(removed))}


async def _update(call: ServiceCall) -> ServiceResponse:
    entry, name = _known(call)
    coordinator = entry.runtime_data
    updated = await asked_of(coordinator, coordinator.client.dynamic_addresses.update(name))
    return {"host": entry.title, **as_answer(updated)}


def _known(call: ServiceCall) -> tuple[HomelabConfigEntry, str]:
    """Return whose name it is, and its key."""
    name: str = call.data[ATTR_NAME].casefold().rstrip(".")
    found = [
        (entry, address.key)
        for entry in hosts(call)
        for address in entry.runtime_data.mirror.every(DYNAMIC_ADDRESS)
        if address.key == name
    ]
    if len(found) != 1:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_such_dynamic_address",
            translation_placeholders={"name": call.data[ATTR_NAME]},
        )
    return found[0]
