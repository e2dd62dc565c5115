"""Beginning and ending to run a Caddy: in steps, each of which has its way back."""

import asyncio
from collections.abc import Awaitable, Callable

from homelab_agent.areas.proxy.book import Book
from homelab_agent.areas.proxy.caddy_admin import CaddyAdmin
from homelab_agent.areas.proxy.caddy_errors import CaddyAway
from homelab_agent.areas.proxy.editor import Connect
from homelab_agent.areas.proxy.json_tree import smallest_change, with_value
from homelab_agent.areas.proxy.kept import KeptSetup
from homelab_agent.areas.proxy.managed import HTTP_PORT, HTTPS_PORT, ManagedCaddy
from homelab_agent.areas.proxy.models import ProxyMode
from homelab_agent.platform.jobs.kinds import JobKind, Recovery, Step, StepContext, StepResult
from homelab_agent.platform.model import Model

RUN = "proxy.run"
END = "proxy.end"
TARGET = "proxy:setup"

_ANSWERS_S = 30.0
_ASK_AGAIN_S = 0.2
_HAD_VOLUMES = "had_volumes"


class SetupArguments(Model):
    """Which Caddy is used before and after."""

    before: KeptSetup | None = None
    after: KeptSetup | None = None


type _Context = StepContext[SetupArguments]


class SetupJobs:
    """The two kinds of jobs. All steps stand being repeated, so after a crash they go on."""

    def __init__(
        self, book: Book, connect: Connect, caddy: ManagedCaddy, show: Callable[[], Awaitable[bool]]
    ) -> None:
        self._book = book
        self._connect = connect
        self._caddy = caddy
        self._show = show

    def kinds(self) -> tuple[JobKind[SetupArguments], ...]:
        """Return both kinds."""
        keep = Step("keep", self._keep, self._keep_before)
        run = (
            Step("check", self._check),
            Step("deploy", self._deploy, self._deploy_before),
            Step("connect", self._connect_to_it),
            keep,
        )
        end = (keep, Step("remove", self._remove, self._deploy_before))
        return (
            JobKind(RUN, SetupArguments, run, Recovery.GO_ON),
            JobKind(END, SetupArguments, end, Recovery.GO_ON),
        )

    async def _check(self, context: _Context) -> StepResult:
        wanted = _wanted(context)
        if not _is_managed(context.arguments.before) and not context.again:
            self._caddy.require_free(wanted)
        had = await self._caddy.has_volumes()
        return StepResult(data={_HAD_VOLUMES: had}, needed=False)

    async def _deploy(self, context: _Context) -> StepResult:
        await self._caddy.deploy(_wanted(context))
        return StepResult(message="Caddy runs.")

    async def _deploy_before(self, context: _Context) -> None:
        before = context.arguments.before
        if before and _is_managed(before):
            await self._caddy.deploy(before)
        else:
            await self._caddy.remove(volumes=not context.data.get(_HAD_VOLUMES, True))

    async def _connect_to_it(self, context: _Context) -> StepResult:
        wanted = _wanted(context)
        admin = self._connect(wanted.admin)
        await _until_there(admin)
        await _set_ports(admin, wanted)
        return StepResult(needed=False, message="Caddy answers.")

    async def _keep(self, context: _Context) -> StepResult:
        await self._use(context.arguments.after)
        return StepResult()

    async def _keep_before(self, context: _Context) -> None:
        await self._use(context.arguments.before)

    async def _use(self, setup: KeptSetup | None) -> None:
        await self._book.load()
        await self._book.keep_setup(setup)
        await self._show()

    async def _remove(self, _context: _Context) -> StepResult:
        await self._caddy.remove(volumes=False)
        return StepResult(message="Caddy was removed; the volumes with its certificates stay.")


def _wanted(context: _Context) -> KeptSetup:
    if context.arguments.after is None:
        raise ValueError("this job begins to run a Caddy, and has none")
    return context.arguments.after


def _is_managed(setup: KeptSetup | None) -> bool:
    return setup is not None and setup.mode is ProxyMode.MANAGED


async def _until_there(admin: CaddyAdmin) -> None:
    """Wait for a Caddy that was just started.

    Raises:
        CaddyAway: it does not come, and why that may be.
    """
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + _ANSWERS_S
    while True:
        try:
            await admin.read()
        except CaddyAway as error:
            if loop.time() >= give_up_at:
                raise CaddyAway(
                    f"Caddy was started, but does not come to {admin.address}.",
                    hint="Where the agent runs in a container, its data folder has to be at the "
                    "same path on the host and in the container.",
                ) from error
        else:
            return
        await asyncio.sleep(_ASK_AGAIN_S)


async def _set_ports(admin: CaddyAdmin, wanted: KeptSetup) -> None:
    """Tell it the ports where they are not the usual ones; it has nobody else to tell it."""
    found = await admin.read()
    after = found.document
    ports = (
        ("http_port", wanted.http_port, HTTP_PORT),
        ("https_port", wanted.https_port, HTTPS_PORT),
    )
    for name, port, usual in ports:
        if port != usual:
            after = with_value(after, ("apps", "http", name), port)
    change = smallest_change(found.document, after)
    if change:
        await admin.write(change, found.etag)
