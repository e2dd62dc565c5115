"""A provider of DNS in memory that does what a script says: lies, stops half way, is away.

Its zone is what really is; `name_servers` of a test may show it late.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum

from homelab_agent.areas.dns.models import Capabilities, Change, RecordSet, RecordType
from homelab_agent.areas.dns.providers.errors import (
    ApplyUncertain,
    ProviderAway,
    ProviderBusy,
    ProviderRefused,
    WrongCredentials,
)
from homelab_agent.areas.dns.providers.interface import AddressOutcome, ZoneContents
from homelab_agent.platform.errors import AgentError, NotFound

LISTING = Capabilities(lists=True, types=tuple(RecordType))
BLIND = Capabilities(
    lists=False,
    types=(RecordType.A, RecordType.AAAA, RecordType.TXT),
    creates_addresses=False,
    sets_ttl=False,
    limits="It offers addresses of names that are there, and TXT.",
)


class Fault(StrEnum):
    """What goes wrong with the next `apply`."""

    LIES = "says that it is done, and did nothing"
    HALF = "does the first half and fails"
    HALF_AND_LIES = "does the first half and says that all is done"
    LOST_BEFORE = "does nothing, and the answer is lost"
    LOST_AFTER = "does it, and the answer is lost"
    VANISHES = "does it, loses the answer and cannot be reached any more"
    REFUSES = "refuses in its own words"
    BUSY = "wants to be left alone"


def records(*lines: str) -> tuple[RecordSet, ...]:
    """Return record sets of lines as "www.example.org 300 A 192.0.2.1"."""
    found: dict[tuple[str, RecordType], RecordSet] = {}
    for line in lines:
        name, ttl_s, kind, value = line.split(maxsplit=3)
        key = (name, RecordType(kind))
        there = found[key].values if key in found else ()
        found[key] = RecordSet(
            name=name, type=key[1], values=tuple(sorted((*there, value))), ttl_s=int(ttl_s)
        )
    return tuple(found.values())


class ScriptedProvider:
    """One zone. `faults` are used up one by `apply`; `trouble` is raised whatever is asked.

    `oddity` is raised as well: something that nobody expects. `slow_s`: each change takes so long.
    """

    sets_addresses = False

    def __init__(
        self,
        zone: str,
        held: Iterable[RecordSet] = (),
        *,
        capabilities: Capabilities = LISTING,
    ) -> None:
        self.zone = zone
        self.capabilities = capabilities
        self.held = {(each.name, each.type): each for each in held}
        self.faults: list[Fault] = []
        self.trouble: AgentError | None = None
        self.oddity: Exception | None = None
        self.slow_s = 0.0
        self.asked = 0
        self.applied = 0
        self.closed = False

    async def zones(self) -> tuple[str, ...]:
        """See `Provider.zones`."""
        self._answer()
        return (self.zone,)

    async def read(self, zone: str, names: Collection[str] | None) -> ZoneContents:
        """See `Provider.read`."""
        self._answer()
        if zone != self.zone:
            raise NotFound(f"no zone {zone}", field="zone")
        found = tuple(each for each in self.held.values() if names is None or each.name in names)
        return ZoneContents(records=found, version=str(self.applied))

    async def apply(self, zone: str, changes: Sequence[Change]) -> None:
        """See `Provider.apply`."""
        self._answer()
        assert zone == self.zone
        self.applied += 1
        if self.slow_s:
            await asyncio.sleep(self.slow_s * len(changes))
        match self.faults.pop(0) if self.faults else None:
            case None:
                self.put(changes)
            case Fault.HALF:
                self.put(changes[: len(changes) // 2])
                raise ProviderRefused("The second half is not to our liking.")
            case Fault.HALF_AND_LIES:
                self.put(changes[: len(changes) // 2])
            case Fault.LOST_BEFORE:
                raise ApplyUncertain("The answer is lost.")
            case Fault.LOST_AFTER:
                self.put(changes)
                raise ApplyUncertain("The answer is lost.")
            case Fault.VANISHES:
                self.put(changes)
                self.go_away()
                raise ApplyUncertain("The answer is lost.")
            case Fault.REFUSES:
                raise ProviderRefused("Zone is locked by billing.")
            case Fault.BUSY:
                raise ProviderBusy("Too many requests.", retry_after_s=30)

    async def set_addresses(self, name: str, ipv4: str | None, ipv6: str | None) -> AddressOutcome:
        """See `Provider.set_addresses`."""
        raise AssertionError(f"not asked for: {name} {ipv4} {ipv6}")

    async def close(self) -> None:
        """See `Provider.close`."""
        self.closed = True

    def put(self, changes: Sequence[Change]) -> None:
        """Make changes, whatever is there."""
        for change in changes:
            self.held.pop((change.name, change.type), None)
            if change.after is not None:
                ttl_s = change.after.ttl_s or 3600
                self.held[change.name, change.type] = change.after.model_copy(
                    update={"ttl_s": ttl_s}
                )

    def set(self, *lines: str) -> None:
        """Change records as somebody else would."""
        for each in records(*lines):
            self.held[each.name, each.type] = each

    def lines(self) -> list[str]:
        """Return what is there, to be compared."""
        return sorted(
            f"{each.name} {each.ttl_s} {each.type} {value}"
            for each in self.held.values()
            for value in each.values
        )

    def go_away(self) -> None:
        """Do not answer any more."""
        self.trouble = ProviderAway("It cannot be reached.")

    def lose_key(self) -> None:
        """Take the credentials no more."""
        self.trouble = WrongCredentials("It does not take the key.")

    def _answer(self) -> None:
        self.asked += 1
        if self.oddity is not None:
            raise self.oddity
        if self.trouble is not None:
            raise self.trouble
