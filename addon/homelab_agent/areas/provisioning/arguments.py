"""What a job of provisioning is about, as it is journaled. Nothing secret is in here in clear."""

from pydantic import JsonValue

from homelab_agent.areas.ddns.models import DynamicAddressBody
from homelab_agent.areas.dns.models import DnsPlan, RecordSet
from homelab_agent.areas.domains.models import FoundRecords, KeptDomain
from homelab_agent.areas.provisioning.models import CertificateWay
from homelab_agent.areas.proxy.models import PreparedRoute
from homelab_agent.platform.jobs.kinds import StepContext
from homelab_agent.platform.model import Model

BEFORE = "before"
DNS_PLAN = "dns_plan"
ROUTE = "route"
ROUTE_IS_PUT = "route_is_put"
DNS_IS_WRITTEN = "dns_is_written"
STAYS = "stays"
"""What of the DNS stays at the end, and why, in words."""


class SealedUser(Model):
    """Who may come in; `sealed` is the password, which only the vault can open."""

    username: str
    sealed: str


class ProvisionArguments(Model):
    """What is to be there at the end. `records` are the wanted ones, as the DNS writes them.

    `upstream` is where the container was found when it was asked for. `admin`: an admin asked.
    `dns_hash`: what was looked at before it was asked for, where that was so. `sealed_options`: as
    the route is to serve; its headers may be secrets.
    """

    name: str
    container: str | None = None
    port: int | None = None
    upstream: str
    records: tuple[RecordSet, ...]
    provider: str | None = None
    certificate: CertificateWay
    sealed_options: str
    users: tuple[SealedUser, ...] | None = None
    dynamic: DynamicAddressBody | None = None
    caller: str
    admin: bool
    dns_hash: str | None = None


class DeprovisionArguments(Model):
    """What is to be taken away. `records`: what the agent may have written, as it was then known.

    Of a name that follows an address there may be two of one type. `found`: what was there before.
    """

    name: str
    records: tuple[RecordSet, ...] = ()
    found: FoundRecords = FoundRecords()
    provider: str | None = None
    keep_records: bool
    forget: bool
    caller: str
    admin: bool


class Before(Model):
    """How it was before a job began: what is put back when it comes to nothing.

    `certificate`: the key of the agent's own certificate for the name, where there was one.
    """

    domain: KeptDomain | None = None
    dynamic: DynamicAddressBody | None = None
    certificate: str | None = None
    handed_over: bool = False


def held_with(name: str) -> tuple[str, ...]:
    """Return what a job about a domain keeps others from besides: its route in the proxy."""
    return (f"proxy:{name}",)


def before_of(
    context: StepContext[ProvisionArguments] | StepContext[DeprovisionArguments],
) -> Before:
    """Return how it was before, as the first step found it; nothing where it did not get so far."""
    found = context.data.get(BEFORE)
    return Before() if found is None else Before.model_validate(found)


def dns_plan_of(
    context: StepContext[ProvisionArguments] | StepContext[DeprovisionArguments],
) -> DnsPlan | None:
    """Return the plan of the DNS that was journaled; None: nothing was to be changed."""
    found = context.data.get(DNS_PLAN)
    return None if found is None else DnsPlan.model_validate(found)


def stays_of(context: StepContext[DeprovisionArguments]) -> str:
    """Return what of the DNS stays, as it was journaled; empty where nothing does."""
    return str(context.data.get(STAYS) or "")


def route_of(
    context: StepContext[ProvisionArguments] | StepContext[DeprovisionArguments],
) -> PreparedRoute | None:
    """Return the route that was prepared; None: nothing was to be changed."""
    found = context.data.get(ROUTE)
    return None if found is None else PreparedRoute.model_validate(found)


def journaled(**values: Model | bool | str | None) -> dict[str, JsonValue]:
    """Return what a step leaves for the later ones, as the journal takes it."""
    return {
        name: value.model_dump(mode="json") if isinstance(value, Model) else value
        for name, value in values.items()
    }
