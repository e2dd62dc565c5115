"""Looks every ten minutes, judges, and follows what needs no look at once."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from homelab_agent.areas.host.models import (
    DISK_HEALTH_KIND,
    FILESYSTEM_KIND,
    HOST_INFO_KIND,
    HOST_KEY,
    HOST_STATS_KIND,
    DiskHealth,
    Filesystem,
    HostInfo,
)
from homelab_agent.areas.insight.board import PATIENCE, Board
from homelab_agent.areas.insight.forecasts import Forecasts, can_fill
from homelab_agent.areas.insight.glance import WITHIN_S, glance
from homelab_agent.areas.insight.models import FindingType
from homelab_agent.areas.insight.readings import ContainerMemory, Temperatures, Traffic
from homelab_agent.areas.insight.rules.clock import WRONG_S, ClockWatch
from homelab_agent.areas.insight.rules.disks import (
    FACTS,
    OF_DISKS,
    OF_FILESYSTEMS,
    DiskFacts,
    filling,
)
from homelab_agent.areas.network.models import (
    NETWORK_KEY,
    NETWORK_STATUS_KIND,
    NETWORK_TRAFFIC_KIND,
    NetworkStatus,
)
from homelab_agent.areas.statistics.models import CONTAINER_STATS_KIND
from homelab_agent.platform.errors import AgentError
from homelab_agent.platform.history.samples import History
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.resources import Overflow, Resources

LOOK_S = 600.0
"""Between two looks. What leaks or fills does so for hours; a look every ten minutes costs a
hundredth of reading the figures all the time."""

FACTS_S = 60.0
"""What needs no history is judged when it changes, and so often where it does not."""

FIRST_AFTER_S = 60.0
"""How long after the start: what people look at first comes first."""

ON_DEMAND: tuple[str, ...] = (HOST_STATS_KIND, NETWORK_TRAFFIC_KIND)
"""What is read only while somebody listens, and then comes at once; sensors come with stats."""

_AT_ONCE = (FILESYSTEM_KIND, DISK_HEALTH_KIND, NETWORK_STATUS_KIND)

_UNTIL_TAKEN_BACK = 1 + PATIENCE[FindingType.DISK_FILLING].to_go
"""Looks from the last one that saw a disk fill within the hour until nobody is told so any more."""

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often, and how soon after the start."""

    look_s: float = LOOK_S
    first_after_s: float = FIRST_AFTER_S
    glance_s: float = WITHIN_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Senses:
    """What looks at each part of the homelab."""

    disks: DiskFacts
    forecasts: Forecasts
    memory: ContainerMemory
    temperatures: Temperatures
    traffic: Traffic
    clock: ClockWatch


