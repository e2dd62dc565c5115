"""What containers publish on the machine, as far as the engine tells."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import ip_address

from homelab_agent.areas.containers.models import Container, ContainerQuery
from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.areas.network.reach import port_key
from homelab_agent.platform.errors import AgentError
from homelab_agent.platform.host.network import Address, Transport
from homelab_agent.platform.jobs.models import JOB_KIND, Job, JobState
from homelab_agent.platform.resources import Resources

_CONTAINER_JOBS = ("containers.", "stacks.", "agent.")


@dataclass(frozen=True, slots=True)
class PublishedPort:
    """A port of the machine that leads into a container."""

    transport: Transport
    address: Address
    port: int
    container: str


@dataclass(frozen=True)
class Published:
    """Published ports by key, and the keys of containers by their id."""

    ports: Mapping[str, PublishedPort] = field(default_factory=dict)
    containers: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def by_port(self) -> Mapping[tuple[Transport, int], str]:
        """Return whose a port is, at whatever address."""
        return {(each.transport, each.port): each.container for each in self.ports.values()}


class ContainerPorts:
    """Asks the containers' service. While the engine is away, what was known before holds."""

    def __init__(self, containers: ContainerService, resources: Resources) -> None:
        self._containers = containers
        self._resources = resources
        self._known = Published()

    def look(self) -> Published:
        """Return what is published now."""
        try:
            listed = self._containers.list(ContainerQuery()).containers
        except AgentError:
            return self._known
        ports = {
            port_key(each.transport, each.address, each.port): each
            for container in listed
            for each in _ports(container)
        }
        self._known = Published(ports, {container.id: container.key for container in listed})
        return self._known

    def is_worked_on(self) -> bool:
        """Return whether a job is about containers right now: their ports may come back."""
        return any(
            job.state is not JobState.FINISHED and job.kind.startswith(_CONTAINER_JOBS)
            for job in self._resources.every(JOB_KIND, Job)
        )


def _ports(container: Container) -> list[PublishedPort]:
    found = []
    for port in container.ports:
        if port.host_port is None or port.protocol not in Transport:
            continue
        try:
            address = ip_address(port.host_ip or "0.0.0.0")  # noqa: S104  # Docker's own default
        except ValueError:
            continue
        transport = Transport(port.protocol)
        found.append(PublishedPort(transport, address, port.host_port, container.key))
    return found
