"""Typed requests: what goes out as a model comes back as one."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .endpoint import Query
from .errors import NotAnAgent
from .models import CommandResult
from .parse import Reader, reader, understood
from .transport import Transport

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

REQUEST_TIMEOUT_S = 15.0
COMMAND_MARGIN_S = 15.0

_RESULT = reader(CommandResult)


class Requests:
    """Reads and commands of one agent. Nothing is repeated by itself."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def get[T](
        self,
        read: Reader[T],
        *path: str,
        query: DataclassInstance | None = None,
        timeout_s: float = REQUEST_TIMEOUT_S,
    ) -> T:
        """Read something; `query` filters it."""
        answer = await self._transport.request(
            "GET", *path, query=parameters(query), timeout_s=timeout_s
        )
        return understood(read, answer)

    async def document(self, *path: str, query: DataclassInstance | None = None) -> str:
        """Read something that is written for people."""
        answer = await self._transport.request(
            "GET", *path, query=parameters(query), timeout_s=REQUEST_TIMEOUT_S
        )
        if not isinstance(answer, str):
            raise NotAnAgent("The agent sent something else than the text that was asked for")
        return answer

    async def post[T](
        self,
        read: Reader[T],
        *path: str,
        body: DataclassInstance | None,
        timeout_s: float = REQUEST_TIMEOUT_S,
    ) -> T:
        """Send something and read what is answered."""
        return await self._send(read, "POST", path, body, timeout_s=timeout_s)

    async def put[T](
        self,
        read: Reader[T],
        *path: str,
        body: DataclassInstance,
        timeout_s: float = REQUEST_TIMEOUT_S,
    ) -> T:
        """Replace something and read what is answered."""
        return await self._send(read, "PUT", path, body, timeout_s=timeout_s)

    async def patch[T](
        self,
        read: Reader[T],
        *path: str,
        body: DataclassInstance,
        timeout_s: float = REQUEST_TIMEOUT_S,
    ) -> T:
        """Change some of something and read what is answered."""
        return await self._send(read, "PATCH", path, body, timeout_s=timeout_s)

    async def command(
        self,
        *path: str,
        body: DataclassInstance | None,
        wait_s: float | None,
        method: str = "POST",
        query: DataclassInstance | None = None,
        besides_s: float = COMMAND_MARGIN_S,
    ) -> CommandResult:
        """Give a command and wait for its end, at most `wait_s`, which the agent is told too.

        `besides_s`: what it may need besides, as where it plans before it begins.
        """
        answer = await self._transport.request(
            method,
            *path,
            query=parameters(query),
            body=None if body is None else _given(body),
            timeout_s=(wait_s or 0) + besides_s,
        )
        return understood(_RESULT, answer)

    async def _send[T](
        self,
        read: Reader[T],
        method: str,
        path: tuple[str, ...],
        body: DataclassInstance | None,
        *,
        timeout_s: float,
    ) -> T:
        given = None if body is None else _given(body)
        answer = await self._transport.request(method, *path, body=given, timeout_s=timeout_s)
        return understood(read, answer)


def _given(model: DataclassInstance) -> dict[str, object]:
    values = ((item.name, getattr(model, item.name)) for item in fields(model))
    return {name: _plain(value) for name, value in values if value is not None}


def _plain(value: Any) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return _given(value)
    if isinstance(value, tuple):
        return tuple(_plain(each) for each in value)
    return dict(value) if isinstance(value, Mapping) else value


def parameters(model: DataclassInstance | None) -> Query | None:
    """Return a model as the parameters of a query; a tuple is given once for each entry."""
    if model is None:
        return None
    return {
        name: tuple(str(each) for each in value) if isinstance(value, tuple) else str(value)
        for name, value in _given(model).items()
    }
