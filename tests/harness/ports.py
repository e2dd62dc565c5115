"""Ports for the servers of tests."""

import socket

# Below those that the kernel lends to outgoing connections and Docker publishes at: nobody else
# comes to one of these by chance between its choice and its use, or while its server restarts.
_FIRST, _LAST = 20_000, 32_767
_SHARE = 128

_left: list[int] = []


def free_port() -> int:
    """Return a TCP port that nobody uses at any address, another one each time.

    Nor is it given to another process of tests that runs meanwhile.
    """
    while True:
        if not _left:
            _left.extend(_claimed())
        port = _left.pop()
        if _is_free(port):
            return port


def _claimed() -> range:
    """Return ports that are ours until this process ends."""
    for first in range(_FIRST, _LAST + 2 - _SHARE, _SHARE):
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0homelab-test-ports-{first}")  # a name that is in no folder
        except OSError:
            claim.close()
        else:
            claim.detach()  # it stays open, and is nobody's to close
            return range(first, first + _SHARE)
    raise OSError(f"the ports between {_FIRST} and {_LAST} are all given to tests")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
        return True
