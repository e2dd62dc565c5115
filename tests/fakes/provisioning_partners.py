"""The areas that provisioning puts together, in memory, each with its faults on script."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pydantic import JsonValue

from homelab_agent.areas.certificates.models import CertificateReport, Verdict
from homelab_agent.areas.containers.models import Container
from homelab_agent.areas.ddns.models import (
    AddressSource,
    DynamicAddress,
    DynamicAddressBody,
    DynamicAddressList,
    DynamicState,
)
from homelab_agent.areas.dns.models import (
    Capabilities,
    Change,
    ChangeAction,
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
    DomainSettings,
    DomainStatus,
    FoundRecords,
    KeptDomain,
)
from homelab_agent.areas.proxy.models import (
    KeptRoute,
    KeptUser,
    PreparedRoute,
    ProxyMode,
    ProxyReach,
    ProxyRoute,
    ProxyStatus,
    RouteBody,
    RoutePlan,
    RouteState,
)
from homelab_agent.areas.renewal.models import (
    HandOver,
    IssueBody,
    ManagedCertificate,
    ManagedCertificateList,
    ManagedOrigin,
    ManagedState,
)
from homelab_agent.platform.commands import Outcome
from homelab_agent.platform.engine.objects import ObjectUser
from homelab_agent.platform.errors import AgentError, Conflict, NotFound

ZONE = "home.example"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ALL_TYPES = (RecordType.A, RecordType.AAAA, RecordType.CNAME, RecordType.TXT)

type Fault = Callable[[], Awaitable[None]]


@dataclass
class Faults:
    """What a call of one name does before it does its work: raise, or hang."""

    at: dict[str, Fault] = field(default_factory=dict)

    async def meet(self, name: str) -> None:
        fault = self.at.get(name)
        if fault:
            await fault()


def raising(error: Exception, *, times: int = 1_000) -> Fault:
    """Return a fault that raises so often, and is over then."""
    left = [times]

    async def fault() -> None:
        if left[0] > 0:
            left[0] -= 1
            raise error

    return fault


async def hanging() -> None:
    """Never end."""
    await asyncio.Event().wait()


class FakeDns:
    """A zone. `types` are those that its provider can write."""

    def __init__(self, faults: Faults) -> None:
        self.records: dict[tuple[str, RecordType], RecordSet] = {}
        self.types = ALL_TYPES
        self.needs_admin: str | None = None
        self.counted_for: str | None = None
        """The job of somebody who is no admin that wrote last."""
        self.gone: set[str] = set()
        self._faults = faults

    async def until_ready(self) -> None:
        """Be ready."""

    def home_of(self, name: str, provider: str | None = None, *, field: str = "name") -> ZoneHome:
        if not name.endswith(ZONE):
            raise NotFound(f"Nobody manages {name}", field=field)
        if provider in self.gone:
            raise NotFound(f"There is no DNS provider {provider}.", field="provider")
        capabilities = Capabilities(lists=True, types=self.types)
        return ZoneHome(zone=ZONE, provider=provider or "own", capabilities=capabilities)

    def checked(self, wanted: WantedRecords, *, field: str) -> RecordSet:
        del field
        return RecordSet(
            name=wanted.name, type=wanted.type, values=wanted.values, ttl_s=wanted.ttl_s or 300
        )

    async def read(
        self,
        name: str,
        type: RecordType | None = None,  # noqa: A002
        *,
        provider: str | None = None,
    ) -> tuple[RecordSet, ...]:
        self.home_of(name, provider)
        await self._faults.meet("dns.read")
        return tuple(
            each for key, each in self.records.items() if key[0] == name and type in (None, key[1])
        )

    async def plan(self, body: PlanBody) -> DnsPlan:
        await self._faults.meet("dns.plan")
        changes = []
        for each in body.wanted:
            after = self.checked(each, field="") if each.values else None
            before = self.records.get((each.name, each.type))
            if before != after:
                action = ChangeAction.DELETE if after is None else ChangeAction.CREATE
                changes.append(
                    Change(
                        action=action if not (before and after) else ChangeAction.UPDATE,
                        name=each.name,
                        type=each.type,
                        before=before,
                        after=after,
                    )
                )
        text = f"{len(changes)} changes"
        return DnsPlan(
            zone=ZONE,
            provider="own",
            changes=tuple(changes),
            hash=f"{hash(tuple(changes)):064x}".replace("-", "0"),
            needs_admin=self.needs_admin,
            text=text,
        )

    async def write(
        self,
        plan: DnsPlan,
        *,
        again: bool = False,  # noqa: ARG002
        counted_for: str | None = None,
    ) -> None:
        self.counted_for = counted_for
        await self._faults.meet("dns.write")
        self._put(plan, back=False)
        await self._faults.meet("dns.written")

    async def take_back(self, plan: DnsPlan, *, counted_for: str | None = None) -> None:
        self.counted_for = counted_for
        await self._faults.meet("dns.take_back")
        self._put(plan, back=True)

    def _put(self, plan: DnsPlan, *, back: bool) -> None:
        for each in plan.changes:
            key = each.name, each.type
            old, new = (each.after, each.before) if back else (each.before, each.after)
            there = self.records.get(key)
            if there not in (old, new):
                raise Conflict(f"{each.name} {each.type} was changed by somebody else")
            if new is None:
                self.records.pop(key, None)
            else:
                self.records[key] = new

    async def wait_until_served(self, wanted: Sequence[RecordSet], *, within_s: float) -> None:
        del wanted, within_s
        await self._faults.meet("dns.served")


class FakeProxy:
    """A proxy with routes. `foreign` are hosts that somebody else serves.

    `shown` is from the last look, and `seen` what the next one finds.
    """

    def __init__(self, faults: Faults) -> None:
        self.routes_kept: dict[str, KeptRoute] = {}
        self.foreign: set[str] = set()
        self.shown = ProxyStatus(mode=ProxyMode.OWN, reach=ProxyReach.UNKNOWN)
        self.seen = ProxyStatus(
            mode=ProxyMode.OWN, reach=ProxyReach.OK, addresses=("127.0.0.1:443",)
        )
        self.away: AgentError | None = None
        self.passwords: list[str] = []
        self._faults = faults

    async def until_ready(self) -> None:
        """Be ready."""

    async def look(self) -> None:
        if self.away is not None:
            raise self.away
        self.shown = self.seen

    def status(self) -> ProxyStatus:
        return self.shown

    def route(self, host: str) -> ProxyRoute | None:
        kept = self.routes_kept.get(host)
        if kept is None:
            return None
        return ProxyRoute(
            key=host,
            aliases=kept.aliases,
            upstreams=kept.upstreams,
            certificate=kept.certificate,
            options=kept.options,
            state=RouteState.OK,
            changed_at=NOW,
        )

    def routes(self) -> tuple[ProxyRoute, ...]:
        return tuple(filter(None, map(self.route, self.routes_kept)))

    async def addresses(self) -> tuple[str, ...]:
        return ("127.0.0.1:443",)

    async def plan(self, host: str, body: RouteBody | None) -> RoutePlan:
        await self._faults.meet("proxy.plan")
        if host in self.foreign:
            raise Conflict(f"{host} is served by a route of somebody else", field="name")
        kept = self.routes_kept.get(host)
        return RoutePlan(
            host=host,
            before=kept.model_dump_json() if kept else None,
            after=str(body and body.upstreams),
            difference=() if kept else ("a new route",),
            validated=True,
        )

    async def prepare(self, host: str, body: RouteBody | None) -> PreparedRoute:
        await self._faults.meet("proxy.prepare")
        for user in (body.basic_auth or ()) if body else ():
            self.passwords.append(user.password.get_secret_value())
        before = self.routes_kept.get(host)
        after = body and KeptRoute(
            host=host,
            upstreams=body.upstreams,
            certificate=body.certificate,
            options=body.options,
            users=_users(body, before),
            changed_at=NOW,
        )
        return PreparedRoute(host=host, before=before, after=after, found="null", validated=True)

    async def put(self, prepared: PreparedRoute) -> bool:
        await self._faults.meet("proxy.put")
        self._set(prepared.host, prepared.after)
        await self._faults.meet("proxy.done")
        return True

    async def put_back(self, prepared: PreparedRoute) -> None:
        await self._faults.meet("proxy.put_back")
        self._set(prepared.host, prepared.before)

    async def wait_until_served(self, host: str, *, within_s: float) -> None:
        del host, within_s
        await self._faults.meet("proxy.served")

    def _set(self, host: str, route: KeptRoute | None) -> None:
        if route is None:
            self.routes_kept.pop(host, None)
        else:
            self.routes_kept[host] = route


class FakeCertificates:
    """The certificates of the agent, by key."""

    def __init__(self, faults: Faults) -> None:
        self.kept: dict[str, ManagedCertificate] = {}
        self._before: dict[str, ManagedCertificate | None] = {}
        self._faults = faults

    async def list(self) -> ManagedCertificateList:
        return ManagedCertificateList(certificates=tuple(self.kept.values()))

    def find_for(self, name: str) -> ManagedCertificate | None:
        # As if what came later lasted longer.
        return next((each for each in reversed(self.kept.values()) if name in each.names), None)

    def find(self, key: str) -> ManagedCertificate | None:
        return self.kept.get(key)

    def obtained_for(self, name: str) -> ManagedCertificate | None:
        obtained = [self.kept[key] for key in self._before if name in self.kept[key].names]
        return max(obtained, key=lambda each: each.names == (name,), default=None)

    async def obtain(self, body: IssueBody) -> ManagedCertificate:
        await self._faults.meet("certificates.obtain")
        key = body.key or body.names[0]
        self._before.setdefault(key, self.kept.get(key))
        names = self.kept[key].names if key in self.kept else body.names
        self.kept[key] = certificate(key, body.hand_over, names=names)
        return self.kept[key]

    async def discard(self, key: str) -> None:
        await self._faults.meet("certificates.discard")
        before = self._before.pop(key, None)
        self.kept.pop(key, None)
        if before:
            self.kept[key] = before


def certificate(key: str, hand_over: HandOver, *, names: tuple[str, ...]) -> ManagedCertificate:
    """Return a valid certificate."""
    return ManagedCertificate(
        key=key,
        names=names,
        origin=ManagedOrigin.ACME,
        state=ManagedState.VALID,
        hand_over=hand_over,
    )


@dataclass(frozen=True)
class Line:
    """A line of a domain's history."""

    type: DomainEventType
    step: str | None
    outcome: Outcome | None
    message: str | None


