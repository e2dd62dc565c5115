"""What people who are no admins changed in zones within a day, also before a restart.

A plan that changes much of a zone needs an admin's word; so do many plans that each change little.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from homelab_agent.areas.dns.admin_rule import ADMIN_HINT, Lately, needs_admin
from homelab_agent.areas.dns.models import Change, RecordType
from homelab_agent.areas.dns.record_sets import RecordKey
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.errors import Denied
from homelab_agent.platform.model import Model
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.records import Records
from homelab_agent.platform.store.retention import Rule
from homelab_agent.platform.store.tables import zone_change

WINDOW = timedelta(hours=24)
MOST_ROWS = 20_000


class CountedRecord(Model):
    """A record set that was changed. `was_there`: it was not created by that."""

    name: str
    type: RecordType
    was_there: bool


class CountedChanges(Model):
    """What one job changed in a zone, or one name that follows an address."""

    at: datetime
    zone: str
    records: tuple[CountedRecord, ...]


def tally_rule() -> Rule:
    """Return the bound of what is remembered of changes."""
    return Rule(table=zone_change, at=zone_change.c.at, keep=WINDOW, most_rows=MOST_ROWS)


class ZoneTally:
    """Counts by job and dynamic name, so that what a job took back is not counted."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._records = Records(store, zone_change, CountedChanges)
        self._clock = clock
        self._counted: dict[str, CountedChanges] | None = None
        self._counting = asyncio.Lock()

    async def load(self) -> None:
        """Take up what was counted before; the second time it does nothing."""
        if self._counted is None:
            self._counted = await self._records.all()

    def lately(self, zone: str) -> Lately:
        """Return what was changed of a zone, through whichever provider."""
        found: dict[RecordKey, bool] = {}
        for counted in self._recent().values():
            if counted.zone == zone:
                for each in counted.records:
                    found.setdefault((each.name, each.type), each.was_there)
        return found

    async def count(
        self, counted_for: str, zone: str, changes: Sequence[Change], size: int | None
    ) -> None:
        """Count what somebody who is no admin is about to change; once is enough.

        `counted_for`: the id of the job, or another one of at most 32 characters. `size`: of the
        zone before what was changed lately, None where it is not known.

        Raises:
            Denied: with what was changed lately it is too much.
        """
        # Of two that come at once, the second one sees what the first one is about to do.
        async with self._counting:
            if counted_for in self._recent():
                return
            why = needs_admin(zone, changes, size, self.lately(zone))
            if why is not None:
                raise Denied(f"{why} Only an admin may do that.", hint=ADMIN_HINT)
            now = self._clock()
            counted = CountedChanges(
                at=now,
                zone=zone,
                records=tuple(
                    CountedRecord(name=each.name, type=each.type, was_there=each.before is not None)
                    for each in changes
                ),
            )
            await self._records.put({counted_for: (now, counted)})
            self._recent()[counted_for] = counted

    async def discount(self, counted_for: str) -> None:
        """Forget what was changed, as it was taken back."""
        if self._recent().pop(counted_for, None) is not None:
            await self._records.put({}, gone=(counted_for,))

    def _recent(self) -> dict[str, CountedChanges]:
        now = self._clock()
        # What a clock that was wrong wrote down far ahead does not count until then.
        self._counted = {
            key: each for key, each in (self._counted or {}).items() if abs(now - each.at) < WINDOW
        }
        return self._counted
