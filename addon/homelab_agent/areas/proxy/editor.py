"""Changes Caddy's configuration: read, compute, write only where nobody else wrote meanwhile."""

import asyncio
from collections.abc import Callable

from homelab_agent.areas.proxy.book import Book
from homelab_agent.areas.proxy.caddy_admin import CaddyAdmin, Configuration
from homelab_agent.areas.proxy.caddy_errors import CaddyAway, ChangedMeanwhile
from homelab_agent.areas.proxy.json_tree import smallest_change
from homelab_agent.areas.proxy.placing import World, swept
from homelab_agent.platform.errors import Conflict, TimedOut

PATIENCE_S = 20.0
"""For so long a Caddy that is being restarted is waited for, before a change is given up."""

_TRIES = 20
_PAUSE_S = 0.2

type Connect = Callable[[str], CaddyAdmin]
type Transform = Callable[[World], World]
"""Makes of the world as it is the one that is wanted; of that one the same again.

It is asked again after each change of somebody else's, and raises where that must not go on.
"""


class Editor:
    """The one hand that writes. One change at a time."""

    def __init__(self, book: Book, connect: Connect, *, patience_s: float = PATIENCE_S) -> None:
        self._book = book
        self._connect = connect
        self._patience_s = patience_s
        self._admin: CaddyAdmin | None = None
        self._turn = asyncio.Lock()

    async def admin(self) -> CaddyAdmin:
        """Return the Caddy that is set up; `Conflict` where none is."""
        await self._book.load()
        setup = self._book.setup
        if setup is None:
            raise nothing_set_up()
        if self._admin is None or self._admin.address != setup.admin:
            self._admin = self._connect(setup.admin)
        return self._admin

    async def look(self) -> World:
        """Return the world as it is now."""
        admin = await self.admin()
        return World((await admin.read()).document, self._book.made)

    async def change(self, transform: Transform, *, is_undo: bool = False) -> World:
        """Make Caddy be as `transform` wants it, and return that world.

        What was written is read again before it counts. A Caddy that goes away in the middle is
        waited for a while, and asked what became of it. `is_undo`: an earlier write whose end
        nobody saw may still come, so what was made for it is not forgotten before it was seen.

        Raises:
            Conflict: others change it all the time, or the transform refuses.
            CaddyRefuses: Caddy does not take it; it is as before.
            TimedOut, CaddyAway: Caddy cannot be asked; what became of it is not known.
        """
        async with self._turn:
            admin, wrote = await self.admin(), False
            for _ in range(_TRIES):
                found = await self._read_patiently(admin)
                before = World(found.document, self._book.made)
                after = swept(transform(before))
                change = smallest_change(before.document, after.document)
                if change is None:
                    if wrote or not is_undo:
                        await self._book.keep_made(after.made)
                    return after
                # Known before it is there: a crash in between leaves nothing that nobody made.
                await self._book.keep_made(after.made.joined(before.made))
                wrote = True
                try:
                    await admin.write(change, found.etag)
                except ChangedMeanwhile, TimedOut, CaddyAway:
                    await asyncio.sleep(_PAUSE_S)
            raise Conflict(
                "Caddy's configuration is changed by others all the time.",
                hint="Try again when nothing else configures it.",
            )

    async def _read_patiently(self, admin: CaddyAdmin) -> Configuration:
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + self._patience_s
        while True:
            try:
                return await admin.read()
            except CaddyAway:
                if loop.time() >= give_up_at:
                    raise
            await asyncio.sleep(_PAUSE_S)


def nothing_set_up() -> Conflict:
    """Return what is to be said where nobody named a Caddy yet."""
    return Conflict(
        "No reverse proxy is set up.",
        hint="Tell the agent about your Caddy, or have it run one: PUT /api/v1/proxy/setup",
    )
