"""What people who are no admins changed in zones within a day, also before a restart.

A plan that changes much of a zone needs an admin's word; so do many plans that each change little.
"""

import asyncio
from datetime import datetime, timedelta

from homelab_agent.areas.dns.admin_rule import ADMIN_HINT, Lately, needs_admin
from homelab_agent.areas.dns.models import DnsPlan, RecordType
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
    """What one job changed in a zone."""

    at: datetime
    zone: str
    records: tuple[CountedRecord, ...]


def tally_rule() -> Rule:
    """Return the bound of what is remembered of changes."""
    return Rule(table=zone_change, at=zone_change.c.at, keep=WINDOW, most_rows=MOST_ROWS)


class ZoneTally:
    """Counts by job, so that what a job took back is not counted."""

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

    async def count(self, job_id: str, plan: DnsPlan) -> None:
        """Count what a job of somebody who is no admin is about to change; once is enough.

        Raises:
            Denied: with what was changed lately it is too much.
        """
        # Of two that come at once, the second one sees what the first one is about to do.
        async with self._counting:
            if job_id in self._recent():
                return
            why = needs_admin(plan.zone, plan.changes, plan.zone_size, self.lately(plan.zone))
            if why is not None:
                raise Denied(f"{why} Only an admin may do that.", hint=ADMIN_HINT)
            now = self._clock()
            counted = CountedChanges(
                at=now,
                zone=plan.zone,
                records=tuple(
                    CountedRecord(name=each.name, type=each.type, was_there=each.before is not None)
                    for each in plan.changes
                ),
            )
            await self._records.put({job_id: (now, counted)})
            self._recent()[job_id] = counted

    async def discount(self, job_id: str) -> None:
        """Forget what a job changed, as it was taken back."""
        if self._recent().pop(job_id, None) is not None:
            await self._records.put({}, gone=(job_id,))

    def _recent(self) -> dict[str, CountedChanges]:
        since = self._clock() - WINDOW
        self._counted = {
            job_id: each for job_id, each in (self._counted or {}).items() if each.at > since
        }
        return self._counted
