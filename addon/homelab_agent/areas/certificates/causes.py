"""Why nobody showed a certificate, in a word: the same ones that monitors have for it."""

import errno
import socket

from homelab_agent.areas.certificates.handshake import Closed
from homelab_agent.areas.certificates.models import UnreachableCause

_BY_NUMBER = {
    errno.ECONNRESET: UnreachableCause.RESET,
    errno.ECONNABORTED: UnreachableCause.RESET,
    errno.EPIPE: UnreachableCause.RESET,
    errno.ECONNREFUSED: UnreachableCause.REFUSED,
    errno.ETIMEDOUT: UnreachableCause.TIMED_OUT,
    errno.ENETUNREACH: UnreachableCause.NO_ROUTE,
    errno.EADDRNOTAVAIL: UnreachableCause.NO_ROUTE,
    errno.EACCES: UnreachableCause.NO_ROUTE,
    errno.EPERM: UnreachableCause.NO_ROUTE,
    errno.EINVAL: UnreachableCause.BAD_ADDRESS,
} | dict.fromkeys(
    (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM), UnreachableCause.AGENT_BUSY
)
_NOBODY = {getattr(socket, name) for name in ("EAI_NONAME", "EAI_NODATA") if hasattr(socket, name)}
_WITHOUT_NUMBER: dict[type[OSError], UnreachableCause] = {
    # asyncio and our own deadlines raise these
    ConnectionResetError: UnreachableCause.RESET,
    ConnectionAbortedError: UnreachableCause.RESET,
    BrokenPipeError: UnreachableCause.RESET,
    TimeoutError: UnreachableCause.TIMED_OUT,
}


def cause_of(error: OSError | Closed) -> UnreachableCause:
    """Return what it means that a connection ended, or that there was none."""
    if isinstance(error, Closed):
        return UnreachableCause.CLOSED
    if isinstance(error, socket.gaierror):
        nobody = error.errno in _NOBODY or error.errno == socket.EAI_ADDRFAMILY
        return UnreachableCause.UNKNOWN_HOST if nobody else UnreachableCause.DNS_FAILED
    if error.errno is None:
        return _WITHOUT_NUMBER.get(type(error), UnreachableCause.UNREACHABLE)
    return _BY_NUMBER.get(error.errno, UnreachableCause.UNREACHABLE)