class FakeDomains:
    """The domains that are kept, and their history."""

    def __init__(self) -> None:
        self.all: dict[str, KeptDomain] = {}
        self.lines: list[Line] = []
        self.jobs: dict[str, str | None] = {}

    async def until_ready(self) -> None:
        """Be ready."""

    def find(self, id: str) -> Domain | None:  # noqa: A002
        kept = self.all.get(id)
        if kept is None:
            return None
        return Domain(
            id=id,
            name=id,
            service_type=kept.settings.service_type,
            records=tuple(
                RecordSet(name=id, type=each.type, values=each.values, ttl_s=each.ttl_s)
                for each in kept.settings.records
            ),
            container=kept.settings.container,
            note=kept.settings.note,
            provider=kept.settings.provider,
            provisioned=kept.provisioned,
            status=DomainStatus.PENDING,
            job_id=self.jobs.get(id),
            changed_at=NOW,
            created_at=NOW,
        )

    def kept(self, id: str) -> KeptDomain | None:  # noqa: A002
        return self.all.get(id)

    async def put(
        self,
        body: DomainBody,
        caller: str,
        *,
        provisioned: bool,
        job_id: str | None,
        found: FoundRecords | None = None,
    ) -> KeptDomain | None:
        del caller, job_id
        before = self.all.get(body.name)
        settings = DomainSettings.model_validate(body.model_dump(exclude={"name"}))
        self.all[body.name] = KeptDomain(
            id=body.name,
            settings=settings,
            provisioned=provisioned,
            found=found or FoundRecords(),
            created_at=NOW,
            changed_at=NOW,
        )
        return before

    async def put_back(self, id: str, before: KeptDomain | None, caller: str) -> None:  # noqa: A002
        del caller
        if before is None:
            self.all.pop(id, None)
        else:
            self.all[id] = before

    async def changing(self, id: str, job_id: str | None) -> None:  # noqa: A002
        self.jobs[id] = job_id

    async def note(
        self,
        id: str,  # noqa: A002
        type: DomainEventType,  # noqa: A002
        *,
        caller: str,
        step: str | None = None,
        outcome: Outcome | None = None,
        message: str | None = None,
        before: JsonValue = None,
        after: JsonValue = None,
        job_id: str | None = None,
    ) -> None:
        del id, caller, before, after, job_id
        self.lines.append(Line(type, step, outcome, message))


