"""Docker's swarm mode over its API."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import random
from typing import override

from pydantic import JsonValue, TypeAdapter

from homelab_agent.platform.engine.docker.answers import read_as, read_document
from homelab_agent.platform.engine.docker.errors import OUT_OF_SEQUENCE, Call, unreadable
from homelab_agent.platform.engine.docker.lines import lines
from homelab_agent.platform.engine.docker.swarm_documents import (
    NODES,
    SERVICES,
    TASKS,
    Node,
    Service,
    read_swarm,
)
from homelab_agent.platform.engine.docker.transport import Transport
from homelab_agent.platform.engine.models import EngineRight
from homelab_agent.platform.engine.swarm import (
    EngineNode,
    EngineService,
    EngineSwarm,
    NodeAvailability,
    SwarmEngine,
)
from homelab_agent.platform.errors import Conflict, NotFound, Unavailable

type _Spec = dict[str, JsonValue]
type _Change = Callable[[_Spec], None]

_TRIES = 12
"""How often something is read again that others change at the same time."""

_PAUSE_S = 0.05
"""The longest pause before the second try, chosen by lot: both would meet again otherwise."""

_FILTERS = json.dumps({"type": ["service", "node"]})
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
_DOCUMENT: TypeAdapter[_Spec] = TypeAdapter(dict[str, JsonValue])
_RIGHT = EngineRight.SWARM


class DockerSwarm(SwarmEngine):
    """Implements `SwarmEngine` on a transport that belongs to somebody else."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @override
    async def swarm(self) -> EngineSwarm:
        call = Call("describe itself", EngineRight.INFO)
        return read_swarm(await self._transport.read("info", call))

    @override
    async def services(self) -> tuple[EngineService, ...]:
        call = Call("list the services", _RIGHT)
        body = await self._transport.read("services", call, {"status": "true"})
        return tuple(row.service() for row in read_as(SERVICES, call, body))

    @override
    async def nodes(self) -> tuple[EngineNode, ...]:
        call = Call("list the nodes", _RIGHT)
        body = await self._transport.read("nodes", call)
        return tuple(row.node() for row in read_as(NODES, call, body))

    @override
    async def service(self, name_or_id: str) -> EngineService:
        call = Call(f"describe the service {name_or_id}", _RIGHT)
        body = await self._transport.read(f"services/{_checked(name_or_id, 'service')}", call)
        return read_document(Service, call, body).service()

    @override
    async def node(self, node_id: str) -> EngineNode:
        call = Call(f"describe the node {node_id}", _RIGHT)
        body = await self._transport.read(f"nodes/{_checked(node_id, 'node')}", call)
        return read_document(Node, call, body).node()

    @override
    async def services_on(self, node_id: str) -> frozenset[str]:
        call = Call(f"list the tasks of the node {node_id}", _RIGHT)
        wanted = json.dumps({"node": [node_id], "desired-state": ["running"]})
        body = await self._transport.read("tasks", call, {"filters": wanted})
        return frozenset(row.service_id for row in read_as(TASKS, call, body))

    @override
    @asynccontextmanager
    async def changes(self) -> AsyncIterator[AsyncIterator[None]]:
        call = Call("tell its events", EngineRight.EVENTS)
        async with self._transport.stream("events", call, {"filters": _FILTERS}) as chunks:
            yield _ticks(chunks)

    @override
    async def scale(self, service_id: str, replicas: int) -> None:
        def scaled(spec: _Spec) -> None:
            mode = spec.get("Mode")
            replicated = mode.get("Replicated") if isinstance(mode, dict) else None
            if not isinstance(replicated, dict):
                raise Conflict(
                    "Only a replicated service has a number of tasks; this one runs on every "
                    "node, or once as a job.",
                    field="replicas",
                )
            replicated["Replicas"] = replicas

        await self._update("service", service_id, scaled)

    @override
    async def force_update(self, service_id: str) -> None:
        def forced(spec: _Spec) -> None:
            template = spec.setdefault("TaskTemplate", {})
            if isinstance(template, dict):
                count = template.get("ForceUpdate")
                template["ForceUpdate"] = (count if isinstance(count, int) else 0) + 1

        await self._update("service", service_id, forced)

    @override
    async def roll_back(self, service_id: str) -> None:
        if not (await self.service(service_id)).has_previous:
            raise Conflict(f"The service {service_id} has no previous description.")
        await self._update("service", service_id, lambda _spec: None, {"rollback": "previous"})

    @override
    async def set_availability(self, node_id: str, availability: NodeAvailability) -> None:
        def set_to(spec: _Spec) -> None:
            spec["Availability"] = availability.value

        await self._update("node", node_id, set_to)

    async def _update(
        self, what: str, name: str, change: _Change, parameters: dict[str, str] | None = None
    ) -> None:
        """Change what is there now; where another change came in between, change that one."""
        path = f"{what}s/{_checked(name, what)}"
        call = Call(f"change the {what} {name}", _RIGHT, changes=True)
        for attempt in range(1, _TRIES + 1):
            spec, version = await self._spec(path, call)
            change(spec)
            asked = {"version": str(version), **(parameters or {})}
            try:
                await self._transport.change(f"{path}/update", call, asked, body=spec)
            except Conflict as error:
                # A refused change has changed nothing, so it may be made again.
                if attempt == _TRIES or OUT_OF_SEQUENCE not in error.extra:
                    raise
                await asyncio.sleep(random() * _PAUSE_S * attempt)  # noqa: S311 - no secret
            else:
                return

    async def _spec(self, path: str, call: Call) -> tuple[_Spec, int]:
        # As it is: what we do not know must come back unchanged.
        found = read_as(_DOCUMENT, call, await self._transport.read(path, call))
        spec, version = found.get("Spec"), found.get("Version")
        index = version.get("Index") if isinstance(version, dict) else None
        if not isinstance(spec, dict) or not isinstance(index, int):
            raise unreadable(call, "no Spec or no Version")
        return spec, index


async def _ticks(chunks: AsyncIterator[bytes]) -> AsyncIterator[None]:
    async for _ in lines(chunks):
        yield
    raise Unavailable("Docker ended its event stream.", hint="Is Docker being restarted?")


def _checked(name: str, what: str) -> str:
    """Return what is safe to put into a path; anything else cannot be a name or id."""
    if not _NAME.fullmatch(name):
        raise NotFound(f"There is no {what} {name[:80]!r}.")
    return name
