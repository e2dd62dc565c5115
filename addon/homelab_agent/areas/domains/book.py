"""All domains while the agent runs: what is stored, what is looked at and what is published."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable
from contextlib import asynccontextmanager

from homelab_agent.areas.domains.board import Board
from homelab_agent.areas.domains.history import Line
from homelab_agent.areas.domains.models import (
    MOST_DOMAINS,
    DomainEventType,
    DomainHealth,
    DomainStatus,
    KeptDomain,
)
from homelab_agent.areas.domains.store import DomainStore
from homelab_agent.areas.domains.watched import Watched
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.commands import SYSTEM
from homelab_agent.platform.errors import Conflict
from homelab_agent.platform.schedule import Schedule
from homelab_agent.platform.surviving import surviving
from homelab_agent.platform.taking_up import until_taken_up

MOST_LOOKS_AT_ONCE = 20
CONFIRM_S = 20.0
"""After so long a domain that just failed is looked at again."""

type Look = Callable[[KeptDomain], Awaitable[DomainHealth]]


class Book:
    """Keeps domains; `watched` holds all of them by id."""

    def __init__(
        self,
        store: DomainStore,
        board: Board,
        look: Look,
        clock: Clock,
        *,
        interval_s: float,
        confirm_s: float = CONFIRM_S,
    ) -> None:
        self.watched: dict[str, Watched] = {}
        self.schedule = Schedule(self._look_in_turn, most_at_once=MOST_LOOKS_AT_ONCE)
        self._ready = asyncio.Event()
        self._store = store
        self._board = board
        self._look = look
        self._clock = clock
        self._interval_s = interval_s
        self._confirm_s = min(confirm_s, interval_s / 2)
        # What is stored and what is held change together, one change after the other.
        self._lock = asyncio.Lock()

    async def load(self) -> None:
        """Take up all domains as they were left."""
        for kept in (await self._store.load()).values():
            self._take_up(kept)
        self._ready.set()

    async def until_ready(self) -> None:
        """Wait for the domains to be read, right after the agent's start.

        Raises:
            Unavailable: that takes long.
        """
        await until_taken_up(self._ready, "domains")

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[None]:
        """Let nobody else change domains meanwhile."""
        await self.until_ready()
        async with self._lock:
            yield

    async def keep(
        self,
        kept: Iterable[KeptDomain] = (),
        *,
        gone: Collection[str] = (),
        lines: Iterable[Line] = (),
    ) -> None:
        """Keep domains as they are now, forget others, write history: all of it or nothing.

        To be called within `changing`.

        Raises:
            Conflict: there would be too many.
        """
        changed, told = tuple(kept), tuple(lines)
        ids = (self.watched.keys() | {each.id for each in changed}) - set(gone)
        if len(ids) > max(MOST_DOMAINS, len(self.watched)):
            raise Conflict(
                f"There are {MOST_DOMAINS} domains at most, and these would be {len(ids)}",
                hint="Remove some that nobody needs",
            )
        await self._store.save(changed, gone=gone, lines=told)
        for each in changed:
            self._take_up(each)
        for line in told:
            self._board.tell(line, self.watched.get(line.domain))
        for domain_id in gone:
            self._let_go(domain_id)

    async def write(self, line: Line) -> None:
        """Write a line of history."""
        await self._store.save(lines=(line,))
        self._board.tell(line, self.watched.get(line.domain))

    async def look(self, watched: Watched) -> DomainHealth:
        """Look at a domain now, and keep what was found."""
        kept = watched.kept
        health = await self._look(kept)
        async with self.changing():
            # What was found of another wish says nothing about this one.
            if self._has(watched) and watched.kept.settings == kept.settings:
                await self._take(watched, health)
        return health

    def set_job(self, domain_id: str, job_id: str | None) -> None:
        """Show that a job is changing a domain, or no longer is."""
        watched = self.watched.get(domain_id)
        if watched is None or watched.job_id == job_id:
            return
        watched.job_id = job_id
        self._board.show(watched)
        if job_id is None:
            self.schedule.now(domain_id)

    def job_ended(self, job_id: str) -> None:
        """Show that a job is not changing anything any more, however it ended."""
        for watched in self.watched.values():
            if watched.job_id == job_id:
                self.set_job(watched.id, None)

    def show(self, ids: Iterable[str] | None) -> None:
        """Publish some domains anew, or all: something around them has changed."""
        for domain_id in self.watched if ids is None else ids:
            watched = self.watched.get(domain_id)
            if watched is not None:
                self._board.show(watched)

    async def _look_in_turn(self, domain_id: str) -> None:
        watched = self.watched[domain_id]
        if watched.job_id is not None:
            return
        with surviving("domain_look", domain=domain_id):
            await self.look(watched)

    async def _take(self, watched: Watched, health: DomainHealth) -> None:
        watched.health = health
        before = watched.kept
        # What a job is changing just now is neither well nor unwell.
        after = before if watched.job_id is not None else watched.judged(health)
        if after != before:
            line = self._news(before, after)
            watched.kept = after
            await self._store.save((after,), lines=line)
            for each in line:
                self._board.tell(each, watched)
        elif watched.failed_looks == 1 and before.status is not health.status:
            self._look_again_soon(watched.id)
        self._board.show(watched)

    def _news(self, before: KeptDomain, after: KeptDomain) -> tuple[Line, ...]:
        """Return what is to be told of how a domain is now."""
        if after.told_unhealthy == before.told_unhealthy:
            return ()
        return (
            Line(
                domain=after.id,
                at=self._clock(),
                caller=SYSTEM.name,
                type=DomainEventType.UNHEALTHY
                if after.told_unhealthy
                else DomainEventType.RECOVERED,
                message=after.reason,
                before={"status": before.status.value},
                after={"status": after.status.value},
            ),
        )

    def _look_again_soon(self, domain_id: str) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(self._confirm_s, self.schedule.now, domain_id)

    def _has(self, watched: Watched) -> bool:
        return self.watched.get(watched.id) is watched

    def _take_up(self, kept: KeptDomain) -> None:
        known = self.watched.get(kept.id)
        if known is None:
            known = self.watched[kept.id] = Watched(kept)
            is_new = True
        else:
            is_new = known.kept.settings != kept.settings
            known.kept = kept
        self._board.show(known)
        if known.is_paused:
            self.schedule.drop(kept.id)
        elif is_new:
            known.failed_looks = 0
            self.schedule.put(kept.id, self._interval_s)

    def _let_go(self, domain_id: str) -> None:
        if self.watched.pop(domain_id, None) is not None:
            self.schedule.drop(domain_id)
            self._board.take_away(domain_id)


def ordered_status(status: DomainStatus) -> int:
    """Return where a status stands when the worst comes first."""
    return _WORST_FIRST.index(status)


_WORST_FIRST = (
    DomainStatus.UNHEALTHY,
    DomainStatus.DEGRADED,
    DomainStatus.UNKNOWN,
    DomainStatus.CHANGING,
    DomainStatus.PENDING,
    DomainStatus.PAUSED,
    DomainStatus.HEALTHY,
)
