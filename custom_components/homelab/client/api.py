"""What an agent can be asked and told, typed."""

import json
from dataclasses import fields
from datetime import datetime

import aiohttp

from .endpoint import Endpoint
from .models import (
    AgentInfo,
    CommandBody,
    CommandResult,
    Container,
    ContainerCommand,
    ContainerList,
    ContainerQuery,
    Hello,
    Job,
    Logs,
    LogsQuery,
)
from .parse import Reader, reader, understood
from .session import StreamSession
from .transport import Loads, Transport

REQUEST_TIMEOUT_S = 15.0
LOGS_TIMEOUT_S = 60.0
COMMAND_MARGIN_S = 15.0

_INFO = reader(AgentInfo)
_CONTAINER = reader(Container)
_CONTAINERS = reader(ContainerList)
_LOGS = reader(Logs)
_JOB = reader(Job)
_RESULT = reader(CommandResult)


class AgentClient:
    """One agent. Nothing is repeated by itself. Every method raises only `AgentError`s."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        endpoint: Endpoint,
        token: str | None,
        *,
        loads: Loads = json.loads,
    ) -> None:
        self.transport = Transport(session, endpoint, token, loads=loads)

    async def hello(self) -> Hello:
        """Greet the agent on its stream, which tries address, certificate, token and contract."""
        async with self.transport.websocket("stream") as socket:
            return await StreamSession(socket, self.transport.loads).hello()

    async def info(self) -> AgentInfo:
        """Return who the agent is."""
        return await self._get(_INFO, "info")

    async def containers(self, query: ContainerQuery | None = None) -> tuple[Container, ...]:
        """Return the containers that match."""
        found = await self._get(_CONTAINERS, "containers", query=_query(query))
        return found.containers

    async def container(self, name: str) -> Container:
        """Return one container, by key or name."""
        return await self._get(_CONTAINER, "containers", name)

    async def logs(self, name: str, query: LogsQuery | None = None) -> Logs:
        """Return log lines of a container."""
        return await self._get(
            _LOGS, "containers", name, "logs", query=_query(query), timeout_s=LOGS_TIMEOUT_S
        )

    async def job(self, job_id: str) -> Job:
        """Return a job, an ended one too."""
        return await self._get(_JOB, "jobs", job_id)

    async def command(
        self, name: str, command: ContainerCommand, body: CommandBody | None = None
    ) -> CommandResult:
        """Tell a container to do something and wait for the end, at most `body.wait_s`."""
        body = body or CommandBody()
        answer = await self.transport.request(
            "POST",
            "containers",
            name,
            command.value,
            body=_given(body),
            timeout_s=body.wait_s + COMMAND_MARGIN_S,
        )
        return understood(_RESULT, answer)

    async def _get[T](
        self,
        read: Reader[T],
        *path: str,
        query: dict[str, str] | None = None,
        timeout_s: float = REQUEST_TIMEOUT_S,
    ) -> T:
        answer = await self.transport.request("GET", *path, query=query, timeout_s=timeout_s)
        return understood(read, answer)


def _given(model: CommandBody | ContainerQuery | LogsQuery) -> dict[str, object]:
    values = ((item.name, getattr(model, item.name)) for item in fields(model))
    return {name: value for name, value in values if value is not None}


def _query(model: ContainerQuery | LogsQuery | None) -> dict[str, str] | None:
    if model is None:
        return None
    return {
        name: value.isoformat() if isinstance(value, datetime) else str(value)
        for name, value in _given(model).items()
    }
