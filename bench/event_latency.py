"""How long a Docker event takes to become a state in Home Assistant.

Measured from Docker's own timestamp of the event to the moment in which Home Assistant fired the
state change, and to the moment in which a front end connected to Home Assistant could read it. The
limit beside it is a bare reader of Docker's event stream, in the same run.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from bench.containers import make_containers
from bench.numbers import summary_ms
from tests.harness.agent import CHECKOUT, Agent
from tests.harness.docker import Docker
from tests.harness.home_assistant import HomeAssistant
from tests.harness.home_assistant_api import HomeAssistantSocket
from tests.harness.waiting import wait_until

EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
APPEAR_S = 60
ARRIVE_S = 10
STATE_OF_EVENT = {"pause": "paused", "unpause": "running", "start": "running", "die": "exited"}


@dataclass
class Seen:
    """When one event was stamped by Docker, and when each of the readers saw it (all in ns)."""

    stamped: int = 0
    bare: int = 0
    fired: int = 0
    arrived: int = 0

    @property
    def complete(self) -> bool:
        """Whether all three have seen it."""
        return bool(self.bare and self.fired)


@dataclass
class Observer:
    """Pairs the event that was caused last per container with what the readers saw of it."""

    names: dict[str, str]
    waiting: dict[tuple[str, str], Seen] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def expect(self, name: str, state: str) -> Seen:
        """Return where the next change of this container to this state will be noted."""
        self.waiting[name, state] = seen = Seen()
        return seen

    async def read_docker(self, lines: asyncio.StreamReader) -> None:
        """Note when the bare reader saw each event."""
        async for line in lines:
            name, action, stamped, read = json.loads(line)
            seen = self.waiting.get((name, STATE_OF_EVENT.get(action, "")))
            if seen is not None:
                seen.stamped, seen.bare = stamped, read
                self.changed.set()

    async def read_home_assistant(self, events: asyncio.Queue[dict[str, Any]]) -> None:
        """Note when Home Assistant fired each state change, and when it could be read."""
        while True:
            event = await events.get()
            now = time.time_ns()
            name = self.names.get(event["data"]["entity_id"])
            state = event["data"]["new_state"]
            seen = self.waiting.get((name or "", state["state"] if state else ""))
            if seen is not None:
                fired = datetime.fromisoformat(event["time_fired"]) - EPOCH
                seen.fired, seen.arrived = fired // timedelta(microseconds=1) * 1000, now
                self.changed.set()

    async def wait_for(self, *seen: Seen) -> None:
        """Wait until all of them are complete."""
        async with asyncio.timeout(ARRIVE_S):
            while not all(each.complete for each in seen):
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def bare_reader() -> AsyncIterator[asyncio.StreamReader]:
    """Give what a bare reader of Docker's events prints, once it is attached."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.docker_events", cwd=CHECKOUT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None  # noqa: S101  # asked for above
    try:
        await process.stdout.readline()
        yield process.stdout
    finally:
        process.kill()
        await process.wait()


async def state_entities(socket: HomeAssistantSocket, names: list[str]) -> dict[str, str]:
    """Return the containers' names by the ids of their state entities, once all are there."""

    async def find() -> dict[str, str] | None:
        found = {}
        for entity in await socket.entities():
            parts = entity["unique_id"].split(":")
            if entity["platform"] == "homelab" and parts[-1] == "state" and parts[-2] in names:
                found[entity["entity_id"]] = parts[-2]
        return found if len(found) == len(names) else None

    return await wait_until(find, what="a state entity of every container", within_s=APPEAR_S)


async def all_running(homeassistant: HomeAssistant, entities: dict[str, str]) -> None:
    """Wait until Home Assistant shows every container as running."""

    async def check() -> bool:
        states = await homeassistant.api.call("GET", "/api/states")
        running = {each["entity_id"] for each in states if each["state"] == "running"}
        return running >= entities.keys()

    await wait_until(check, what="every container to be shown as running", within_s=APPEAR_S)


async def one_by_one(
    docker: Docker, observer: Observer, names: list[str], events: int
) -> list[Seen]:
    """Cause events one after the other, each after the one before was seen by all."""
    steps: tuple[tuple[Callable[[str], Awaitable[None]], str], ...] = (
        (docker.pause, "paused"),
        (docker.unpause, "running"),
        (docker.kill, "exited"),
        (docker.start, "running"),
    )
    plan = ((name, *step) for name in cycle(names) for step in steps)
    seen = []
    for name, act, state in islice(plan, events):
        noted = observer.expect(name, state)
        await act(name)
        await observer.wait_for(noted)
        del observer.waiting[name, state]
        seen.append(noted)
    return seen


async def all_at_once(docker: Docker, observer: Observer, names: list[str]) -> list[Seen]:
    """Pause all containers at the same time, then let them go on."""
    seen = []
    for act, state in ((docker.pause, "paused"), (docker.unpause, "running")):
        noted = [observer.expect(name, state) for name in names]
        await asyncio.gather(*(act(name) for name in names))
        await observer.wait_for(*noted)
        observer.waiting.clear()
        seen += noted
    return seen


def report(title: str, seen: list[Seen]) -> None:
    """Print the three lines of a part."""
    print(title)
    print(summary_ms("  limit: bare reader of Docker's events", [s.bare - s.stamped for s in seen]))
    print(summary_ms("  state change in Home Assistant", [s.fired - s.stamped for s in seen]))
    print(summary_ms("  the same, read by a front end", [s.arrived - s.stamped for s in seen]))


async def main(containers: int, events: int) -> None:
    """Start everything, measure, remove everything."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="homelab-bench-")))
        docker = await stack.enter_async_context(Docker())
        names = list(await make_containers(docker, containers))
        agent = await stack.enter_async_context(Agent(folder / "agent"))
        homeassistant = await stack.enter_async_context(HomeAssistant(folder / "ha"))
        token = await agent.create_token()
        await homeassistant.api.add_homelab(agent.host, agent.port, token)
        socket = await stack.enter_async_context(homeassistant.api.socket())
        entities = await state_entities(socket, names)
        await all_running(homeassistant, entities)
        observer = Observer(entities)
        changes = await socket.subscribe("subscribe_events", event_type="state_changed")
        lines = await stack.enter_async_context(bare_reader())
        readers = await stack.enter_async_context(asyncio.TaskGroup())
        tasks = [
            readers.create_task(observer.read_docker(lines)),
            readers.create_task(observer.read_home_assistant(changes)),
        ]
        try:
            singles = await one_by_one(docker, observer, names, events)
            burst = await all_at_once(docker, observer, names)
        finally:
            for task in tasks:
                task.cancel()
        version = (await docker.version())["Version"]
        print(f"Docker {version}, {containers} containers; from Docker's timestamp of the event to")
        report("One event after the other", singles)
        report(f"{containers} events at once, twice", burst)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--containers", type=int, default=50)
    parser.add_argument("--events", type=int, default=400)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.containers, arguments.events))
