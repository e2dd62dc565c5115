"""Which domains an action is about, and what several actions on domains are told alike."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import voluptuous as vol
from homeassistant.core import ServiceCall
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv

from .client.kinds import CONTAINER, Kind
from .client.kinds import DOMAIN as DOMAIN_KIND
from .client.models import RecordType, RouteOptions, UpstreamHealth
from .const import DOMAIN
from .coordinator import HomelabConfigEntry, HomelabCoordinator
from .services_answers import hosts, is_targeted, one_host, refuse_namesakes, targets
from .subjects import Subject
from .targets import HOST, Target

ATTR_ALLOW: Final = "allow"
ATTR_CERTIFICATE: Final = "certificate"
ATTR_DOMAIN: Final = "domain"
ATTR_HEALTH_PATH: Final = "health_path"
ATTR_HSTS: Final = "hsts"
ATTR_HTTPS_REDIRECT: Final = "https_redirect"
ATTR_LOGIN_REQUIRED: Final = "login_required"
ATTR_PLAN_HASH: Final = "plan_hash"
ATTR_PROVIDER: Final = "provider"
ATTR_RECORDS: Final = "records"
ATTR_REQUEST_HEADERS: Final = "request_headers"
ATTR_RESPONSE_HEADERS: Final = "response_headers"
ATTR_TTL: Final = "ttl"
ATTR_UPSTREAM: Final = "upstream"
ATTR_VERIFY_UPSTREAM: Final = "verify_upstream_tls"

NAME: Final = vol.All(cv.string, vol.Length(min=1, max=300))
DOMAIN_FIELD: Any = {vol.Optional(ATTR_DOMAIN): vol.All(cv.ensure_list, vol.Length(min=1), [NAME])}
"""Domains by name, among those targeted, or of all hosts."""
PLACE_FIELD: Any = {vol.Optional(ATTR_DOMAIN): NAME}
"""The name that something is put at, which need not be known yet; or a targeted domain."""

TYPES: Final = [kind.value for kind in RecordType if kind is not RecordType.UNKNOWN]
RECORD_TYPE: Final = vol.All(vol.Upper, vol.In(TYPES), vol.Coerce(RecordType))
_SECONDS: Final = vol.All(vol.Coerce(int), vol.Range(min=1, max=2**31 - 1))
TTL_FIELD: Any = {vol.Optional(ATTR_TTL): _SECONDS}
VALUES: Final = vol.All(cv.ensure_list, [cv.string])
RECORD: Any = {vol.Required("type"): RECORD_TYPE, **TTL_FIELD}
"""What every record has; whether it needs values depends."""

_HEADERS: Final = {cv.string: cv.string}
ROUTE_FIELDS: Any = {
    vol.Optional(ATTR_HTTPS_REDIRECT, default=True): cv.boolean,
    vol.Optional(ATTR_HSTS): cv.positive_time_period,
    vol.Optional(ATTR_ALLOW): vol.All(cv.ensure_list, vol.Length(min=1), [cv.string]),
    vol.Optional(ATTR_LOGIN_REQUIRED, default=False): cv.boolean,
    vol.Optional(ATTR_REQUEST_HEADERS, default={}): _HEADERS,
    vol.Optional(ATTR_RESPONSE_HEADERS, default={}): _HEADERS,
    vol.Optional(ATTR_VERIFY_UPSTREAM, default=True): cv.boolean,
    vol.Optional(ATTR_HEALTH_PATH): vol.All(cv.string, vol.Length(min=1, max=500)),
}
"""How a route serves. Who may come in is entered in the options: an action is written down."""


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

    Without `many` a host does not stand for all of its domains, nor a name for those of several
    hosts.
    """
    named: list[str] = cv.ensure_list(call.data.get(ATTR_DOMAIN))
    among = list(_targeted(call, many=many or bool(named), named=bool(named)))
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
    found = [one for one in among if any(_is_called(one, text) for text in named)]
    if not many:
        for text in named:
            alike = [one for one in found if _is_called(one, text)]
            refuse_namesakes(call, ((one.coordinator, one.host) for one in alike))
    return found


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


def place_of(call: ServiceCall) -> NamedDomain:
    """Return the name that something is put at: one that is given, or a targeted domain's."""
    name: str | None = call.data.get(ATTR_DOMAIN)
    if name is None:
        return one_domain(call)
    entry = _host_for(call, name)
    return NamedDomain(entry.runtime_data, entry.title, name, name)


def one_of[T](
    call: ServiceCall,
    kind: Kind[T],
    text: str | None,
    called: Callable[[T], Sequence[str]],
    unknown: str,
) -> tuple[HomelabConfigEntry, T]:
    """Return the one thing of a kind that is meant: by its name, its device or its domain's.

    `called` returns its key first, then what else it is known by.

    Raises:
        ServiceValidationError: several hosts have it; else with the translation key `unknown`,
            where there is not just one.
    """
    named = text and text.casefold().rstrip(".")
    own = {
        (target.coordinator, target.subject)
        for target in targets(call)
        if target.subject and target.kind in {kind.name, DOMAIN_KIND.name}
    }
    found = [
        (entry, thing)
        for entry in hosts(call)
        for thing in entry.runtime_data.mirror.every(kind)
        if (
            named in called(thing)
            if named
            else any(
                (entry.runtime_data, Subject(of, key)) in own
                for of in (kind.name, DOMAIN_KIND.name)
                for key in called(thing)
            )
        )
    ]
    # Several may cover a name; what is known by it is meant before them.
    found = [one for one in found if called(one[1])[0] == named] or found
    refuse_namesakes(call, ((entry.runtime_data, entry.title) for entry, _ in found))
    if len(found) != 1:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key=unknown,
            translation_placeholders={"name": text or "-"},
        )
    return found[0]


def _host_for(call: ServiceCall, name: str) -> HomelabConfigEntry:
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
        allow=tuple(data.get(ATTR_ALLOW, ())),
        login_required=data[ATTR_LOGIN_REQUIRED],
        request_headers=data[ATTR_REQUEST_HEADERS],
        response_headers=data[ATTR_RESPONSE_HEADERS],
        verify_upstream_tls=data[ATTR_VERIFY_UPSTREAM],
        health=UpstreamHealth(path=path) if path else None,
    )


def _targeted(call: ServiceCall, *, many: bool, named: bool) -> Iterator[NamedDomain]:
    """Yield the domains of all that is targeted, of all hosts where nothing is.

    Where they are `named`, a container only says of which host: it is to be behind them.
    """
    narrowed = is_targeted(call)
    if not narrowed and not many:
        return
    whole = {HOST, CONTAINER.name} if named else {HOST}
    chosen = {
        (target.coordinator, _domain_of(target))
        for target in targets(call)
        if target.kind in whole | {DOMAIN_KIND.name}
    }
    for entry in hosts(call):
        coordinator = entry.runtime_data
        for domain in coordinator.mirror.every(DOMAIN_KIND):
            of_host = many and (coordinator, None) in chosen
            if not narrowed or of_host or (coordinator, domain.id) in chosen:
                yield NamedDomain(coordinator, entry.title, domain.id, domain.name)


def _domain_of(target: Target) -> str | None:
    """Return the id of a targeted domain; None of all else."""
    return next(target.domains(), None) if target.kind == DOMAIN_KIND.name else None


def _is_called(domain: NamedDomain, text: str) -> bool:
    return text.casefold().rstrip(".") in {domain.id, domain.name.casefold()}
