"""Which Caddy the agent uses."""

from homelab_agent.areas.proxy.book import Book
from homelab_agent.areas.proxy.caddy_admin import socket_path, split_address
from homelab_agent.areas.proxy.caddy_errors import CaddyAway
from homelab_agent.areas.proxy.editor import Connect
from homelab_agent.areas.proxy.kept import KeptSetup
from homelab_agent.areas.proxy.managed import ManagedCaddy
from homelab_agent.areas.proxy.models import ProxyMode, ProxySetupBody
from homelab_agent.areas.proxy.setup_job import END, RUN, TARGET, SetupArguments
from homelab_agent.areas.proxy.watch import ProxyWatch
from homelab_agent.platform.commands import Caller, Outcome
from homelab_agent.platform.errors import Conflict, Invalid
from homelab_agent.platform.jobs.answer import answer
from homelab_agent.platform.jobs.models import CommandResult
from homelab_agent.platform.jobs.runner import JobRunner


class Setup:
    """Changes which Caddy is used; one of a person's own is asked first whether it is there."""

    def __init__(
        self,
        book: Book,
        connect: Connect,
        watch: ProxyWatch,
        runner: JobRunner,
        caddy: ManagedCaddy | None,
    ) -> None:
        self._book = book
        self._connect = connect
        self._watch = watch
        self._runner = runner
        self._caddy = caddy

    async def change(self, body: ProxySetupBody, caller: Caller) -> CommandResult:
        """Use this Caddy from now on; to begin or end to run one is a job.

        Raises:
            Invalid: it needs an address, or has one that cannot be.
            Conflict: there are routes of the agent in the one of before.
            CaddyAway, CaddyRefusesUs, CaddyUnsuitable, TimedOut: it cannot be used.
        """
        await self._book.load()
        before, wanted = self._book.setup, await self._wanted(body)
        if wanted == before and not await self._has_to_be_run_again(wanted):
            return CommandResult(outcome=Outcome.NOT_NEEDED, message="It is so already.")
        if before and before.mode is ProxyMode.MANAGED and body.mode is not ProxyMode.MANAGED:
            await self._require_empty()
            return await self._run(END, SetupArguments(before=before, after=wanted), body, caller)
        if body.mode is ProxyMode.NONE:
            await self._require_empty()
        elif body.mode is ProxyMode.MANAGED:
            return await self._run(RUN, SetupArguments(before=before, after=wanted), body, caller)
        await self._book.keep_setup(wanted)
        await self._watch.look_now()
        said = f"Caddy at {wanted.admin} is used." if wanted else "No proxy is used."
        return CommandResult(outcome=Outcome.DONE, message=said)

    async def _wanted(self, body: ProxySetupBody) -> KeptSetup | None:
        match body.mode:
            case ProxyMode.NONE:
                return None
            case ProxyMode.OWN:
                return await self._own(body)
            case ProxyMode.MANAGED:
                if self._caddy is None:
                    raise Conflict(
                        "This is the demo: its homelab is invented, and no Caddy can run there.",
                        field="mode",
                    )
                return self._caddy.wanted(body)

    async def _run(
        self, kind: str, arguments: SetupArguments, body: ProxySetupBody, caller: Caller
    ) -> CommandResult:
        job = await self._runner.start(kind, TARGET, arguments, caller)
        ended = await self._runner.wait(job.id, body.wait_s)
        return answer(ended, meanwhile="The reverse proxy is still being set up.")

    async def _own(self, body: ProxySetupBody) -> KeptSetup:
        if body.admin is None:
            raise Invalid(
                "The address of Caddy's admin API is missing.",
                field="admin",
                hint='Write "unix//run/caddy-admin.sock" or "http://127.0.0.1:2019".',
            )
        admin = body.admin.rstrip("/")
        if socket_path(admin) is None:
            try:
                split_address(admin)
            except ValueError as error:
                raise Invalid(
                    f"{admin} is no address: {error}",
                    field="admin",
                    hint='Write "http://127.0.0.1:2019".',
                ) from None
        await self._connect(admin).read()
        return KeptSetup(
            mode=ProxyMode.OWN,
            admin=admin,
            address=body.address,
            http_port=body.http_port,
            https_port=body.https_port,
        )

    async def _has_to_be_run_again(self, setup: KeptSetup | None) -> bool:
        """Return whether it is a Caddy of ours that somebody ended or removed."""
        if setup is None or setup.mode is not ProxyMode.MANAGED:
            return False
        return not await self._answers(setup)

    async def _answers(self, setup: KeptSetup) -> bool:
        try:
            await self._connect(setup.admin).read()
        except CaddyAway:
            return False
        return True

    async def _require_empty(self) -> None:
        """Refuse to forget a Caddy with routes of ours, unless it is a person's and gone."""
        setup, routes = self._book.setup, len(self._book.routes)
        if setup is None or not (routes or self._book.certificates):
            return
        if setup.mode is ProxyMode.OWN and not await self._answers(setup):
            await self._book.forget_all()
            return
        raise Conflict(
            f"The agent has {routes} routes and {len(self._book.certificates)} certificates in "
            "this Caddy.",
            field="mode",
            hint="Remove them first: DELETE /api/v1/proxy/routes/{host}.",
        )
