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
    if query.container is None:
        shown = sockets[: query.limit]
        owners = await _owners(network, shown)
        return ConnectionList(
            connections=tuple(_connection(each, owners, published) for each in shown),
            total=len(sockets),
        )
    owners = await _owners(network, sockets)
    named = (_connection(each, owners, published) for each in sockets)
    found = [each for each in named if each.container == query.container]
    return ConnectionList(connections=tuple(found[: query.limit]), total=len(found))


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


def _connection(
    socket: OpenSocket, owners: Mapping[int, Owner], published: Published
) -> Connection:
    owner = owners.get(socket.inode)
    container = published.containers.get(owner.container_id or "") if owner else None
    if container is None and (owner is None or owner.process in FORWARDERS):
        container = published.container_at(socket.transport, socket.local_port)
    return Connection(
        transport=socket.transport,
        state=socket.state,
        local_address=str(socket.local_address),
        local_port=socket.local_port,
        remote_address=str(socket.remote_address),
        remote_port=socket.remote_port,
        process=owner.process if owner else None,
        pid=owner.pid if owner else None,
        container=container,
    )


def _order(socket: OpenSocket) -> tuple[str, int, str, int]:
    return (socket.transport, socket.local_port, str(socket.remote_address), socket.remote_port)
