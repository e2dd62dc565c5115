"""Looks at each place when it is time to: now and then, and when it comes to a rung."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from random import Random

from homelab_agent.areas.certificates.board import CertificateBoard
from homelab_agent.areas.certificates.ladder import is_below, next_rung_at
from homelab_agent.areas.certificates.models import CertificateReport
from homelab_agent.areas.certificates.watched import Origin, Place, Watched
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.errors import AgentError
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.surviving import surviving
from homelab_agent.platform.taking_up import until_taken_up

TICK_S = 30.0
"""So long a step of the clock may stay unnoticed, and so much later a rung may be told."""

_AT_ONCE = 8
_JITTER = 0.1
_RETRY_S = 60.0
_MOST_DOUBLINGS = 5
"""Who cannot be reached is tried after one minute, two, four, and then every half an hour."""

_FIRST_SPREAD_S = 10.0
"""What was known before a restart is not looked at all at once."""

_NOT_YET_KNOWN = float("inf")

_log = get_logger(__name__)

type Look = Callable[[Place], Awaitable[CertificateReport]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How often a place is looked at, and how often it is seen whether something is due."""

    interval_s: float
    tick_s: float = TICK_S
    retry_s: float = _RETRY_S


class CertificateWatch:
    """Has everything on the board looked at. Pauses go by the steady clock, rungs by the wall's."""

    def __init__(self, board: CertificateBoard, look: Look, clock: Clock, rhythm: Rhythm) -> None:
        self._board = board
        self._look = look
        self._clock = clock
        self._rhythm = rhythm
        self._due: dict[str, float] = {}
        self._looking: dict[str, asyncio.Lock] = {}
        # Failed for a reason of our own: until their time they are not tried again for a rung.
        self._held: set[str] = set()
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._wake = asyncio.Event()
        self._loaded = asyncio.Event()
        self._dice = Random()  # noqa: S311 - nothing secret is drawn

    async def run(self) -> None:
        """Watch until cancelled."""
        await self.load()
        async with asyncio.TaskGroup() as group:
            while True:
                group.create_task(self.catch_up())
                await self._pause()

    async def load(self) -> None:
        """Take up what was known before the last restart."""
        await self._board.load()
        self._loaded.set()

    async def loaded(self) -> None:
        """Return when what was known before the last restart is known again."""
        await self._loaded.wait()

    async def until_ready(self) -> None:
        """Wait for what was known before the last restart, for somebody who asks.

        Raises:
            Unavailable: that takes long.
        """
        await until_taken_up(self._loaded, "certificates")

    async def catch_up(self) -> None:
        """Look at all that is due, and return when that is done. Those that hang delay no other."""
        self._board.refresh()
        async with asyncio.TaskGroup() as group:
            for key in self._now_due():
                # Until it was looked at; then its next time is known.
                self._due[key] = _NOT_YET_KNOWN
                group.create_task(self._look_and_plan(key))

    async def found(self, origin: Origin, places: Iterable[Place]) -> None:
        """Watch exactly these of what was found in one way; returns when that is stored."""
        await self.loaded()
        wanted = tuple(places)
        while True:
            try:
                await self._board.found(origin, wanted)
            except AgentError as error:
                _log.warning("certificates_not_taken_up", origin=origin, why=error.message)
                await asyncio.sleep(self._rhythm.retry_s)
            else:
                self._wake.set()
                return

    def request(self, key: str, *, in_s: float = 0.0) -> None:
        """Have a place looked at soon: something about it has changed."""
        wanted = asyncio.get_running_loop().time() + in_s
        self._due[key] = min(wanted, self._due.get(key, wanted))
        self._wake.set()

    async def look_now(self, key: str) -> None:
        """Look at a place, and return when what was found is published.

        Raises:
            AgentError: it could not be looked at, or what was found not be stored.
        """
        watched = self._board.get(key)
        if watched is None:
            return
        async with self._looking.setdefault(key, asyncio.Lock()):
            await self._board.take(key, await self._look(watched.place))
        self._plan(key)

    def _now_due(self) -> tuple[str, ...]:
        now, wall = asyncio.get_running_loop().time(), self._clock()
        watched = {each.place.key: each for each in self._board.all()}
        for gone in self._due.keys() - watched.keys():
            del self._due[gone]
            self._looking.pop(gone, None)
            self._held.discard(gone)
        for key, each in watched.items():
            if key not in self._due:
                self._due[key] = now + self._dice.uniform(0, _FIRST_SPREAD_S)
            may_hurry = key not in self._held and self._due[key] != _NOT_YET_KNOWN
            # On a rung: it may have been renewed since it was last looked at.
            if may_hurry and (each.verdict is None or _is_on_rung(each, wall)):
                self._due[key] = now
        return tuple(key for key, due in self._due.items() if due <= now)

    async def _look_and_plan(self, key: str) -> None:
        self._held.discard(key)
        with surviving("certificate_look", key=key) as went:
            # Only these: a person who asks does not wait for places that hang.
            async with self._slots:
                await self.look_now(key)
        if went.failed:
            self._held.add(key)
            self._plan(key, after_s=self._rhythm.retry_s)

    def _plan(self, key: str, after_s: float | None = None) -> None:
        watched = self._board.get(key)
        if watched is None:
            return
        pause_s = after_s
        if pause_s is None:
            pause_s = self._rhythm.interval_s
            if watched.tries:
                # The exponent is bounded, as a host may be away for years.
                again_s = self._rhythm.retry_s * 2.0 ** min(watched.tries - 1, _MOST_DOUBLINGS)
                pause_s = min(pause_s, again_s)
            elif len(watched.seen) > 1:
                # Soon it is known which of them are still there.
                pause_s = min(pause_s, self._rhythm.retry_s)
        jittered_s = pause_s * self._dice.uniform(1 - _JITTER, 1 + _JITTER)
        self._due[key] = asyncio.get_running_loop().time() + jittered_s
        self._wake.set()

    async def _pause(self) -> None:
        """Wait until something may be due, a tick at most."""
        self._wake.clear()
        pause_s = self._rhythm.tick_s
        now = asyncio.get_running_loop().time()
        if self._due:
            pause_s = min(pause_s, max(0.0, min(self._due.values()) - now))
        wall = self._clock()
        rungs = (_next_rung(watched, wall) for watched in self._board.all())
        next_rung = min(filter(None, rungs), default=None)
        if next_rung is not None:
            pause_s = min(pause_s, (next_rung - wall).total_seconds())
        try:
            async with asyncio.timeout(pause_s):
                await self._wake.wait()
        except TimeoutError:
            return


def _is_on_rung(watched: Watched, now: datetime) -> bool:
    """Return whether a rung was reached that is not told yet."""
    return is_below(watched.stage(now), watched.told_stage())


def _next_rung(watched: Watched, now: datetime) -> datetime | None:
    return next_rung_at(watched.details.expires_at, now) if watched.details else None
