"""Why a connection was not made or broke off, in a word: the same ones wherever it is told."""

import errno
import socket
from enum import StrEnum


class UnreachableCause(StrEnum):
    """Why nobody could be asked. AGENT_BUSY: not the other side is in trouble, but the agent."""

    UNKNOWN_HOST = "unknown_host"
    DNS_FAILED = "dns_failed"
    BAD_ADDRESS = "bad_address"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    NO_ROUTE = "no_route"
    TIMED_OUT = "timed_out"
    RESET = "reset"
    CLOSED = "closed"
    AGENT_BUSY = "agent_busy"


_BY_NUMBER = {
    errno.ECONNREFUSED: UnreachableCause.REFUSED,
    errno.ECONNRESET: UnreachableCause.RESET,
    errno.ECONNABORTED: UnreachableCause.RESET,
    errno.EPIPE: UnreachableCause.RESET,
    errno.ETIMEDOUT: UnreachableCause.TIMED_OUT,
    errno.ENETUNREACH: UnreachableCause.NO_ROUTE,
    errno.EADDRNOTAVAIL: UnreachableCause.NO_ROUTE,
    errno.EACCES: UnreachableCause.NO_ROUTE,
    errno.EPERM: UnreachableCause.NO_ROUTE,
    errno.EINVAL: UnreachableCause.BAD_ADDRESS,
    errno.EMFILE: UnreachableCause.AGENT_BUSY,
    errno.ENFILE: UnreachableCause.AGENT_BUSY,
    errno.ENOBUFS: UnreachableCause.AGENT_BUSY,
    errno.ENOMEM: UnreachableCause.AGENT_BUSY,
}

_NUMBERS: dict[type[OSError], int] = {
    # asyncio, aiohttp and our own deadlines raise these by themselves, without a number
    ConnectionResetError: errno.ECONNRESET,
    BrokenPipeError: errno.EPIPE,
    ConnectionAbortedError: errno.ECONNABORTED,
    TimeoutError: errno.ETIMEDOUT,
}

_NOBODY = {
    getattr(socket, name)
    for name in ("EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY")
    if hasattr(socket, name)
}


def number_of(error: OSError) -> int | None:
    """Return the system's number of an error, also of one that was raised without it."""
    if error.errno is not None:
        return error.errno
    return next((number for kind, number in _NUMBERS.items() if isinstance(error, kind)), None)


def cause_of(error: OSError) -> UnreachableCause:
    """Return what it means that there was no connection, or that it ended."""
    if isinstance(error, socket.gaierror):
        known = error.errno not in _NOBODY
        return UnreachableCause.DNS_FAILED if known else UnreachableCause.UNKNOWN_HOST
    number = number_of(error)
    if number is None:
        return UnreachableCause.UNREACHABLE
    return _BY_NUMBER.get(number, UnreachableCause.UNREACHABLE)
