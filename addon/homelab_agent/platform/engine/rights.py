"""What a socket proxy forbids, found without changing anything.

Each right is tried on a container that cannot exist (Docker's names never begin with "_"):
"no such container" means the call went through to the engine, "forbidden" that it did not.
"""

from collections.abc import Awaitable, Callable

from homelab_agent.platform.engine.errors import Call
from homelab_agent.platform.engine.models import EngineRight
from homelab_agent.platform.engine.transport import Transport
from homelab_agent.platform.errors import AgentError, Denied, TimedOut, Unavailable

_NOBODY = "_rights.probe"

_CONTROLS = ("start", "stop", "restart", "pause", "unpause", "kill")
"""Proxies grant these one by one; what cannot all be done is not granted."""

_PAST = {"since": "1", "until": "1"}
"""An event stream that ends at once."""


async def missing_rights(transport: Transport) -> frozenset[EngineRight]:
    """Return the rights that are forbidden; raise `Unavailable` when the engine is away."""
    missing = set()
    for right, tries in _tries(transport).items():
        for attempt in tries:
            if await _forbidden(attempt):
                missing.add(right)
                break
    return frozenset(missing)


def _tries(
    transport: Transport,
) -> dict[EngineRight, list[Callable[[], Awaitable[object]]]]:
    def read(right: EngineRight, path: str, **parameters: str) -> Callable[[], Awaitable[object]]:
        return lambda: transport.read(path, Call("try a right", right), parameters)

    def control(verb: str) -> Callable[[], Awaitable[object]]:
        call = Call("try a right", EngineRight.CONTAINERS_CONTROL)
        return lambda: transport.change(f"containers/{_NOBODY}/{verb}", call)

    return {
        EngineRight.CONTAINERS_READ: [
            read(EngineRight.CONTAINERS_READ, "containers/json", limit="1"),
            read(EngineRight.CONTAINERS_READ, f"containers/{_NOBODY}/json"),
        ],
        EngineRight.CONTAINERS_CONTROL: [control(verb) for verb in _CONTROLS],
        EngineRight.EVENTS: [read(EngineRight.EVENTS, "events", **_PAST)],
        EngineRight.INFO: [read(EngineRight.INFO, "info")],
        EngineRight.IMAGES_READ: [read(EngineRight.IMAGES_READ, "images/json", limit="1")],
    }


async def _forbidden(attempt: Callable[[], Awaitable[object]]) -> bool:
    try:
        await attempt()
    except Denied:
        return True
    except Unavailable, TimedOut:
        raise
    except AgentError:
        return False
    return False
