"""Follows the containers, and asks registries when it is time to."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from homelab_agent.areas.containers.models import CONTAINER_KIND, Container
from homelab_agent.areas.updates.board import UpdateBoard
from homelab_agent.areas.updates.lookup import Answer, Follow, Lookup, look
from homelab_agent.areas.updates.registry.interface import ImageRegistry
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.resources import Change, Overflow, Resources

TICK_S = 30.0
_JITTER = 0.1
_SOONEST_S = 60.0

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How often the same is looked at, and how often it is seen whether something is due."""

    interval_s: float
    tick_s: float = TICK_S


class UpdateWatch:
    """One line of questions for each registry: one that is slow or away delays no other."""

    def __init__(
        self,
        board: UpdateBoard,
        registry: ImageRegistry,
        resources: Resources,
        clock: Clock,
        rhythm: Rhythm,
    ) -> None:
        self._board = board
        self._registry = registry
        self._resources = resources
        self._clock = clock
        self._rhythm = rhythm
        self._dice = Random()  # noqa: S311 - nothing secret is drawn
        self._group: asyncio.TaskGroup | None = None
        self._lines: dict[str, dict[str, Follow]] = {}
        self._looked: dict[str, asyncio.Event] = {}

    async def run(self) -> None:
        """Watch until cancelled."""
        try:
            await self._board.load()
            async with asyncio.TaskGroup() as group:
                self._group = group
                group.create_task(self._follow_containers())
                group.create_task(self._look_when_due())
        finally:
            self._group = None
            await self._registry.close()

    def request(self, follow: Follow) -> asyncio.Event:
        """Ask for a look; return what is set when it was done. Two requests are one look."""
        looked = self._looked.setdefault(follow.key, asyncio.Event())
        registry = follow.reference.registry
        line = self._lines.get(registry)
        if line is not None:
            line.setdefault(follow.key, follow)
        elif self._group is not None:
            self._lines[registry] = {follow.key: follow}
            self._group.create_task(self._work(registry))
        return looked

    async def _follow_containers(self) -> None:
        while True:
            try:
                with self._resources.subscribe(kinds={CONTAINER_KIND}) as subscription:
                    start = subscription.start
                    changes = start if isinstance(start, tuple) else start.resources
                    present = {change.key for change in changes}
                    for key in set(self._board.container_keys()) - present:
                        self._board.drop(key)
                    await self._take(changes)
                    async for batch in subscription.batches():
                        await self._take(batch)
            except Overflow:
                _log.info("updates_attach_again")

    async def _take(self, changes: Iterable[Change]) -> None:
        touched: dict[str, None] = {}
        for change in changes:
            if isinstance(change.data, Container):
                if self._board.put(change.data):
                    touched[change.key] = None
            else:
                self._board.drop(change.key)
                touched.pop(change.key, None)
        await self._settle(touched)

    async def _settle(self, keys: Iterable[str]) -> None:
        for key in keys:
            follow = await self._board.settle(key)
            if follow is not None:
                self.request(follow)

    async def _look_when_due(self) -> None:
        while True:
            await asyncio.sleep(self._rhythm.tick_s)
            await self._settle(self._board.unsettled())
            self._registry.keep_only(self._board.forget_unused(self._clock()))
            for follow in self._board.due(self._clock()):
                self.request(follow)

    async def _work(self, registry: str) -> None:
        line = self._lines[registry]
        while line:
            follow = next(iter(line.values()))
            try:
                await self._look(follow)
            finally:
                line.pop(follow.key, None)
                if looked := self._looked.pop(follow.key, None):
                    looked.set()
        del self._lines[registry]

    async def _look(self, follow: Follow) -> None:
        images = await self._board.images_of(follow)
        if not images:
            return
        answer = await look(self._registry, follow, images, self._board.lookup(follow))
        now = self._clock()
        lookup = Lookup(
            checked_at=now,
            next_at=now + timedelta(seconds=self._pause_s(answer)),
            target=answer.target,
            answered=answer.answered,
            described=answer.described,
            trouble=answer.trouble,
        )
        if answer.trouble is not None:
            _log.info("update_look_failed", image=follow.key, why=answer.trouble)
        await self._board.take(follow, lookup)

    def _pause_s(self, answer: Answer) -> float:
        interval_s = self._rhythm.interval_s * self._dice.uniform(1 - _JITTER, 1 + _JITTER)
        if answer.retry_after_s is None:
            return interval_s
        return max(answer.retry_after_s, _SOONEST_S) * self._dice.uniform(1, 1 + _JITTER)
