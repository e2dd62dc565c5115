"""Tells what happens to containers: from the engine's events, and from what a full list shows.

A container is followed by its id, what is told is told under its key. An event that a list was
faster than is not told twice.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from signal import Signals

from homelab_agent.areas.containers.event_resources import EventResources
from homelab_agent.areas.containers.identity import key_of
from homelab_agent.areas.containers.inventory import Inventory, Resync
from homelab_agent.areas.containers.models import ContainerEventType as Type
from homelab_agent.areas.containers.restart_loops import ENDS, RestartLoops
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.engine.models import (
    ContainerHealth,
    ContainerState,
    EngineContainer,
    EngineEvent,
    EventAction,
)

AT_ONCE = timedelta(seconds=2)
"""A stop that is followed by a start within this time was a restart, and told as that alone."""

LONGEST_BACKOFF = timedelta(minutes=2)
"""Docker waits at most one minute before it starts a container by its restart policy."""

_OOM_PAUSE = timedelta(seconds=10)
"""A container at its limit can lose many processes a second."""

_OVERTAKEN = timedelta(minutes=1)
"""An event may be so much older than what a list told; more is a clock that was set."""

_ALIVE = frozenset({ContainerState.RUNNING, ContainerState.PAUSED})
_RESTARTED_ALWAYS = frozenset({"always", "unless-stopped"})
_RESTARTED_BY_POLICY = _RESTARTED_ALWAYS | {"on-failure"}
_VERDICTS = {
    ContainerHealth.HEALTHY: Type.HEALTHY,
    ContainerHealth.UNHEALTHY: Type.UNHEALTHY,
}
_MESSAGES = frozenset(
    {Signals.SIGHUP, Signals.SIGUSR1, Signals.SIGUSR2, Signals.SIGWINCH, Signals.SIGCONT}
)
"""Signals that tell a program something; each other one asks for its end."""

_FROM_OUTSIDE = frozenset({128 + Signals.SIGKILL, 128 + Signals.SIGTERM})
"""How an end that nobody saw looks when somebody asked for it."""


@dataclass
class _Life:
    """What was told of one container. `up` is None where it is not known."""

    key: str
    name: str
    policy: str = "no"
    up: bool | None = None
    paused: bool = False
    health: ContainerHealth = ContainerHealth.NONE
    at: datetime | None = None
    """The engine's time of the newest thing told."""
    asked: bool = False
    """Somebody asked for the end of this run."""
    ended_at: datetime | None = None
    by_itself: bool = False
    oom_at: datetime | None = None
    restart_count: int = 0


@dataclass
class _Held:
    """A stop that may turn out to be the first half of a restart."""

    due: datetime
    at: datetime
    exit_code: int | None


@dataclass
class _Timer:
    """Wakes whoever waits for the next thing that is due."""

    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self, seconds: float | None) -> None:
        """Wait so long, or until something new is due."""
        self.changed.clear()
        try:
            async with asyncio.timeout(seconds):
                await self.changed.wait()
        except TimeoutError:
            return


