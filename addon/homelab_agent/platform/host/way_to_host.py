"""Where this process reaches the ports that the machine publishes. Reads a file."""

import sys
from ipaddress import IPv4Address
from pathlib import Path

from homelab_agent.platform.host.paths import HostPaths

_OWN_ROUTES = Path("/proc/self/net/route")
_DESTINATION, _GATEWAY, _FLAGS, _MASK = 1, 2, 3, 7
_ANYWHERE = "00000000"
_UP_BY_GATEWAY = 0x3


def way_to_host(paths: HostPaths, routes: Path = _OWN_ROUTES) -> str | None:
    """Return the machine's address as seen from here; None where no way leads there.

    From a container with a network of its own the machine is its gateway.
    """
    if not paths.has_own_network:
        return "127.0.0.1"
    try:
        lines = routes.read_text().splitlines()[1:]
    except OSError:
        return None
    for line in lines:
        fields = line.split()
        if (
            len(fields) > _MASK
            and fields[_DESTINATION] == fields[_MASK] == _ANYWHERE
            and int(fields[_FLAGS], 16) & _UP_BY_GATEWAY == _UP_BY_GATEWAY
        ):
            # The kernel prints the address as a number of this machine.
            return str(IPv4Address(int(fields[_GATEWAY], 16).to_bytes(4, sys.byteorder)))
    return None
