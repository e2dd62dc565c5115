"""Where the proxy finds a container."""

import re
from dataclasses import dataclass
from typing import Protocol

from homelab_agent.areas.containers.models import Container
from homelab_agent.areas.provisioning.partners import Containers
from homelab_agent.areas.proxy.models import ProxyStatus
from homelab_agent.platform.engine.models import ContainerState
from homelab_agent.platform.engine.objects import ObjectUser
from homelab_agent.platform.errors import Conflict, Invalid

_ANY_ADDRESS = frozenset({None, "", "0.0.0.0", "::"})  # noqa: S104 - where it is published, not where to listen
_WITHOUT_NAMES = frozenset({"bridge", "host", "none"})
"""Docker's own networks: in those no container finds another by its name."""
_ID = re.compile(r"[0-9a-f]{64}")
"""The engine names each network twice, once by its id."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where the proxy reaches a container, as host:port; `warning` says what will go wrong."""

    address: str
    warning: str | None = None


class Addresses(Protocol):
    """What tells where the ports of containers are."""

    async def addresses(self, container_id: str, port: int) -> tuple[str, ...]:
        """Return where a port of a running container may be reached, as host:port."""
        ...


class Networks(Protocol):
    """What tells in which networks containers are."""

    async def users(self) -> tuple[ObjectUser, ...]:
        """Return every container with its networks."""
        ...


class Upstreams:
    """Finds the way from the proxy to a container."""

    def __init__(self, containers: Containers, addresses: Addresses, networks: Networks) -> None:
        self._containers = containers
        self._addresses = addresses
        self._networks = networks

    async def find(self, key: str, port: int | None, proxy: ProxyStatus) -> Found:
        """Return where the proxy reaches a container's port.

        Raises:
            NotFound, Conflict: there is no such container, it does not run, or no way leads there.
            Invalid: it has several ports, or none, and none was named.
        """
        container = self.require_running(key)
        number = _port(container, port)
        if proxy.container is None:
            return await self._from_machine(container, number)
        networks = {each.id: frozenset(each.networks) for each in await self._networks.users()}
        own = networks.get(self._containers.get(proxy.container).id, frozenset())
        if "host" in own:
            return await self._from_machine(container, number)
        return self._from_container(container, number, own & networks.get(container.id, own), proxy)

    def require_running(self, key: str) -> Container:
        """Return a container.

        Raises:
            NotFound, Conflict: there is no such container, or it does not run.
            Unavailable: which containers there are is not known now.
        """
        container = self._containers.get(key)
        if container.state is not ContainerState.RUNNING:
            raise Conflict(
                f"{container.name} does not run: it is {container.state}.",
                field="container",
                hint="Start it first.",
            )
        return container

    async def _from_machine(self, container: Container, port: int) -> Found:
        published = _published(container, port)
        if published:
            return Found(published)
        own = await self._addresses.addresses(container.id, port)
        if not own:
            raise Conflict(
                f"The proxy has no way to port {port} of {container.name}: it is not published, "
                "and the container has no address of its own.",
                field="port",
                hint=f"Publish it, as with `ports: ['127.0.0.1:{port}:{port}']`.",
            )
        return Found(
            own[0],
            f"Port {port} of {container.name} is not published; {own[0]} is its own address, "
            "which may change when the container is made anew. Publish the port.",
        )

    def _from_container(
        self, container: Container, port: int, shared: frozenset[str], proxy: ProxyStatus
    ) -> Found:
        if any(each not in _WITHOUT_NAMES and not _ID.fullmatch(each) for each in shared):
            return Found(f"{container.name}:{port}")
        raise Conflict(
            f"{container.name} and the proxy {proxy.container} are in no network together.",
            field="container",
            hint="Connect both to one: docker network connect NETWORK " + container.name,
        )


def _port(container: Container, port: int | None) -> int:
    ports = sorted({each.container_port for each in container.ports if each.protocol == "tcp"})
    if port is not None:
        return port
    if len(ports) == 1:
        return ports[0]
    shown = ", ".join(map(str, ports))
    raise Invalid(
        f"{container.name} has several ports: {shown}."
        if ports
        else f"{container.name} says of no port that something listens there.",
        field="port",
        hint="Say which one is meant.",
    )


def _published(container: Container, port: int) -> str | None:
    """Return where a port is published at this machine, as a program on the machine reaches it."""
    for each in container.ports:
        if each.container_port == port and each.protocol == "tcp" and each.host_port is not None:
            host = "127.0.0.1" if each.host_ip in _ANY_ADDRESS else str(each.host_ip)
            return f"[{host}]:{each.host_port}" if ":" in host else f"{host}:{each.host_port}"
    return None
