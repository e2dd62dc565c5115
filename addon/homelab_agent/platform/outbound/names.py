"""The addresses behind a name, as this machine's own resolver knows them."""

import asyncio
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import IPv4Address, ip_address

import idna

MOST_LOOKUPS = 128
"""So many at once: a resolver that is away holds each of them for half a minute."""


type _Question = tuple[str, socket.AddressFamily]


@dataclass(frozen=True, slots=True)
class Target:
    """One address to connect to. `scope_id` is the interface of a link-local IPv6 address."""

    family: socket.AddressFamily
    address: str
    port: int
    scope_id: int = 0

    @property
    def socket_address(self) -> tuple[str, int] | tuple[str, int, int, int]:
        """What a socket of the family takes."""
        if self.family == socket.AF_INET6:
            return (self.address, self.port, 0, self.scope_id)
        return (self.address, self.port)


class Names:
    """Asks the machine's resolver, so that its hosts file and its local names count too.

    Each name has a thread of its own that nobody waits for at the end: a resolver that hangs delays
    neither other names nor the end of the agent. Who asks for the same name meanwhile gets the same
    answer.
    """

    def __init__(self) -> None:
        self._asked: dict[_Question, asyncio.Future[tuple[Target, ...]]] = {}

    async def look_up(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> tuple[Target, ...]:
        """Return the addresses in the order to try them. An address is given back as it is.

        Raises:
            socket.gaierror: there is none of that family, or nobody could be asked.
        """
        name = ascii_name(host)
        own = _as_target(name)
        if own is None:
            found = await asyncio.shield(self._ask((name, family)))
        elif family in {socket.AF_UNSPEC, own.family}:
            found = (own,)
        else:
            raise socket.gaierror(socket.EAI_ADDRFAMILY, "the address is of the other family")
        return tuple(replace(target, port=port) for target in found)

    def _ask(self, question: _Question) -> asyncio.Future[tuple[Target, ...]]:
        if question in self._asked:
            return self._asked[question]
        if len(self._asked) >= MOST_LOOKUPS:
            raise socket.gaierror(socket.EAI_AGAIN, "the resolver keeps too many others waiting")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[tuple[Target, ...]] = loop.create_future()
        self._asked[question] = answer
        answer.add_done_callback(lambda _: self._forget(question))

        def work() -> None:
            found = _resolve(*question)
            with suppress(RuntimeError):  # the loop is closed: the agent ends
                loop.call_soon_threadsafe(_settle, answer, found)

        threading.Thread(target=work, name=f"look up {question[0]}", daemon=True).start()
        return answer

    def _forget(self, question: _Question) -> None:
        # Asked for the exception, as all who waited may have gone.
        self._asked.pop(question).exception()


def ascii_name(host: str) -> str:
    """Return a host name as DNS has it: an internationalised one by IDNA 2008 (UTS 46).

    Raises:
        socket.gaierror: no host can be called that.
    """
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True).decode()
    except idna.IDNAError as error:
        raise socket.gaierror(socket.EAI_NONAME, f"no host has such a name: {error}") from error


@lru_cache(maxsize=4096)
def _as_target(name: str) -> Target | None:
    """Return the target of an address in its one proper spelling; None for all else."""
    try:
        address = ip_address(name)
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return Target(socket.AF_INET, name, 0)
    # Which interface a scope is of is left to the resolver.
    return None if address.scope_id else Target(socket.AF_INET6, name, 0)


def _resolve(name: str, family: socket.AddressFamily) -> tuple[Target, ...] | OSError:
    """Ask, as long as it takes. The resolver also reads 0x7f000001 and other old spellings."""
    try:
        # As bytes: Python's own reading of a name refuses some that resolvers know.
        found = socket.getaddrinfo(name.encode(), None, family, socket.SOCK_STREAM)
    except OSError as error:
        return error
    except ValueError as error:  # a NUL
        return socket.gaierror(socket.EAI_NONAME, f"no host has such a name: {error}")
    return tuple(
        Target(family, str(address[0]).partition("%")[0], 0, *map(int, address[3:]))
        for family, _, _, _, address in found
        if family in {socket.AF_INET, socket.AF_INET6}
    )


def _settle(
    answer: asyncio.Future[tuple[Target, ...]], found: tuple[Target, ...] | OSError
) -> None:
    if answer.done():
        return
    if isinstance(found, OSError):
        answer.set_exception(found)
    else:
        answer.set_result(found)
