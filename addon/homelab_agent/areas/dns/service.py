"""DNS for the other areas and the API: providers, plans, changes, and what is really served."""

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from homelab_agent.areas.dns import propagation, record_sets
from homelab_agent.areas.dns.admin_rule import zone_size
from homelab_agent.areas.dns.book import ProviderBook
from homelab_agent.areas.dns.entries import Entry
from homelab_agent.areas.dns.models import (
    AuthoritativeAnswers,
    Change,
    DnsPlan,
    DnsProvider,
    DnsProviderList,
    PlanBody,
    ProviderBody,
    ProviderChange,
    RecordSet,
    RecordType,
    WantedRecords,
    Zone,
    ZoneHome,
    ZoneList,
    ZoneQuery,
)
from homelab_agent.areas.dns.name_servers import NameServers
from homelab_agent.areas.dns.planning import address_changes, make_plan
from homelab_agent.areas.dns.providers.errors import (
    ApplyUncertain,
    NotOffered,
    ProviderAway,
    ProviderBusy,
    ProviderRefused,
    WrongCredentials,
)
from homelab_agent.areas.dns.providers.interface import AddressOutcome, ZoneContents
from homelab_agent.areas.dns.writer import ZoneWriter
from homelab_agent.areas.dns.zone_tally import ZoneTally
from homelab_agent.platform.dns_names import is_within, searchable, shown_name, uniform_name
from homelab_agent.platform.errors import Denied, Invalid, NotFound, Unavailable

# What goes wrong with a provider, for the areas that have to decide what to do about it.
__all__ = [
    "AddressOutcome",
    "ApplyUncertain",
    "DnsService",
    "NotOffered",
    "ProviderAway",
    "ProviderBusy",
    "ProviderRefused",
    "WrongCredentials",
]

TXT_TTL_S = 60

type Applied = Callable[[DnsPlan, str], Awaitable[None]]