class InsightWatch:
    """Keeps the forecasts and findings true. `prepare` is done once, before the first look."""

    def __init__(
        self,
        history: History,
        board: Board,
        senses: Senses,
        resources: Resources,
        pace: Pace,
        prepare: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._history = history
        self._board = board
        self._senses = senses
        self._resources = resources
        self._pace = pace
        self._prepare = prepare
        self._hurried_looks = 0
        self._loaded = asyncio.Event()

    async def until_loaded(self) -> None:
        """Return when what was found before the agent's restart is shown again."""
        await self._loaded.wait()

    async def run(self) -> None:
        """Watch until cancelled."""
        await self._load()
        self._loaded.set()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            group.create_task(self._judge_facts_now_and_then())
            group.create_task(self._look_now_and_then())

    async def look(self) -> None:
        """Take a look at everything, judge it and remember it."""
        self._judge_facts()
        kinds = ON_DEMAND
        if self._senses.memory.is_anything_running():
            kinds += (CONTAINER_STATS_KIND,)
        else:
            self._board.tell({FindingType.MEMORY_LEAK}, ())
        seen = await glance(self._resources, kinds, within_s=self._pace.glance_s)
        await self._judge_figures(seen)
        await self._look_ahead()
        await self._save()

    async def look_at_facts(self) -> None:
        """Judge what needs no look, and forecast at once where a disk fills within the hour."""
        self._judge_facts()
        if any(map(self._senses.forecasts.is_urgent, self._filesystems())):
            self._hurried_looks = _UNTIL_TAKEN_BACK
        if self._hurried_looks:
            self._hurried_looks -= 1
            await self._look_ahead()

    async def _load(self) -> None:
        while True:
            try:
                await self._history.load()
                await self._board.load()
            except AgentError as error:
                _log.warning("history_not_read", why=error.message)
                await asyncio.sleep(self._pace.look_s)
            else:
                return

    async def _follow(self) -> None:
        while True:
            with self._resources.subscribe(kinds=_AT_ONCE) as changes:
                self._judge_facts()
                try:
                    async for _ in changes.batches():
                        self._judge_facts()
                except Overflow:
                    continue

    async def _judge_facts_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(FACTS_S)
            await self.look_at_facts()

    async def _look_now_and_then(self) -> None:
        await asyncio.sleep(self._pace.first_after_s)
        if self._prepare is not None:
            await self._prepare()
        while True:
            await self.look()
            await asyncio.sleep(self._pace.look_s)

    def _judge_facts(self) -> None:
        """Tell what needs neither history nor figures."""
        filesystems = self._filesystems()
        disks = self._resources.every(DISK_HEALTH_KIND, DiskHealth)
        self._senses.forecasts.note(filesystems)
        found = self._senses.disks.notice(filesystems, disks, self._board.known)
        # Just after a start neither was looked at yet.
        judged = {
            *(OF_FILESYSTEMS if filesystems else ()),
            *(OF_DISKS if disks else ()),
        }
        self._board.tell(FACTS, found, judged=judged)
        status = self._resources.get(NETWORK_STATUS_KIND, NETWORK_KEY)
        info = self._resources.get(HOST_INFO_KIND, HOST_KEY)
        wrong = self._senses.clock.notice(
            status if isinstance(status, NetworkStatus) else None,
            synchronized=isinstance(info, HostInfo) and bool(info.clock_synchronized),
        )
        self._board.tell(
            {FindingType.CLOCK_WRONG},
            (wrong,) if wrong else (),
            judged={FindingType.CLOCK_WRONG} if _is_clock_right(status) else (),
        )

    async def _judge_figures(self, seen: frozenset[str]) -> None:
        """Record and judge what was seen; what could not be seen stays as it was."""
        if CONTAINER_STATS_KIND in seen:
            self._board.tell({FindingType.MEMORY_LEAK}, await self._senses.memory.look())
        if HOST_STATS_KIND in seen:
            hot = self._senses.temperatures.look(self._board.known)
            self._board.tell({FindingType.TEMPERATURE_UNUSUAL}, hot)
        if NETWORK_TRAFFIC_KIND in seen:
            self._board.tell({FindingType.TRAFFIC_UNUSUAL}, self._senses.traffic.look())

    async def _look_ahead(self) -> None:
        filesystems, noticed = self._filesystems(), []
        for filesystem in filesystems:
            if can_fill(filesystem):
                self._senses.forecasts.record(filesystem)
            forecast = await self._senses.forecasts.look_ahead(filesystem)
            severity = self._board.known(FindingType.DISK_FILLING, filesystem.key)
            found = filling(forecast, filesystem, severity)
            if found is not None:
                noticed.append(found)
        self._senses.forecasts.keep({each.key for each in filesystems})
        filling_disks = {FindingType.DISK_FILLING}
        self._board.tell(filling_disks, noticed, judged=filling_disks if filesystems else ())

    async def _save(self) -> None:
        try:
            await self._history.save()
            await self._board.save()
        except AgentError as error:
            # Nothing is lost: it is written with the next look.
            _log.warning("history_not_saved", why=error.message)

    def _filesystems(self) -> tuple[Filesystem, ...]:
        return self._resources.every(FILESYSTEM_KIND, Filesystem)


def _is_clock_right(status: object) -> bool:
    """Return whether somebody who was asked says so."""
    if not isinstance(status, NetworkStatus) or status.clock_offset_s is None:
        return False
    return abs(status.clock_offset_s) <= WRONG_S
