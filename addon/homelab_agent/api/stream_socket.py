"""`GET /api/v1/stream`: greets, hears one subscription, then tells every change as it happens."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web
from pydantic import ValidationError

from homelab_agent.api.stream_messages import StreamMessages
from homelab_agent.platform.contract import (
    CLOSE_BAD_MESSAGE,
    CLOSE_SLOW_CLIENT,
    CLOSE_TOKEN_REVOKED,
    Hello,
    Subscribe,
)
from homelab_agent.platform.errors import AgentError, RateLimited, Unavailable
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.resources import Overflow, Resources

MAX_REASON_BYTES = 123
"""What a WebSocket close frame has room for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """What a stream's client is granted."""

    subscribe_s: float = 10.0
    send_s: float = 10.0
    close_s: float = 5.0
    heartbeat_s: float = 20.0
    token_check_s: float = 10.0
    message_bytes: int = 64 * 1024
    streams: int = 128
    streams_per_token: int = 16


class _End(Exception):
    """The conversation is over; the other side is told `code` and `reason`."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class StreamSockets:
    """All open streams."""

    def __init__(
        self, resources: Resources, hello: Hello, limits: StreamLimits | None = None
    ) -> None:
        self._resources = resources
        self._hello = hello.model_dump_json().encode()
        self._limits = limits or StreamLimits()
        self._messages = StreamMessages()
        self._closing = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._by_token: Counter[str] = Counter()
        self._log = get_logger(__name__)

    def count(self) -> int:
        """Return how many clients are connected."""
        return len(self._tasks)

    async def serve(
        self, request: web.Request, token: str, still_allowed: Callable[[], Awaitable[bool]]
    ) -> web.WebSocketResponse:
        """Serve one client until either side ends it. `still_allowed` is asked now and then."""
        self._require_room(token)
        socket = web.WebSocketResponse(
            heartbeat=self._limits.heartbeat_s,
            timeout=self._limits.close_s,
            max_msg_size=self._limits.message_bytes,
            # In a local network the time costs more than the bytes.
            compress=False,
        )
        task = asyncio.ensure_future(self._converse(request, socket, still_allowed))
        self._tasks.add(task)
        self._by_token[token] += 1
        try:
            await task
        finally:
            self._tasks.discard(task)
            self._by_token[token] -= 1
        return socket

    async def close(self) -> None:
        """End every stream with "going away"; there are no new ones."""
        self._closing.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._limits.close_s)

    def _require_room(self, token: str) -> None:
        if self._closing.is_set():
            raise Unavailable("The agent is stopping.", retry_after_s=1)
        if len(self._tasks) >= self._limits.streams:
            raise RateLimited(
                f"{self._limits.streams} streams are open, which is the limit.",
                retry_after_s=self._limits.token_check_s,
            )
        if self._by_token[token] >= self._limits.streams_per_token:
            raise RateLimited(
                f"The token {token} has {self._limits.streams_per_token} streams open, "
                "which is the limit for one token.",
                retry_after_s=self._limits.token_check_s,
            )

    async def _converse(
        self,
        request: web.Request,
        socket: web.WebSocketResponse,
        still_allowed: Callable[[], Awaitable[bool]],
    ) -> None:
        await socket.prepare(request)
        end = await _first_end(
            self._talk(socket), self._watch_token(still_allowed), self._watch_shutdown()
        )
        if end is not None:
            self._log.info("stream_ended", peer=request.remote, code=end.code, reason=end.reason)
            await self._hang_up(request, socket, end)

    async def _talk(self, socket: web.WebSocketResponse) -> None:
        await self._send(socket, self._hello)
        subscribe = await self._hear_subscription(socket)
        if subscribe is None:
            return
        hearing = asyncio.ensure_future(_hear_the_end(socket))
        telling = asyncio.ensure_future(self._tell(socket, subscribe))
        await _race(hearing, telling)

    async def _hear_subscription(self, socket: web.WebSocketResponse) -> Subscribe | None:
        try:
            async with asyncio.timeout(self._limits.subscribe_s):
                message = await socket.receive()
        except TimeoutError:
            seconds = f"{self._limits.subscribe_s:g}"
            raise _End(CLOSE_BAD_MESSAGE, f"no subscription within {seconds} s") from None
        if _is_end(message):
            return None
        if message.type is not WSMsgType.TEXT:
            raise _End(CLOSE_BAD_MESSAGE, "the subscription must be a text message")
        try:
            return Subscribe.model_validate_json(message.data, strict=True)
        except ValidationError as error:
            raise _End(CLOSE_BAD_MESSAGE, _why(error)) from None

    async def _tell(self, socket: web.WebSocketResponse, subscribe: Subscribe) -> None:
        resume = subscribe.resume
        point = (resume.epoch, resume.seq) if resume else None
        with self._resources.subscribe(kinds=subscribe.kinds, resume=point) as subscription:
            start = self._messages.start(subscription.start, self._resources.seq)
            await self._send(socket, start)
            try:
                async for batch in subscription.batches():
                    await self._send(socket, self._messages.changes(batch))
            except Overflow:
                raise _End(CLOSE_SLOW_CLIENT, "too slow: too many changes are waiting") from None

    async def _send(self, socket: web.WebSocketResponse, message: bytes) -> None:
        try:
            async with asyncio.timeout(self._limits.send_s):
                await socket.send_frame(message, WSMsgType.TEXT)
        except TimeoutError:
            raise _End(CLOSE_SLOW_CLIENT, "too slow: a message was not taken in time") from None

    async def _watch_token(self, still_allowed: Callable[[], Awaitable[bool]]) -> None:
        while True:
            await asyncio.sleep(self._limits.token_check_s)
            try:
                allowed = await still_allowed()
            except AgentError as error:
                # The store is away. That is no reason to turn a known client out.
                self._log.warning("token_check_failed", reason=error.message)
                continue
            if not allowed:
                raise _End(CLOSE_TOKEN_REVOKED, "the token was revoked")

    async def _watch_shutdown(self) -> None:
        await self._closing.wait()
        raise _End(WSCloseCode.GOING_AWAY, "the agent is stopping")

    async def _hang_up(
        self, request: web.Request, socket: web.WebSocketResponse, end: _End
    ) -> None:
        transport = request.transport
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.close_s):
                # Not drained: after a send that was given up, aiohttp's drain only raises.
                await socket.close(
                    code=end.code, message=end.reason.encode()[:MAX_REASON_BYTES], drain=False
                )
        if transport is not None and transport.get_write_buffer_size():
            # It does not even read the farewell. A mere close would wait for it without end.
            transport.abort()


async def _hear_the_end(socket: web.WebSocketResponse) -> None:
    """Return when the client leaves. Pings are answered meanwhile; more messages are refused."""
    message = await socket.receive()
    if not _is_end(message):
        raise _End(CLOSE_BAD_MESSAGE, "only one message is expected, the subscription")


async def _first_end(*parts: Awaitable[None]) -> _End | None:
    """Run the parts until one returns or raises; return why it ended, None for the client's own."""
    try:
        await _race(*(asyncio.ensure_future(part) for part in parts))
    except _End as end:
        return end
    except ConnectionError:
        return None
    return None


async def _race(*tasks: asyncio.Future[None]) -> None:
    """Wait for the first of the tasks, end the others, and raise what the first one raised."""
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for task, result in zip(tasks, results, strict=True):
        if task in done and isinstance(result, BaseException):
            raise result


def _is_end(message: WSMessage) -> bool:
    return message.type in {WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR}


def _why(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    return f"{field[:40]}: {first['msg']}" if field else first["msg"]
