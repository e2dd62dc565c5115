"""An engine that needs no Docker: an invented homelab in memory that lives a little by itself.

The same seed gives the same life. It says of itself that it is kind "demo".
"""

import asyncio
import hashlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import override

from homelab_agent.platform.clock import Clock, utc_now
from homelab_agent.platform.engine.demo.homelab import (
    CRASHING,
    FLAPPING,
    HOMELAB,
    NIGHTLY,
    Invented,
)
from homelab_agent.platform.engine.demo.logs import MOST_INVENTED, invent_lines, packed
from homelab_agent.platform.engine.interface import Engine
from homelab_agent.platform.engine.labels import COMPOSE_PROJECT
from homelab_agent.platform.engine.logs import PackedLine
from homelab_agent.platform.engine.models import (
    ContainerHealth,
    ContainerState,
    EngineContainer,
    EngineEvent,
    EngineInfo,
    EngineRight,
    EventAction,
    LogLine,
    LogRequest,
    LogStream,
    Port,
)
from homelab_agent.platform.errors import Conflict, Invalid, NotFound, Unavailable

PACE_S = 20.0
"""How long the homelab rests between two things that happen by themselves."""

_KEPT_EVENTS = 256
_ALIVE = frozenset({ContainerState.RUNNING, ContainerState.PAUSED})
_SIGNALS = {"SIGKILL": 137, "SIGTERM": 143, "SIGINT": 130, "SIGQUIT": 131, "SIGABRT": 134}
_HARMLESS = frozenset({"SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGCONT"})
_STOPPED = 143
_SECOND_NS = 1_000_000_000


