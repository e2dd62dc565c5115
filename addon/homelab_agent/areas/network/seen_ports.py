"""Which ports are listened on right now, and whose they are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from homelab_agent.areas.network.published import ContainerPorts, Published
from homelab_agent.areas.network.reach import port_key
from homelab_agent.platform.host.network import (
    Address,
    ListeningSocket,
    MachineNetwork,
    Owner,
    Transport,
)

FORWARDERS = frozenset({"docker-proxy", "dockerd", "rootlessport", "rootlesskit"})
"""They hold sockets for containers: that says nothing about whose a port is."""

SETTLES_AFTER_S = 60.0
"""Whoever asks a name server something has such a port for a moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPort:
    """A port that something listens on. Without process and container it is not known whose."""

    transport: Transport
    address: Address
    port: int
    process: str | None = None
    pid: int | None = None
    container: str | None = None


class PortEyes:
    """Looks for listening ports. Processes are looked at only for sockets that are new."""

    def __init__(self, network: MachineNetwork, containers: ContainerPorts) -> None:
        self._network = network
        self._containers = containers
        self._owners: dict[int, Owner | None] = {}
        self._shown: set[str] = set()
        self._unsettled: dict[tuple[str, int], float] = {}

    def remember(self, keys: Iterable[str]) -> None:
        """Take these ports for what they were before the agent's restart."""
        self._shown.update(keys)

    async def look(self, now_s: float) -> Mapping[str, SeenPort]:
        """Return all listening ports by key; `now_s` by the monotonic clock."""
        sockets = await self._network.listening()
        if not self._shown <= {_key(socket) for socket in sockets}:
            # The kernel's list may skip a socket while it changes: twice missing is gone.
            sockets = tuple({*sockets, *await self._network.listening()})
        sockets = self._settled(sockets, now_s)
        self._shown = {_key(socket) for socket in sockets}
        await self._learn_owners(sockets)
        return _merged(sockets, self._owners, self._containers.look())

    def _settled(
        self, sockets: Iterable[ListeningSocket], now_s: float
    ) -> tuple[ListeningSocket, ...]:
        """Leave out what looks like a client that waits for one answer."""
        settled, unsettled = [], {}
        for socket in sockets:
            key = _key(socket)
            if not socket.is_ephemeral or key in self._shown:
                settled.append(socket)
                continue
            since_s = self._unsettled.get((key, socket.inode), now_s)
            unsettled[key, socket.inode] = since_s
            if now_s - since_s >= SETTLES_AFTER_S:
                settled.append(socket)
        self._unsettled = unsettled
        return tuple(settled)

    async def _learn_owners(self, sockets: Iterable[ListeningSocket]) -> None:
        inodes = {socket.inode for socket in sockets if socket.inode}
        new = inodes - self._owners.keys()
        found = await self._network.owners(new) if new else {}
        # What could not be seen once is not looked for again: it may be another user's.
        self._owners |= {inode: found.get(inode) for inode in new}
        for gone in self._owners.keys() - inodes:
            del self._owners[gone]


def _merged(
    sockets: Iterable[ListeningSocket], owners: Mapping[int, Owner | None], published: Published
) -> dict[str, SeenPort]:
    """Return one port for all sockets of one address; the published ones are the containers'."""
    found: dict[str, SeenPort] = {}
    # Several processes may share a port: the oldest one's sockets come first.
    for socket in sorted(sockets, key=lambda each: _age(owners.get(each.inode))):
        key = _key(socket)
        if key not in found:
            found[key] = _seen(socket, owners.get(socket.inode), published)
    for key, port in published.ports.items():
        # Without a forwarding process the kernel itself leads packets into the container.
        found[key] = SeenPort(
            transport=port.transport,
            address=port.address,
            port=port.port,
            container=port.container,
        )
    return found


def _seen(socket: ListeningSocket, owner: Owner | None, published: Published) -> SeenPort:
    if owner is not None and owner.process in FORWARDERS and owner.container_id is None:
        owner = None
    container_id = owner.container_id if owner else None
    return SeenPort(
        transport=socket.transport,
        address=socket.address,
        port=socket.port,
        process=owner.process if owner else None,
        pid=owner.pid if owner else None,
        container=published.containers.get(container_id) if container_id else None,
    )


def _age(owner: Owner | None) -> tuple[bool, int]:
    return (owner is None, owner.pid if owner else 0)


def _key(socket: ListeningSocket) -> str:
    return port_key(socket.transport, socket.address, socket.port)
