"""One conversation on the stream: greeting, subscription, then messages until the end."""

import asyncio
from collections.abc import Awaitable
from dataclasses import asdict

import aiohttp

from .contract import check_contract
from .errors import AgentError, CannotConnect, NoAnswer, NotAnAgent, Unauthenticated
from .models import ChangesMessage, Hello, SnapshotMessage, Subscribe
from .parse import Reader, reader, understood
from .transport import HANDSHAKE_TIMEOUT_S, Loads

FIRST_MESSAGE_TIMEOUT_S = 30.0
SILENCE_S = 10.0
"""After this long without a word the agent is asked whether it is there."""
PONG_TIMEOUT_S = 5.0

CLOSE_TOKEN_REVOKED = 4001
CLOSE_BAD_MESSAGE = 4002
CLOSE_SLOW_CLIENT = 4008

type Message = SnapshotMessage | ChangesMessage

_HELLO = reader(Hello)
_MESSAGES: dict[object, Reader[Message]] = {
    "snapshot": reader(SnapshotMessage),
    "changes": reader(ChangesMessage),
}


class TooSlow(CannotConnect):
    """The agent cut us off because we read too slowly; a new snapshot makes it good."""

    code = "too_slow"


class StreamSession:
    """An open stream. Raises only `AgentError`s."""

    def __init__(
        self,
        socket: aiohttp.ClientWebSocketResponse,
        loads: Loads,
        *,
        silence_s: float = SILENCE_S,
        pong_s: float = PONG_TIMEOUT_S,
    ) -> None:
        self._socket = socket
        self._loads = loads
        self._silence_s = silence_s
        self._pong_s = pong_s

    async def hello(self, *, within_s: float = HANDSHAKE_TIMEOUT_S) -> Hello:
        """Return the agent's greeting; raise where its contract does not fit ours."""
        document = await self._within(within_s)
        if document.get("type") != "hello":
            raise NotAnAgent("The stream did not begin with a greeting")
        hello = understood(_HELLO, document)
        check_contract(hello)
        return hello

    async def subscribe(self, subscribe: Subscribe) -> Message:
        """Subscribe and return the first message: a snapshot, or what was missed."""
        await self._send(self._socket.send_json(asdict(subscribe)))
        while True:
            message = _read_message(await self._within(FIRST_MESSAGE_TIMEOUT_S))
            if message is not None:
                return message

    async def next(self) -> Message:
        """Return the next message that this client knows."""
        while True:
            message = _read_message(await self.document())
            if message is not None:
                return message

    async def _within(self, seconds: float) -> dict[str, object]:
        try:
            async with asyncio.timeout(seconds):
                return await self.document()
        except TimeoutError as error:
            raise NoAnswer("The agent opened the stream and then said nothing") from error

    async def document(self) -> dict[str, object]:
        """Return the next message as it is."""
        message = await self._receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise self._ending()
        try:
            document = self._loads(message.data)
        except ValueError as error:
            raise NotAnAgent("The stream carried something that is no JSON") from error
        if not isinstance(document, dict):
            raise NotAnAgent("The stream carried something that is no message")
        return document

    async def _receive(self) -> aiohttp.WSMessage:
        """Return what is no ping or pong; after a silence ask whether anybody is there.

        Not aiohttp's own heartbeat: that one starts anew while a socket closes and outlives it.
        """
        asked = False
        while True:
            try:
                message = await self._socket.receive(self._pong_s if asked else self._silence_s)
            except TimeoutError as error:
                if asked:
                    raise CannotConnect("The agent no longer answers on the stream") from error
                asked = True
                await self._send(self._socket.ping())
                continue
            asked = False
            if message.type is aiohttp.WSMsgType.PING:
                await self._send(self._socket.pong(message.data))
            elif message.type is not aiohttp.WSMsgType.PONG:
                return message

    async def _send(self, sending: Awaitable[None]) -> None:
        try:
            await sending
        except (aiohttp.ClientError, OSError) as error:
            raise CannotConnect("The stream ended while sending") from error

    def _ending(self) -> AgentError:
        code = self._socket.close_code
        if code == CLOSE_TOKEN_REVOKED:
            return Unauthenticated("The agent revoked the token")
        if code == CLOSE_BAD_MESSAGE:
            return NotAnAgent("The agent did not understand the subscription")
        if code == CLOSE_SLOW_CLIENT:
            return TooSlow("The agent cut the stream: it was read too slowly")
        return CannotConnect(f"The stream ended (code {code})")


def _read_message(document: dict[str, object]) -> Message | None:
    """Read a message; None for a type that only a newer agent knows."""
    read = _MESSAGES.get(document.get("type"))
    return None if read is None else understood(read, document)
