"""Finds out what is known of a Caddy besides its configuration."""

from homelab_agent.areas.proxy.board import Facts
from homelab_agent.areas.proxy.book import Book
from homelab_agent.areas.proxy.editor import Editor
from homelab_agent.areas.proxy.memory import RestartMemory
from homelab_agent.areas.proxy.placing import World


class FactsFinder:
    """Asks Caddy and the machine. What cannot change while Caddy runs is asked once."""

    def __init__(self, book: Book, editor: Editor, memory: RestartMemory) -> None:
        self._book = book
        self._editor = editor
        self._memory = memory
        self._version: tuple[str, str | None] | None = None

    def forget(self) -> None:
        """Find out everything anew next time: Caddy was away."""
        self._memory.forget()
        self._version = None

    async def find(self, world: World) -> Facts:
        """Return what is known of the Caddy that was just seen so.

        Raises the errors of `CaddyAdmin` where it cannot be asked.
        """
        admin = await self._editor.admin()
        if self._version is None or self._version[0] != admin.address:
            self._version = (admin.address, await admin.version())
        survival = await self._memory.judge(admin, self._book.setup, world.document)
        return Facts(
            version=self._version[1],
            survives_restart=survival.survives,
            warning=survival.warning,
            container=survival.container,
            upstreams=await admin.upstreams(),
        )
