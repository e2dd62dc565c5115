"""What provisioning would do, and whether it can be done at all; nothing is changed here."""

import hashlib
import json
from dataclasses import dataclass

from homelab_agent.areas.dns.models import DnsPlan, PlanBody, RecordSet, RecordType, WantedRecords
from homelab_agent.areas.provisioning.certificate_step import own_certificate
from homelab_agent.areas.provisioning.models import (
    CertificateWay,
    ProvisionBody,
    ProvisionPlan,
    ProvisionStep,
    StepPlan,
)
from homelab_agent.areas.provisioning.partners import (
    Certificates,
    Dns,
    Domains,
    DynamicAddresses,
    Proxy,
)
from homelab_agent.areas.provisioning.upstreams import Found, Upstreams
from homelab_agent.areas.provisioning.wanted import ADDRESS_TYPES, wanted_records
from homelab_agent.areas.proxy.models import (
    ProxyStatus,
    RouteBody,
    RouteCertificate,
    RouteOptions,
    RoutePlan,
)
from homelab_agent.areas.renewal.models import LONGEST_PROVEN_NAME
from homelab_agent.platform.dns_names import uniform_name
from homelab_agent.platform.errors import AgentError, Conflict, Invalid

_USUAL_PORTS = (":443",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Partners:
    """The areas that are put together."""

    dns: Dns
    dynamic: DynamicAddresses
    proxy: Proxy
    certificates: Certificates
    domains: Domains
    upstreams: Upstreams


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What was wanted, made sure of, and the plan of it."""

    name: str
    upstream: str
    records: tuple[RecordSet, ...]
    certificate: CertificateWay
    plan: ProvisionPlan


class Planner:
    """Looks whether a domain can be provisioned, and says what that would change."""

    def __init__(self, partners: Partners) -> None:
        self._with = partners

    async def draft(self, body: ProvisionBody) -> Draft:
        """Return what provisioning would do.

        Raises:
            Invalid, Conflict, NotFound, Unavailable: it cannot be done; `field` names the input,
            `hint` the remedy.
        """
        partners = self._with
        name = uniform_name(body.name, field="name", underscore=False)
        records = wanted_records(name, body, partners.dns, partners.dynamic)
        found = await self.upstream(body.container, body.port, body.upstream)
        way, there_already = self._way(name, body.certificate)
        await self.require_possible(name, records, body.provider, way, follows=body.dynamic)
        dns = await self._dns_plan(records, body.provider)
        wanted_route = route_body(found.address, way, body.options)
        route = await self._route(
            name, wanted_route.model_copy(update={"basic_auth": body.basic_auth}), body
        )
        warnings = (
            *(each for each in (found.warning, there_already) if each),
            *await self._warnings(name, way, records, body.provider),
            *dns.warnings,
            *route.warnings,
        )
        plan = ProvisionPlan(
            name=name,
            upstream=found.address,
            dns=dns,
            route=route,
            steps=_steps(name, way, dns, route),
            warnings=warnings,
            needs_admin=dns.needs_admin,
            hash=_hash(name, way, body, dns, route),
        )
        return Draft(name=name, upstream=found.address, records=records, certificate=way, plan=plan)

    async def _route(self, name: str, wanted: RouteBody, body: ProvisionBody) -> RoutePlan:
        """Return the plan of the route; what is wrong is told by the field that was given here."""
        fields = {"host": "name", "upstreams.0": "container" if body.container else "upstream"}
        try:
            return await self._with.proxy.plan(name, wanted)
        except AgentError as error:
            error.field = fields.get(error.field or "", error.field)
            raise

    def _way(self, name: str, wanted: CertificateWay) -> tuple[CertificateWay, str | None]:
        """Return how the certificate is had, and what to say where that is not as it was asked."""
        there = self._with.certificates.find_for(name)
        if wanted is not CertificateWay.DNS_01 or there is None:
            return wanted, None
        if own_certificate(name, self._with.certificates) is not None:
            return wanted, None
        return CertificateWay.MANAGED, (
            f"The certificate {there.key} is good for {name}, too; it is used, and none is ordered."
        )

    async def upstream(self, container: str | None, port: int | None, given: str | None) -> Found:
        """Return what is to be served: what was named, or where the container is by now."""
        if container is not None:
            # First: that the proxy is in a container is only seen once containers are known.
            self._with.upstreams.require_running(container)
        proxy = await self._seen_proxy()
        if container is not None:
            return await self._with.upstreams.find(container, port, proxy)
        if given is None:
            raise Invalid("There is nothing to be served.", field="container")
        return Found(given)

    async def require_possible(
        self,
        name: str,
        records: tuple[RecordSet, ...],
        provider: str | None,
        certificate: CertificateWay,
        *,
        follows: bool,
    ) -> None:
        """Raise what is in the way: rights, other records, a domain that is something else.

        `follows`: it is to follow this network's address from then on.
        """
        home = self._with.dns.home_of(name, provider)
        types = frozenset(home.capabilities.types)
        for each in records:
            if each.type not in types:
                raise Invalid(
                    f"{home.provider} cannot write {each.type} records"
                    + (f": {home.capabilities.limits}" if home.capabilities.limits else "."),
                    field="provider",
                    hint="Use another provider for this zone, or other records.",
                )
        self._require_certificate_possible(name, certificate, types)
        self._require_same_domain(name, records)
        if not follows:
            self._require_not_led_away(name, records)
        self._require_no_alias(name)
        there = await self._with.dns.read(name, provider=provider)
        self._require_nothing_in_the_way(records, there)

    async def _seen_proxy(self) -> ProxyStatus:
        """Return how the proxy is now: what was seen last may be from before a restart."""
        await self._with.proxy.look()
        return self._with.proxy.status()

    def _require_certificate_possible(
        self, name: str, way: CertificateWay, types: frozenset[RecordType]
    ) -> None:
        if way is CertificateWay.DNS_01 and RecordType.TXT not in types:
            raise Invalid(
                "The provider of this zone cannot write TXT records, which DNS-01 needs.",
                field="certificate",
                hint='Take "caddy", or another provider.',
            )
        if way is CertificateWay.DNS_01 and len(name) > LONGEST_PROVEN_NAME:
            raise Invalid(
                f"The name has {len(name)} characters; to be proven by DNS it may have "
                f"{LONGEST_PROVEN_NAME}.",
                field="certificate",
                hint='Take "caddy", or a shorter name.',
            )
        if way is CertificateWay.MANAGED and self._with.certificates.find_for(name) is None:
            raise Conflict(
                f"The agent has no valid certificate for {name}.",
                field="certificate",
                hint='Upload one first, or take "caddy" or "dns_01".',
            )

    def _require_same_domain(self, name: str, records: tuple[RecordSet, ...]) -> None:
        """Refuse to make another domain of one that is kept with other addresses."""
        known = self._with.domains.find(name)
        if known is None or known.provisioned or known.dynamic:
            return
        kept = {each.type: each.values for each in known.records if each.type in ADDRESS_TYPES}
        wanted = {each.type: each.values for each in records}
        if kept and kept != wanted:
            shown = ", ".join(f"{type_} {' '.join(values)}" for type_, values in kept.items())
            raise Conflict(
                f"{name} is kept as a domain with other records: {shown}.",
                field="name",
                hint="Change or delete that domain first, or give the addresses that it has.",
            )

    def _require_not_led_away(self, name: str, records: tuple[RecordSet, ...]) -> None:
        """Refuse addresses that would be written over, as the name follows another one."""
        known = self._with.dynamic.find(name)
        if known is None:
            return
        followed = {
            RecordType.A: (known.follows_ipv4, known.wanted_ipv4 or known.ipv4),
            RecordType.AAAA: (known.follows_ipv6, known.wanted_ipv6 or known.ipv6),
        }
        for each in records:
            is_followed, address = followed.get(each.type, (True, None))
            if is_followed and each.values != (address,):
                raise Conflict(
                    f"{name} follows {address or 'an address'}, and {each.type} "
                    f"{' '.join(each.values)} would be written over.",
                    field=_field_of(each.type),
                    hint=f'Take "dynamic", or DELETE /api/v1/dynamic-addresses/{name} first.',
                )

    async def _dns_plan(self, records: tuple[RecordSet, ...], provider: str | None) -> DnsPlan:
        """Return the plan of the DNS; what is wrong is told by the field that was given here."""
        try:
            return await self._with.dns.plan(dns_wants(records, provider))
        except AgentError as error:
            error.field = _given_field(error.field, records)
            raise

    def _require_no_alias(self, name: str) -> None:
        """Refuse to take names away that a person gave to the route of this one."""
        route = self._with.proxy.route(name)
        if route is not None and route.aliases:
            raise Conflict(
                f"The route of {name} serves {', '.join(route.aliases)}, too, and would not any "
                "more.",
                field="name",
                hint=f"Take them out first: PUT /api/v1/proxy/routes/{name}",
            )

    def _require_nothing_in_the_way(
        self, wanted: tuple[RecordSet, ...], there: tuple[RecordSet, ...]
    ) -> None:
        is_alias = any(each.type is RecordType.CNAME for each in wanted)
        for each in there:
            if not each.values or is_alias is (each.type is RecordType.CNAME):
                continue
            if is_alias or each.type is RecordType.CNAME:
                raise Conflict(
                    f"{each.name} has {each.type} {' '.join(each.values)} already, and a CNAME "
                    "cannot stand beside other records.",
                    field="cname" if is_alias else "name",
                    hint="Remove those records first, or take another name.",
                )

    async def _warnings(
        self,
        name: str,
        way: CertificateWay,
        records: tuple[RecordSet, ...],
        provider: str | None,
    ) -> tuple[str, ...]:
        found = []
        status = self._with.proxy.status()
        if status.warning:
            found.append(status.warning)
        if way is CertificateWay.CADDY:
            # As seen for this plan: what is to be served was found out with a look at the proxy.
            served = status.addresses
            if not any(each.endswith(_USUAL_PORTS) for each in served):
                found.append(
                    f"The proxy serves HTTPS at {', '.join(served) or 'no port'}: an authority "
                    "comes to ports 80 and 443 only, so that these must be forwarded to it."
                )
        types = {each.type for each in records}
        found += [
            f"{name} keeps its {each.type} {' '.join(each.values)}: make sure that the proxy is "
            "there, too."
            for each in await self._with.dns.read(name, provider=provider)
            if each.values and each.type in ADDRESS_TYPES and each.type not in types
        ]
        return tuple(found)


def dns_wants(records: tuple[RecordSet, ...], provider: str | None) -> PlanBody:
    """Return what to ask the DNS for."""
    return PlanBody(
        wanted=tuple(
            WantedRecords(name=each.name, type=each.type, values=each.values, ttl_s=each.ttl_s)
            for each in records
        ),
        provider=provider,
    )


def route_body(upstream: str, certificate: CertificateWay, options: RouteOptions) -> RouteBody:
    """Return the route to be, without its users."""
    return RouteBody(
        upstreams=(upstream,),
        certificate=RouteCertificate.CADDY
        if certificate is CertificateWay.CADDY
        else RouteCertificate.MANAGED,
        options=options,
    )


def _field_of(record_type: RecordType) -> str:
    return {RecordType.A: "ipv4", RecordType.AAAA: "ipv6"}.get(record_type, "cname")


def _given_field(field: str | None, records: tuple[RecordSet, ...]) -> str | None:
    """Return the field of the request for one of a DNS plan, as wanted.0.ttl_s."""
    place, _, part = (field or "").removeprefix("wanted.").partition(".")
    if not place.isdecimal():
        return field
    return part if part in {"name", "ttl_s"} else _field_of(records[int(place)].type)


def _steps(
    name: str, certificate: CertificateWay, dns: DnsPlan, route: RoutePlan
) -> tuple[StepPlan, ...]:
    same = not dns.changes
    is_there = route.before is not None and not route.difference
    ways = {
        CertificateWay.CADDY: "Wait until Caddy has a certificate.",
        CertificateWay.DNS_01: "Order a certificate with DNS-01 and hand it to Caddy.",
        CertificateWay.MANAGED: "Hand the certificate that is there to Caddy.",
    }
    return (
        StepPlan(step=ProvisionStep.VALIDATE, text="Look whether all of it can be done."),
        StepPlan(
            step=ProvisionStep.DNS_PLAN,
            text=f"{_changes(len(dns.changes))} in {dns.zone} at {dns.provider}.",
            done=same,
        ),
        StepPlan(step=ProvisionStep.DNS_APPLY, text=dns.text or "No change.", done=same),
        StepPlan(
            step=ProvisionStep.PROPAGATION,
            text="Wait until every authoritative server gives the records.",
        ),
        StepPlan(
            step=ProvisionStep.PROXY_ROUTE, text="Prepare the route and try it.", done=is_there
        ),
        StepPlan(step=ProvisionStep.RELOAD, text="Put the route into the proxy.", done=is_there),
        StepPlan(step=ProvisionStep.CERTIFICATE, text=ways[certificate]),
        StepPlan(step=ProvisionStep.HTTPS_HEALTH, text=f"Ask https://{name}/ at the proxy."),
    )


def _hash(
    name: str, way: CertificateWay, body: ProvisionBody, dns: DnsPlan, route: RoutePlan
) -> str:
    """Return what a start is bound to. A password is hashed anew each time, so only names count."""
    bound = {
        "name": name,
        "container": body.container,
        "dns": dns.hash,
        "route_before": route.before,
        "route_after": route.after,
        "certificate": way,
        "dynamic": body.dynamic,
        "options": body.options.model_dump(mode="json"),
        "users": None if body.basic_auth is None else [each.username for each in body.basic_auth],
    }
    return hashlib.sha256(json.dumps(bound, sort_keys=True).encode()).hexdigest()


def _changes(count: int) -> str:
    return "One change" if count == 1 else f"{count} changes"
