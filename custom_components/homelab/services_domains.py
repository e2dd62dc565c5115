"""Actions on domains: list, add, change, remove them, look at them, read what was done to them."""

from typing import Any, Final

import voluptuous as vol
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.json import json_dumps

from .client.models import (
    DomainBody,
    DomainChange,
    DomainDeleteQuery,
    DomainHistoryQuery,
    DomainQuery,
    DomainStatus,
    ExportFormat,
    ImportBody,
    ServiceType,
    WantedRecordSet,
)
from .coordinator import HomelabConfigEntry, HomelabCoordinator
from .services_answers import (
    ATTR_LIMIT,
    ATTR_WAIT,
    WAIT_FIELD,
    as_answer,
    asked_of,
    done,
    each_host,
    gathered,
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
    VALUES,
    NamedDomain,
    domains_of,
    one_domain,
)
from .services_targets import one_container

ATTR_FORMAT: Final = "format"
ATTR_NOTE: Final = "note"
ATTR_PAUSED: Final = "paused"
ATTR_REPLACE: Final = "replace"
ATTR_SERVICE_TYPE: Final = "service_type"
ATTR_STATUS: Final = "status"
ATTR_TEXT: Final = "text"

_PAGE: Final = 500
_SERVICES: Final = [kind.value for kind in ServiceType if kind is not ServiceType.UNKNOWN]
_STATUSES: Final = [one.value for one in DomainStatus]
_FORMATS: Final = [one.value for one in ExportFormat if one is not ExportFormat.UNKNOWN]
_FORMAT: Final = vol.All(vol.In(_FORMATS), vol.Coerce(ExportFormat))
_SERVICE: Final = vol.All(vol.In(_SERVICES), vol.Coerce(ServiceType))
_RECORD: Final = vol.Schema({**RECORD, vol.Required("values"): VALUES})
_SETTINGS: Any = {
    vol.Optional(ATTR_SERVICE_TYPE): _SERVICE,
    vol.Optional(ATTR_RECORDS): vol.All(cv.ensure_list, [_RECORD]),
    vol.Optional(ATTR_NOTE): vol.All(cv.string, vol.Length(max=500)),
    vol.Optional(ATTR_PROVIDER): cv.string,
    vol.Optional(ATTR_PAUSED): cv.boolean,
}
_LIST: Any = {
    vol.Optional(ATTR_SERVICE_TYPE): _SERVICE,
    vol.Optional(ATTR_STATUS): vol.All(vol.In(_STATUSES), vol.Coerce(DomainStatus)),
    vol.Optional(ATTR_TEXT): vol.All(cv.string, vol.Length(min=1, max=200)),
}
_ADD: Any = {**_SETTINGS, vol.Required(ATTR_DOMAIN): NAME}
_UPDATE: Any = {**DOMAIN_FIELD, **_SETTINGS}
_REMOVE: Any = {**DOMAIN_FIELD, **WAIT_FIELD, vol.Optional(ATTR_PLAN_HASH): cv.string}
_HISTORY: Any = {
    **DOMAIN_FIELD,
    vol.Optional(ATTR_LIMIT, default=50): vol.All(vol.Coerce(int), vol.Range(1, _PAGE)),
}
_EXPORT: Any = {vol.Optional(ATTR_FORMAT, default=ExportFormat.JSON.value): _FORMAT}
_IMPORT: Any = {
    **_EXPORT,
    vol.Required(ATTR_TEXT): vol.All(cv.string, vol.Length(min=1)),
    vol.Optional(ATTR_REPLACE, default=False): cv.boolean,
    vol.Optional(ATTR_PLAN_HASH): cv.string,
}


def set_up(hass: HomeAssistant) -> None:
    """Register the actions."""
    register_reading(hass, "list_domains", _list, _LIST)
    register(hass, "add_domain", _add, _ADD)
    register(hass, "update_domain", _update, _UPDATE)
    register(hass, "remove_domain", _remove, _REMOVE)
    register(hass, "check_domain", _check, DOMAIN_FIELD)
    register(hass, "domain_history", _history, _HISTORY, response=SupportsResponse.ONLY)
    register(hass, "export_domains", _export, _EXPORT, response=SupportsResponse.ONLY)
    register(hass, "import_domains", _import, _IMPORT)


