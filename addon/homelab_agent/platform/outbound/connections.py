"""Connections to wherever somebody said: never to where the agent must not be sent."""

import asyncio
import socket
from collections.abc import Sequence
from contextlib import suppress

import aiohappyeyeballs

from homelab_agent.platform.outbound.guard import Guard
from homelab_agent.platform.outbound.names import Names, Target
from homelab_agent.platform.settings import Settings

NEXT_ADDRESS_S = 0.25
"""After so long without an answer the next address is tried too (RFC 8305)."""

type Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Outbound:
    """Connects. What is checked is the address that is connected to, after the one lookup.

    All methods raise:
        GuardedAddress: that is where the agent must not go, and `allow_guarded` is not said.
        TimeoutError: it took longer than `timeout_s`; the message says what was waited for.
        OSError: it did not work; a `socket.gaierror` where no address was found.
    """

    def __init__(self, names: Names, guard: Guard) -> None:
        self.names = names
        self.guard = guard

    async def targets(
        self,
        host: str,
        port: int,
        *,
        allow_guarded: bool,
        family: socket.AddressFamily = socket.AF_UNSPEC,
    ) -> tuple[Target, ...]:
        """Return the addresses of a host that may be connected to, in the order to try them."""
        found = await self.names.look_up(host, port, family)
        if not allow_guarded:
            found = await self.guard.allowed(found, where(host, port))
        return _with_a_route(found)

    async def connect(
        self,
        host: str,
        port: int,
        *,
        timeout_s: float,
        allow_guarded: bool,
        family: socket.AddressFamily = socket.AF_UNSPEC,
    ) -> socket.socket:
        """Return a TCP socket that is connected; the caller closes it."""
        what = f"the name {host} to be looked up"
        try:
            async with asyncio.timeout(timeout_s):
                targets = await self.targets(host, port, allow_guarded=allow_guarded, family=family)
                what = f"{where(host, port)} to answer at all"
                return await _connect_to_first(targets)
        except TimeoutError as error:
            if error.errno is not None:  # the kernel gave up, earlier
                raise
            raise TimeoutError(f"waited {timeout_s:g} s for {what}") from error

    async def open(
        self,
        host: str,
        port: int,
        *,
        timeout_s: float,
        allow_guarded: bool,
        family: socket.AddressFamily = socket.AF_UNSPEC,
    ) -> Streams:
        """Return the two ends of a connection; the caller closes the writer."""
        connected = await self.connect(
            host, port, timeout_s=timeout_s, allow_guarded=allow_guarded, family=family
        )
        try:
            return await asyncio.open_connection(sock=connected)
        except BaseException:
            connected.close()
            raise


def open_outbound(settings: Settings) -> Outbound:
    """Return what connects. The API's own door is to be kept as soon as it is open."""
    names = Names()
    guard = Guard(names)
    guard.keep_docker(settings.docker_url)
    return Outbound(names, guard)


async def _connect_to_first(targets: Sequence[Target]) -> socket.socket:
    """Return a connection to the first that answers; both families get their chance."""
    return await aiohappyeyeballs.start_connection(
        [
            (target.family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", target.socket_address)
            for target in targets
        ],
        happy_eyeballs_delay=NEXT_ADDRESS_S,
    )


def _with_a_route(targets: tuple[Target, ...]) -> tuple[Target, ...]:
    """Leave out what this machine has no way to, where there is something else.

    Otherwise a machine without IPv6 would say "no route" of a host that refused at IPv4.
    """
    if len({target.family for target in targets}) == 1:
        return targets
    return tuple(filter(_has_route, targets)) or targets


def _has_route(target: Target) -> bool:
    with suppress(OSError), socket.socket(target.family, socket.SOCK_DGRAM) as probe:
        probe.setblocking(False)
        probe.connect(target.socket_address)  # sends nothing
        return True
    return False


def where(host: str, port: int) -> str:
    """Return host and port as a person writes them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
