"""Ports for the servers of tests."""

import secrets
import socket

# Below those that the kernel lends to outgoing connections and Docker publishes at: nobody else
# comes to one of these by chance between its choice and its use, or while its server restarts.
_FIRST, _LAST = 20_000, 32_767
_TRIES = 100

_given: set[int] = set()


def free_port() -> int:
    """Return a TCP port that nobody uses at any address, another one each time."""
    for _ in range(_TRIES):
        port = _FIRST + secrets.randbelow(_LAST - _FIRST + 1)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port
    raise OSError(f"{_TRIES} ports between {_FIRST} and {_LAST} were all in use")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
        return True
