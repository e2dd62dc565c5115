"""The real engine: Docker, or what speaks its API (Podman, a socket proxy before either)."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import override

from pydantic import ValidationError

from homelab_agent.platform.engine.docker.answers import read_document
from homelab_agent.platform.engine.docker.container_documents import LIST, Info, Inspected, Listed
from homelab_agent.platform.engine.docker.errors import Call, unreadable
from homelab_agent.platform.engine.docker.events import FILTERS, parse_event, since_text
from homelab_agent.platform.engine.docker.lines import lines
from homelab_agent.platform.engine.docker.rights import missing_rights
from homelab_agent.platform.engine.docker.transport import Transport
from homelab_agent.platform.engine.docker.turns import Turns
from homelab_agent.platform.engine.docker.versions import written
from homelab_agent.platform.engine.interface import Engine
from homelab_agent.platform.engine.logs import LogReader, LogSplitter, PackedLine
from homelab_agent.platform.engine.models import (
    EngineContainer,
    EngineEvent,
    EngineInfo,
    EngineRight,
    LogLine,
    LogRequest,
    LogStream,
)
from homelab_agent.platform.errors import (
    Denied,
    Failed,
    NotFound,
    TimedOut,
    Unavailable,
)
from homelab_agent.platform.logging import get_logger

_INSPECTS_AT_ONCE = 8
_LOGS_AT_ONCE = 3
_LOGS_WAITING = 8
_LOGS_RETRY_S = 5.0
"""Reading a log up to some time reads all of it, and each read keeps Docker busy."""

_LINES_OF_BOTH = 20_000
"""In how many of the newest lines those of one output are looked for."""

_DEFAULT_GRACE_S = 10
"""What Docker waits between the stop signal and the kill where nothing else is said."""

_NOT_FROZEN = "unable to freeze"
"""Of old control groups on a busy machine, where not all processes stood still in time."""

_FREEZES = 3

_NAME = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_.-]*")

_log = get_logger(__name__)

_READ = EngineRight.CONTAINERS_READ
_CONTROL = EngineRight.CONTAINERS_CONTROL


class DockerEngine(Engine):
    """Implements `Engine`. Connects when first used; closing it closes the transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._logs = Turns(
            "Reading logs",
            at_once=_LOGS_AT_ONCE,
            waiting=_LOGS_WAITING,
            retry_after_s=_LOGS_RETRY_S,
        )

    @override
    async def connect(self) -> EngineInfo:
        try:
            version, agreed = await self._transport.negotiate()
            info = await self._info()
        except TimedOut as error:
            raise Unavailable(
                f"Docker is there ({self._transport.address}) but does not answer.",
                hint="Look at Docker's own log; restart it if it hangs.",
            ) from error
        return EngineInfo(
            kind="docker",
            version=version.version,
            api_version=written(agreed),
            host_name=info.name,
            operating_system=info.operating_system,
            kernel_version=info.kernel_version or version.kernel_version,
            architecture=info.architecture or version.architecture,
            cpu_count=info.cpu_count,
            memory_bytes=info.memory_bytes,
        )

    @override
    async def missing_rights(self) -> frozenset[EngineRight]:
        return await missing_rights(self._transport)

    @override
    async def list_containers(self) -> tuple[EngineContainer, ...]:
        call = Call("list the containers", _READ)
        listed = _rows(call, await self._transport.read("containers/json", call, {"all": "true"}))
        slots = asyncio.Semaphore(_INSPECTS_AT_ONCE)

        async def filled(row: Listed) -> EngineContainer | None:
            async with slots:
                return await self._filled(row)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(filled(row)) for row in listed]
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return tuple(row for task in tasks if (row := task.result()) is not None)

    @override
    async def inspect(self, container_id: str) -> EngineContainer:
        inspected = await self._inspected(container_id)
        try:
            return inspected.container()
        except (ValueError, OverflowError) as error:
            raise unreadable(_describing(container_id), str(error)) from None

    @override
    @asynccontextmanager
    async def events(self, since_ns: int | None) -> AsyncIterator[AsyncIterator[EngineEvent]]:
        parameters = {"filters": FILTERS}
        if since_ns is not None:
            parameters["since"] = since_text(since_ns)
        call = Call("tell its events", EngineRight.EVENTS)
        async with self._transport.stream("events", call, parameters) as chunks:
            yield self._events(chunks)

    @override
    async def start(self, container_id: str) -> None:
        await self._change(container_id, "start")

    @override
    async def stop(self, container_id: str, timeout_s: int | None) -> None:
        await self._change_gently(container_id, "stop", timeout_s)

    @override
    async def restart(self, container_id: str, timeout_s: int | None) -> None:
        await self._change_gently(container_id, "restart", timeout_s)

    @override
    async def pause(self, container_id: str) -> None:
        for _ in range(_FREEZES - 1):
            try:
                return await self._change(container_id, "pause")
            except Failed as error:
                if _NOT_FROZEN not in error.message:
                    raise
        return await self._change(container_id, "pause")

    @override
    async def unpause(self, container_id: str) -> None:
        await self._change(container_id, "unpause")

    @override
    async def kill(self, container_id: str, signal: str) -> None:
        await self._change(container_id, "kill", {"signal": signal})

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
        # Docker counts the lines before it looks at `until` and the output: it would give too few.
        docker_tail = None if until else max(tail, _LINES_OF_BOTH) if stream else tail
        request = LogRequest(tail=docker_tail, since=since, until=until, stream=stream)
        async with self._logs.turn():
            container = await self._inspected(container_id)
            reader = LogReader(tail, framed=not container.config.tty)
            path = f"containers/{container.id}/logs"
            call = _reading_log(container_id)
            await self._transport.read_into(reader.feed, path, call, _log_parameters(request))
        return reader.finish()

    @override
    @asynccontextmanager
    async def log_lines(
        self, container_id: str, request: LogRequest
    ) -> AsyncIterator[AsyncIterator[list[PackedLine]]]:
        async with AsyncExitStack() as stack:
            if not request.follow:
                await stack.enter_async_context(self._logs.turn())
            container = await self._inspected(container_id)
            path = f"containers/{container.id}/logs"
            chunks = await stack.enter_async_context(
                self._transport.stream(path, _reading_log(container_id), _log_parameters(request))
            )
            yield _split(chunks, LogSplitter(framed=not container.config.tty))

    @override
    async def close(self) -> None:
        await self._transport.close()

    async def _info(self) -> Info:
        call = Call("describe itself", EngineRight.INFO)
        try:
            return read_document(Info, call, await self._transport.read("info", call))
        except Denied:
            # A proxy may well forbid this alone: the version is enough to work with.
            return Info()

    async def _filled(self, row: Listed) -> EngineContainer | None:
        try:
            return await self.inspect(row.id)
        except NotFound:
            return None
        except TimedOut, Failed:
            # One container that Docker cannot describe must not hide all others.
            return row.container()

    async def _inspected(self, container_id: str) -> Inspected:
        call = _describing(container_id)
        path = f"containers/{_checked(container_id)}/json"
        return read_document(Inspected, call, await self._transport.read(path, call))

    async def _change_gently(self, container_id: str, verb: str, timeout_s: int | None) -> None:
        grace_s = timeout_s
        if grace_s is None:
            own = (await self._inspected(container_id)).config.stop_timeout
            grace_s = own if own is not None else _DEFAULT_GRACE_S
        parameters = {} if timeout_s is None else {"t": str(timeout_s)}
        await self._change(container_id, verb, parameters, grace_s=max(grace_s, 0))

    async def _change(
        self,
        container_id: str,
        verb: str,
        parameters: dict[str, str] | None = None,
        *,
        grace_s: int = 0,
    ) -> None:
        call = Call(f"{verb} the container {container_id}", _CONTROL, changes=True)
        path = f"containers/{_checked(container_id)}/{verb}"
        await self._transport.change(path, call, parameters, extra_s=grace_s)

    async def _events(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[EngineEvent]:
        async for line in lines(chunks):
            event = parse_event(line)
            if event is not None:
                yield event
        raise Unavailable("Docker ended its event stream.", hint="Is Docker being restarted?")


def _rows(call: Call, body: bytes) -> list[Listed]:
    """Read the list, without those rows that cannot be understood."""
    try:
        listed = LIST.validate_json(body)
    except ValidationError as error:
        raise unreadable(call, str(error)) from None
    rows: list[Listed] = []
    why = ""
    for row in listed:
        try:
            rows.append(Listed.model_validate(row))
        except ValidationError as error:
            why = str(error)
            _log.warning("container_not_readable", row=str(row)[:80], why=why[:400])
    if listed and not rows:
        # That is no host without containers.
        raise unreadable(call, why)
    return rows


async def _split(
    chunks: AsyncIterator[bytes], splitter: LogSplitter
) -> AsyncIterator[list[PackedLine]]:
    async for chunk in chunks:
        lines = splitter.feed(chunk)
        if lines:
            yield lines
        # Data that is there already is read without a pause: the others are to have a turn.
        await asyncio.sleep(0)
    rest = splitter.finish()
    if rest:
        yield rest


def _log_parameters(request: LogRequest) -> dict[str, str]:
    parameters = {
        "stdout": str(request.stream is not LogStream.STDERR).lower(),
        "stderr": str(request.stream is not LogStream.STDOUT).lower(),
        "timestamps": "true",
        "tail": "all" if request.tail is None else str(request.tail),
    }
    if request.since:
        parameters["since"] = _seconds(request.since)
    if request.until:
        parameters["until"] = _seconds(request.until)
    if request.follow:
        parameters["follow"] = "true"
    return parameters


def _reading_log(container_id: str) -> Call:
    return Call(f"read the log of {container_id}", _READ)


def _describing(container_id: str) -> Call:
    return Call(f"describe the container {container_id}", _READ)


def _checked(container_id: str) -> str:
    """Return what is safe to put into a path; anything else cannot be a container's name."""
    if not _NAME.fullmatch(container_id):
        raise NotFound(f"There is no container {container_id[:80]!r}.")
    return container_id


def _seconds(moment: datetime) -> str:
    return f"{moment.timestamp():.6f}"
