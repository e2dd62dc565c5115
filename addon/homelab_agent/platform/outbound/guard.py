"""Where the agent must not be sent: special addresses, and the doors that are its own."""

import socket
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from homelab_agent.platform.errors import Denied
from homelab_agent.platform.outbound.names import Names, Target
from homelab_agent.platform.outbound.special_addresses import Address, plain, special_reason

_HTTPS_PORT = 443
_HTTP_PORT = 80


class GuardedAddress(Denied):
    """The agent does not connect to there, unless an admin allows it for this one thing."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(
            f"{where} is {why}; the agent does not connect to there.",
            hint="An admin may allow it with allow_guarded.",
        )
        self.why = why


@dataclass(frozen=True, slots=True)
class _Door:
    host: str
    port: int
    what: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class _Passage:
    ports: Callable[[], Collection[int]]
    leads_to_it: Callable[[Target], Awaitable[bool]]
    what: str


class Guard:
    """Tells where the agent must not connect to. It is asked about addresses, never about names."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._doors: list[_Door] = []
        self._passages: list[_Passage] = []

    def keep(self, what: str, host: str, port: int, *, is_open: bool = False) -> None:
        """Refuse this door from now on, at every address of this machine where it is on it.

        `is_open`: it asks nobody who they are.
        """
        self._doors.append(_Door(host, port, what, is_open))

    def keep_passage(
        self,
        what: str,
        ports: Callable[[], Collection[int]],
        leads_to_it: Callable[[Target], Awaitable[bool]],
    ) -> None:
        """Refuse from now on what leads to a door by one of these ports of another address."""
        self._passages.append(_Passage(ports, leads_to_it, what))

    def keep_docker(self, docker_url: str) -> None:
        """Refuse the door to Docker, where it is one that others can find: a port."""
        parts = urlsplit(docker_url)
        if parts.hostname:
            usual = _HTTPS_PORT if parts.scheme == "https" else _HTTP_PORT
            what = "the Docker engine of the agent"
            self.keep(what, parts.hostname, parts.port or usual, is_open=True)

    def open_at(self, port: int) -> str | None:
        """Return which open door has a port: for names that only others can look up."""
        return next((door.what for door in self._doors if door.is_open and door.port == port), None)

    async def allowed(self, targets: tuple[Target, ...], where: str) -> tuple[Target, ...]:
        """Return the targets that are not refused.

        Raises:
            GuardedAddress: all of them are.
        """
        why: str | None = None
        allowed = []
        for target in targets:
            reason = await self.refusal(target)
            if reason is None:
                allowed.append(target)
            else:
                why = reason
        if why is not None and not allowed:
            raise GuardedAddress(where, why)
        return tuple(allowed)

    async def refusal(self, target: Target) -> str | None:
        """Return why the agent must not connect to there; None where it may."""
        address = ip_address(target.address)
        special = special_reason(address)
        if special is not None:
            return special
        for door in self._doors:
            if door.port == target.port and await self._leads_to(plain(address), door):
                return door.what
        for passage in self._passages:
            if target.port in passage.ports() and await passage.leads_to_it(target):
                return passage.what
        return None

    async def _leads_to(self, address: Address, door: _Door) -> bool:
        try:
            found = await self._names.look_up(door.host, door.port)
        except OSError:
            return False  # nobody knows where it is, so nobody gets there by it
        theirs = {plain(ip_address(each.address)) for each in found}
        return address in theirs or (_is_ours(address) and any(map(_is_ours, theirs)))


def _is_ours(address: Address) -> bool:
    """Return whether this machine has the address, or listens at all of its own by it."""
    if address.is_loopback or address.is_unspecified:
        return True
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET  # noqa: PLR2004
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            # Only an address of this machine can be bound; no packet is sent.
            probe.bind((str(address), 0))
        except OSError:
            return False
    return True
