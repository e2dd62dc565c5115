"""One followed log: a bounded buffer between the engine that writes and the client that reads.

It outlives the container: when that runs again, or another one took its place, it goes on.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime, timedelta

from homelab_agent.areas.containers.inventory import Inventory
from homelab_agent.areas.containers.log_filter import STREAMS, LogFilter
from homelab_agent.areas.containers.models import Container, LogFollowQuery, LogNews, LogNewsType
from homelab_agent.platform.engine.interface import Engine
from homelab_agent.platform.engine.logs import LineBuffer, PackedLine
from homelab_agent.platform.engine.models import ContainerState, LogRequest
from homelab_agent.platform.errors import AgentError, NotFound

MOST_LINES = 5000
MOST_BYTES = 1024 * 1024
"""What waits for a slow client; the newest are kept."""

LINES_AT_ONCE = 500
GATHER_S = 0.05
"""Lines that come within this time travel together."""

LOOK_S = 1.0
"""How often to look whether a container runs again; that asks nobody."""

ABSENCE_S = 60.0
"""How long a removed container may take to come back, as after a recreate."""

STILL_THERE_S = 10.0
"""A container that still runs so long after its log ended lost only its log."""

_RUNS = frozenset({ContainerState.RUNNING, ContainerState.PAUSED})
_AFTER = timedelta(microseconds=1)


class LogFeed:
    """`pump` fills it from the engine, `messages` empties it for one client."""

    def __init__(self, engine: Engine, inventory: Inventory, wanted: LogFilter) -> None:
        self._engine = engine
        self._inventory = inventory
        self._wanted = wanted
        self._buffer = LineBuffer(MOST_LINES, MOST_BYTES)
        self._wake = asyncio.Event()
        self._news: asyncio.Queue[LogNews] = asyncio.Queue(maxsize=1)
        self._last_at: datetime | None = None

    async def messages(self, pumping: asyncio.Task[None]) -> AsyncIterator[LogNews]:
        """Yield what there is to tell; raise what broke the pump, which is a mistake of ours."""
        pumping.add_done_callback(lambda _: self._wake.set())
        while True:
            await self._wake.wait()
            await asyncio.sleep(GATHER_S)
            self._wake.clear()
            while self._buffer:
                news = self._lines()
                if news is not None:
                    yield news
            if not self._news.empty():
                said = self._news.get_nowait()
                self._news.task_done()
                yield said
                if said.type is LogNewsType.ENDED:
                    return
            elif pumping.done():
                pumping.result()
                return

    async def pump(self, container: Container, query: LogFollowQuery) -> None:
        """Read the log for as long as there is one; `NotFound` when the container is gone."""
        request = LogRequest(
            tail=query.tail, since=query.since, stream=STREAMS[query.stream], follow=True
        )
        while True:
            # Gone between two looks: whether another one comes in its place is seen below.
            with suppress(NotFound):
                await self._read(container.id, request)
            await self._say(LogNews(type=LogNewsType.STOPPED))
            following = await self._next_run(container)
            since = None
            if following.id == container.id:
                since = self._last_at + _AFTER if self._last_at else container.started_at
            request = request.model_copy(update={"tail": None, "since": since})
            container = following
            await self._say(LogNews(type=LogNewsType.STARTED))

    async def end(self, error: AgentError) -> None:
        """Tell why there is nothing more."""
        await self._say(
            LogNews(type=LogNewsType.ENDED, code=error.code, message=error.message, hint=error.hint)
        )

    async def _read(self, container_id: str, request: LogRequest) -> None:
        async with self._engine.log_lines(container_id, request) as chunks:
            async for chunk in chunks:
                self._last_at = chunk[-1].unpack().at or self._last_at
                self._keep(chunk)

    def _keep(self, chunk: list[PackedLine]) -> None:
        self._buffer.extend([line for line in chunk if self._wanted.may_match(line)])
        if self._buffer:
            self._wake.set()

    def _lines(self) -> LogNews | None:
        dropped, self._buffer.dropped = self._buffer.dropped, 0
        packed = self._buffer.take(LINES_AT_ONCE)
        lines = tuple(line for each in packed if (line := self._wanted.shown(each)))
        if not lines and not dropped:
            return None
        return LogNews(type=LogNewsType.LINES, lines=lines, dropped=dropped)

    async def _say(self, news: LogNews) -> None:
        """Tell something between the lines before it and those after it."""
        await self._news.put(news)
        self._wake.set()
        await self._news.join()

    async def _next_run(self, before: Container) -> Container:
        """Wait until the container runs again, or another one does in its place."""
        loop = asyncio.get_running_loop()
        began = seen = loop.time()
        ended = False
        while loop.time() - seen <= ABSENCE_S:
            found = self._inventory.get(before.key)
            if found is not None:
                seen = loop.time()
                runs = found.state in _RUNS
                # The engine may end a log before it tells of the container's own end.
                again = (found.id, found.started_at) != (before.id, before.started_at)
                ended = ended or again or not runs or loop.time() - began > STILL_THERE_S
                if runs and ended:
                    return found
            await asyncio.sleep(LOOK_S)
        raise NotFound(f"The container {before.name} was removed.")
