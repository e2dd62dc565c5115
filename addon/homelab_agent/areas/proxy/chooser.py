"""What is to be in Caddy of a route, given what the agent keeps of its proxy."""

from homelab_agent.areas.proxy.book import Book
from homelab_agent.areas.proxy.choosing import NOTHING, Chosen, choose
from homelab_agent.areas.proxy.header_secrets import HeaderSecrets
from homelab_agent.areas.proxy.kept import Parts
from homelab_agent.areas.proxy.models import KeptRoute
from homelab_agent.areas.proxy.passwords import Passwords
from homelab_agent.areas.proxy.placing import World


class Chooser:
    """Knows the ports of the setup, the hashes of passwords and the headers that are secrets."""

    def __init__(self, book: Book, passwords: Passwords, headers: HeaderSecrets) -> None:
        self._book = book
        self._passwords = passwords
        self._headers = headers

    def choose(
        self, world: World, now: Parts, route: KeptRoute | None, *, anyway: bool = False
    ) -> Chosen:
        """Return what is to be there of a route, nothing for None; see `choosing.choose`."""
        if route is None:
            return NOTHING
        setup = self._book.setup
        return choose(
            world,
            now,
            route.model_copy(update={"options": self._headers.options(route)}),
            self._passwords.hashes(route),
            setup.https_port if setup else None,
            anyway=anyway,
        )
