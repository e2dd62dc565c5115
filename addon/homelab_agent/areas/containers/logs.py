"""Logs: read, searched and followed, without the secrets that the agent knows."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime

from homelab_agent.areas.containers.inventory import Inventory
from homelab_agent.areas.containers.log_feed import LogFeed
from homelab_agent.areas.containers.log_filter import STREAMS, LogFilter
from homelab_agent.areas.containers.models import (
    Container,
    ContainerQuery,
    LogFollowQuery,
    LogNews,
    Logs,
    LogSearch,
    LogSearchQuery,
    LogsQuery,
    UnreadLog,
)
from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.areas.containers.status import EngineState
from homelab_agent.platform.engine.interface import Engine
from homelab_agent.platform.engine.models import LogLine, LogRequest
from homelab_agent.platform.errors import AgentError, Invalid, TimedOut, Unavailable
from homelab_agent.platform.secrets import SecretFilter

MOST_SCANNED = 20_000
"""So many lines of one log are searched, the newest ones."""

SEARCH_S = 25.0
"""What a search may take, over however many containers."""

_AT_ONCE = 2
"""Whoever reads a single log meanwhile finds a place free."""


class ContainerLogs:
    """The logs of this host's containers. While the engine is away they are `Unavailable`."""

    def __init__(
        self,
        engine: Engine,
        containers: ContainerService,
        inventory: Inventory,
        state: EngineState,
        secrets: SecretFilter,
    ) -> None:
        self._engine = engine
        self._containers = containers
        self._inventory = inventory
        self._state = state
        self._secrets = secrets

    async def read(self, name_or_key: str, query: LogsQuery) -> Logs:
        """Return the last lines of a container's log; with `search` the last ones that have it."""
        _check_times(query.since, query.until)
        container = self._containers.get(name_or_key)
        try:
            if query.search is not None:
                async with _limited(SEARCH_S):
                    return await self._search(container, query)
            lines = await self._engine.logs(
                container.id,
                tail=query.tail,
                since=query.since,
                until=query.until,
                stream=STREAMS[query.stream],
            )
        except Unavailable as error:
            raise self._state.dated(error) from error
        masked = LogFilter(self._secrets, None).masked
        return Logs(
            container=container.name,
            lines=tuple(masked(line) for line in lines),
            truncated=len(lines) >= query.tail,
            scanned=len(lines),
        )

    async def search(self, query: LogSearchQuery) -> LogSearch:
        """Search many logs at once; those that cannot be read are named with the reason."""
        _check_times(query.since, query.until)
        containers, unread = self._chosen(query)
        each = LogsQuery(
            tail=query.limit_each,
            since=query.since,
            until=query.until,
            stream=query.stream,
            search=query.search,
        )
        places = asyncio.Semaphore(_AT_ONCE)
        give_up = asyncio.get_running_loop().time() + SEARCH_S

        async def one(container: Container) -> Logs | UnreadLog:
            async with places:
                try:
                    async with _limited(give_up - asyncio.get_running_loop().time()):
                        return await self._search(container, each)
                except AgentError as error:
                    return _unread(container.name, error)

        results = await asyncio.gather(*(one(container) for container in containers))
        read = [result for result in results if isinstance(result, Logs)]
        unread.extend(result for result in results if isinstance(result, UnreadLog))
        found, cut = _newest(read, query.limit)
        return LogSearch(
            found=found,
            searched=len(read),
            truncated=cut or any(logs.truncated for logs in read),
            unread=tuple(unread),
        )

    @asynccontextmanager
    async def follow(
        self, name_or_key: str, query: LogFollowQuery
    ) -> AsyncIterator[AsyncIterator[LogNews]]:
        """Give a container's log as it is written; the last message says why there are no more."""
        feed = LogFeed(self._engine, self._inventory, LogFilter(self._secrets, query.search))

        async def pump() -> None:
            try:
                _check_times(query.since, None)
                await feed.pump(self._containers.get(name_or_key), query)
            except Unavailable as error:
                await feed.end(self._state.dated(error))
            except AgentError as error:
                await feed.end(error)

        pumping = asyncio.create_task(pump())
        try:
            yield feed.messages(pumping)
        finally:
            pumping.cancel()
            await asyncio.gather(pumping, return_exceptions=True)

    def _chosen(self, query: LogSearchQuery) -> tuple[list[Container], list[UnreadLog]]:
        listed = self._containers.list(ContainerQuery(project=query.project)).containers
        if not query.names:
            return list(listed), []
        by_name = {each.key: each for each in listed} | {each.name: each for each in listed}
        wanted = dict.fromkeys(query.names)
        chosen = {by_name[name].id: by_name[name] for name in wanted if name in by_name}
        missing = [
            UnreadLog(
                container=name[:200],
                code="not_found",
                message="There is no such container on this host, or not in this project.",
            )
            for name in wanted
            if name not in by_name
        ]
        return list(chosen.values()), missing

    async def _search(self, container: Container, query: LogsQuery) -> Logs:
        wanted, scanned, hits = LogFilter(self._secrets, query.search), 0, 0
        found: deque[LogLine] = deque(maxlen=query.tail)
        request = LogRequest(
            # Docker counts the lines before it looks at `until`.
            tail=None if query.until else MOST_SCANNED,
            since=query.since,
            until=query.until,
            stream=STREAMS[query.stream],
        )
        async with self._engine.log_lines(container.id, request) as chunks:
            async for chunk in chunks:
                scanned += len(chunk)
                for packed in chunk:
                    if wanted.may_match(packed) and (line := wanted.shown(packed)):
                        found.append(line)
                        hits += 1
        return Logs(
            container=container.name,
            lines=tuple(found),
            truncated=hits > len(found) or (request.tail is not None and scanned >= request.tail),
            scanned=scanned,
        )


@asynccontextmanager
async def _limited(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(max(seconds, 0)):
            yield
    except TimeoutError:
        raise TimedOut(
            f"The search took longer than {SEARCH_S:g} s.",
            hint="Search fewer containers, or since a later time.",
        ) from None


def _check_times(since: datetime | None, until: datetime | None) -> None:
    for field, moment in (("since", since), ("until", until)):
        if moment is not None and moment.tzinfo is None:
            raise Invalid(f"{field} needs a time zone.", field=field, hint="2026-11-21T08:00:00Z")
    if since and until and since > until:
        raise Invalid("since is later than until.", field="since")


def _newest(read: Iterable[Logs], limit: int) -> tuple[tuple[Logs, ...], bool]:
    """Return the newest `limit` lines of all, and whether there were more."""
    hits = [logs for logs in read if logs.lines]
    times = sorted((_order(line) for logs in hits for line in logs.lines), reverse=True)
    if len(times) <= limit:
        return tuple(hits), False
    oldest, left = times[limit - 1], limit
    kept: list[Logs] = []
    for logs in hits:
        lines = tuple(line for line in logs.lines if _order(line) >= oldest)[-left:] if left else ()
        left -= len(lines)
        if lines:
            kept.append(logs.model_copy(update={"lines": lines, "truncated": True}))
    return tuple(kept), True


def _order(line: LogLine) -> float:
    return line.at.timestamp() if line.at else 0.0


def _unread(name: str, error: AgentError) -> UnreadLog:
    return UnreadLog(container=name, code=error.code, message=error.message)
