"""Changes of zones: only where everything is as it was seen, and read back afterwards."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from homelab_agent.areas.dns.book import ProviderBook
from homelab_agent.areas.dns.models import Change, RecordSet, RecordType, ZoneHome
from homelab_agent.areas.dns.name_servers import NameServers
from homelab_agent.areas.dns.pauses import growing
from homelab_agent.areas.dns.planning import address_changes, line, make_change
from homelab_agent.areas.dns.providers.errors import (
    ApplyUncertain,
    ProviderBusy,
    WrongCredentials,
)
from homelab_agent.areas.dns.providers.interface import AddressOutcome, ZoneContents
from homelab_agent.areas.dns.record_sets import RecordKey, same, told, uniform
from homelab_agent.platform.errors import AgentError, Conflict, Failed, TimedOut, Unavailable
from homelab_agent.platform.jobs.progress import report
from homelab_agent.platform.vault import SecretUnreadable

_PAUSES_S = (0.2, 0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait. A provider that lists shows within `read_back_s` what it did.

    `served_s`: one that does not list is believed by its name servers, which may take so long.
    `away_s`: for so long one that is away is asked again where something was sent to it: to take
    that back, to look after it, or to go on after a crash. `busy_s`: one that names a pause in the
    middle of changes is left alone for so long at most.
    """

    read_back_s: float = 10.0
    served_s: float = 180.0
    away_s: float = 30.0
    busy_s: float = 300.0


type Held = dict[RecordKey, RecordSet]
type _Values = frozenset[str]


@dataclass(frozen=True, slots=True)
class Standing:
    """How it is with changes: not made, made, or neither (and what is there instead)."""

    before: list[Change] = field(default_factory=list)
    after: list[Change] = field(default_factory=list)
    neither: list[tuple[Change, RecordSet | None]] = field(default_factory=list)

    @property
    def strange(self) -> str:
        """What is there that is neither the one nor the other, as a person reads it."""
        return "; ".join(
            f"{change.name} {change.type} is {told(there)} by now, and was {told(change.before)}"
            for change, there in self.neither
        )


class _Differing(Conflict):
    """The name servers do not agree; `said` is what they say, each once."""

    def __init__(self, zone: str, name: str, record_type: RecordType, said: set[_Values]) -> None:
        super().__init__(
            f"The name servers of {zone} do not agree about {name} {record_type}.",
            hint="An earlier change is still on its way; try again in a few minutes",
        )
        self.said = said


