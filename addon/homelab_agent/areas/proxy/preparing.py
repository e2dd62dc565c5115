"""What a change of a route would be: checked, tried, ready to be journaled. Nothing is written."""

from dataclasses import dataclass

from homelab_agent.areas.proxy.book import Book
from homelab_agent.areas.proxy.chooser import Chooser
from homelab_agent.areas.proxy.choosing import Chosen
from homelab_agent.areas.proxy.difference import as_shown, difference
from homelab_agent.areas.proxy.dry_run import DryRun
from homelab_agent.areas.proxy.editor import Editor
from homelab_agent.areas.proxy.kept import Parts
from homelab_agent.areas.proxy.models import KeptRoute, PreparedRoute, RouteBody, RoutePlan
from homelab_agent.areas.proxy.placing import parts_of
from homelab_agent.areas.proxy.secret_values import SecretValues
from homelab_agent.areas.proxy.wanted import Wishes, checked_host
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    route: KeptRoute | None
    now: Parts
    chosen: Chosen
    validated: bool
    warnings: tuple[str, ...]


class Preparation:
    """Makes plans of changes, and changes that are prepared."""

    def __init__(  # one collaborator each
        self,
        book: Book,
        editor: Editor,
        chooser: Chooser,
        wishes: Wishes,
        dry_run: DryRun,
        values: SecretValues,
        clock: Clock,
    ) -> None:
        self._book = book
        self._editor = editor
        self._chooser = chooser
        self._wishes = wishes
        self._dry_run = dry_run
        self._values = values
        self._clock = clock

    async def plan(self, host: str, body: RouteBody | None) -> RoutePlan:
        """Return what a route would be in Caddy; see `ProxyService.plan`."""
        host = checked_host(host)
        draft = await self._draft(host, body)
        return RoutePlan(
            host=host,
            before=as_shown(draft.now),
            after=as_shown(draft.chosen.parts),
            difference=difference(draft.now, draft.chosen.parts),
            validated=draft.validated,
            warnings=draft.warnings,
        )

    async def prepare(self, host: str, body: RouteBody | None) -> PreparedRoute:
        """Return a change that may be journaled; see `ProxyService.prepare`."""
        host = checked_host(host)
        await self._book.load()
        before = self._book.routes.get(host)
        if body is None and before is None:
            raise unknown(host)
        draft = await self._draft(host, body)
        return PreparedRoute(
            host=host,
            before=before,
            after=draft.route,
            found=self._values.conceal(draft.now),
            validated=draft.validated,
            warnings=draft.warnings,
        )

    async def prepare_again(self, host: str) -> PreparedRoute:
        """Return the change that makes Caddy as the book says; see `ProxyService.prepare`."""
        world = await self._editor.look()
        route = self._book.routes.get(host)
        if route is None:
            raise unknown(host)
        now = parts_of(world, host)
        self._chooser.choose(world, now, route)
        found = self._values.conceal(now)
        return PreparedRoute(host=host, before=route, after=route, found=found)

    async def _draft(self, host: str, body: RouteBody | None) -> _Draft:
        world = await self._editor.look()
        route = None if body is None else await self._wanted(host, body)
        now = parts_of(world, host)
        chosen = self._chooser.choose(world, now, route)
        tried = await self._dry_run.try_routes(chosen.parts.routes)
        warnings = list(chosen.warnings)
        if now.routes and host not in self._book.routes:
            warnings.append(
                f"There is a route for {host} already that this agent does not know: of another "
                "agent, or of itself before it forgot. This one takes its place."
            )
        if tried.why_not is not None:
            warnings.append(f"This could not be tried before. {tried.why_not}")
        return _Draft(
            route=route,
            now=now,
            chosen=chosen,
            validated=tried.validated,
            warnings=tuple(warnings),
        )

    async def _wanted(self, host: str, body: RouteBody) -> KeptRoute:
        return await self._wishes.read(
            host,
            body,
            self._book.routes,
            admin=(await self._editor.admin()).address,
            at=self._clock(),
        )


def unknown(host: str) -> NotFound:
    """Return what is to be said of a route that the agent does not have."""
    return NotFound(
        f"The agent has no route for {host[:253]}.",
        field="host",
        hint="GET /api/v1/proxy/routes lists them all.",
    )
