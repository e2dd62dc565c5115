"""Where the sites of the proxy are reached, and whether they are served there."""

import asyncio

from homelab_agent.areas.proxy.book import Book
from homelab_agent.areas.proxy.caddy_admin import socket_path, split_address
from homelab_agent.areas.proxy.editor import Editor, nothing_set_up
from homelab_agent.areas.proxy.models import KeptRoute, RouteCertificate
from homelab_agent.areas.proxy.placing import World
from homelab_agent.areas.proxy.servers import ports_of
from homelab_agent.areas.proxy.serving import Prober
from homelab_agent.platform.errors import AgentError, TimedOut
from homelab_agent.platform.outbound.connections import where

_ASK_AGAIN_S = 0.5
_THIS_MACHINE = "127.0.0.1"


class Sites:
    """Looks at the proxy from in front."""

    def __init__(self, book: Book, editor: Editor, prober: Prober) -> None:
        self._book = book
        self._editor = editor
        self._prober = prober

    def addresses(self, world: World) -> tuple[str, ...]:
        """Return where HTTPS is served, as host:port reached from the agent."""
        return (where(*self._place(world, secure=True)),)

    async def wait_until_served(self, route: KeptRoute, *, within_s: float) -> None:
        """Wait until Caddy answers for a route; `TimedOut` says what was seen last."""
        secure = route.certificate is not RouteCertificate.NONE
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + within_s
        while True:
            why = await self._not_served(route.host, secure=secure)
            if why is None:
                return
            if loop.time() >= give_up_at:
                raise TimedOut(
                    f"{route.host} is not served after {within_s:g} s: {why}",
                    hint="Does Caddy listen there? See `address` and the ports of its settings.",
                )
            await asyncio.sleep(_ASK_AGAIN_S)

    async def _not_served(self, host: str, *, secure: bool) -> str | None:
        try:
            place = self._place(await self._editor.look(), secure=secure)
            return await self._prober.ask(host, place, secure=secure)
        except AgentError as error:
            return error.message

    def _place(self, world: World, *, secure: bool) -> tuple[str, int]:
        """Return host and port at which sites are reached."""
        setup = self._book.setup
        if setup is None:
            raise nothing_set_up()
        port = setup.https_port if secure else setup.http_port
        if port is None:
            ports = ports_of(world.document)
            port = ports.https if secure else ports.http
        if setup.address:
            return setup.address, port
        if socket_path(setup.admin):
            return _THIS_MACHINE, port
        return split_address(setup.admin)[0], port
