"""Provisioning, as the API shows it. What runs is a job: its steps are those of `ProvisionStep`."""

from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Self

from pydantic import Field, model_validator

from homelab_agent.areas.dns.models import DnsPlan, GivenName, Key, RecordSet, TtlS
from homelab_agent.areas.proxy.models import BasicAuthUser, RouteOptions, RoutePlan, Upstream
from homelab_agent.platform.model import Model


class ProvisionStep(StrEnum):
    """The steps from a container to HTTPS."""

    VALIDATE = "validate"
    DNS_PLAN = "dns_plan"
    DNS_APPLY = "dns_apply"
    PROPAGATION = "propagation"
    PROXY_ROUTE = "proxy_route"
    RELOAD = "reload"
    CERTIFICATE = "certificate"
    HTTPS_HEALTH = "https_health"


class DeprovisionStep(StrEnum):
    """The steps of the way back. What an authority would have to give anew goes last."""

    VALIDATE = "validate"
    PROXY_ROUTE = "proxy_route"
    RELOAD = "reload"
    DYNAMIC_ADDRESS = "dynamic_address"
    DNS_PLAN = "dns_plan"
    DNS_APPLY = "dns_apply"
    PROPAGATION = "propagation"
    DOMAIN = "domain"
    CERTIFICATE = "certificate"


class CertificateWay(StrEnum):
    """How the domain gets its certificate.

    CADDY: Caddy gets it by itself (HTTP-01 or TLS-ALPN-01). DNS_01: the agent orders it and hands
    it to Caddy. MANAGED: one that the agent has already and that fits the name.
    """

    CADDY = "caddy"
    DNS_01 = "dns_01"
    MANAGED = "managed"


class ProvisionBody(Model):
    """Put a container, or whatever listens at `upstream`, at a name with HTTPS.

    `container` is the key of a container; `port` the one inside of it, where it has several.
    Addresses: `ipv4` and `ipv6`; or `dynamic`: this network's public ones, followed from then on;
    or `cname`: another name. None of them: the public addresses as they are now. `basic_auth` None
    leaves who may come in as it is; an empty list lets everybody in.
    """

    name: GivenName
    container: str | None = Field(default=None, min_length=1, max_length=512)
    port: int | None = Field(default=None, ge=1, le=65535)
    upstream: Upstream | None = None
    ipv4: IPv4Address | None = None
    ipv6: IPv6Address | None = None
    cname: GivenName | None = None
    dynamic: bool = False
    ttl_s: TtlS | None = None
    provider: Key | None = None
    certificate: CertificateWay = CertificateWay.CADDY
    options: RouteOptions = RouteOptions()
    basic_auth: tuple[BasicAuthUser, ...] | None = Field(default=None, max_length=50)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.container is None) == (self.upstream is None):
            raise ValueError("give either container or upstream")
        if self.port is not None and self.container is None:
            raise ValueError("port is the container's; an upstream names its own")
        ways = (bool(self.ipv4 or self.ipv6), self.cname is not None, self.dynamic)
        if sum(ways) > 1:
            raise ValueError("give addresses, or cname, or dynamic, and not two of them")
        return self


class ProvisionPlanBody(ProvisionBody):
    """What to plan."""


class StepPlan(Model):
    """What one step will do. `done`: nothing is left to do in it."""

    step: ProvisionStep
    text: str
    done: bool = False


class ProvisionPlan(Model):
    """What provisioning would do; nothing is changed yet. `hash` binds a start to this plan."""

    name: str
    upstream: str
    dns: DnsPlan
    route: RoutePlan
    steps: tuple[StepPlan, ...]
    warnings: tuple[str, ...] = ()
    needs_admin: str | None = None
    hash: str


class StartBody(ProvisionBody):
    """What to provision. With `plan_hash` it is refused when the plan would be another by now."""

    plan_hash: str | None = Field(default=None, min_length=16, max_length=128)
    wait_s: float | None = Field(default=120, ge=0, le=600)


class DeprovisionBody(Model):
    """Take a domain back. `keep_records`: its DNS records stay; `forget`: it is not kept at all."""

    keep_records: bool = False
    forget: bool = False
    wait_s: float | None = Field(default=120, ge=0, le=600)


class Provisioned(Model):
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