class Chronicle:
    """Publishes `ContainerEvent`s and marks restart loops in the inventory."""

    def __init__(self, events: EventResources, inventory: Inventory, clock: Clock) -> None:
        self._events = events
        self._inventory = inventory
        self._clock = clock
        self._loops = RestartLoops()
        self._lives: dict[str, _Life] = {}
        self._held: dict[str, _Held] = {}
        self._begun = False
        self._timer = _Timer()

    async def run(self) -> None:
        """Do what time brings about, until cancelled."""
        while True:
            due = self.settle()
            wait_s = None if due is None else max((due - self._clock()).total_seconds(), 0.01)
            await self._timer.wait(wait_s)

    def settle(self) -> datetime | None:
        """Do what is due; return when the next thing will be."""
        now = self._clock()
        for container_id in [each for each, held in self._held.items() if held.due <= now]:
            self._release(container_id)
        for key in self._loops.calmed(now):
            self._inventory.mark_loop(key, looping=False)
        self._events.remove_due(now)
        dues = [
            *(held.due for held in self._held.values()),
            self._loops.next_calm(),
            self._events.next_due(),
        ]
        return min((due for due in dues if due is not None), default=None)

    def follow(self, event: EngineEvent, before: EngineContainer | None) -> None:
        """Tell what an event means. `before` is the container as it was; the inventory is ahead."""
        known = self._lives.get(event.container_id)
        life = known or _begin(event, before)
        self._lives[event.container_id] = life
        if before is not None:
            life.policy = before.restart_policy
        if event.action not in {EventAction.START, EventAction.STOP, EventAction.RESTART}:
            self._release(event.container_id)
        self._tell(event, life, is_new=known is None)
        self._timer.changed.set()

    def compare(self, resync: Resync) -> None:
        """Tell what a full list shows that no event told of. The first one is where it begins."""
        for row in resync.listed:
            life = self._lives.get(row.id)
            if life is not None:
                self._compare(row, life)
            elif self._begun:
                life = self._lives[row.id] = _Life(_key(row), row.name, up=False)
                self._say(Type.CREATED, life, row.created_at)
                self._compare(row, life)
            else:
                self._lives[row.id] = _known(row)
                if row.state is ContainerState.RESTARTING and row.restart_count >= ENDS:
                    self._count(_key(row), row.restart_count)
        self._begun = True
        self._let_go(resync.touched)
        self._timer.changed.set()

    def _let_go(self, touched: frozenset[str]) -> None:
        """Tell of those that are gone without an event, and leave nothing of them behind."""
        for container_id in self._lives.keys() - touched:
            if self._inventory.row(container_id) is None:
                self._release(container_id)
                life = self._lives.pop(container_id)
                self._removed(life.key, life.name, self._clock())
        for key in self._events.told():
            if self._inventory.get(key) is None:
                self._events.let_go(key)

    def _tell(self, event: EngineEvent, life: _Life, *, is_new: bool) -> None:
        match event.action:
            case EventAction.CREATE if is_new:
                self._say(Type.CREATED, life, event.at)
            case EventAction.KILL:
                life.asked = life.asked or event.signal not in _MESSAGES
            case EventAction.STOP:
                life.asked = True
                self._calm(life.key)
            case EventAction.OOM:
                self._out_of_memory(life, event.at)
            case EventAction.RENAME if event.name:
                self._renamed(life, event)
            case EventAction.DESTROY:
                del self._lives[event.container_id]
                self._removed(life.key, life.name, event.at)
            case _ if not _overtaken(event, life):
                self._tell_state(event, life)
            case _:
                return

    def _tell_state(self, event: EngineEvent, life: _Life) -> None:
        match event.action:
            case EventAction.START if not life.up:
                self._started(event.container_id, life, event.at)
            case EventAction.DIE if life.up is not False:
                self._ended(event.container_id, life, event.at, event.exit_code)
            case EventAction.PAUSE | EventAction.UNPAUSE if life.up is not False:
                self._paused(life, event.at, paused=event.action is EventAction.PAUSE)
            case EventAction.HEALTH_STATUS if event.health and life.up is not False:
                self._judged(life, event.health, event.at)
            case _:
                # The others mean nothing by themselves, or were told already.
                return

    def _compare(self, row: EngineContainer, life: _Life) -> None:
        up = row.state in _ALIVE
        life.policy, life.key, life.name = row.restart_policy, _key(row), row.name
        if row.started_at is not None and (life.at is None or row.started_at > life.at):
            self._ran_again(row, life)
        life.restart_count = row.restart_count
        if life.up and not up:
            if row.oom_killed:
                self._out_of_memory(life, row.finished_at or self._clock())
            life.asked = life.asked or (row.exit_code in _FROM_OUTSIDE and not row.oom_killed)
            self._ended(row.id, life, row.finished_at, row.exit_code)
        life.up = up
        if up:
            self._paused(life, None, paused=row.state is ContainerState.PAUSED)
            self._judged(life, row.health, None)

    def _ran_again(self, row: EngineContainer, life: _Life) -> None:
        """Tell of a start that no event told of, and count the ends before it."""
        ends = row.restart_count - life.restart_count - (0 if life.up else 1)
        if ends > 0:
            self._count(life.key, ends)
        if life.up:
            # How it ended in between cannot be known any more.
            life.asked, life.up = False, True
            life.health, life.paused = ContainerHealth.NONE, False
            self._say(Type.RESTARTED, life, row.started_at)
        else:
            self._started(row.id, life, row.started_at)

    def _started(self, container_id: str, life: _Life, at: datetime | None) -> None:
        held = self._held.pop(container_id, None)
        again = held is not None or (life.by_itself and _at_once(life, at))
        life.restart_count = life.restart_count + 1 if again and life.by_itself else 0
        life.up, life.paused, life.asked = True, False, False
        life.health, life.ended_at, life.by_itself = ContainerHealth.NONE, None, False
        self._say(Type.RESTARTED if again else Type.STARTED, life, at)

    def _ended(
        self, container_id: str, life: _Life, at: datetime | None, exit_code: int | None
    ) -> None:
        at = at or self._clock()
        life.up, life.paused, life.health = False, False, ContainerHealth.NONE
        life.ended_at, life.by_itself, life.at = at, not life.asked, at
        if life.asked:
            life.asked = False
            self._held[container_id] = _Held(self._clock() + AT_ONCE, at, exit_code)
            return
        self._say(Type.DIED if exit_code != 0 else Type.FINISHED, life, at, exit_code)
        if exit_code != 0 or life.policy in _RESTARTED_ALWAYS:
            self._count(life.key)

    def _release(self, container_id: str) -> None:
        """Tell of a stop that no start followed."""
        held = self._held.pop(container_id, None)
        life = self._lives.get(container_id)
        if held is not None and life is not None:
            self._say(Type.STOPPED, life, held.at, held.exit_code)
            self._calm(life.key)

    def _out_of_memory(self, life: _Life, at: datetime) -> None:
        if life.oom_at is None or at - life.oom_at > _OOM_PAUSE:
            life.oom_at = at
            self._say(Type.OUT_OF_MEMORY, life, at)

    def _paused(self, life: _Life, at: datetime | None, *, paused: bool) -> None:
        if life.paused is not paused:
            life.paused = paused
            self._say(Type.PAUSED if paused else Type.UNPAUSED, life, at)

    def _judged(self, life: _Life, verdict: ContainerHealth, at: datetime | None) -> None:
        if life.health is not verdict:
            life.health = verdict
            if verdict in _VERDICTS:
                self._say(_VERDICTS[verdict], life, at)

    def _renamed(self, life: _Life, event: EngineEvent) -> None:
        old_key = life.key
        life.name, life.key = event.name, key_of(event.name, event.labels)
        if life.key != old_key and self._inventory.get(old_key) is None:
            self._calm(old_key)
            self._events.let_go(old_key)

    def _removed(self, key: str, name: str, at: datetime) -> None:
        """Tell that a container is gone, unless another one has taken its place."""
        if self._inventory.get(key) is None:
            self._calm(key)
            self._events.tell_container(Type.REMOVED, key, name, at)

    def _count(self, key: str, times: int = 1) -> None:
        if self._loops.ended(key, self._clock(), times):
            self._inventory.mark_loop(key, looping=True)

    def _calm(self, key: str) -> None:
        self._loops.forget(key)
        self._inventory.mark_loop(key, looping=False)

    def _say(
        self, event_type: Type, life: _Life, at: datetime | None, exit_code: int | None = None
    ) -> None:
        """Tell something; `at` None where only our own clock can say when."""
        life.at = at or life.at
        self._events.tell_container(event_type, life.key, life.name, at or self._clock(), exit_code)


