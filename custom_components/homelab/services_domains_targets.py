"""Which domains an action is about, and what several actions on domains are told alike."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import voluptuous as vol
from homeassistant.core import ServiceCall
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.target import TargetSelection

from .client.kinds import DOMAIN as DOMAIN_KIND
from .client.models import BasicAuthUser, RecordType, RouteOptions, UpstreamHealth
from .const import DOMAIN
from .coordinator import HomelabConfigEntry, HomelabCoordinator
from .services_answers import hosts, one_host, targets

ATTR_ALLOW: Final = "allow"
ATTR_BASIC_AUTH: Final = "basic_auth"
ATTR_CERTIFICATE: Final = "certificate"
ATTR_DOMAIN: Final = "domain"
ATTR_HEALTH_PATH: Final = "health_path"
ATTR_HSTS: Final = "hsts"
ATTR_HTTPS_REDIRECT: Final = "https_redirect"
ATTR_PLAN_HASH: Final = "plan_hash"
ATTR_PROVIDER: Final = "provider"
ATTR_RECORDS: Final = "records"
ATTR_REQUEST_HEADERS: Final = "request_headers"
ATTR_RESPONSE_HEADERS: Final = "response_headers"
ATTR_TTL: Final = "ttl"
ATTR_UPSTREAM: Final = "upstream"
ATTR_VERIFY_UPSTREAM: Final = "verify_upstream_tls"

NAME: Final = vol.All(cv.string, vol.Length(min=1, max=300))
DOMAIN_FIELD: Any = {vol.Optional(ATTR_DOMAIN, default=[]): vol.All(cv.ensure_list, [NAME])}
"""Domains by name, among those targeted, or of all hosts."""

TYPES: Final = [kind.value for kind in RecordType if kind is not RecordType.UNKNOWN]
RECORD_TYPE: Final = vol.All(vol.Upper, vol.In(TYPES), vol.Coerce(RecordType))
_SECONDS: Final = vol.All(vol.Coerce(int), vol.Range(min=1, max=2**31 - 1))
RECORD: Any = {
    vol.Required("type"): RECORD_TYPE,
    vol.Required("values"): vol.All(cv.ensure_list, [cv.string]),
    vol.Optional(ATTR_TTL): _SECONDS,
}
TTL_FIELD: Any = {vol.Optional(ATTR_TTL): _SECONDS}

_HEADERS: Final = {cv.string: cv.string}
ROUTE_FIELDS: Any = {
    vol.Optional(ATTR_HTTPS_REDIRECT, default=True): cv.boolean,
    vol.Optional(ATTR_HSTS): cv.positive_time_period,
    vol.Optional(ATTR_ALLOW, default=[]): vol.All(cv.ensure_list, [cv.string]),
    vol.Optional(ATTR_REQUEST_HEADERS, default={}): _HEADERS,
    vol.Optional(ATTR_RESPONSE_HEADERS, default={}): _HEADERS,
    vol.Optional(ATTR_VERIFY_UPSTREAM, default=True): cv.boolean,
    vol.Optional(ATTR_HEALTH_PATH): vol.All(cv.string, vol.Length(min=1, max=500)),
    vol.Optional(ATTR_BASIC_AUTH): {cv.string: vol.All(cv.string, vol.Length(min=8, max=72))},
}
"""How a route serves; the users and their passwords go to the agent, and nowhere else."""


@dataclass(frozen=True, slots=True)
class NamedDomain:
    """A domain that an action is about."""

    coordinator: HomelabCoordinator
    host: str
    id: str
    name: str

    @property
    def label(self) -> dict[str, Any]:
        """Which domain an answer is about."""
        return {"host": self.host, "domain": self.name, "id": self.id}


def domains_of(call: ServiceCall, *, many: bool = True) -> list[NamedDomain]:
    """Return the domains that are targeted, or those of them that are named; at least one.

    Without `many` a host does not stand for all of its domains.
    """
    named: list[str] = call.data[ATTR_DOMAIN]
    among = list(_targeted(call, many=many or bool(named)))
    if not named:
        if not among:
            raise ServiceValidationError(
                translation_domain=DOMAIN, translation_key="no_domain_targeted"
            )
        return among
    missing = [text for text in named if not any(_is_called(one, text) for one in among)]
    if missing:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_such_domain",
            translation_placeholders={"domains": ", ".join(missing)},
        )
    return [one for one in among if any(_is_called(one, text) for text in named)]


def one_domain(call: ServiceCall) -> NamedDomain:
    """Return the one domain that is meant; which of several has to be said."""
    found = domains_of(call, many=False)
    if len(found) > 1:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="one_domain_needed",
            translation_placeholders={"domains": ", ".join(one.name for one in found)},
        )
    return found[0]


def host_for(call: ServiceCall, name: str) -> HomelabConfigEntry:
    """Return the host that has a domain of that name, else the one that is meant."""
    knowing = [
        entry
        for entry in hosts(call)
        for domain in entry.runtime_data.mirror.every(DOMAIN_KIND)
        if name.casefold().rstrip(".") in {domain.id, domain.name.casefold()}
    ]
    return knowing[0] if len(knowing) == 1 else one_host(call)


def route_options(data: Mapping[str, Any]) -> RouteOptions:
    """Return how a route is to serve."""
    hsts: timedelta | None = data.get(ATTR_HSTS)
    path: str | None = data.get(ATTR_HEALTH_PATH)
    return RouteOptions(
        https_redirect=data[ATTR_HTTPS_REDIRECT],
        hsts_s=int(hsts.total_seconds()) if hsts else 0,
        allow=tuple(data[ATTR_ALLOW]),
        request_headers=data[ATTR_REQUEST_HEADERS],
        response_headers=data[ATTR_RESPONSE_HEADERS],
        verify_upstream_tls=data[ATTR_VERIFY_UPSTREAM],
        health=UpstreamHealth(path=path) if path else None,
    )


def users(data: Mapping[str, Any]) -> tuple[BasicAuthUser, ...] | None:
    """Return who may come in; None where nothing is said of it."""
    said: Mapping[str, str] | None = data.get(ATTR_BASIC_AUTH)
    if said is None:
        return None
    return tuple(
        BasicAuthUser(username=username, password=password) for username, password in said.items()
    )


def _targeted(call: ServiceCall, *, many: bool) -> Iterator[NamedDomain]:
    """Yield the domains of all that is targeted, of all hosts where nothing is."""
    narrowed = TargetSelection(call.data).has_any_target
    if not narrowed and not many:
        return
    chosen = {
        (target.coordinator, target.subject.key if target.subject else None)
        for target in targets(call)
        if target.subject is None or target.kind == DOMAIN_KIND.name
    }
    for entry in hosts(call):
        coordinator = entry.runtime_data
        for domain in coordinator.mirror.every(DOMAIN_KIND):
            whole = many and (coordinator, None) in chosen
            if not narrowed or whole or (coordinator, domain.id) in chosen:
                yield NamedDomain(coordinator, entry.title, domain.id, domain.name)


def _is_called(domain: NamedDomain, text: str) -> bool:
    return text.casefold().rstrip(".") in {domain.id, domain.name.casefold()}
