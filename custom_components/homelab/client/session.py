"""One conversation on the stream: greeting, subscription, then messages until the end."""

import asyncio
from dataclasses import asdict

import aiohttp

from .contract import check_contract
from .errors import AgentError, CannotConnect, NoAnswer, NotAnAgent, Unauthenticated
from .models import ChangesMessage, Hello, SnapshotMessage, Subscribe
from .parse import Reader, reader, understood
from .transport import HANDSHAKE_TIMEOUT_S, Loads

FIRST_MESSAGE_TIMEOUT_S = 30.0

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

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, loads: Loads) -> None:
        self._socket = socket
        self._loads = loads

    async def hello(self) -> Hello:
        """Return the agent's greeting; raise where its contract does not fit ours."""
        document = await self._within(HANDSHAKE_TIMEOUT_S)
        if document.get("type") != "hello":
            raise NotAnAgent("The stream did not begin with a greeting")
        hello = understood(_HELLO, document)
        check_contract(hello)
        return hello

    async def subscribe(self, subscribe: Subscribe) -> Message:
        """Subscribe and return the first message: a snapshot, or what was missed."""
        try:
            await self._socket.send_json(asdict(subscribe))
        except (aiohttp.ClientError, OSError) as error:
            raise CannotConnect("The stream ended before the subscription") from error
        while True:
            message = _read_message(await self._within(FIRST_MESSAGE_TIMEOUT_S))
            if message is not None:
                return message

    async def next(self) -> Message:
        """Return the next message that this client knows."""
        while True:
            message = _read_message(await self._document())
            if message is not None:
                return message

    async def _within(self, seconds: float) -> dict[str, object]:
        try:
            async with asyncio.timeout(seconds):
                return await self._document()
        except TimeoutError as error:
            raise NoAnswer("The agent opened the stream and then said nothing") from error

    async def _document(self) -> dict[str, object]:
        message = await self._socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise self._ending()
        try:
            document = self._loads(message.data)
        except ValueError as error:
            raise NotAnAgent("The stream carried something that is no JSON") from error
        if not isinstance(document, dict):
            raise NotAnAgent("The stream carried something that is no message")
        return document

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
