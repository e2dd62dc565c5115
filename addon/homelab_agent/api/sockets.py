"""What every WebSocket of the door has in common: limits, the watch over tokens, the farewell."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from homelab_agent.platform.contract import (
    CLOSE_BAD_MESSAGE,
    CLOSE_SLOW_CLIENT,
    CLOSE_TOKEN_REVOKED,
)
from homelab_agent.platform.errors import AgentError, RateLimited, Unavailable
from homelab_agent.platform.logging import get_logger

MAX_REASON_BYTES = 123
"""What a WebSocket close frame has room for."""

type StillAllowed = Callable[[], Awaitable[bool]]
type Talk = Callable[[OpenSocket], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """What a client is granted. Feeds count as streams."""

    subscribe_s: float = 10.0
    send_s: float = 10.0
    close_s: float = 5.0
    heartbeat_s: float = 20.0
    token_check_s: float = 10.0
    message_bytes: int = 64 * 1024
    streams: int = 128
    streams_per_token: int = 16


class SocketEnd(Exception):
    """The conversation is over; the other side is told `code` and `reason`."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class OpenSocket:
    """One client, as long as both sides talk."""

    def __init__(self, socket: web.WebSocketResponse, limits: StreamLimits) -> None:
        self._socket = socket
        self._limits = limits

    async def send(self, message: bytes) -> None:
        """Send a message; who does not take it in time is cut off."""
        try:
            async with asyncio.timeout(self._limits.send_s):
                await self._socket.send_frame(message, WSMsgType.TEXT)
        except TimeoutError:
            raise SocketEnd(
                CLOSE_SLOW_CLIENT, "too slow: a message was not taken in time"
            ) from None

    async def hear_first(self) -> str | None:
        """Return the client's message; None where it left instead."""
        try:
            async with asyncio.timeout(self._limits.subscribe_s):
                message = await self._socket.receive()
        except TimeoutError:
            seconds = f"{self._limits.subscribe_s:g}"
            raise SocketEnd(CLOSE_BAD_MESSAGE, f"no subscription within {seconds} s") from None
        if _is_end(message):
            return None
        if message.type is not WSMsgType.TEXT:
            raise SocketEnd(CLOSE_BAD_MESSAGE, "the subscription must be a text message")
        return str(message.data)

    async def tell(self, telling: Awaitable[None], nothing_more: str) -> None:
        """Do what tells the client, until it is done or the client leaves.

        Pings are answered meanwhile; another message is refused with `nothing_more`.
        """
        hearing = asyncio.ensure_future(self._hear_the_end(nothing_more))
        await _race(hearing, asyncio.ensure_future(telling))

    async def _hear_the_end(self, nothing_more: str) -> None:
        message = await self._socket.receive()
        if not _is_end(message):
            raise SocketEnd(CLOSE_BAD_MESSAGE, nothing_more)


class Sockets:
    """All open WebSockets."""

    def __init__(self, limits: StreamLimits | None = None) -> None:
        self._limits = limits or StreamLimits()
        self._closing = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._by_token: Counter[str] = Counter()
        self._log = get_logger(__name__)

    def count(self) -> int:
        """Return how many clients are connected."""
        return len(self._tasks)

    async def serve(
        self, request: web.Request, token: str, still_allowed: StillAllowed, talk: Talk
    ) -> web.WebSocketResponse:
        """Talk with one client until either side ends it. `still_allowed` is asked now and then."""
        self._require_room(token)
        socket = web.WebSocketResponse(
            heartbeat=self._limits.heartbeat_s,
            timeout=self._limits.close_s,
            max_msg_size=self._limits.message_bytes,
            # In a local network the time costs more than the bytes.
            compress=False,
        )
        task = asyncio.ensure_future(self._converse(request, socket, still_allowed, talk))
        self._tasks.add(task)
        self._by_token[token] += 1
        try:
            await task
        finally:
            self._tasks.discard(task)
            self._by_token[token] -= 1
        return socket

    async def close(self) -> None:
        """End every conversation with "going away"; there are no new ones."""
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
        still_allowed: StillAllowed,
        talk: Talk,
    ) -> None:
        await socket.prepare(request)
        end = await _first_end(
            talk(OpenSocket(socket, self._limits)),
            self._watch_token(still_allowed),
            self._watch_shutdown(),
        )
        if end is not None:
            self._log.info("stream_ended", peer=request.remote, code=end.code, reason=end.reason)
            await self._hang_up(request, socket, end)

    async def _watch_token(self, still_allowed: StillAllowed) -> None:
        while True:
            await asyncio.sleep(self._limits.token_check_s)
            try:
                allowed = await still_allowed()
            except AgentError as error:
                # The store is away. That is no reason to turn a known client out.
                self._log.warning("token_check_failed", reason=error.message)
                continue
            if not allowed:
                raise SocketEnd(CLOSE_TOKEN_REVOKED, "the token was revoked")

    async def _watch_shutdown(self) -> None:
        await self._closing.wait()
        raise SocketEnd(WSCloseCode.GOING_AWAY, "the agent is stopping")

    async def _hang_up(
        self, request: web.Request, socket: web.WebSocketResponse, end: SocketEnd
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


async def _first_end(*parts: Awaitable[None]) -> SocketEnd | None:
    """Run the parts until one returns or raises; return why it ended, None for the client's own."""
    try:
        await _race(*(asyncio.ensure_future(part) for part in parts))
    except SocketEnd as end:
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
