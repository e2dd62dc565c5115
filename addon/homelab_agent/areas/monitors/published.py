"""Where a port that a container publishes is reached from here."""

from homelab_agent.platform.engine.models import Port

_ANY = frozenset({None, "", "0.0.0.0", "::"})  # noqa: S104  # what containers are bound to
_LOOPBACK = "127.0.0.1"


def published_host(port: Port, machine: str | None) -> str | None:
    """Return the host to ask; None where the port is not published, or not to be reached.

    `machine` is the machine's address as seen from here: loopback only in its own network.
    """
    if port.protocol != "tcp" or port.host_port is None:
        return None
    if port.host_ip in _ANY:
        return machine
    local = str(port.host_ip).startswith("127.") or port.host_ip == "::1"
    return None if local and machine != _LOOPBACK else port.host_ip
