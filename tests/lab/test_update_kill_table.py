"""An update is hit between every two of its steps, and in the middle of its way back.

Whatever hits it, a working container is there afterwards, and the job says which.
"""

import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.fakes.holding_proxy import HoldingProxy, holding_proxy
from tests.harness.agent import Agent
from tests.harness.built_images import BuiltImages
from tests.harness.docker import Docker
from tests.harness.private_engine import PrivateEngine
from tests.harness.waiting import wait_until
from tests.lab.kill_table import Fault, KillWorld

pytestmark = pytest.mark.asyncio(loop_scope="module")

_ANY = r"[0-9a-f]{64}"
STABLE_S = {"forward": "2", "back": "20"}
"""What ends by itself is seen to end however busy the machine is, and nobody waits for the rest."""


@dataclass(frozen=True)
class Moment:
    """One call to the engine; `done` is after it was done and before its answer arrived."""

    name: str
    call: str
    done: bool = False


FORWARD = (
    Moment("look | get image", r"POST /images/create\?.*"),
    Moment("get image | create", r"POST /containers/create\?.*"),
    Moment("within create, made", r"POST /containers/create\?.*", done=True),
    Moment("create | stop", rf"POST /containers/{_ANY}/update"),
    Moment("within stop, not stopped", rf"POST /containers/{_ANY}/stop"),
    Moment("within stop, stopped", rf"POST /containers/{_ANY}/stop", done=True),
    Moment("within stop, set aside", rf"POST /containers/{_ANY}/rename\?name=.*-old", done=True),
    Moment("stop | start", rf"POST /containers/{_ANY}/rename\?name=kill-[0-9a-f]{{8}}"),
    Moment("within start, named", rf"POST /containers/{_ANY}/start"),
    Moment("start | verify", rf"POST /containers/{_ANY}/start", done=True),
    Moment("verify | keep", r"POST /images/.*/tag\?.*"),
    Moment("within keep, not removed", rf"DELETE /containers/{_ANY}\?.*"),
    Moment("within keep, removed", rf"DELETE /containers/{_ANY}\?.*", done=True),
)
BACK = (
    Moment("back: new one to stop", rf"POST /containers/{_ANY}/rename\?name=.*-new"),
    Moment("back: new one away", rf"POST /containers/{_ANY}/rename\?name=.*-new", done=True),
    Moment("back: old one named", rf"POST /containers/{_ANY}/rename\?name=kill-[0-9a-f]{{8}}$"),
    Moment("back: new one to remove", rf"DELETE /containers/{_ANY}\?.*"),
    Moment("back: new one removed", rf"DELETE /containers/{_ANY}\?.*", done=True),
)
CASES = [
    pytest.param(way, moment, fault, id=f"{moment.name} - {fault}")
    for way, moments in (("forward", FORWARD), ("back", BACK))
    for moment in moments
    for fault in ("agent", "engine")
]


class World(KillWorld):
    """The same with images in the lab's registry."""

    def __init__(
        self, engine: PrivateEngine, proxy: HoldingProxy, agent: Agent, images: BuiltImages
    ) -> None:
        super().__init__(engine, proxy, agent)
        self.images = images

    async def sees(self, name: str) -> bool:
        """Return whether the agent knows a container."""
        return (await self.ask("GET", f"/containers/{name}")).get("name") == name


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder: Path = tmp_path_factory.mktemp("agent")
    async with (
        PrivateEngine(registries=True) as engine,
        BuiltImages() as images,
        holding_proxy(engine.socket) as proxy,
        Agent(folder, docker_url=proxy.url) as agent,
    ):
        world = World(engine, proxy, agent, images)
        world.token = await agent.create_token()
        await images.push("old", "1")
        await images.push("forward", "2")
        await images.push("back", "3", script="echo I cannot work; sleep 1; exit 3")
        await engine.copy_image(f"{images.name}:old")
        yield world


@pytest.fixture(scope="module")
def table() -> Iterator[list[str]]:
    rows: list[str] = []
    yield rows
    print("\n| hit | by | runs afterwards | what the job says |\n| --- | --- | --- | --- |")  # noqa: T201
    print("\n".join(rows))  # noqa: T201


@pytest.mark.parametrize(("way", "moment", "fault"), CASES)
async def test_a_working_container_is_there_whenever_an_update_is_hit(
    world: World, table: list[str], way: str, moment: Moment, fault: Fault
) -> None:
    name = f"kill-{secrets.token_hex(4)}"
    async with Docker(world.engine.socket) as docker:
        await docker.create(
            name,
            image=f"{world.images.name}:old",
            command=(),
            labels={"homelab.update.stable_s": STABLE_S[way]},
            RestartPolicy={"Name": "unless-stopped"},
        )
        await wait_until(lambda: world.sees(name), what="the agent to see it")
        world.proxy.hold(moment.call, done_first=moment.done)
        begun = await world.ask(
            "POST", f"/containers/{name}/update", {"image": f"{world.images.name}:{way}"}
        )
        await wait_until(_reached(world.proxy), what=moment.name)
        await world.hit(fault)
        job_id = begun["job"]["id"]
        job = await wait_until(lambda: world.ended(job_id), what="the job's end", within_s=120)

        async def runs() -> dict[str, Any] | None:
            found = await docker.inspect(name)
            return found if found["State"]["Running"] else None

        # After its own restart the engine takes a moment to start what it has to.
        found = await wait_until(runs, what="a running container")
        left = [
            each["Names"][0].removeprefix("/")
            for each in await docker.call("GET", "/containers/json", params={"all": "true"})
            if name in each["Names"][0]
        ]
        version = found["Config"]["Labels"]["org.opencontainers.image.version"]
        said = job["error"]["message"] if job["error"] else job["message"]
        table.append(
            f"| {moment.name} | {fault} | version {version}, {found['State']['Status']} "
            f"| {job['outcome']}: {said.replace(name, 'web')} |"
        )
        for each in left:
            await docker.remove(each)

    assert left == [name]
    assert found["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    expected = {"1": "undone", "2": "done"}
    assert job["outcome"] == expected[version], job
    if way == "back":
        assert version == "1"


def _reached(proxy: HoldingProxy) -> Any:
    async def reached() -> bool:
        return proxy.reached.is_set()

    return reached
