"""Looks at Caddy again and again: is it there, and does it have what the agent wants of it?"""

import asyncio
from collections.abc import Awaitable, Callable

from homelab_agent.areas.proxy.board import Board
from homelab_agent.areas.proxy.book import Book
from homelab_agent.areas.proxy.facts import FactsFinder
from homelab_agent.areas.proxy.models import RouteState
from homelab_agent.areas.proxy.placing import World, certificate_of
from homelab_agent.areas.proxy.service import CERTIFICATE_TAG, ProxyService
from homelab_agent.platform.errors import AgentError
from homelab_agent.platform.logging import get_logger

AWAY_S = 3.0
"""How soon a Caddy that was away is looked for again: its sites wait for their routes."""

_log = get_logger(__name__)


class ProxyWatch:
    """Keeps what is shown true, and puts back what Caddy forgot."""

    def __init__(
        self,
        book: Book,
        facts: FactsFinder,
        service: ProxyService,
        board: Board,
        *,
        interval_s: float,
        puts_back: bool,
        begin: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._book = book
        self._facts = facts
        self._service = service
        self._board = board
        self._interval_s = interval_s
        self._puts_back = puts_back
        self._begin = begin

    async def run(self) -> None:
        """Look until cancelled."""
        if self._begin:
            await self._begin()
        while True:
            seen = await self.look_now()
            await asyncio.sleep(self._interval_s if seen else min(AWAY_S, self._interval_s))

    async def look_now(self) -> bool:
        """Look once, and publish that it could not be looked at where that is so."""
        try:
            await self.look()
        except AgentError as error:
            self._board.show_trouble(error)
            self._facts.forget()
            return False
        return True

    async def look(self) -> None:
        """Look once, publish what is there, and put back what is missing.

        Raises the errors of `CaddyAdmin` where it cannot be looked at.
        """
        await self._book.load()
        if self._book.setup is None:
            self._board.show_nothing()
            return
        world = await self._service.look()
        await self._tell_what_is_pending()
        await self._take_back_late(world)
        if self._puts_back:
            await self._put_back()
            await self._give_certificates(world)

    async def _tell_what_is_pending(self) -> None:
        for host in sorted(self._book.pending):
            await self._apply(host, "proxy_route_told_late")

    async def _take_back_late(self, world: World) -> None:
        try:
            for host in await self._service.take_back_late(world):
                _log.warning("proxy_route_taken_back_late", host=host)
        except AgentError as error:
            _log.warning("proxy_route_not_taken_back", why=error.message)

    async def _put_back(self) -> None:
        for route in self._board.routes():
            if route.state is RouteState.MISSING:
                await self._apply(route.key, "proxy_route_put_back")

    async def _apply(self, host: str, what: str) -> None:
        try:
            if await self._service.apply(host):
                _log.warning(what, host=host)
        except AgentError as error:
            _log.warning("proxy_route_not_put_back", host=host, why=error.message)

    async def _give_certificates(self, world: World) -> None:
        for kept in tuple(self._book.certificates.values()):
            if certificate_of(world, CERTIFICATE_TAG + kept.key) is not None:
                continue
            try:
                if await self._service.give_certificate_again(kept):
                    _log.warning("proxy_certificate_given_again", key=kept.key)
            except AgentError as error:
                _log.warning("proxy_certificate_not_given", key=kept.key, why=error.message)
