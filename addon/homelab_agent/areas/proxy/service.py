"""What can be asked of the reverse proxy, and told to it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import JsonValue
from pydantic_core import from_json, to_json

from homelab_agent.areas.proxy.board import Board, Facts
from homelab_agent.areas.proxy.book import Book
from homelab_agent.areas.proxy.caddy_admin import socket_path, split_address
from homelab_agent.areas.proxy.chooser import Chooser
from homelab_agent.areas.proxy.choosing import Chosen
from homelab_agent.areas.proxy.difference import as_shown, difference
from homelab_agent.areas.proxy.dry_run import DryRun, Tried
from homelab_agent.areas.proxy.editor import Editor, nothing_set_up
from homelab_agent.areas.proxy.kept import KeptCertificate, Parts
from homelab_agent.areas.proxy.models import (
    KeptRoute,
    PreparedRoute,
    ProxyRoute,
    ProxyStatus,
    RouteBody,
    RouteCertificate,
    RoutePlan,
)
from homelab_agent.areas.proxy.passwords import Passwords
from homelab_agent.areas.proxy.placing import (
    World,
    certificate_of,
    parts_of,
    with_certificate,
    with_parts,
    without_certificate,
)
from homelab_agent.areas.proxy.route_document import all_hosts
from homelab_agent.areas.proxy.servers import ports_of
from homelab_agent.areas.proxy.serving import Prober
from homelab_agent.areas.proxy.wanted import Wishes, checked_host, require_free
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.errors import (
    AgentError,
    Conflict,
    Invalid,
    NotFound,
    TimedOut,
    Unavailable,
)
from homelab_agent.platform.outbound.connections import where

_ASK_AGAIN_S = 0.5
type FactsOf = Callable[[World], Awaitable[Facts]]

CERTIFICATE_TAG = "homelab-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a change of a route needs."""

    chooser: Chooser
    wishes: Wishes
    passwords: Passwords
    dry_run: DryRun
    prober: Prober


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
        self._chooser = tools.chooser
        self._wishes = tools.wishes
        self._passwords = tools.passwords
        self._dry_run = tools.dry_run
        self._prober = tools.prober
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
        return (where(*self._place(await self._editor.look(), secure=True)),)

    async def look(self, facts: FactsOf) -> World:
        """Look at Caddy now, and publish what is seen with the facts of that world.

        Raises the errors of `CaddyAdmin` where it cannot be looked at.
        """
        # Not between a change and its being shown: what is old by then would be shown again.
        async with self._turn:
            world = await self._editor.look()
            found = await facts(world)
            addresses = (where(*self._place(world, secure=True)),)
            self._board.show(world, replace(found, addresses=addresses))
        return world

    async def plan(self, host: str, body: RouteBody | None) -> RoutePlan:
        """Return what a route would be in Caddy; `body` None: what its removal would change.

        Raises:
            Invalid: something of it cannot be; it names the field.
            Conflict: others serve that host already, or no proxy is set up.
            CaddyRefuses: Caddy does not take it.
        """
        host = checked_host(host)
        world = await self._editor.look()
        route = await self._wanted(host, body)
        now = parts_of(world, host)
        chosen = self._chooser.choose(world, now, route)
        tried = await self._dry_run.try_routes(chosen.parts.routes)
        return RoutePlan(
            host=host,
            before=as_shown(now),
            after=as_shown(chosen.parts),
            difference=difference(now, chosen.parts),
            validated=tried.validated,
            warnings=_warnings(chosen, tried),
        )

    async def prepare(self, host: str, body: RouteBody | None) -> PreparedRoute:
        """Return a change that may be journaled: checked, and with what is there before it.

        Raises what `plan` does; `NotFound` for the removal of a route that is not the agent's.
        """
        host = checked_host(host)
        world = await self._editor.look()
        before = self._book.routes.get(host)
        if body is None and before is None:
            raise _unknown(host)
        route = await self._wanted(host, body)
        now = parts_of(world, host)
        chosen = self._chooser.choose(world, now, route)
        tried = await self._dry_run.try_routes(chosen.parts.routes)
        return PreparedRoute(
            host=host,
            before=before,
            after=route,
            found=self._concealed(now),
            validated=tried.validated,
            warnings=_warnings(chosen, tried),
        )

    async def prepare_again(self, host: str) -> PreparedRoute:
        """Return the change that makes Caddy as the book says, whatever became of the route.

        Raises what `prepare` does.
        """
        world = await self._editor.look()
        route = self._book.routes.get(host)
        if route is None:
            raise _unknown(host)
        now = parts_of(world, host)
        self._chooser.choose(world, now, route)
        return PreparedRoute(host=host, before=route, after=route, found=self._concealed(now))

    async def put(self, prepared: PreparedRoute) -> bool:
        """Make it so, in Caddy and in the agent's book; return False where it was so already.

        Raises:
            Conflict: somebody changed the route in Caddy since it was prepared, or another route
                of the agent serves one of its names by now; nothing is done.
            CaddyRefuses: Caddy does not take it; everything is as before.
            TimedOut, Unavailable: Caddy cannot be asked; what became of it is not known.
        """
        found = self._revealed(prepared.found)
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
        self._board.show_route(prepared.host, world)
        return changed

    async def put_back(self, prepared: PreparedRoute) -> None:
        """Take `put` back: Caddy and the book are as before; what others changed meanwhile stays.

        While Caddy is away the book is put back all the same, and Caddy when it is there again.

        Raises:
            Conflict: somebody changed the route itself meanwhile; it is left alone.
            TimedOut, Unavailable: Caddy cannot be asked now.
        """
        found = self._revealed(prepared.found)

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
            raise _unknown(host)
        secure = route.certificate is not RouteCertificate.NONE
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + within_s
        while True:
            why = await self._not_served(host, secure=secure)
            if why is None:
                return
            if loop.time() >= give_up_at:
                raise TimedOut(
                    f"{host} is not served after {within_s:g} s: {why}",
                    hint="Does Caddy listen there? See `address` and the ports of its settings.",
                )
            await asyncio.sleep(_ASK_AGAIN_S)

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

    async def _wanted(self, host: str, body: RouteBody | None) -> KeptRoute | None:
        if body is None:
            return None
        return await self._wishes.read(
            host,
            body,
            self._book.routes,
            admin=(await self._editor.admin()).address,
            at=self._clock(),
        )

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
            return "127.0.0.1", port
        return split_address(setup.admin)[0], port

    def _concealed(self, parts: Parts) -> str:
        plain: JsonValue = parts.model_dump(mode="json")
        return to_json(self._passwords.conceal(plain)).decode()

    def _revealed(self, found: str) -> Parts:
        concealed: JsonValue = from_json(found)
        return Parts.model_validate(self._passwords.reveal(concealed))


async def _read(kept: KeptCertificate) -> tuple[str, str]:
    """Return a certificate and its key, in PEM; `Invalid` where they cannot be read."""
    try:
        return (
            await asyncio.to_thread(Path(kept.certificate_file).read_text),
            await asyncio.to_thread(Path(kept.key_file).read_text),
        )
    except (OSError, ValueError) as error:
        raise Invalid(f"The certificate {kept.key} cannot be read: {error}") from error


def _warnings(chosen: Chosen, tried: Tried) -> tuple[str, ...]:
    if tried.why_not is None:
        return chosen.warnings
    return *chosen.warnings, f"This could not be tried before. {tried.why_not}"


def _unknown(host: str) -> NotFound:
    return NotFound(
        f"The agent has no route for {host[:253]}.",
        field="host",
        hint="GET /api/v1/proxy/routes lists them all.",
    )


def _changed_by_others(host: str) -> Conflict:
    return Conflict(
        f"Somebody changed the route of {host} in Caddy meanwhile; it is left as it is.",
        field="host",
        hint="Look at a new plan.",
    )