class DemoEngine(Engine):
    """Implements `Engine`. `pace_s` sets how fast its own life is."""

    def __init__(self, *, clock: Clock = utc_now, pace_s: float = PACE_S, seed: int = 1) -> None:
        self._clock = clock
        self._pace_s = pace_s
        self._dice = Random(seed)  # noqa: S311 - nothing secret is drawn
        began = clock()
        self._invented = {each.container_id: each for each in HOMELAB}
        self._rows = {key: _row(key, each, began) for key, each in self._invented.items()}
        self._doomed: set[str] = set()
        self._last_ns = 0
        self._history: deque[EngineEvent] = deque(maxlen=_KEPT_EVENTS)
        self._listeners: set[asyncio.Queue[EngineEvent | None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._living = False

    @override
    async def connect(self) -> EngineInfo:
        return EngineInfo(
            kind="demo",
            version="28.5.2",
            api_version="1.51",
            host_name="demo-homelab",
            operating_system="Invented Linux 1",
            kernel_version="6.12.0-demo",
            architecture="x86_64",
            cpu_count=8,
            memory_bytes=32 * 1024**3,
        )

    @override
    async def missing_rights(self) -> frozenset[EngineRight]:
        return frozenset()

    @override
    async def list_containers(self) -> tuple[EngineContainer, ...]:
        return tuple(self._rows.values())

    @override
    async def inspect(self, container_id: str) -> EngineContainer:
        return self._row(container_id)

    @override
    @asynccontextmanager
    async def events(self, since_ns: int | None) -> AsyncIterator[AsyncIterator[EngineEvent]]:
        queue: asyncio.Queue[EngineEvent | None] = asyncio.Queue()
        for event in self._history:
            if since_ns is not None and event.time_ns >= since_ns:
                queue.put_nowait(event)
        self._listeners.add(queue)
        if not self._living:
            self._living = True
            self._spawn(self._live())
        try:
            yield _told(queue)
        finally:
            self._listeners.discard(queue)

    @override
    async def start(self, container_id: str) -> None:
        row = self._row(container_id)
        if row.state is ContainerState.PAUSED:
            raise _conflict("start", row, "is paused: unpause it instead")
        if row.state is not ContainerState.RUNNING:
            self._start(row.id)

    @override
    async def stop(self, container_id: str, timeout_s: int | None) -> None:
        row = self._row(container_id)
        if row.state in _ALIVE or row.state is ContainerState.RESTARTING:
            self._emit(EventAction.KILL, row.id)
            await asyncio.sleep(self._pace_s / 100)
            self._end(row.id, _STOPPED if row.exit_code is None else row.exit_code)
            self._emit(EventAction.STOP, row.id)

    @override
    async def restart(self, container_id: str, timeout_s: int | None) -> None:
        await self.stop(container_id, timeout_s)
        row = self._row(container_id)
        self._start(row.id)
        self._emit(EventAction.RESTART, row.id)

    @override
    async def pause(self, container_id: str) -> None:
        row = self._row(container_id)
        if row.state is not ContainerState.RUNNING:
            raise _conflict("pause", row, "is not running")
        self._set(row.id, state=ContainerState.PAUSED)
        self._emit(EventAction.PAUSE, row.id)

    @override
    async def unpause(self, container_id: str) -> None:
        row = self._row(container_id)
        if row.state is not ContainerState.PAUSED:
            raise _conflict("unpause", row, "is not paused")
        self._set(row.id, state=ContainerState.RUNNING)
        self._emit(EventAction.UNPAUSE, row.id)

    @override
    async def kill(self, container_id: str, signal: str) -> None:
        row = self._row(container_id)
        if signal not in _SIGNALS and signal not in _HARMLESS:
            raise Invalid(f"The demo homelab knows no signal {signal}.", field="signal")
        if row.state not in _ALIVE:
            raise _conflict("kill", row, "is not running")
        self._emit(EventAction.KILL, row.id)
        if signal in _SIGNALS:
            self._end(row.id, _SIGNALS[signal])

    @override
    async def logs(
        self,
        container_id: str,
        *,
        tail: int,
        since: datetime | None,
        until: datetime | None,
        stream: LogStream | None = None,
    ) -> tuple[LogLine, ...]:
        row = self._row(container_id)
        ended = row.finished_at if row.state not in _ALIVE and row.finished_at else self._clock()
        return invent_lines(
            row.name,
            self._invented[row.id].lines,
            tail=tail,
            since=since,
            until=min(ended, until) if until else ended,
            stream=stream,
        )

    @override
    @asynccontextmanager
    async def log_lines(
        self, container_id: str, request: LogRequest
    ) -> AsyncIterator[AsyncIterator[list[PackedLine]]]:
        self._row(container_id)
        yield self._log_lines(container_id, request)

    async def _log_lines(
        self, container_id: str, request: LogRequest
    ) -> AsyncIterator[list[PackedLine]]:
        tail, since = request.tail, request.since
        while True:
            now = self._clock()
            lines = await self.logs(
                container_id,
                tail=MOST_INVENTED if tail is None else tail,
                since=since,
                until=request.until or now,
                stream=request.stream,
            )
            if lines:
                yield [packed(line) for line in lines]
            if not request.follow or self._row(container_id).state not in _ALIVE:
                return
            tail, since = None, now
            await asyncio.sleep(self._pace_s / 20)

    @override
    async def close(self) -> None:
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for queue in self._listeners:
            queue.put_nowait(None)

    def add(
        self, like_id: str, *, name: str, image: str, image_id: str, doomed: bool = False
    ) -> str:
        """Make a container like another one; `doomed`: it will never be healthy. Return its id."""
        like = self._row(like_id)
        self._require_free(name)
        made = like.model_copy(
            update={
                "id": hashlib.sha256(f"{like.id} {name} {self._clock()}".encode()).hexdigest(),
                "name": name,
                "image": image,
                "image_id": image_id,
                "state": ContainerState.CREATED,
                "health": ContainerHealth.NONE,
                "exit_code": None,
                "restart_count": 0,
                "created_at": self._clock(),
                "started_at": None,
                "finished_at": None,
            }
        )
        self._rows[made.id] = made
        self._invented[made.id] = self._invented[like.id]
        if doomed:
            self._doomed.add(made.id)
        self._emit(EventAction.CREATE, made.id)
        return made.id

    def rename(self, container_id: str, name: str) -> None:
        """Give a container another name."""
        row = self._row(container_id)
        self._require_free(name)
        self._set(row.id, name=name)
        self._emit(EventAction.RENAME, row.id)

    def set_restart_policy(self, container_id: str, policy: str) -> None:
        """Change when a container is said to be started again."""
        row = self._row(container_id)
        self._set(row.id, restart_policy=policy)
        self._emit(EventAction.UPDATE, row.id)

    def remove(self, container_id: str) -> None:
        """Remove a container."""
        row = self._row(container_id)
        self._emit(EventAction.DESTROY, row.id)
        del self._rows[row.id], self._invented[row.id]
        self._doomed.discard(row.id)

    def _require_free(self, name: str) -> None:
        if any(row.name == name for row in self._rows.values()):
            raise Conflict(f"The demo homelab has a container {name} already.", field="name")

    def _row(self, container_id: str) -> EngineContainer:
        for row in self._rows.values():
            if container_id in {row.id, row.id[:12], row.name}:
                return row
        raise NotFound(f"There is no container {container_id[:80]!r} in the demo homelab.")

    def _set(self, container_id: str, **changes: object) -> None:
        self._rows[container_id] = self._rows[container_id].model_copy(update=changes)

    def _start(self, container_id: str) -> None:
        checked = self._invented[container_id].health is not ContainerHealth.NONE
        self._set(
            container_id,
            state=ContainerState.RUNNING,
            health=ContainerHealth.STARTING if checked else ContainerHealth.NONE,
            exit_code=None,
            started_at=self._clock(),
        )
        self._emit(EventAction.START, container_id)
        if checked:
            self._spawn(self._become_healthy(container_id, self._rows[container_id].started_at))

    def _end(self, container_id: str, exit_code: int) -> None:
        self._set(
            container_id,
            state=ContainerState.EXITED,
            health=ContainerHealth.NONE,
            exit_code=exit_code,
            finished_at=self._clock(),
        )
        self._emit(EventAction.DIE, container_id, exit_code=exit_code)

    def _judge(self, container_id: str, verdict: ContainerHealth) -> None:
        self._set(container_id, health=verdict)
        self._emit(EventAction.HEALTH_STATUS, container_id, health=verdict)

    def _emit(
        self,
        action: EventAction,
        container_id: str,
        *,
        health: ContainerHealth | None = None,
        exit_code: int | None = None,
    ) -> None:
        now = self._clock()
        self._last_ns = max(self._last_ns + 1, int(now.timestamp() * _SECOND_NS))
        event = EngineEvent(
            action=action,
            container_id=container_id,
            name=self._rows[container_id].name,
            at=now,
            time_ns=self._last_ns,
            health=health,
            exit_code=exit_code,
            labels=self._rows[container_id].labels,
        )
        self._history.append(event)
        for queue in self._listeners:
            queue.put_nowait(event)

    def _spawn(self, life: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(life)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _become_healthy(self, container_id: str, started_at: datetime | None) -> None:
        await asyncio.sleep(self._pace_s / 5)
        row = self._rows.get(container_id)
        if row and row.state is ContainerState.RUNNING and row.started_at == started_at:
            doomed = container_id in self._doomed
            self._judge(
                container_id, ContainerHealth.UNHEALTHY if doomed else ContainerHealth.HEALTHY
            )

    async def _live(self) -> None:
        """Let something happen now and then, always to the same few containers."""
        happenings: tuple[Callable[[], Coroutine[None, None, None]], ...] = (
            self._flap,
            self._crash,
            self._run_job,
        )
        while True:
            await asyncio.sleep(self._pace_s * self._dice.uniform(0.5, 1.5))
            await self._dice.choice(happenings)()

    async def _flap(self) -> None:
        row = self._living_row(FLAPPING)
        # One that starts is judged when it is through, and a doomed one is never well.
        judged = row and row.health in {ContainerHealth.HEALTHY, ContainerHealth.UNHEALTHY}
        if row and judged and row.id not in self._doomed:
            well = row.health is ContainerHealth.HEALTHY
            verdict = ContainerHealth.UNHEALTHY if well else ContainerHealth.HEALTHY
            self._judge(row.id, verdict)

    async def _crash(self) -> None:
        row = self._living_row(CRASHING)
        if row and row.state is ContainerState.RESTARTING:
            self._start(row.id)
            await asyncio.sleep(self._pace_s / 10)
        row = self._living_row(CRASHING)
        if row and row.state is ContainerState.RUNNING:
            self._end(row.id, 1)
            self._set(row.id, state=ContainerState.RESTARTING, restart_count=row.restart_count + 1)

    async def _run_job(self) -> None:
        row = self._living_row(NIGHTLY)
        if row and row.state is ContainerState.EXITED:
            self._start(row.id)
            await asyncio.sleep(self._pace_s / 2)
            row = self._rows.get(row.id)
            if row and row.state is ContainerState.RUNNING:
                self._end(row.id, 0)

    def _living_row(self, name: str) -> EngineContainer | None:
        """Return the container of this name; it may be being replaced by another one."""
        return next((row for row in self._rows.values() if row.name == name), None)


async def _told(queue: asyncio.Queue[EngineEvent | None]) -> AsyncIterator[EngineEvent]:
    while (event := await queue.get()) is not None:
        yield event
    raise Unavailable("The demo homelab was closed.")


def _conflict(verb: str, row: EngineContainer, why: str) -> Conflict:
    return Conflict(f"The demo homelab could not {verb} the container {row.name}: it {why}.")


def _row(container_id: str, invented: Invented, now: datetime) -> EngineContainer:
    began = now - timedelta(hours=invented.since_h)
    ended = invented.state not in _ALIVE
    started = began - timedelta(minutes=9) if ended else began
    labels = dict(invented.labels)
    if invented.project:
        labels |= {
            COMPOSE_PROJECT: invented.project,
            "com.docker.compose.service": invented.service,
            "com.docker.compose.container-number": "1",
            "com.docker.compose.oneoff": "False",
            "com.docker.compose.depends_on": invented.depends_on,
        }
    return EngineContainer(
        id=container_id,
        name=invented.name,
        image=invented.image,
        image_id=f"sha256:{hashlib.sha256(invented.image.encode()).hexdigest()}",
        state=invented.state,
        health=invented.health,
        has_health_check=invented.health is not ContainerHealth.NONE,
        exit_code=invented.exit_code,
        restart_count=invented.restart_count,
        restart_policy=invented.restart_policy,
        created_at=(started - timedelta(minutes=1)).astimezone(UTC),
        started_at=started,
        finished_at=began if ended else None,
        ports=tuple(
            Port(
                container_port=inside,
                protocol="tcp",
                host_ip="0.0.0.0" if outside else None,  # noqa: S104 - invented
                host_port=outside,
            )
            for inside, outside in invented.ports
        ),
        labels=labels,
    )
