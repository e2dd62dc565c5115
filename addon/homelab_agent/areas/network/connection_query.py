"""The connections that somebody asked for, and whose they are."""

from collections.abc import Mapping, Sequence

from homelab_agent.areas.network.models import Connection, ConnectionList, ConnectionQuery
from homelab_agent.areas.network.published import Published
from homelab_agent.areas.network.seen_ports import FORWARDERS
from homelab_agent.platform.errors import Invalid
from homelab_agent.platform.host.network import (
    CONNECTION_STATES,
    MachineNetwork,
    OpenSocket,
    Owner,
)


async def find_connections(
    network: MachineNetwork, published: Published, query: ConnectionQuery
) -> ConnectionList:
    """Return the connections that match. Processes are looked at for those that are returned.

    Raises:
        Invalid: there is no such state.
    """
    state = _state(query)
    sockets = [
        socket
        for socket in await network.connections()
        if state in {None, socket.state}
        and query.port in {None, socket.local_port, socket.remote_port}
    ]
    sockets.sort(key=_order)
    owners: Mapping[int, Owner] = {}
    if query.container is not None:
        owners = await _owners(network, sockets)
        sockets = [
            socket for socket in sockets if _container(socket, owners, published) == query.container
        ]
    shown = sockets[: query.limit]
    if query.container is None:
        owners = await _owners(network, shown)
    return ConnectionList(
        connections=tuple(_connection(each, owners, published) for each in shown),
        total=len(sockets),
    )


def _state(query: ConnectionQuery) -> str | None:
    if query.state is None:
        return None
    state = query.state.upper().replace("-", "_")
    if state not in CONNECTION_STATES:
        raise Invalid(
            f"There is no connection state {query.state[:32]!r}.",
            field="state",
            hint=f"One of {', '.join(CONNECTION_STATES)}.",
        )
    return state


async def _owners(network: MachineNetwork, sockets: Sequence[OpenSocket]) -> Mapping[int, Owner]:
    inodes = {socket.inode for socket in sockets if socket.inode}
    return await network.owners(inodes) if inodes else {}


def _container(socket: OpenSocket, owners: Mapping[int, Owner], published: Published) -> str | None:
    owner = owners.get(socket.inode)
    if owner is not None and owner.container_id is not None:
        return published.containers.get(owner.container_id)
    if owner is not None and owner.process not in FORWARDERS:
        return None
    return published.by_port.get((socket.transport, socket.local_port))


def _connection(
    socket: OpenSocket, owners: Mapping[int, Owner], published: Published
) -> Connection:
    owner = owners.get(socket.inode)
    return Connection(
        transport=socket.transport,
        state=socket.state,
        local_address=str(socket.local_address),
        local_port=socket.local_port,
        remote_address=str(socket.remote_address),
        remote_port=socket.remote_port,
        process=owner.process if owner else None,
        pid=owner.pid if owner else None,
        container=_container(socket, owners, published),
    )


def _order(socket: OpenSocket) -> tuple[str, int, str, int]:
    return (socket.transport, socket.local_port, str(socket.remote_address), socket.remote_port)
