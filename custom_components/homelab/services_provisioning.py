"""Actions from a container to HTTPS: plan it, do it, take it back."""

from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final

import voluptuous as vol
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv

from .client.models import (
    CertificateWay,
    DeprovisionBody,
    ProvisionPlanBody,
    StartBody,
)
from .const import DOMAIN
from .services_answers import (
    ATTR_WAIT,
    WAIT_FIELD,
    as_answer,
    asked_of,
    done,
    gathered,
    register,
    register_reading,
)
from .services_domains_targets import (
    ATTR_CERTIFICATE,
    ATTR_PLAN_HASH,
    ATTR_PROVIDER,
    ATTR_TTL,
    ATTR_UPSTREAM,
    DOMAIN_FIELD,
    NAME,
    PLACE_FIELD,
    ROUTE_FIELDS,
    TTL_FIELD,
    NamedDomain,
    domains_of,
    place_of,
    route_options,
)
from .services_targets import one_container

ATTR_CNAME: Final = "cname"
ATTR_DYNAMIC: Final = "dynamic"
ATTR_FORGET: Final = "forget"
ATTR_IPV4: Final = "ipv4"
ATTR_IPV6: Final = "ipv6"
ATTR_KEEP_RECORDS: Final = "keep_records"
ATTR_PORT: Final = "port"

_WAYS: Final = [way.value for way in CertificateWay if way is not CertificateWay.UNKNOWN]


def _address(kind: type[IPv4Address | IPv6Address]) -> vol.All:
    # An address is told to the agent as it is written.
    return vol.All(cv.string, vol.Coerce(kind), vol.Coerce(str))


_PLAN: Any = {
    **PLACE_FIELD,
    **ROUTE_FIELDS,
    **TTL_FIELD,
    vol.Optional(ATTR_UPSTREAM): vol.All(cv.string, vol.Length(min=1)),
    vol.Optional(ATTR_PORT): cv.port,
    vol.Exclusive(ATTR_IPV4, "way"): _address(IPv4Address),
    vol.Optional(ATTR_IPV6): _address(IPv6Address),
    vol.Exclusive(ATTR_CNAME, "way"): NAME,
    vol.Optional(ATTR_DYNAMIC, default=False): cv.boolean,
    vol.Optional(ATTR_PROVIDER): cv.string,
    vol.Optional(ATTR_CERTIFICATE, default=CertificateWay.CADDY.value): vol.All(
        vol.In(_WAYS), vol.Coerce(CertificateWay)
    ),
}
_START: Any = {**_PLAN, **WAIT_FIELD, vol.Optional(ATTR_PLAN_HASH): cv.string}
_TAKE_BACK: Any = {
    **DOMAIN_FIELD,
    **WAIT_FIELD,
    vol.Optional(ATTR_KEEP_RECORDS, default=False): cv.boolean,
    vol.Optional(ATTR_FORGET, default=False): cv.boolean,
}


def set_up(hass: HomeAssistant) -> None:
    """Register the actions."""
    register(hass, "plan_domain", _plan, _PLAN, response=SupportsResponse.ONLY)
    register(hass, "provision_domain", _provision, _START)
    register(hass, "deprovision_domain", _deprovision, _TAKE_BACK)
    register_reading(hass, "provisioning_report", _report, DOMAIN_FIELD)


async def _plan(call: ServiceCall) -> ServiceResponse:
    place = place_of(call)
    asked = place.coordinator.client.provisioning.plan(ProvisionPlanBody(**_wanted(call, place)))
    return {"host": place.host, **as_answer(await asked_of(place.coordinator, asked))}


async def _provision(call: ServiceCall) -> ServiceResponse:
    place = place_of(call)
    body = StartBody(**_wanted(call, place), plan_hash=call.data.get(ATTR_PLAN_HASH), wait_s=0)
    command = place.coordinator.client.provisioning.start(body)
    ended = await done(place.coordinator, command, wait=call.data[ATTR_WAIT])
    return {"host": place.host, "domain": place.name, **ended}


async def _report(call: ServiceCall) -> ServiceResponse:
    async def read(one: NamedDomain) -> dict[str, Any]:
        found = await asked_of(one.coordinator, one.coordinator.client.provisioning.get(one.id))
        return {**one.label, **as_answer(found)}

    found = domains_of(call, many=False)
    return {"domains": await gathered([(one.name, read(one)) for one in found])}


async def _deprovision(call: ServiceCall) -> ServiceResponse:
    body = DeprovisionBody(
        keep_records=call.data[ATTR_KEEP_RECORDS], forget=call.data[ATTR_FORGET], wait_s=0
    )

    async def take_back(one: NamedDomain) -> dict[str, Any]:
        command = one.coordinator.client.provisioning.take_back(one.id, body)
        return {**one.label, **await done(one.coordinator, command, wait=call.data[ATTR_WAIT])}

    found = domains_of(call, many=False)
    return {"domains": await gathered([(one.name, take_back(one)) for one in found])}


def _wanted(call: ServiceCall, place: NamedDomain) -> dict[str, Any]:
    container = one_container(call, place.coordinator)
    if (container is None) == (ATTR_UPSTREAM not in call.data):
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="container_or_upstream"
        )
    plain = (
        ATTR_UPSTREAM,
        ATTR_PORT,
        ATTR_IPV4,
        ATTR_IPV6,
        ATTR_CNAME,
        ATTR_PROVIDER,
    )
    return {
        "name": place.name,
        "container": container,
        **{field: call.data.get(field) for field in plain},
        "dynamic": call.data[ATTR_DYNAMIC],
        "ttl_s": call.data.get(ATTR_TTL),
        "certificate": call.data[ATTR_CERTIFICATE],
        "options": route_options(call.data),
    }
