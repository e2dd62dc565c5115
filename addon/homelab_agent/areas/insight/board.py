"""The findings there are: nothing comes for one odd look, and nothing goes for one."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from homelab_agent.areas.insight.models import (
    FINDING_KIND,
    Finding,
    FindingSeverity,
    FindingType,
)
from homelab_agent.areas.insight.noticed import Noticed, finding_key
from homelab_agent.areas.insight.rules.disks import FACTS
from homelab_agent.areas.insight.store import FindingMemory
from homelab_agent.platform.clock import Clock, Steady, steady_s
from homelab_agent.platform.resources import Resources

REMEMBERED_S = 3600.0
"""How long after a start a finding of before may be found again as the same."""

SHOWN_AT_ONCE = frozenset({*FACTS, FindingType.DISK_FILLING, FindingType.CLOCK_WRONG})
"""What a person has to mend is shown from before a restart until it is judged anew: a repair that
went and came again would be a new one, also for who put it aside. All else is soon found again."""


class Patience(NamedTuple):
    """In how many looks one after the other something must be there to come, or away to go."""

    to_come: int = 1
    to_go: int = 1


PATIENCE = {
    FindingType.DISK_FILLING: Patience(to_go=3),
    FindingType.MEMORY_LEAK: Patience(to_go=3),
    FindingType.TEMPERATURE_UNUSUAL: Patience(to_go=2),
    FindingType.TRAFFIC_UNUSUAL: Patience(to_go=2),
}
"""What is judged from history may waver at the edge; all else is plainly so, or not."""


@dataclass(frozen=True, slots=True)
class _Coming:
    since: datetime
    looks: int


class Board:
    """Keeps and publishes findings. `patience`: of those types that may flicker."""

    def __init__(
        self,
        resources: Resources,
        memory: FindingMemory,
        clock: Clock,
        patience: Mapping[FindingType, Patience],
        *,
        steady: Steady = steady_s,
    ) -> None:
        self._resources = resources
        self._memory = memory
        self._clock = clock
        self._patience = patience
        self._steady = steady
        self._findings: dict[str, Finding] = {}
        self._missed: dict[str, int] = {}
        self._coming: dict[str, _Coming] = {}
        self._before: dict[str, Finding] = {}
        self._unjudged: set[str] = set()
        """Those of before that are shown as they were."""
        self._before_until_s = 0.0
        self._unsaved: set[str] = set()

    async def load(self) -> None:
        """Read the findings of before the restart."""
        self._before = await self._memory.load()
        self._before_until_s = self._steady() + REMEMBERED_S
        for key, finding in self._before.items():
            if finding.type in SHOWN_AT_ONCE:
                self._unjudged.add(key)
                self._resources.publish(FINDING_KIND, key, finding)

    def known(self, type_: FindingType, subject: str) -> FindingSeverity | None:
        """Return how bad a finding is, or was before the restart; None where there is none."""
        key = finding_key(type_, subject)
        finding = self._findings.get(key) or self._before.get(key)
        return finding.severity if finding else None

    def tell(
        self,
        types: Collection[FindingType],
        noticed: Iterable[Noticed],
        *,
        judged: Collection[FindingType] | None = None,
    ) -> None:
        """Take all that a look noticed of these types.

        `judged`: the types of which it could see enough to say that one of before a restart is
        over; None: all of them.
        """
        seen = {each.key: each for each in noticed}
        for each in seen.values():
            self._see(each)
        for key in [key for key in self._coming if _type(key) in types and key not in seen]:
            del self._coming[key]
        for key in [key for key in self._findings if _type(key) in types and key not in seen]:
            self._miss(key)
        over = types if judged is None else judged
        for key in [key for key in self._unjudged if _type(key) in over and key not in seen]:
            self._take_away(key)

    async def save(self) -> None:
        """Write down what changed since the last time."""
        if self._before and self._steady() >= self._before_until_s:
            self._unsaved |= self._before.keys()
            self._before.clear()
            for key in tuple(self._unjudged):
                self._take_away(key)
        unsaved, self._unsaved = self._unsaved, set()
        if not unsaved:
            return
        known = [self._findings[key] for key in sorted(unsaved & self._findings.keys())]
        try:
            await self._memory.write(known, unsaved)
        except BaseException:
            self._unsaved |= unsaved
            raise

    def _see(self, noticed: Noticed) -> None:
        key = noticed.key
        self._missed.pop(key, None)
        self._unjudged.discard(key)
        found = self._findings.get(key) or self._before.pop(key, None)
        if found is not None:
            self._show(noticed, found.since)
            return
        coming = self._coming.get(key) or _Coming(self._clock(), 0)
        coming = replace(coming, looks=coming.looks + 1)
        if coming.looks < self._patience_of(key).to_come:
            self._coming[key] = coming
            return
        self._coming.pop(key, None)
        self._show(noticed, coming.since)

    def _show(self, noticed: Noticed, since: datetime) -> None:
        """Publish, where a person would read something else than before."""
        known = self._findings.get(noticed.key)
        if known and (known.severity, known.message) == (noticed.severity, noticed.message):
            return
        finding = Finding(
            key=noticed.key,
            type=noticed.type,
            severity=noticed.severity,
            subject_kind=noticed.subject_kind,
            subject=noticed.subject,
            message=noticed.message,
            since=since,
            evidence=noticed.evidence,
        )
        self._findings[noticed.key] = finding
        self._unsaved.add(noticed.key)
        self._resources.publish(FINDING_KIND, noticed.key, finding)

    def _miss(self, key: str) -> None:
        missed = self._missed.get(key, 0) + 1
        if missed < self._patience_of(key).to_go:
            self._missed[key] = missed
            return
        self._missed.pop(key, None)
        del self._findings[key]
        self._unsaved.add(key)
        self._resources.remove(FINDING_KIND, key)

    def _take_away(self, key: str) -> None:
        self._unjudged.discard(key)
        self._resources.remove(FINDING_KIND, key)

    def _patience_of(self, key: str) -> Patience:
        return self._patience.get(_type(key), Patience())


def _type(key: str) -> FindingType:
    return FindingType(key.partition(":")[0])
