"""What provisioning needs of the areas that it puts together, and no more."""
# ruff: noqa: A002 - parameters are named as those areas name them

from collections.abc import Sequence
from typing import Protocol

from pydantic import JsonValue

from homelab_agent.areas.containers.models import Container
from homelab_agent.areas.ddns.models import (
    DynamicAddress,
    DynamicAddressBody,
    DynamicAddressList,
)
from homelab_agent.areas.dns.models import (
    DnsPlan,
    PlanBody,
    RecordSet,
    RecordType,
    WantedRecords,
    ZoneHome,
)
from homelab_agent.areas.domains.models import (
    Domain,
    DomainBody,
    DomainEventType,
    FoundRecords,
    KeptDomain,
)
from homelab_agent.areas.proxy.models import (
    PreparedRoute,
    ProxyRoute,
    ProxyStatus,
    RouteBody,
    RoutePlan,
)
from homelab_agent.areas.renewal.models import (
    IssueBody,
    ManagedCertificate,
    ManagedCertificateList,
)
from homelab_agent.platform.commands import Outcome


class Dns(Protocol):
    """The DNS: see `DnsService`."""

    async def until_ready(self) -> None:
        """Return when the providers are known."""
        ...

    def home_of(self, name: str, provider: str | None = None, *, field: str = "name") -> ZoneHome:
        """Return who manages a name."""
        ...

    def checked(self, wanted: WantedRecords, *, field: str) -> RecordSet:
        """Return records in the one way they are written; raise `Invalid` naming the field."""
        ...

    async def read(
        self, name: str, type: RecordType | None = None, *, provider: str | None = None
    ) -> tuple[RecordSet, ...]:
        """Return what is there at a name."""
        ...

    async def plan(self, body: PlanBody) -> DnsPlan:
        """Return what would change."""
        ...

    async def write(
        self, plan: DnsPlan, *, again: bool = False, counted_for: str | None = None
    ) -> None:
        """Do it, where everything is as the plan saw it; `again`: a crash came between.

        `counted_for`: the job of somebody who is no admin.
        """
        ...

    async def take_back(self, plan: DnsPlan, *, counted_for: str | None = None) -> None:
        """Undo it; what somebody else changed since stays and is told as `Conflict`."""
        ...

    async def wait_until_served(self, wanted: Sequence[RecordSet], *, within_s: float) -> None:
        """Return when every authoritative server gives exactly this."""
        ...


class Proxy(Protocol):
    """The reverse proxy: see `ProxyService`."""

    async def until_ready(self) -> None:
        """Return when the agent's routes are known."""
        ...

    async def look(self) -> object:
        """Look at it now; raise what is in the way, as that there is none."""
        ...

    def status(self) -> ProxyStatus:
        """Return how it was when it was looked at last."""
        ...

    def route(self, host: str) -> ProxyRoute | None:
        """Return the agent's route of a host."""
        ...

    def routes(self) -> tuple[ProxyRoute, ...]:
        """Return all routes of the agent."""
        ...

    async def addresses(self) -> tuple[str, ...]:
        """Return where it serves HTTPS, as host:port."""
        ...

    async def plan(self, host: str, body: RouteBody | None) -> RoutePlan:
        """Return what a route would be; None: its removal."""
        ...

    async def prepare(self, host: str, body: RouteBody | None) -> PreparedRoute:
        """Return it validated and ready to be put, with what was there before."""
        ...

    async def put(self, prepared: PreparedRoute) -> bool:
        """Put it; return whether there was anything to do."""
        ...

    async def put_back(self, prepared: PreparedRoute) -> None:
        """Have the proxy as it was before."""
        ...

    async def wait_until_served(self, host: str, *, within_s: float) -> None:
        """Return when the proxy answers for that host."""
        ...


class Certificates(Protocol):
    """The certificates that the agent keeps: see `RenewalService`."""

    async def list(self) -> ManagedCertificateList:
        """Return all, as soon as they are known."""
        ...

    def find_for(self, name: str) -> ManagedCertificate | None:
        """Return a valid one that covers a name."""
        ...

    def find(self, key: str) -> ManagedCertificate | None:
        """Return one by its key."""
        ...

    def obtained_for(self, name: str) -> ManagedCertificate | None:
        """Return what was obtained for a name, its own one first; `discard` takes it back."""
        ...

    async def obtain(self, body: IssueBody) -> ManagedCertificate:
        """Order one; goes on where it was."""
        ...

    async def discard(self, key: str) -> None:
        """Undo that."""
        ...


class Domains(Protocol):
    """The domains that are kept: see `DomainService`."""

    async def until_ready(self) -> None:
        """Return when it is known which domains there are."""
        ...

    def find(self, id: str) -> Domain | None:
        """Return a domain."""
        ...

    def kept(self, id: str) -> KeptDomain | None:
        """Return what is kept of it, to be put back."""
        ...

    async def put(
        self,
        body: DomainBody,
        caller: str,
        *,
        provisioned: bool,
        job_id: str | None,
        found: FoundRecords | None = None,
    ) -> KeptDomain | None:
        """Keep a domain."""
        ...

    async def put_back(self, id: str, before: KeptDomain | None, caller: str) -> None:
        """Have it as it was kept before; None: not at all."""
        ...

    async def changing(self, id: str, job_id: str | None) -> None:
        """Show that a job is at it; None: no more."""
        ...

    async def note(  # noqa: PLR0913 - each is a column
        self,
        id: str,
        type: DomainEventType,
        *,
        caller: str,
        step: str | None = None,
        outcome: Outcome | None = None,
        message: str | None = None,
        before: JsonValue = None,
        after: JsonValue = None,
        job_id: str | None = None,
    ) -> None:
        """Write a line of its history."""
        ...


class DynamicAddresses(Protocol):
    """The names that follow an address: see `DynamicAddressService`."""

    async def list(self) -> DynamicAddressList:
        """Return all, as soon as they are known."""
        ...

    def find(self, name: str) -> DynamicAddress | None:
        """Return one."""
        ...

    async def add(self, body: DynamicAddressBody, caller: str, *, admin: bool) -> DynamicAddress:
        """Have a name follow from now on."""
        ...

    async def remove(self, name: str) -> None:
        """Have it follow no more."""
        ...

    def public_addresses(self) -> tuple[str | None, str | None]:
        """Return this network's addresses as the internet sees them, IPv4 and IPv6."""
        ...


class Containers(Protocol):
    """The containers of this host: see `ContainerService`."""

    def get(self, name_or_key: str) -> Container:
        """Return one; `NotFound` names it."""
        ...
