"""How a domain is looked at: its records, what is served, its route; and what that means."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from homelab_agent.areas.ddns.models import DynamicAddress, DynamicState
from homelab_agent.areas.dns.models import RecordSet, RecordType
from homelab_agent.areas.domains.around import Around
from homelab_agent.areas.domains.checks.page import HTTPS_PORT
from homelab_agent.areas.domains.checks.records import RecordsCheck, Resolved
from homelab_agent.areas.domains.checks.web import Served
from homelab_agent.areas.domains.models import (
    CheckName,
    CheckResult,
    DomainCheck,
    DomainHealth,
    DomainStatus,
    KeptDomain,
    ServiceType,
)
from homelab_agent.areas.proxy.models import ProxyRoute, RouteCertificate, RouteState
from homelab_agent.platform.clock import Clock

_WILDCARD = "*."
PROBE_LABEL = "homelab-check"
"""What is asked for below a wildcard."""

_NO_ADDRESS = DomainCheck(
    name=CheckName.REACHABLE,
    result=CheckResult.FAILED,
    reason="The name leads to no address. Add an A, AAAA or CNAME record, or say what else the "
    "domain is for (service_type).",
)
_FROM_INSIDE = DomainCheck(
    name=CheckName.REACHABLE,
    result=CheckResult.SKIPPED,
    reason="It leads to this network's own address, which the router does not let in from inside. "
    "The rest was looked at in the reverse proxy itself; try from outside whether it is forwarded.",
)
_ROUTES = {
    RouteState.OK: CheckResult.OK,
    RouteState.DRIFTED: CheckResult.WARNING,
    RouteState.MISSING: CheckResult.FAILED,
    RouteState.UNKNOWN: CheckResult.UNKNOWN,
}
_TROUBLED = frozenset({DynamicState.FAILED, DynamicState.REFUSED})


class Web(Protocol):
    """Who looks at what is served: see `WebCheck`."""

    async def https(self, name: str, addresses: Sequence[str], *, port: int = HTTPS_PORT) -> Served:
        """Return what is served by HTTPS at the addresses of a name."""
        ...

    async def http(self, addresses: Sequence[str]) -> Served:
        """Return whether anybody is there without HTTPS."""
        ...

    async def misled(self, upstreams: Sequence[str]) -> str | None:
        """Return which upstream leads by now to where none may; None: none does."""
        ...


class Looker:
    """Looks at domains."""

    def __init__(self, records: RecordsCheck, web: Web, around: Around, clock: Clock) -> None:
        self._records = records
        self._web = web
        self._around = around
        self._clock = clock

    async def look(self, kept: KeptDomain) -> DomainHealth:
        """Return how a domain is."""
        settings, dynamic = kept.settings, self._around.dynamic(kept.id)
        is_web = settings.service_type is ServiceType.WEB
        resolved = await self._records.look(
            kept.id, _wanted(kept, dynamic), follow=is_web, trouble=_trouble(dynamic)
        )
        route = self._around.route(kept.id)
        served = await self._served(kept.id, resolved, route) if is_web else _not_served()
        checks = (resolved.check, *served.checks, await self._proxied(kept, route))
        return DomainHealth(
            id=kept.id,
            status=status_of(checks),
            reason=next((each.reason for each in checks if each.result in _NOT_WELL), None),
            checks=checks,
            servers=resolved.servers,
            addresses=resolved.addresses,
            https_status=served.https_status,
            response_ms=served.response_ms,
            certificate_expires_at=served.certificate_expires_at,
            certificate_days_left=served.certificate_days_left,
            checked_at=self._clock(),
        )

    async def _served(self, domain_id: str, resolved: Resolved, route: ProxyRoute | None) -> Served:
        if not resolved.addresses:
            is_known = resolved.check.result is not CheckResult.UNKNOWN
            reachable = _NO_ADDRESS if is_known else _skipped(CheckName.REACHABLE)
            return Served(
                checks=(reachable, _skipped(CheckName.HTTPS), _skipped(CheckName.CERTIFICATE))
            )
        if route is not None and route.certificate is RouteCertificate.NONE:
            return await self._web.http(resolved.addresses)
        found = await self._web.https(_asked(domain_id), resolved.addresses)
        is_own = self._around.own_addresses().issuperset(resolved.addresses)
        if route is None or found.is_reached or not is_own:
            return found
        return await self._from_inside(_asked(domain_id)) or found

    async def _proxied(self, kept: KeptDomain, route: ProxyRoute | None) -> DomainCheck:
        misled = await self._web.misled(route.upstreams) if route is not None else None
        if misled is None:
            return _proxy(kept, route)
        return DomainCheck(
            name=CheckName.PROXY,
            result=CheckResult.FAILED,
            reason=f"Its route is a danger: {misled}. Take the route out of the reverse proxy, and "
            "find out who changed that name.",
        )

    async def _from_inside(self, name: str) -> Served | None:
        """Return what the agent's own proxy serves; None where it cannot be reached either.

        Many routers let nobody in from inside by the address that they have outside.
        """
        for place in self._around.proxy_places():
            host, _, port = place.rpartition(":")
            found = await self._web.https(name, (host.strip("[]"),), port=int(port))
            if found.is_reached:
                return replace(found, checks=(_FROM_INSIDE, *found.checks[1:]))
        return None


_NOT_WELL = frozenset({CheckResult.FAILED, CheckResult.WARNING, CheckResult.UNKNOWN})


def status_of(checks: Sequence[DomainCheck]) -> DomainStatus:
    """Return what the checks mean together.

    Where nobody could be asked about the records, and what should be there cannot be reached
    either, it may be this agent that cannot see: then it is not known, and not unhealthy.
    """
    results = {each.name: each.result for each in checks}
    found = set(results.values())
    if results.get(CheckName.RECORDS) is CheckResult.UNKNOWN:
        if results.get(CheckName.REACHABLE) not in {CheckResult.OK, CheckResult.WARNING}:
            return DomainStatus.UNKNOWN
        return DomainStatus.UNHEALTHY if CheckResult.FAILED in found else DomainStatus.DEGRADED
    if CheckResult.FAILED in found:
        return DomainStatus.UNHEALTHY
    if CheckResult.WARNING in found:
        return DomainStatus.DEGRADED
    if CheckResult.UNKNOWN in found:
        return DomainStatus.UNKNOWN
    return DomainStatus.HEALTHY


def _wanted(kept: KeptDomain, dynamic: DynamicAddress | None) -> tuple[RecordSet, ...]:
    """Return what the name servers are to say. A name that follows an address has that one."""
    wanted = {
        each.type: RecordSet(name=kept.id, type=each.type, values=each.values, ttl_s=each.ttl_s)
        for each in kept.settings.records
    }
    if dynamic is not None:
        written = ((RecordType.A, dynamic.ipv4), (RecordType.AAAA, dynamic.ipv6))
        for kind, address in written:
            if address is not None:
                wanted[kind] = RecordSet(name=kept.id, type=kind, values=(address,))
    return tuple(wanted.values())


def _trouble(dynamic: DynamicAddress | None) -> str | None:
    if dynamic is None or dynamic.state not in _TROUBLED:
        return None
    return f"Its address cannot be kept up to date: {dynamic.reason or dynamic.state}"


def _asked(domain_id: str) -> str:
    """Return whom to ask for: a wildcard stands for any name."""
    if domain_id.startswith(_WILDCARD):
        return f"{PROBE_LABEL}.{domain_id.removeprefix(_WILDCARD)}"
    return domain_id


def _proxy(kept: KeptDomain, route: ProxyRoute | None) -> DomainCheck:
    if route is not None:
        result = _ROUTES[route.state]
        reason = None if result is CheckResult.OK else _route_reason(route)
        return DomainCheck(name=CheckName.PROXY, result=result, reason=reason)
    if kept.provisioned:
        return DomainCheck(
            name=CheckName.PROXY,
            result=CheckResult.FAILED,
            reason="Its route is not among those of the reverse proxy. Provision it again.",
        )
    return _skipped(CheckName.PROXY)


def _route_reason(route: ProxyRoute) -> str:
    return route.reason or f"Its route in the reverse proxy is {route.state}. Put it there again."


def _not_served() -> Served:
    names = (CheckName.REACHABLE, CheckName.HTTPS, CheckName.CERTIFICATE)
    return Served(checks=tuple(map(_skipped, names)))


def _skipped(name: CheckName) -> DomainCheck:
    return DomainCheck(name=name, result=CheckResult.SKIPPED)