class ZoneWriter:
    """Reads and changes zones, one change of a zone at a time."""

    def __init__(
        self, book: ProviderBook, servers: NameServers, patience: Patience | None = None
    ) -> None:
        self._book = book
        self._patience = patience or Patience()
        self._servers = servers
        # Sent to providers that cannot list, and not seen at the name servers so far.
        self._on_the_way: set[tuple[str, RecordKey]] = set()
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def contents(self, home: ZoneHome) -> ZoneContents:
        """Return all that a zone holds. Only where the provider lists."""
        async with self._book.asking(home.provider) as provider:
            return await provider.read(home.zone, None)

    async def all_held(self, home: ZoneHome) -> Held:
        """Return all record sets that a zone holds. Only where the provider lists."""
        return _by_key(home, (await self.contents(home)).records)

    async def held(self, home: ZoneHome, keys: Collection[RecordKey]) -> Held:
        """Return those of these record sets that there are.

        Raises:
            Conflict: the name servers do not agree; they are asked where the provider cannot list.
            Unavailable: nobody could be asked.
        """
        if home.capabilities.lists:
            names = {name for name, _ in keys}
            async with self._book.asking(home.provider) as provider:
                records = (await provider.read(home.zone, names)).records
        else:
            found = await asyncio.gather(*(self._served(home, *key) for key in keys))
            records = tuple(each for each in found if each is not None)
        every = _by_key(home, records)
        return {key: every[key] for key in keys if key in every}

    async def standing(self, home: ZoneHome, changes: Sequence[Change]) -> Standing:
        """Return how it is with these changes just now."""
        held = await self.held(home, {(change.name, change.type) for change in changes})
        standing = Standing()
        for change in changes:
            there = held.get((change.name, change.type))
            if same(there, change.after):
                standing.after.append(change)
            elif same(there, change.before):
                standing.before.append(change)
            else:
                standing.neither.append((change, there))
        return standing

    async def patient_standing(self, home: ZoneHome, changes: Sequence[Change]) -> Standing:
        """Return how it is with changes that were sent; whoever is away a moment is asked again."""
        loop = asyncio.get_running_loop()
        begun_s, pauses = loop.time(), growing(_PAUSES_S)
        while True:
            pause_s = next(pauses)
            try:
                return await self._sent(home, changes)
            except (Unavailable, ProviderBusy) as error:
                if isinstance(error, WrongCredentials | SecretUnreadable):
                    raise
                is_busy = isinstance(error, ProviderBusy)
                most_s = self._patience.busy_s if is_busy else self._patience.away_s
                pause_s = max(pause_s, error.retry_after_s or 0)
                if loop.time() + pause_s > begun_s + most_s:
                    raise
            await asyncio.sleep(pause_s)

    async def write(
        self, home: ZoneHome, changes: Sequence[Change], *, again: bool = False
    ) -> bool:
        """Make those changes that are not made yet, and read them back; False: all were.

        `again`: some may have been sent before the agent was killed. After a power cut the network
        takes longer to come back than the agent, so a provider that is away is waited for.

        Raises:
            Conflict: something is there that the plan did not see; nothing was written.
            Failed: the provider did not do what it said, or did a part of it.
            TimedOut: nobody knows whether it was done.
        """
        async with self._alone(home):
            look = self.patient_standing if again else self.standing
            standing = await look(home, changes)
            if standing.neither:
                raise Conflict(
                    f"{home.zone} was changed meanwhile: {standing.strange}. Nothing was written.",
                    hint="Make the plan anew, and look at it again",
                )
            if not standing.before:
                return False
            await self._apply(home, standing.before)
            return True

    async def take_back(self, home: ZoneHome, changes: Sequence[Change]) -> None:
        """Put back what was before wherever a change was made.

        Raises:
            Conflict: somebody changed something since; that was left alone, the rest is put back.
            Failed, TimedOut, Unavailable: it could not be done.
        """
        async with self._alone(home):
            standing = await self.patient_standing(home, changes)
            # What is on its way would come after all, however much it looks as before.
            late = [
                change for change in standing.before if self._key(home, change) in self._on_the_way
            ]
            back = [
                reverse
                for change in (*standing.after, *late)
                if (reverse := make_change(change.after, change.before)) is not None
            ]
            back.sort(key=lambda one: one.after is not None)
            if back:
                await self._apply(home, back)
            if standing.neither:
                raise Conflict(
                    f"{standing.strange}. Somebody changed that since, so it was left as it is.",
                    hint="Look at these records yourself",
                )

    async def add_text(self, home: ZoneHome, name: str, value: str, ttl_s: int) -> None:
        """Put one TXT value beside those that there are."""
        async with self._alone(home):
            before = (await self.held(home, [(name, RecordType.TXT)])).get((name, RecordType.TXT))
            there = before.values if before else ()
            if value in there:
                return
            if there and not home.capabilities.several_values:
                raise Conflict(
                    f"{name} has a TXT already, and this provider keeps one only.",
                    field="name",
                    hint="Remove the other one first",
                )
            ttl_s = max(ttl_s, home.capabilities.smallest_ttl_s or ttl_s)
            kept_s = before.ttl_s if before else (ttl_s if home.capabilities.sets_ttl else None)
            await self._set_texts(home, name, before, (*there, value), kept_s)

    async def remove_text(self, home: ZoneHome, name: str, value: str) -> None:
        """Take one TXT value away; the others stay."""
        async with self._alone(home):
            before = (await self.held(home, [(name, RecordType.TXT)])).get((name, RecordType.TXT))
            there = before.values if before else ()
            if value not in there:
                if home.capabilities.lists:
                    return
                # Name servers lag behind: it may have been written a moment ago.
                before = RecordSet(name=name, type=RecordType.TXT, values=(*there, value))
            left = tuple(each for each in there if each != value)
            await self._set_texts(home, name, before, left, before.ttl_s if before else None)

    async def set_addresses(
        self, home: ZoneHome, name: str, ipv4: str | None, ipv6: str | None, ttl_s: int | None
    ) -> AddressOutcome:
        """Give a name these addresses and no others; None leaves that family as it is."""
        wanted = {RecordType.A: ipv4, RecordType.AAAA: ipv6}
        keys = [(name, each) for each, address in wanted.items() if address is not None]
        async with self._alone(home):
            async with self._book.asking(home.provider, changes=len(keys)) as provider:
                if provider.sets_addresses:
                    return await provider.set_addresses(name, ipv4, ipv6)
            changes = address_changes(await self.held(home, keys), name, wanted, ttl_s)
            if not changes:
                return AddressOutcome.UNCHANGED
            await self._apply(home, changes)
            return AddressOutcome.CHANGED

    async def _set_texts(
        self,
        home: ZoneHome,
        name: str,
        before: RecordSet | None,
        values: tuple[str, ...],
        ttl_s: int | None,
    ) -> None:
        after = RecordSet(name=name, type=RecordType.TXT, values=tuple(sorted(values)), ttl_s=ttl_s)
        change = make_change(before, after if values else None)
        if change is None:
            return
        if home.capabilities.lists:
            await self._apply(home, [change])
            return
        # Whoever needs it waits until it is served; its servers may take minutes.
        async with self._book.asking(home.provider, changes=1) as provider:
            await provider.apply(home.zone, [change])

    async def _apply(self, home: ZoneHome, changes: Sequence[Change]) -> None:
        """Make changes, and see that they are made, whatever the provider says of it."""
        sent = {self._key(home, change) for change in changes}
        trouble = await self._send_all(home, changes)
        is_open = trouble is None or isinstance(trouble, ApplyUncertain)
        if is_open and not home.capabilities.lists:
            self._on_the_way |= sent
        standing = await self._read_back(home, changes, trouble, is_open=is_open)
        if len(standing.after) == len(changes):
            self._on_the_way -= sent
            return
        if trouble is not None and not standing.after:
            raise trouble
        if len(standing.before) == len(changes):
            raise Failed(
                f"The provider said that it changed {home.zone}, and nothing of it is there.",
                hint="Look at the provider's own pages whether the zone is locked there",
            )
        raise Failed(_half(home, standing, trouble), hint="What was done can be taken back")

    async def _send_all(self, home: ZoneHome, changes: Sequence[Change]) -> AgentError | None:
        """Send changes, with the pauses that a provider wants once it took some; return trouble."""
        loop = asyncio.get_running_loop()
        until, left = loop.time() + self._patience.busy_s, changes
        while True:
            trouble = await self._send(home, left)
            has_begun = isinstance(trouble, ApplyUncertain) or left is not changes
            pause_s = trouble.retry_after_s if trouble is not None and has_begun else None
            if pause_s is None or loop.time() + pause_s > until:
                return trouble
            report(None, f"{home.provider} wants a pause of {pause_s:.0f} s before it goes on")
            await asyncio.sleep(pause_s)
            try:
                standing = await self.patient_standing(home, changes)
            except AgentError:
                return trouble
            if standing.neither:
                return trouble
            if not standing.before:
                return None
            left = standing.before

    async def _send(self, home: ZoneHome, changes: Sequence[Change]) -> AgentError | None:
        try:
            async with self._book.asking(home.provider, changes=len(changes)) as provider:
                await provider.apply(home.zone, changes)
        except AgentError as error:
            return error
        return None

    async def _read_back(
        self,
        home: ZoneHome,
        changes: Sequence[Change],
        trouble: AgentError | None,
        *,
        is_open: bool,
    ) -> Standing:
        patience = self._patience
        within_s = patience.read_back_s if home.capabilities.lists else patience.served_s
        if not is_open:
            within_s = 0.0
        loop = asyncio.get_running_loop()
        until, pauses, unread = loop.time() + within_s, growing(_PAUSES_S), None
        while True:
            standing = None
            try:
                standing = await self.standing(home, changes)
            except (Unavailable, Conflict, ProviderBusy) as error:
                unread = error
            if standing is not None and len(standing.after) == len(changes):
                return standing
            if loop.time() >= until:
                break
            report(None, f"Waiting until {home.zone} shows what was written")
            await asyncio.sleep(min(next(pauses), within_s))
        if standing is not None:
            return standing
        if trouble is not None and not is_open:
            raise trouble
        raise TimedOut(
            f"It is not known whether {home.zone} was changed: it could not be read back.",
            hint=unread.message if unread else None,
        ) from (trouble or unread)

    async def _sent(self, home: ZoneHome, changes: Sequence[Change]) -> Standing:
        """Return how it is with changes that were sent: what some name servers give was made."""
        if home.capabilities.lists:
            return await self.standing(home, changes)
        found = Standing()
        for change in changes:
            try:
                one = await self.standing(home, [change])
            except _Differing as error:
                if not error.said <= {_values(change.before), _values(change.after)}:
                    raise
                one = Standing(after=[change])
            found.before.extend(one.before)
            found.after.extend(one.after)
            found.neither.extend(one.neither)
        return found

    async def _served(self, home: ZoneHome, name: str, record_type: RecordType) -> RecordSet | None:
        servers = self._book.entry(home.provider).kept.name_servers
        found = await self._servers.answers(name, record_type, zone=home.zone, servers=servers)
        answers = [each for each in found.servers if each.values is not None]
        if not answers:
            reasons = "; ".join(f"{each.server}: {each.reason}" for each in found.servers)
            raise Unavailable(f"No name server of {home.zone} answers ({reasons}).")
        said = {frozenset(each.values or ()) for each in answers}
        if len(said) > 1:
            raise _Differing(home.zone, name, record_type, said)
        values = answers[0].values
        if not values:
            return None
        return RecordSet(
            name=name, type=record_type, values=tuple(sorted(values)), ttl_s=answers[0].ttl_s
        )

    @staticmethod
    def _key(home: ZoneHome, change: Change) -> tuple[str, RecordKey]:
        return home.provider, (change.name, change.type)

    @asynccontextmanager
    async def _alone(self, home: ZoneHome) -> AsyncIterator[None]:
        lock = self._locks.setdefault((home.provider, home.zone), asyncio.Lock())
        async with lock:
            yield


def _by_key(home: ZoneHome, records: Sequence[RecordSet]) -> Held:
    held = {(each.name, each.type): uniform(each) for each in records}
    if home.capabilities.sets_ttl:
        return held
    # A TTL that the provider decides by itself is nobody's change.
    return {key: each.model_copy(update={"ttl_s": None}) for key, each in held.items()}


def _values(record: RecordSet | None) -> _Values:
    return frozenset(record.values if record is not None else ())


def _half(home: ZoneHome, standing: Standing, trouble: AgentError | None) -> str:
    parts = [f"Only a part of the changes of {home.zone} was made"]
    if trouble is not None:
        parts[0] += f" ({trouble.message.rstrip('.')})"
    if standing.after:
        parts.append(f"made: {'; '.join(map(line, standing.after))}")
    if standing.before:
        parts.append(f"not made: {'; '.join(map(line, standing.before))}")
    if standing.neither:
        parts.append(standing.strange)
    return ". ".join(parts) + "."