class FakeDynamic:
    """The names that follow an address."""

    def __init__(self, faults: Faults) -> None:
        self.all: dict[str, DynamicAddress] = {}
        self.public: tuple[str | None, str | None] = ("203.0.113.7", None)
        self._faults = faults

    async def list(self) -> DynamicAddressList:
        return DynamicAddressList(addresses=tuple(self.all.values()))

    def find(self, name: str) -> DynamicAddress | None:
        return self.all.get(name)

    async def add(self, body: DynamicAddressBody, caller: str, *, admin: bool) -> DynamicAddress:
        del caller, admin
        await self._faults.meet("dynamic.add")
        self.all[body.name] = DynamicAddress(
            key=body.name,
            source=AddressSource.PUBLIC,
            follows_ipv4=body.ipv4,
            follows_ipv6=body.ipv6,
            ipv4=self.public[0],
            state=DynamicState.CURRENT,
        )
        return self.all[body.name]

    async def remove(self, name: str) -> None:
        await self._faults.meet("dynamic.remove")
        del self.all[name]

    def public_addresses(self) -> tuple[str | None, str | None]:
        return self.public


class FakeFront:
    """What the proxy shows to visitors."""

    def __init__(self, faults: Faults) -> None:
        self.verdict = Verdict.TRUSTED
        self.status = 200
        self._faults = faults

    async def certificate(self, name: str) -> CertificateReport:
        await self._faults.meet("front.certificate")
        return CertificateReport(
            verdict=self.verdict, reason=f"{name}: {self.verdict}", checked_at=NOW
        )

    async def ask(self, name: str) -> int:
        del name
        await self._faults.meet("front.ask")
        return self.status


class FakeContainers:
    """The containers of a host, and the networks that each is in."""

    def __init__(self, *containers: Container) -> None:
        self.all = {each.key: each for each in containers}
        self.networks: dict[str, tuple[str, ...]] = {}
        self.own: tuple[str, ...] = ()

    def get(self, name_or_key: str) -> Container:
        if name_or_key not in self.all:
            raise NotFound(f"There is no container {name_or_key}")
        return self.all[name_or_key]

    async def addresses(self, container_id: str, port: int) -> tuple[str, ...]:
        del container_id, port
        return self.own

    async def users(self) -> tuple[ObjectUser, ...]:
        return tuple(
            ObjectUser(
                id=each.id,
                name=each.name,
                image_id="sha256:0",
                networks=self.networks.get(each.key, ()),
            )
            for each in self.all.values()
        )


def _users(body: RouteBody, before: KeptRoute | None) -> tuple[KeptUser, ...]:
    if body.basic_auth is None:
        return before.users if before else ()
    return tuple(KeptUser(username=one.username, sealed_hash="sealed") for one in body.basic_auth)
