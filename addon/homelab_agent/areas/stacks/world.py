"""What a model needs of the host: refused where it is not there, or taken by something else."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from pathlib import Path

from homelab_agent.areas.containers.models import Container
from homelab_agent.areas.stacks.models import PolicyFinding
from homelab_agent.platform.engine.labels import COMPOSE_PROJECT
from homelab_agent.platform.engine.models import ContainerState
from homelab_agent.platform.engine.objects import ObjectEngine
from homelab_agent.platform.errors import Conflict, Invalid
from homelab_agent.platform.host.linux_network_sockets import read_listening, read_receiving

_ANYWHERE = frozenset({"", "0.0.0.0", "::", "*"})  # noqa: S104 - compared with, not listened at
_KERNEL = Path("/proc/net")

type Part = Mapping[str, object]
type Wanted = tuple[str, int, str]
"""Address, port and protocol on the host."""


async def require_world(
    name: str,
    model: Part,
    containers: Iterable[Container],
    objects: ObjectEngine,
    *,
    ask_kernel: bool,
) -> tuple[PolicyFinding, ...]:
    """Return findings about what belongs to others; `ask_kernel` where ports are ours to see.

    Raises:
        Conflict: a port or a container's name is taken.
        Invalid: a network or a volume that must be there is not.
    """
    others = [each for each in containers if not (each.compose and each.compose.project == name)]
    own = [each for each in containers if each.compose and each.compose.project == name]
    _require_names(name, model, others, own)
    listening = await asyncio.to_thread(_listening) if ask_kernel else frozenset()
    _require_ports(model, others, own, listening)
    await _require_networks(model, objects)
    return tuple([each async for each in _foreign_volumes(name, model, objects)])


def _require_names(
    name: str, model: Part, others: Iterable[Container], own: Iterable[Container]
) -> None:
    taken = {each.name for each in others}
    there = {each.compose.service for each in own if each.compose}
    for service, part in _parts(model, "services"):
        # Of what runs already compose chooses other numbers.
        by_itself = None if service in there or _has_none(part) else f"{name}-{service}-1"
        wanted = part.get("container_name") or by_itself
        if wanted in taken:
            raise Conflict(
                f"{service}: there is a container {wanted} already, and not of this stack.",
                field=f"services.{service}.container_name",
                hint="Choose another name, or remove that container.",
            )


def _has_none(service: Part) -> bool:
    """Return whether no container of a service is wanted."""
    deploy = service.get("deploy")
    return 0 in (service.get("scale"), deploy.get("replicas") if isinstance(deploy, dict) else None)


def _require_ports(
    model: Part,
    others: Iterable[Container],
    own: Iterable[Container],
    listening: frozenset[Wanted],
) -> None:
    taken = {each: other.name for other in others for each in _published(other)}
    kept = {(port, protocol) for one in own for _, port, protocol in _published(one)}
    for field, wanted in _wanted_ports(model):
        owner = next((who for each, who in taken.items() if _collide(each, wanted)), None)
        _, port, protocol = wanted
        if owner is None and (port, protocol) not in kept:
            heard = any(_collide(each, wanted) for each in listening)
            owner = "a program of this host" if heard else None
        if owner:
            raise Conflict(
                f"The port {port}/{protocol} is taken: {owner} has it.",
                field=field,
                hint="Publish another port of the host.",
            )


def _wanted_ports(model: Part) -> Iterator[tuple[str, Wanted]]:
    for service, part in _parts(model, "services"):
        ports = part.get("ports")
        for number, entry in enumerate(ports if isinstance(ports, list) else ()):
            published = str(entry.get("published", "")) if isinstance(entry, dict) else ""
            first, _, last = published.partition("-")
            # A range is compose's to choose from; a single port is wanted as it is.
            if first.isdigit() and not last and int(first):
                address = str(entry.get("host_ip") or "")
                protocol = str(entry.get("protocol") or "tcp")
                yield f"services.{service}.ports[{number}]", (address, int(first), protocol)


def _published(container: Container) -> Iterator[Wanted]:
    if container.state in (ContainerState.RUNNING, ContainerState.PAUSED):
        for port in container.ports:
            if port.host_port:
                yield port.host_ip or "", port.host_port, port.protocol


def _collide(one: Wanted, other: Wanted) -> bool:
    if one[1:] != other[1:]:
        return False
    return one[0] == other[0] or bool({one[0], other[0]} & _ANYWHERE)


async def _require_networks(model: Part, objects: ObjectEngine) -> None:
    wanted = [
        (key, str(part.get("name") or key))
        for key, part in _parts(model, "networks")
        if part.get("external")
    ]
    known = {each.name for each in await objects.networks()} if wanted else set()
    for key, network in wanted:
        if network not in known:
            raise Invalid(
                f"The network {network} does not exist, and `external` says that it does.",
                field=f"networks.{key}",
                hint="Make it first, or leave `external` out.",
            )


async def _foreign_volumes(
    name: str, model: Part, objects: ObjectEngine
) -> AsyncIterator[PolicyFinding]:
    wanted = list(_parts(model, "volumes"))
    known = {each.name: each for each in await objects.volumes()} if wanted else {}
    for key, part in wanted:
        volume = str(part.get("name") or key)
        found = known.get(volume)
        if found is None and part.get("external"):
            raise Invalid(
                f"The volume {volume} does not exist, and `external` says that it does.",
                field=f"volumes.{key}",
                hint="Make it first, or leave `external` out.",
            )
        if found is not None and found.labels.get(COMPOSE_PROJECT) != name:
            yield PolicyFinding(
                service=None,
                field=f"volumes.{key}",
                message=f"The volume {volume} is there already and is not this stack's own.",
            )


def _listening() -> frozenset[Wanted]:
    """Return where something listens, as the kernel lists it."""
    found: set[Wanted] = set()
    for version in ("", "6"):
        for protocol, read in (("tcp", read_listening), ("udp", read_receiving)):
            rows = read(_KERNEL, f"{protocol}{version}")
            found |= {(str(row.local_address), row.local_port, protocol) for row in rows}
    return frozenset(found)


def _parts(model: Part, key: str) -> Iterator[tuple[str, Part]]:
    found = model.get(key)
    for name, part in found.items() if isinstance(found, dict) else ():
        yield str(name), part if isinstance(part, dict) else {}
