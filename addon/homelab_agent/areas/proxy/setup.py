"""Which Caddy the agent uses."""

from homelab_agent.areas.proxy.book import Book
from homelab_agent.areas.proxy.caddy_admin import socket_path, split_address
from homelab_agent.areas.proxy.caddy_errors import CaddyAway
from homelab_agent.areas.proxy.editor import Connect
from homelab_agent.areas.proxy.kept import KeptSetup
from homelab_agent.areas.proxy.models import ProxyMode, ProxySetupBody
from homelab_agent.areas.proxy.watch import ProxyWatch
from homelab_agent.platform.commands import Caller, Outcome
from homelab_agent.platform.errors import Conflict, Invalid
from homelab_agent.platform.jobs.models import CommandResult


class Setup:
    """Changes which Caddy is used; one of a person's own is asked first whether it is there."""

    def __init__(self, book: Book, connect: Connect, watch: ProxyWatch) -> None:
        self._book = book
        self._connect = connect
        self._watch = watch

    async def change(self, body: ProxySetupBody, _caller: Caller) -> CommandResult:
        """Use this Caddy from now on.

        Raises:
            Invalid: it needs an address, or has one that cannot be.
            Conflict: there are routes of the agent in the one of before.
            CaddyAway, CaddyRefusesUs, CaddyUnsuitable, TimedOut: it cannot be used.
        """
        await self._book.load()
        match body.mode:
            case ProxyMode.NONE:
                wanted = None
                await self._require_empty()
            case ProxyMode.OWN:
                wanted = await self._own(body)
            case ProxyMode.MANAGED:
                raise Conflict("The agent cannot run a Caddy here.", field="mode")
        if wanted == self._book.setup:
            return CommandResult(outcome=Outcome.NOT_NEEDED, message="It is so already.")
        await self._book.keep_setup(wanted)
        self._watch.hurry()
        said = f"Caddy at {wanted.admin} is used." if wanted else "No proxy is used."
        return CommandResult(outcome=Outcome.DONE, message=said)

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

    async def _require_empty(self) -> None:
        """Refuse to forget a Caddy with routes of ours, unless it is gone for good."""
        setup, routes = self._book.setup, len(self._book.routes)
        if setup is None or not (routes or self._book.certificates):
            return
        try:
            await self._connect(setup.admin).read()
        except CaddyAway:
            await self._book.forget_all()
            return
        raise Conflict(
            f"The agent has {routes} routes and {len(self._book.certificates)} certificates in "
            "this Caddy.",
            field="mode",
            hint="Remove them first: DELETE /api/v1/proxy/routes/{host}.",
        )
