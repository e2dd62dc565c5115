"""Actions on DNS: what a zone holds, what name servers say, a plan of changes, applying it."""

from typing import Any, Final

import voluptuous as vol
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv

from .client.models import (
    ApplyBody,
    AuthoritativeQuery,
    DomainApplyBody,
    DomainPlanBody,
    PlanBody,
    RecordType,
    WantedRecords,
    ZoneQuery,
)
from .const import DOMAIN
from .coordinator import HomelabConfigEntry
from .services_answers import (
    ATTR_NAME,
    ATTR_WAIT,
    WAIT_FIELD,
    as_answer,
    asked_of,
    done,
    each_host,
    one_host,
    register,
    register_reading,
)
from .services_domains_targets import (
    ATTR_DOMAIN,
    ATTR_PLAN_HASH,
    ATTR_PROVIDER,
    ATTR_RECORDS,
    ATTR_TTL,
    DOMAIN_FIELD,
    NAME,
    RECORD,
    RECORD_TYPE,
    VALUES,
    one_domain,
)

ATTR_REMOVE: Final = "remove"
ATTR_TEXT: Final = "text"
ATTR_TYPE: Final = "type"
ATTR_ZONE: Final = "zone"

_RECORD: Any = {
    **RECORD,
    vol.Required(ATTR_NAME): NAME,
    vol.Optional("values", default=[]): VALUES,
}
_PLAN: Any = {
    **DOMAIN_FIELD,
    vol.Optional(ATTR_RECORDS): vol.All(cv.ensure_list, [vol.Schema(_RECORD)]),
    vol.Optional(ATTR_REMOVE, default=False): cv.boolean,
    vol.Optional(ATTR_ZONE): NAME,
    vol.Optional(ATTR_PROVIDER): cv.string,
}
_APPLY: Any = {**_PLAN, **WAIT_FIELD, vol.Required(ATTR_PLAN_HASH): cv.string}
_ZONES: Any = {
    vol.Optional(ATTR_PROVIDER): cv.string,
    vol.Optional(ATTR_TEXT): vol.All(cv.string, vol.Length(min=1, max=300)),
}
_ZONE: Any = {**_ZONES, vol.Required(ATTR_ZONE): NAME}
_TEST: Any = {vol.Required(ATTR_PROVIDER): cv.string}
_ANSWERS: Any = {
    vol.Required(ATTR_NAME): NAME,
    vol.Optional(ATTR_TYPE, default=RecordType.A.value): RECORD_TYPE,
}


def set_up(hass: HomeAssistant) -> None:
    """Register the actions."""
    register_reading(hass, "list_dns_providers", _list_providers, {})
    register(hass, "test_dns_provider", _test_provider, _TEST)
    register_reading(hass, "list_zones", _list_zones, _ZONES)
    register(hass, "read_zone", _read_zone, _ZONE, response=SupportsResponse.ONLY)
    register(hass, "ask_name_servers", _ask, _ANSWERS, response=SupportsResponse.ONLY)
    register(hass, "plan_dns", _plan, _PLAN, response=SupportsResponse.ONLY)
    register(hass, "apply_dns", _apply, _APPLY)


async def _list_providers(call: ServiceCall) -> ServiceResponse:
    async def read(entry: HomelabConfigEntry) -> dict[str, Any]:
        coordinator = entry.runtime_data
        found = await asked_of(coordinator, coordinator.client.dns.providers())
        return {"host": entry.title, "providers": [as_answer(one) for one in found]}

    return await each_host(call, read)


async def _test_provider(call: ServiceCall) -> ServiceResponse:
    entry = one_host(call)
    coordinator = entry.runtime_data
    tested = coordinator.client.dns.test_provider(call.data[ATTR_PROVIDER])
    return {"host": entry.title, **as_answer(await asked_of(coordinator, tested))}


async def _list_zones(call: ServiceCall) -> ServiceResponse:
    async def read(entry: HomelabConfigEntry) -> dict[str, Any]:
        coordinator = entry.runtime_data
        found = await asked_of(coordinator, coordinator.client.dns.zones(_narrowed(call)))
        return {"host": entry.title, "zones": [as_answer(one) for one in found]}

    return await each_host(call, read)


async def _read_zone(call: ServiceCall) -> ServiceResponse:
    entry = one_host(call)
    coordinator = entry.runtime_data
    asked = coordinator.client.dns.zone(call.data[ATTR_ZONE], _narrowed(call))
    return {"host": entry.title, **as_answer(await asked_of(coordinator, asked))}


async def _ask(call: ServiceCall) -> ServiceResponse:
    entry = one_host(call)
    coordinator = entry.runtime_data
    query = AuthoritativeQuery(name=call.data[ATTR_NAME], type=call.data[ATTR_TYPE])
    answers = await asked_of(coordinator, coordinator.client.dns.answers(query))
    return {"host": entry.title, **as_answer(answers)}


async def _plan(call: ServiceCall) -> ServiceResponse:
    wanted = _wanted(call)
    if wanted is None:
        one = one_domain(call)
        body = DomainPlanBody(remove=call.data[ATTR_REMOVE])
        planned = await asked_of(one.coordinator, one.coordinator.client.domains.plan(one.id, body))
        return {"host": one.host, **as_answer(planned)}
    entry = one_host(call)
    coordinator = entry.runtime_data
    asked = coordinator.client.dns.plan(PlanBody(**wanted))
    return {"host": entry.title, **as_answer(await asked_of(coordinator, asked))}


async def _apply(call: ServiceCall) -> ServiceResponse:
    plan_hash: str = call.data[ATTR_PLAN_HASH]
    wait: bool = call.data[ATTR_WAIT]
    wanted = _wanted(call)
    if wanted is None:
        one = one_domain(call)
        body = DomainApplyBody(remove=call.data[ATTR_REMOVE], plan_hash=plan_hash, wait_s=0)
        command = one.coordinator.client.domains.apply(one.id, body)
        return {**one.label, **await done(one.coordinator, command, wait=wait)}
    entry = one_host(call)
    coordinator = entry.runtime_data
    command = coordinator.client.dns.apply(ApplyBody(**wanted, plan_hash=plan_hash, wait_s=0))
    return {"host": entry.title, **await done(coordinator, command, wait=wait)}


def _narrowed(call: ServiceCall) -> ZoneQuery:
    """Return what of the zones is wanted."""
    return ZoneQuery(provider=call.data.get(ATTR_PROVIDER), text=call.data.get(ATTR_TEXT))


def _wanted(call: ServiceCall) -> dict[str, Any] | None:
    """Return the records that are wanted; None where it is what a domain wants."""
    if ATTR_RECORDS not in call.data:
        return None
    if ATTR_DOMAIN in call.data or call.data[ATTR_REMOVE]:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="records_or_domain")
    return {
        "wanted": tuple(
            WantedRecords(
                name=record[ATTR_NAME],
                type=record[ATTR_TYPE],
                values=tuple(record["values"]),
                ttl_s=record.get(ATTR_TTL),
            )
            for record in call.data[ATTR_RECORDS]
        ),
        "zone": call.data.get(ATTR_ZONE),
        "provider": call.data.get(ATTR_PROVIDER),
    }