async def _list(call: ServiceCall) -> ServiceResponse:
    async def read(entry: HomelabConfigEntry) -> dict[str, Any]:
        coordinator = entry.runtime_data
        domains = coordinator.client.domains
        found: list[dict[str, Any]] = []
        after: str | None = None
        while True:
            query = DomainQuery(
                service_type=call.data.get(ATTR_SERVICE_TYPE),
                status=call.data.get(ATTR_STATUS),
                text=call.data.get(ATTR_TEXT),
                after=after,
                limit=_PAGE,
            )
            page = await asked_of(coordinator, domains.page(query))
            found += [as_answer(domain) for domain in page.domains]
            after = page.next_after
            if after is None:
                return {"host": entry.title, "domains": found}

    return await each_host(call, read)


async def _add(call: ServiceCall) -> ServiceResponse:
    entry = one_host(call)
    coordinator = entry.runtime_data
    body = DomainBody(name=call.data[ATTR_DOMAIN], **_given(call, coordinator))
    added = await asked_of(coordinator, coordinator.client.domains.add(body))
    return {"host": entry.title, **as_answer(added)}


async def _update(call: ServiceCall) -> ServiceResponse:
    one = one_domain(call)
    change = DomainChange(**_given(call, one.coordinator))
    changed = one.coordinator.client.domains.change(one.id, change)
    return {"host": one.host, **as_answer(await asked_of(one.coordinator, changed))}


async def _remove(call: ServiceCall) -> ServiceResponse:
    plan_hash: str | None = call.data.get(ATTR_PLAN_HASH)
    query = DomainDeleteQuery(plan_hash=plan_hash, wait_s=0) if plan_hash else None

    async def forget(one: NamedDomain) -> dict[str, Any]:
        forgotten = one.coordinator.client.domains.forget(one.id, query)
        return {**one.label, **await done(one.coordinator, forgotten, wait=call.data[ATTR_WAIT])}

    # A plan is one domain's.
    found = domains_of(call, many=False) if plan_hash is None else [one_domain(call)]
    return {"domains": await gathered([(one.name, forget(one)) for one in found])}


async def _check(call: ServiceCall) -> ServiceResponse:
    async def look(one: NamedDomain) -> dict[str, Any]:
        looked = one.coordinator.client.domains.look(one.id)
        return {**one.label, **as_answer(await asked_of(one.coordinator, looked))}

    found = domains_of(call)
    return {"domains": await gathered([(one.name, look(one)) for one in found])}


async def _history(call: ServiceCall) -> ServiceResponse:
    query = DomainHistoryQuery(limit=call.data[ATTR_LIMIT])

    async def read(one: NamedDomain) -> dict[str, Any]:
        page = one.coordinator.client.domains.history(one.id, query)
        events = (await asked_of(one.coordinator, page)).events
        return {**one.label, "events": [as_answer(event) for event in events]}

    found = domains_of(call, many=False)
    return {"domains": await gathered([(one.name, read(one)) for one in found])}


async def _export(call: ServiceCall) -> ServiceResponse:
    entry = one_host(call)
    coordinator = entry.runtime_data
    domains = coordinator.client.domains
    written_as: ExportFormat = call.data[ATTR_FORMAT]
    if written_as is ExportFormat.CSV:
        text = await asked_of(coordinator, domains.export_csv())
    else:
        text = json_dumps(as_answer(await asked_of(coordinator, domains.export())))
    return {"host": entry.title, "format": written_as.value, "text": text}


async def _import(call: ServiceCall) -> ServiceResponse:
    entry = one_host(call)
    coordinator = entry.runtime_data
    body = ImportBody(
        format=call.data[ATTR_FORMAT],
        text=call.data[ATTR_TEXT],
        replace=call.data[ATTR_REPLACE],
        plan_hash=call.data.get(ATTR_PLAN_HASH),
    )
    planned = await asked_of(coordinator, coordinator.client.domains.import_text(body))
    return {"host": entry.title, **as_answer(planned)}


def _given(call: ServiceCall, coordinator: HomelabCoordinator) -> dict[str, Any]:
    """Return what the call says is wanted of a domain."""
    plain = (ATTR_SERVICE_TYPE, ATTR_NOTE, ATTR_PROVIDER, ATTR_PAUSED)
    said: dict[str, Any] = {field: call.data[field] for field in plain if field in call.data}
    if ATTR_RECORDS in call.data:
        said[ATTR_RECORDS] = tuple(
            WantedRecordSet(
                type=record["type"],
                values=tuple(record["values"]),
                ttl_s=record.get(ATTR_TTL),
            )
            for record in call.data[ATTR_RECORDS]
        )
    container = one_container(call, coordinator)
    return said if container is None else {**said, "container": container}