class DnsService:
    """What the agent can do with DNS."""

    def __init__(
        self, book: ProviderBook, writer: ZoneWriter, servers: NameServers, tally: ZoneTally
    ) -> None:
        self._book = book
        self._writer = writer
        self._servers = servers
        self._tally = tally
        self._listeners: list[Applied] = []

    def tell(self, listener: Applied) -> None:
        """Tell `listener` of every plan that is applied from now on, and by which job."""
        self._listeners.append(listener)

    async def applied(self, plan: DnsPlan, job_id: str) -> None:
        """Have everybody told of a plan that was applied by itself, and not as a part of more."""
        for listener in self._listeners:
            await listener(plan, job_id)

    async def until_ready(self) -> None:
        """Return as soon as the providers are known; the rest waits for that by itself."""
        await self._book.load()
        await self._tally.load()

    def providers(self) -> DnsProviderList:
        """Return all providers, by key, without their secrets."""
        return self._book.list()

    def provider(self, key: str) -> DnsProvider:
        """Return one provider.

        Raises:
            NotFound: there is none with this key.
        """
        return self._book.entry(key).shown

    def set_up_at(self, key: str) -> datetime | None:
        """Return when a person last gave a provider its settings; None where that is not known.

        Raises:
            NotFound: there is none with this key.
        """
        return self._book.entry(key).kept.set_up_at

    async def add_provider(self, body: ProviderBody) -> DnsProvider:
        """See `ProviderBook.add`."""
        await self.until_ready()
        return await self._book.add(body)

    async def change_provider(self, key: str, change: ProviderChange) -> DnsProvider:
        """See `ProviderBook.change`."""
        await self.until_ready()
        return await self._book.change(key, change)

    async def remove_provider(self, key: str) -> str:
        """See `ProviderBook.remove`."""
        await self.until_ready()
        return await self._book.remove(key)

    async def test_provider(self, key: str) -> DnsProvider:
        """Ask a provider now, and return how it is."""
        await self.until_ready()
        return await self._book.check(key)

    def home_of(self, name: str, provider: str | None = None, *, field: str = "name") -> ZoneHome:
        """Return where a uniform name is managed: the nearest zone above it that is.

        Raises:
            NotFound: nobody manages it, or there is no such provider.
            Invalid: several providers do, and none was named.
        """
        homes = self._homes_of(name, provider, field)
        if len(homes) > 1:
            keys = ", ".join(each.provider for each in homes)
            raise Invalid(
                f"Several providers manage {homes[0].zone}: {keys}.",
                field=field,
                hint="Name the provider that is meant",
            )
        return homes[0]

    def homes_of(self, name: str, *, field: str = "name") -> tuple[ZoneHome, ...]:
        """Return where a uniform name is managed, by whichever providers.

        Raises:
            NotFound: nobody manages it.
        """
        return self._homes_of(name, None, field)

    def _homes_of(self, name: str, provider: str | None, field: str) -> tuple[ZoneHome, ...]:
        found = [each for each in self._zones(provider) if is_within(name, each[1])]
        longest = max((len(zone) for _, zone in found), default=0)
        nearest = [(entry, zone) for entry, zone in found if len(zone) == longest]
        if not nearest:
            by = f"The DNS provider {provider} does not manage" if provider else "Nobody manages"
            raise NotFound(
                f"{by} a zone that {name} is in.",
                field=field,
                hint=f"The zones that are managed: {self._zone_names(provider)}. Test the provider "
                "to have it asked for new ones",
            )
        return tuple(_home(*each) for each in nearest)

    def checked(self, wanted: WantedRecords, *, field: str) -> RecordSet:
        """Return what is wanted, checked and in the one way that it is written here.

        Raises:
            Invalid: with the place of the mistake, as "records.0.values.1", and the remedy.
        """
        return record_sets.checked(wanted, field=field)

    async def read(
        self,
        name: str,
        type: RecordType | None = None,  # noqa: A002  # as the field is called
        *,
        provider: str | None = None,
    ) -> tuple[RecordSet, ...]:
        """Return what there is at exactly this name; None: of every type that can be managed.

        The authoritative servers are asked where the provider cannot list.

        Raises:
            NotFound: nobody manages it.
        """
        await self.until_ready()
        home = self.home_of(name, provider)
        types = home.capabilities.types if type is None else (type,)
        held = await self._writer.held(home, [(name, each) for each in types])
        return tuple(held[key] for key in sorted(held))

    async def plan(self, body: PlanBody) -> DnsPlan:
        """Return exactly what would change; nothing is changed.

        Raises:
            Invalid: something of it is wrong, or the provider does not offer it.
            Conflict: it does not go together with what is there.
            NotFound: nobody manages it.
        """
        await self.until_ready()
        wanted = [
            self.checked(each, field=f"wanted.{number}") for number, each in enumerate(body.wanted)
        ]
        home = self._home_of_plan(body, wanted)
        if home.capabilities.lists:
            held = await self._writer.all_held(home)
        else:
            held = await self._writer.held(home, [(each.name, each.type) for each in wanted])
        return make_plan(
            home,
            wanted,
            held,
            set_up_at=self.set_up_at(home.provider),
            lately=self._tally.lately(home.zone),
        )

    async def write(
        self, plan: DnsPlan, *, again: bool = False, counted_for: str | None = None
    ) -> None:
        """Make exactly the plan's changes; those that are made already count as done.

        `again`: a crash came between; see `ZoneWriter.write`. `counted_for`: the job of somebody
        who is no admin, and may only change so much of a zone within a day.

        Raises:
            Denied: together with what was changed lately it is too much; nothing was written.
            Conflict: something is neither as before nor as after; nothing was written.
            Failed: the provider did not do what it said, or a part of it; `take_back` undoes that.
            TimedOut: nobody knows whether it was done.
        """
        await self.until_ready()
        home = self._home_of_written(plan)
        if counted_for is not None:
            await self._tally.count(counted_for, plan.zone, plan.changes, plan.zone_size)
        await self._writer.write(home, plan.changes, again=again)

    async def take_back(self, plan: DnsPlan, *, counted_for: str | None = None) -> None:
        """Undo `write`: what was before is put where the change was made, and counts no more.

        Raises:
            Conflict: somebody changed something since; that is left alone, and told.
        """
        await self.until_ready()
        await self._writer.take_back(self._home_of_written(plan), plan.changes)
        if counted_for is not None:
            await self._tally.discount(counted_for)

    async def differing(self, plan: DnsPlan) -> str | None:
        """Return what is neither as the plan saw it nor as it wants it; None: nothing is."""
        await self.until_ready()
        standing = await self._writer.standing(self._home_of_written(plan), plan.changes)
        return standing.strange or None

    async def unmade(self, plan: DnsPlan) -> tuple[Change, ...]:
        """Return those of the plan's changes that are not to be seen at the provider."""
        await self.until_ready()
        standing = await self._writer.patient_standing(self._home_of_written(plan), plan.changes)
        return (*standing.before, *(change for change, _ in standing.neither))

    async def add_txt(
        self, name: str, value: str, *, ttl_s: int = TXT_TTL_S, provider: str | None = None
    ) -> None:
        """Put one TXT value beside others; it may be there already.

        Raises:
            Conflict: there is another one, and the provider keeps one only.
        """
        await self.until_ready()
        await self._writer.add_text(self.home_of(name, provider), name, value, ttl_s)

    async def remove_txt(self, name: str, value: str, *, provider: str | None = None) -> None:
        """Take one TXT value away; others stay, and it may be gone already."""
        await self.until_ready()
        await self._writer.remove_text(self.home_of(name, provider), name, value)

    async def set_addresses(
        self,
        name: str,
        ipv4: str | None,
        ipv6: str | None,
        *,
        ttl_s: int | None = None,
        provider: str | None = None,
        counted: Collection[RecordType] = (),
    ) -> AddressOutcome:
        """Have a name lead to these addresses alone; None leaves that family as it is.

        By the provider's own way of dynamic DNS where it has one, else by its records. `counted`:
        those of somebody who is no admin, and may only change so much of a zone within a day.

        Raises:
            Denied: together with what was changed lately it is too much; nothing was written.
        """
        await self.until_ready()
        home = self.home_of(name, provider)
        if counted and home.capabilities.lists:
            addresses = {RecordType.A: ipv4, RecordType.AAAA: ipv6}
            wanted = {each: addresses[each] for each in counted}
            await self._count_addresses(home, name, wanted, ttl_s)
        return await self._writer.set_addresses(home, name, ipv4, ipv6, ttl_s)

    async def answers(self, name: str, type: RecordType) -> AuthoritativeAnswers:  # noqa: A002  # as the field is called
        """Return what every authoritative server of a uniform name says.

        Raises:
            NotFound: nobody serves it.
            Unavailable: nobody could be asked.
        """
        await self.until_ready()
        try:
            home = self.home_of(name)
        except NotFound, Invalid:
            return await self._servers.answers(name, type, zone=None, servers=())
        servers = self._book.entry(home.provider).kept.name_servers
        return await self._servers.answers(name, type, zone=home.zone, servers=servers)

    async def require_managed(self, name: str) -> None:
        """Raise `Denied` where a uniform name is in no zone that is managed here.

        Whoever may only look does not send the agent to servers of their choice.
        """
        await self.until_ready()
        if not any(is_within(name, zone) for _, zone in self._zones(None)):
            raise Denied(
                f"{name} is in no zone that is managed here.",
                field="name",
                hint="Servers of other zones are asked for a token with the scope operate.",
            )

    async def wait_until_served(
        self, wanted: Sequence[RecordSet], *, within_s: float, exactly: bool = True
    ) -> None:
        """Return as soon as every authoritative server gives these values; none: no such record.

        `exactly` False: others may be beside them. It reports progress of a job.

        Raises:
            TimedOut: some do not; the message names them and what they say instead.
        """
        await propagation.wait_until_served(
            self.answers, wanted, within_s=within_s, exactly=exactly
        )

    async def zones(self, query: ZoneQuery) -> ZoneList:
        """Return all zones that are managed, by name.

        Raises:
            NotFound: there is no such provider.
        """
        await self.until_ready()
        text = searchable(query.text or "")
        found = [_home(*each) for each in self._zones(query.provider) if _is_called(each[1], text)]
        return ZoneList(zones=tuple(sorted(found, key=lambda each: (each.zone, each.provider))))

    async def zone(self, zone: str, query: ZoneQuery) -> Zone:
        """Return what a zone holds, as the provider tells it.

        Where that cannot list: what name servers say of the zone's own name.

        Raises:
            NotFound: nobody manages it.
        """
        await self.until_ready()
        home = self._home_of_zone(uniform_name(zone, field="zone"), query.provider)
        if home.capabilities.lists:
            contents = await self._writer.contents(home)
        else:
            keys = [(home.zone, each) for each in home.capabilities.types]
            held = await self._writer.held(home, keys)
            contents = ZoneContents(records=tuple(held.values()))
        text = searchable(query.text or "")
        records = sorted(
            (each for each in map(record_sets.uniform, contents.records) if _has(each, text)),
            key=lambda each: (each.name.split(".")[::-1], each.type),
        )
        return Zone(
            zone=home.zone,
            provider=home.provider,
            version=contents.version,
            lists=home.capabilities.lists,
            records=tuple(records),
        )

    async def _count_addresses(
        self,
        home: ZoneHome,
        name: str,
        wanted: Mapping[RecordType, str | None],
        ttl_s: int | None,
    ) -> None:
        held = await self._writer.all_held(home)
        changes = address_changes(held, name, wanted, ttl_s)
        if changes:
            # The same records of a name count once within a day, however often that is tried.
            records = " ".join((name, *sorted(each.type for each in changes)))
            counted_for = sha256(records.encode()).hexdigest()[:32]
            size = zone_size(held, self._tally.lately(home.zone))
            await self._tally.count(counted_for, home.zone, changes, size)

    def _zones(self, provider: str | None) -> Iterator[tuple[Entry, str]]:
        if not self._book.is_loaded:
            raise Unavailable("The agent has just begun.", retry_after_s=2)
        if provider is None:
            entries = self._book.entries()
        else:
            entries = (self._book.entry(provider, field="provider"),)
        return ((entry, zone) for entry in entries for zone in entry.kept.zones)

    def _zone_names(self, provider: str | None) -> str:
        return ", ".join(sorted({zone for _, zone in self._zones(provider)})) or "none"

    def _home_of_zone(self, zone: str, provider: str | None, field: str = "zone") -> ZoneHome:
        home = self.home_of(zone, provider, field=field)
        if home.zone != zone:
            raise NotFound(
                f"{zone} is no zone of its own; it is in {home.zone}.",
                field=field,
                hint=f"The zones that are managed: {self._zone_names(provider)}",
            )
        return home

    def _home_of_plan(self, body: PlanBody, wanted: Sequence[RecordSet]) -> ZoneHome:
        if body.zone is not None:
            return self._home_of_zone(uniform_name(body.zone, field="zone"), body.provider)
        return self.home_of(wanted[0].name, body.provider, field="wanted.0.name")

    def _home_of_written(self, plan: DnsPlan) -> ZoneHome:
        return self._home_of_zone(plan.zone, plan.provider)


def _home(entry: Entry, zone: str) -> ZoneHome:
    return ZoneHome(zone=zone, provider=entry.key, capabilities=entry.kept.capabilities)


def _has(record: RecordSet, text: str) -> bool:
    return _is_called(record.name, text) or any(
        text in searchable(value) for value in record.values
    )


def _is_called(name: str, text: str) -> bool:
    return text in name or text in searchable(shown_name(name))
