"""What can be asked of the reverse proxy, and told to it."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from homelab_agent.areas.proxy.board import Board
from homelab_agent.areas.proxy.book import Book
from homelab_agent.areas.proxy.chooser import Chooser
from homelab_agent.areas.proxy.editor import Editor
from homelab_agent.areas.proxy.facts import FactsFinder
from homelab_agent.areas.proxy.kept import KeptCertificate
from homelab_agent.areas.proxy.models import (
    PreparedRoute,
    ProxyRoute,
    ProxyStatus,
    RouteBody,
    RoutePlan,
)
from homelab_agent.areas.proxy.placing import (
    World,
    certificate_of,
    parts_of,
    with_certificate,
    with_parts,
    without_certificate,
)
from homelab_agent.areas.proxy.preparing import Preparation, unknown
from homelab_agent.areas.proxy.route_document import all_hosts
from homelab_agent.areas.proxy.secret_values import SecretValues
from homelab_agent.areas.proxy.sites import Sites
from homelab_agent.areas.proxy.wanted import checked_host, require_free
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.errors import (
    Conflict,
    Invalid,
    TimedOut,
    Unavailable,
)

CERTIFICATE_TAG = "homelab-"
STILL_COMES = timedelta(hours=1)
"""For so long a write that was taken back is reckoned with: Caddy may have been hanging."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a look at Caddy and a change of a route need."""

    facts: FactsFinder
    chooser: Chooser
    preparation: Preparation
    sites: Sites
    values: SecretValues


