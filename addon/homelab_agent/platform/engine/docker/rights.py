"""What a socket proxy forbids, found without changing anything.

Each right is tried on something that cannot exist (no name in Docker begins with "_"):
"no such container" or "invalid" means the call went through to the engine, "forbidden" that it
did not.
"""

import json
from collections.abc import Awaitable, Callable

from pydantic import JsonValue

from homelab_agent.platform.engine.docker.errors import Call
from homelab_agent.platform.engine.docker.swarm_documents import read_role
from homelab_agent.platform.engine.docker.transport import Change, Transport
from homelab_agent.platform.engine.models import EngineRight
from homelab_agent.platform.engine.swarm import SwarmRole
from homelab_agent.platform.errors import AgentError, Denied, TimedOut, Unavailable

type _Try = Callable[[], Awaitable[object]]

_NOBODY = "_rights.probe"

_CONTROLS = ("start", "stop", "restart", "pause", "unpause", "kill")
"""Proxies grant these one by one; what cannot all be done is not granted."""

_PAST = {"since": "1", "until": "1"}
"""An event stream that ends at once."""

_NOTHING = json.dumps({"name": [_NOBODY]})

_NO_FILTER = json.dumps({_NOBODY: ["x"]})
"""A filter that no engine knows, so that nothing is pruned."""

_TYPED_DISK_USAGE = (1, 42)
"""Before, a try would measure the whole disk."""


async def missing_rights(transport: Transport) -> frozenset[EngineRight]:
    """Return the rights that are forbidden; raise `Unavailable` when the engine is away."""
    missing = set()
    for right, tries in (await _tries(transport)).items():
        for attempt in tries:
            if await _forbidden(attempt):
                missing.add(right)
                break
    return frozenset(missing)


async def _tries(transport: Transport) -> dict[EngineRight, list[_Try]]:
    typed = await transport.api_version() >= _TYPED_DISK_USAGE
    tries = {**_to_read(transport, typed=typed), **_to_change(transport)}
    if await _in_swarm(transport):
        tries[EngineRight.SWARM] = _swarm(transport)
    return tries


def _to_read(transport: Transport, *, typed: bool) -> dict[EngineRight, list[_Try]]:
    objects = [("volumes", {"filters": _NOTHING}), ("networks", {"filters": _NOTHING})]
    if typed:
        objects.append(("system/df", {"type": _NOBODY}))
    paths: dict[EngineRight, list[tuple[str, dict[str, str]]]] = {
        EngineRight.CONTAINERS_READ: [
            ("containers/json", {"limit": "1"}),
            (f"containers/{_NOBODY}/json", {}),
        ],
        EngineRight.EVENTS: [("events", _PAST)],
        EngineRight.INFO: [("info", {})],
        EngineRight.IMAGES_READ: [("images/json", {"limit": "1"})],
        EngineRight.OBJECTS_READ: objects,
    }
    return {
        right: [_read(transport, right, path, query) for path, query in asked]
        for right, asked in paths.items()
    }


def _to_change(transport: Transport) -> dict[EngineRight, list[_Try]]:
    def change(
        right: EngineRight, path: str, method: Change = "POST", body: JsonValue = None
    ) -> _Try:
        return _change(transport, right, path, method=method, body=body)

    control, containers = EngineRight.CONTAINERS_CONTROL, EngineRight.CONTAINERS_CHANGE
    images, objects = EngineRight.IMAGES_CHANGE, EngineRight.OBJECTS_CHANGE
    return {
        control: [change(control, f"containers/{_NOBODY}/{verb}") for verb in _CONTROLS],
        containers: [
            change(containers, "containers/create", body={"Image": _NOBODY}),
            change(containers, f"containers/{_NOBODY}/rename"),
            change(containers, f"containers/{_NOBODY}/update", body={}),
            change(containers, f"containers/{_NOBODY}", "DELETE"),
        ],
        images: [
            _change(transport, images, "images/create", {"fromImage": _NOBODY}),
            change(images, f"images/{_NOBODY}/tag"),
            change(images, f"images/{_NOBODY}", "DELETE"),
        ],
        objects: [
            change(objects, f"volumes/{_NOBODY}", "DELETE"),
            change(objects, f"networks/{_NOBODY}", "DELETE"),
            _change(transport, objects, "build/prune", {"filters": _NO_FILTER}),
        ],
    }


def _swarm(transport: Transport) -> list[_Try]:
    right = EngineRight.SWARM
    stale = {"version": "1"}
    return [
        _read(transport, right, f"services/{_NOBODY}", {}),
        _read(transport, right, f"nodes/{_NOBODY}", {}),
        _read(transport, right, f"tasks/{_NOBODY}", {}),
        _change(transport, right, f"services/{_NOBODY}/update", stale, body={}),
        _change(transport, right, f"nodes/{_NOBODY}/update", stale, body={}),
    ]


async def _in_swarm(transport: Transport) -> bool:
    try:
        body = await transport.read("info", Call("describe itself", EngineRight.INFO))
    except Denied:
        return False
    return read_role(body) is not SwarmRole.INACTIVE


def _read(transport: Transport, right: EngineRight, path: str, query: dict[str, str]) -> _Try:
    return lambda: transport.read(path, Call("try a right", right), query)


def _change(
    transport: Transport,
    right: EngineRight,
    path: str,
    query: dict[str, str] | None = None,
    *,
    method: Change = "POST",
    body: JsonValue = None,
) -> _Try:
    call = Call("try a right", right)
    return lambda: transport.change(path, call, query, method=method, body=body)


async def _forbidden(attempt: _Try) -> bool:
    try:
        await attempt()
    except Denied:
        return True
    except Unavailable, TimedOut:
        raise
    except AgentError:
        return False
    return False
