"""Provisioning, as the API shows it. What runs is a job: its steps are those of `ProvisionStep`."""

from dataclasses import dataclass

from .base import OpenEnum
from .dns import DnsPlan, RecordSet
from .proxy import USUAL_OPTIONS, BasicAuthUser, RouteOptions, RoutePlan


class ProvisionStep(OpenEnum):
    """The steps from a container to HTTPS."""

    VALIDATE = "validate"
    DNS_PLAN = "dns_plan"
    DNS_APPLY = "dns_apply"
    PROPAGATION = "propagation"
    PROXY_ROUTE = "proxy_route"
    RELOAD = "reload"
    CERTIFICATE = "certificate"
    HTTPS_HEALTH = "https_health"
    UNKNOWN = "unknown"


class CertificateWay(OpenEnum):
    """How the domain gets its certificate.

    CADDY: Caddy gets it by itself (HTTP-01 or TLS-ALPN-01). DNS_01: the agent orders it and hands
    it to Caddy. MANAGED: one that the agent has already and that fits the name.
    """

    CADDY = "caddy"
    DNS_01 = "dns_01"
    MANAGED = "managed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionBody:
    """Put a container, or whatever listens at `upstream`, at a name with HTTPS.

    `container` is the key of a container; `port` the one inside of it, where it has several.
    Addresses: `ipv4` and `ipv6`; or `dynamic`: this network's public ones, followed from then on;
    or `cname`: another name. None of them: the public addresses as they are now.
    """

    name: str
    container: str | None = None
    port: int | None = None
    upstream: str | None = None
    ipv4: str | None = None
    ipv6: str | None = None
    cname: str | None = None
    dynamic: bool = False
    ttl_s: int | None = None
    provider: str | None = None
    certificate: CertificateWay = CertificateWay.CADDY
    options: RouteOptions = USUAL_OPTIONS
    basic_auth: tuple[BasicAuthUser, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionPlanBody(ProvisionBody):
    """What to plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPlan:
    """What one step will do. `done`: nothing is left to do in it."""

    step: ProvisionStep
    text: str
    done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionPlan:
    """What provisioning would do; nothing is changed yet. `hash` binds a start to this plan."""

    name: str
    upstream: str
    dns: DnsPlan
    route: RoutePlan
    steps: tuple[StepPlan, ...]
    warnings: tuple[str, ...] = ()
    needs_admin: str | None = None
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartBody(ProvisionBody):
    """What to provision. With `plan_hash` it is refused when the plan would be another by now."""

    plan_hash: str | None = None
    wait_s: float | None = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class DeprovisionBody:
    """Take a domain back. `keep_records`: its DNS records stay; `forget`: it is not kept at all."""

    keep_records: bool = False
    forget: bool = False
    wait_s: float | None = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioned:
    """What a domain is made of.

    `records`: those that the agent wrote. `certificate_key`: the certificate of the agent that it
    is served with, where it is one. `job_id`: what is changing it just now.
    """

    name: str
    provisioned: bool
    container: str | None = None
    upstreams: tuple[str, ...] = ()
    records: tuple[RecordSet, ...] = ()
    certificate: CertificateWay | None = None
    certificate_key: str | None = None
    dynamic: bool = False
    job_id: str | None = None