class ProxyService:
    """The agent's routes in a Caddy. What others made there is never changed."""

    def __init__(
        self,
        book: Book,
        editor: Editor,
        board: Board,
        tools: Tools,
        clock: Clock,
    ) -> None:
        self._book = book
        self._editor = editor
        self._board = board
        self._facts = tools.facts
        self._chooser = tools.chooser
        self._preparation = tools.preparation
        self._sites = tools.sites
        self._values = tools.values
        self._clock = clock
        # Book and Caddy change together.
        self._turn = asyncio.Lock()

    async def until_ready(self) -> None:
        """Return when the agent's routes are known, be Caddy there or not."""
        await self._book.load()
        self._board.show_kept()

    def status(self) -> ProxyStatus:
        """Return how it is with the proxy, as last seen."""
        return self._board.status()

    def route(self, host: str) -> ProxyRoute | None:
        """Return a route of the agent as last seen, None where there is none."""
        return self._board.route(host)

    def routes(self) -> tuple[ProxyRoute, ...]:
        """Return all routes of the agent as last seen, by host."""
        return self._board.routes()

    async def addresses(self) -> tuple[str, ...]:
        """Return where the proxy serves HTTPS, as host:port reached from the agent."""
        return self._sites.addresses(await self._editor.look())

    async def look(self) -> World:
        """Look at Caddy now, and publish what is seen.

        Raises the errors of `CaddyAdmin` where it cannot be looked at.
        """
        # Not between a change and its being shown: what is old by then would be shown again.
        async with self._turn:
            world = await self._editor.look()
            found = await self._facts.find(world)
            self._board.show(world, replace(found, addresses=self._sites.addresses(world)))
        return world

    async def plan(self, host: str, body: RouteBody | None) -> RoutePlan:
        """Return what a route would be in Caddy; `body` None: what its removal would change.

        Raises:
            Invalid: something of it cannot be; it names the field.
            Conflict: others serve that host already, or no proxy is set up.
            CaddyRefuses: Caddy does not take it.
        """
        return await self._preparation.plan(host, body)

    async def prepare(self, host: str, body: RouteBody | None) -> PreparedRoute:
        """Return a change that may be journaled: checked, and with what is there before it.

        Raises what `plan` does; `NotFound` for the removal of a route that is not the agent's.
        """
        return await self._preparation.prepare(host, body)

    async def prepare_again(self, host: str) -> PreparedRoute:
        """Return the change that makes Caddy as the book says, whatever became of the route.

        Raises what `prepare` does.
        """
        return await self._preparation.prepare_again(host)

    async def put(self, prepared: PreparedRoute) -> bool:
        """Make it so, in Caddy and in the agent's book; return False where it was so already.

        Raises:
            Conflict: somebody changed the route in Caddy since it was prepared, or another route
                of the agent serves one of its names by now; nothing is done.
            CaddyRefuses: Caddy does not take it; everything is as before.
            TimedOut, Unavailable: Caddy cannot be asked; what became of it is not known.
        """
        found = self._values.reveal(prepared.found)
        changed = False

        def forward(world: World) -> World:
            nonlocal changed
            now = parts_of(world, prepared.host)
            chosen = self._chooser.choose(world, now, prepared.after)
            if now.same_as(chosen.parts):
                return world
            # A Caddy that was restarted in between may have forgotten all of it.
            if now.routes and not now.same_as(found):
                raise _changed_by_others(prepared.host)
            changed = True
            return with_parts(world, now, chosen.parts)

        async with self._turn:
            await self._book.load()
            if prepared.after is not None:
                # Another one may have been prepared at the same time, and put already.
                require_free(all_hosts(prepared.after), prepared.host, self._book.routes)
            world = await self._editor.change(forward)
            changed = changed or self._book.routes.get(prepared.host) != prepared.after
            await self._book.keep_route(prepared.host, prepared.after)
            await self._book.keep_pending(prepared.host, pending=False)
            await self._book.keep_withdrawn(prepared.host, None)
        self._board.show_route(prepared.host, world)
        return changed

    async def put_back(self, prepared: PreparedRoute) -> None:
        """Take `put` back: Caddy and the book are as before; what others changed meanwhile stays.

        While Caddy is away the book is put back all the same, and Caddy when it is there again.

        Raises:
            Conflict: somebody changed the route itself meanwhile; it is left alone.
            TimedOut, Unavailable: Caddy cannot be asked now.
        """
        found = self._values.reveal(prepared.found)

        def backward(world: World) -> World:
            now = parts_of(world, prepared.host)
            if now.same_as(found):
                return world
            chosen = self._chooser.choose(world, now, prepared.after, anyway=True)
            if now.routes and not now.same_as(chosen.parts):
                raise _changed_by_others(prepared.host)
            return with_parts(world, now, found)

        async with self._turn:
            # Just after a crash the book does not know yet what was put.
            await self._book.load()
            await self._book.keep_route(prepared.host, prepared.before)
            if prepared.after is not None and prepared.after != prepared.before:
                await self._book.keep_withdrawn(prepared.host, prepared.after)
            try:
                world = await self._editor.change(backward, is_undo=True)
            except TimedOut, Unavailable:
                await self._book.keep_pending(prepared.host, pending=True)
                raise
            await self._book.keep_pending(prepared.host, pending=False)
        self._board.show_route(prepared.host, world)

    async def apply(self, host: str) -> bool:
        """Make Caddy as the book says of one route; return whether something had to be changed.

        Raises what `put` does, but for changes of others to the route itself: those go.
        """
        changed = False

        def enforce(world: World) -> World:
            nonlocal changed
            now = parts_of(world, host)
            chosen = self._chooser.choose(world, now, self._book.routes.get(host))
            changed = changed or not now.same_as(chosen.parts)
            return with_parts(world, now, chosen.parts)

        async with self._turn:
            world = await self._editor.change(enforce)
            await self._book.keep_pending(host, pending=False)
        self._board.show_route(host, world)
        return changed

    async def take_back_late(self, world: World) -> tuple[str, ...]:
        """Take back again what Caddy did only after it had been taken back; return the hosts.

        `world`: as Caddy was just seen. What others changed since stays. Raises what `put` does.
        """
        taken = []
        for host, withdrawn in tuple(self._book.withdrawn.items()):
            if self._clock() - withdrawn.at > STILL_COMES:
                await self._book.keep_withdrawn(host, None)
            elif self._came_late(world, host):
                async with self._turn:
                    seen = await self._editor.change(partial(self._without_late, host=host))
                self._board.show_route(host, seen)
                taken.append(host)
        return tuple(taken)

    def _without_late(self, world: World, *, host: str) -> World:
        if not self._came_late(world, host):
            return world
        found = self._with_made(world, host)
        now = parts_of(found, host)
        kept = self._chooser.choose(found, now, self._book.routes.get(host))
        return with_parts(found, now, kept.parts)

    def _came_late(self, world: World, host: str) -> bool:
        """Return whether just what was withdrawn is there, and is not what is wanted by now."""
        found, withdrawn = self._with_made(world, host), self._book.withdrawn.get(host)
        now = parts_of(found, host)
        if withdrawn is None or not now.routes or withdrawn.route == self._book.routes.get(host):
            return False
        chosen = self._chooser.choose(found, now, withdrawn.route, anyway=True)
        return now.same_as(chosen.parts)

    def _with_made(self, world: World, host: str) -> World:
        """Return a world in which it is known what had been made for a route before."""
        withdrawn = self._book.withdrawn.get(host)
        return replace(world, made=world.made.joined(withdrawn.made)) if withdrawn else world

    async def wait_until_served(self, host: str, *, within_s: float) -> None:
        """Wait until Caddy answers for that host; a certificate may still be missing.

        Raises:
            NotFound: the agent has no such route.
            TimedOut: it does not, and the message says what was seen last.
        """
        host = checked_host(host)
        await self._book.load()
        route = self._book.routes.get(host)
        if route is None:
            raise unknown(host)
        await self._sites.wait_until_served(route, within_s=within_s)

    async def give_certificate(
        self, key: str, certificate_file: Path, key_file: Path, names: tuple[str, ...]
    ) -> None:
        """Hand a certificate with its key to Caddy, instead of another one given with this key.

        Raises:
            Invalid: the files cannot be read.
            CaddyRefuses, TimedOut, Unavailable: as `put`.
        """
        kept = KeptCertificate(
            key=key,
            certificate_file=str(certificate_file),
            key_file=str(key_file),
            names=names,
        )
        pems = await _read(kept)
        async with self._turn:
            await self._editor.change(
                lambda world: with_certificate(world, CERTIFICATE_TAG + key, *pems)
            )
            await self._book.keep_certificate(key, kept)

    async def give_certificate_again(self, kept: KeptCertificate) -> bool:
        """Hand one to Caddy that it forgot; return False where it is not to have it by now.

        Raises what `give_certificate` does.
        """
        tag, pems = CERTIFICATE_TAG + kept.key, await _read(kept)
        async with self._turn:
            # Meanwhile it may have been taken back, or a newer one been given.
            if self._book.certificates.get(kept.key) != kept:
                return False
            await self._editor.change(
                lambda world: (
                    world if certificate_of(world, tag) else with_certificate(world, tag, *pems)
                )
            )
        return True

    async def take_certificate(self, key: str) -> None:
        """Take a certificate back from Caddy; one that it was not given is no matter."""
        async with self._turn:
            await self._book.load()
            if self._book.setup is not None:
                await self._editor.change(
                    lambda world: without_certificate(world, CERTIFICATE_TAG + key)
                )
            await self._book.keep_certificate(key, None)


async def _read(kept: KeptCertificate) -> tuple[str, str]:
    """Return a certificate and its key, in PEM; `Invalid` where they cannot be read."""
    try:
        return (
            await asyncio.to_thread(Path(kept.certificate_file).read_text),
            await asyncio.to_thread(Path(kept.key_file).read_text),
        )
    except (OSError, ValueError) as error:
        raise Invalid(f"The certificate {kept.key} cannot be read: {error}") from error


def _changed_by_others(host: str) -> Conflict:
    return Conflict(
        f"Somebody changed the route of {host} in Caddy meanwhile; it is left as it is.",
        field="host",
        hint="Look at a new plan.",
    )