def _begin(event: EngineEvent, before: EngineContainer | None) -> _Life:
    if before is not None:
        return _known(before)
    return _Life(key_of(event.name, event.labels), event.name, at=event.at)


def _known(row: EngineContainer) -> _Life:
    """Return where a container stands, without telling anything of it."""
    up = row.state in _ALIVE
    return _Life(
        _key(row),
        row.name,
        policy=row.restart_policy,
        up=up,
        paused=row.state is ContainerState.PAUSED,
        health=row.health,
        at=row.started_at if up else row.finished_at,
        ended_at=None if up else row.finished_at,
        by_itself=row.state is ContainerState.RESTARTING,
        restart_count=row.restart_count,
    )


def _key(row: EngineContainer) -> str:
    return key_of(row.name, row.labels)


def _overtaken(event: EngineEvent, life: _Life) -> bool:
    """Return whether something newer was told already, from a list that was faster."""
    return life.at is not None and timedelta(0) < life.at - event.at < _OVERTAKEN


def _at_once(life: _Life, at: datetime | None) -> bool:
    """Return whether a start belongs to the end by itself before it."""
    if life.ended_at is None or at is None:
        return False
    pause = LONGEST_BACKOFF if life.policy in _RESTARTED_BY_POLICY else AT_ONCE
    return at - life.ended_at <= pause
