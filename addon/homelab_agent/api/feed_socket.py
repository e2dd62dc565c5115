"""Feeds over WebSockets: what an area opens is told, message by message, until either side ends."""

from aiohttp import web

from homelab_agent.api.sockets import OpenSocket, Sockets, StillAllowed
from homelab_agent.platform.commands import Feed


class FeedSockets:
    """Feeds share room and limits with the streams."""

    def __init__(self, sockets: Sockets) -> None:
        self._sockets = sockets

    async def serve(
        self, request: web.Request, token: str, still_allowed: StillAllowed, feed: Feed
    ) -> web.WebSocketResponse:
        """Tell one client everything of a feed; the client itself says nothing."""

        async def talk(socket: OpenSocket) -> None:
            await socket.tell(_tell(socket, feed), "no message is expected")

        return await self._sockets.serve(request, token, still_allowed, talk)


async def _tell(socket: OpenSocket, feed: Feed) -> None:
    async with feed as messages:
        async for message in messages:
            await socket.send(message.model_dump_json().encode())
