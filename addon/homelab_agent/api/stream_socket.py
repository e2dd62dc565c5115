"""`GET /api/v1/stream`: greets, hears one subscription, then tells every change as it happens."""

from aiohttp import web
from pydantic import ValidationError

from homelab_agent.api.sockets import OpenSocket, SocketEnd, Sockets, StillAllowed, StreamLimits
from homelab_agent.api.stream_messages import StreamMessages
from homelab_agent.platform.contract import (
    CLOSE_BAD_MESSAGE,
    CLOSE_SLOW_CLIENT,
    Hello,
    Subscribe,
)
from homelab_agent.platform.resources import Overflow, Resources


class StreamSockets:
    """All open streams. `sockets` has room for other conversations under the same limits."""

    def __init__(
        self, resources: Resources, hello: Hello, limits: StreamLimits | None = None
    ) -> None:
        self._resources = resources
        self._hello = hello.model_dump_json().encode()
        self._messages = StreamMessages()
        self.sockets = Sockets(limits)

    def count(self) -> int:
        """Return how many clients are connected."""
        return self.sockets.count()

    async def serve(
        self, request: web.Request, token: str, still_allowed: StillAllowed
    ) -> web.WebSocketResponse:
        """Serve one client until either side ends it. `still_allowed` is asked now and then."""
        return await self.sockets.serve(request, token, still_allowed, self._talk)

    async def close(self) -> None:
        """End every conversation with "going away"; there are no new ones."""
        await self.sockets.close()

    async def _talk(self, socket: OpenSocket) -> None:
        await socket.send(self._hello)
        message = await socket.hear_first()
        if message is None:
            return
        try:
            subscribe = Subscribe.model_validate_json(message, strict=True)
        except ValidationError as error:
            raise SocketEnd(CLOSE_BAD_MESSAGE, _why(error)) from None
        await socket.tell(
            self._tell(socket, subscribe), "only one message is expected, the subscription"
        )

    async def _tell(self, socket: OpenSocket, subscribe: Subscribe) -> None:
        resume = subscribe.resume
        point = (resume.epoch, resume.seq) if resume else None
        with self._resources.subscribe(kinds=subscribe.kinds, resume=point) as subscription:
            start = self._messages.start(subscription.start, self._resources.seq)
            await socket.send(start)
            try:
                async for batch in subscription.batches():
                    await socket.send(self._messages.changes(batch))
            except Overflow:
                raise SocketEnd(
                    CLOSE_SLOW_CLIENT, "too slow: too many changes are waiting"
                ) from None


def _why(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    return f"{field[:40]}: {first['msg']}" if field else first["msg"]
