"""A deployment is hit between every two of its steps, and in the middle of its way back.

Whatever hits it, the old stack or the new one runs afterwards, and the job says which.
"""

import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientError

from tests.fakes.holding_proxy import HoldingProxy, holding_proxy
from tests.harness.agent import Agent
from tests.harness.docker import Docker
from tests.harness.private_engine import PrivateEngine
from tests.harness.waiting import wait_until
from tests.lab.kill_table import Fault, KillWorld
from tests.lab.network import run

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

SLEEPS = """["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 3600 & wait $$!; done"]"""
BREAKS = '["sh", "-c", "until [ -e /break ]; do sleep 0.1; done; echo I cannot work; exit 3"]'
NOT_YET_HEALTHY = 'healthcheck: {test: ["CMD", "false"], interval: 10m}'
"""Its deployment waits for it until it breaks."""

ENDED_S = 150


def compose(version: str, command: str = SLEEPS, more: str = "") -> str:
    """Return a stack of two services that tells which version it is."""
    return f"""
services:
  db:
    image: busybox
    restart: unless-stopped
    network_mode: none
    command: {SLEEPS}
    environment: {{V: "{version}"}}
  web:
    image: busybox
    restart: unless-stopped
    network_mode: none
    command: {command}
    environment: {{V: "{version}"}}
    depends_on: [db]
    {more}
"""


@dataclass(frozen=True)
class Moment:
    """One call to the engine, or None for the middle of the step; `done`: after it was done."""

    name: str
    call: str | None
    done: bool = False


FORWARD = (
    Moment("check", r"GET /networks.*|GET /images/.*/json"),
    Moment("write | up", r"GET /containers/json\?.*filters=.*"),
    Moment("within up, to create", r"POST /containers/create\?.*"),
    Moment("within up, created", r"POST /containers/create\?.*", done=True),
    Moment("within up, old one stopped", r"POST /containers/.*/stop.*", done=True),
    Moment("within up, old one removed", r"DELETE /containers/.*", done=True),
    Moment("within up, to start", r"POST /containers/.*/start"),
    Moment("within up, started", r"POST /containers/.*/start", done=True),
    Moment("verify", None),
)
BACK = (
    Moment("back: to create", r"POST /containers/create\?.*"),
    Moment("back: new one stopped", r"POST /containers/.*/stop.*", done=True),
    Moment("back: new one removed", r"DELETE /containers/.*", done=True),
    Moment("back: started", r"POST /containers/.*/start", done=True),
)
CASES = [
    pytest.param(way, moment, fault, id=f"{moment.name} - {fault}")
    for way, moments in (("forward", FORWARD), ("back", BACK))
    for moment in moments
    for fault in ("agent", "engine")
]


class World(KillWorld):
    """The same with stacks."""

    async def deploy(self, name: str, text: str) -> str:
        """Begin a deployment; return the job's id."""
        body = {"compose": text, "pull": False, "wait_s": 0}
        answer = await self.ask("PUT", f"/stacks/{name}", body)
        assert answer.get("job"), answer
        job_id: str = answer["job"]["id"]
        return job_id

    async def job(self, job_id: str) -> dict[str, Any]:
        """Return a job."""
        found: dict[str, Any] = await self.ask("GET", f"/jobs/{job_id}")
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder: Path = tmp_path_factory.mktemp("agent")
    async with (
        PrivateEngine(registries=True) as engine,
        holding_proxy(engine.socket) as proxy,
        Agent(folder, docker_url=proxy.url) as agent,
    ):
        world = World(engine, proxy, agent)
        world.token = await agent.create_token()
        await engine.copy_image("busybox:latest")
        yield world


@pytest.fixture(scope="module")
def table() -> Iterator[list[str]]:
    rows: list[str] = []
    yield rows
    print("\n| hit | by | runs afterwards | what the job says |\n| --- | --- | --- | --- |")  # noqa: T201
    print("\n".join(rows))  # noqa: T201


@pytest.mark.parametrize(("way", "moment", "fault"), CASES)
async def test_a_whole_stack_runs_whenever_its_deployment_is_hit(
    world: World, table: list[str], way: str, moment: Moment, fault: Fault
) -> None:
    name = f"kill-{secrets.token_hex(4)}"
    first = await world.deploy(name, compose("old"))
    made = await wait_until(lambda: world.ended(first), what="the first one", within_s=ENDED_S)
    assert made["outcome"] == "done", made

    hold = moment.call or "nothing"
    if way == "forward":
        world.proxy.hold(hold, done_first=moment.done)
        job_id = await world.deploy(name, compose("new"))
    else:
        job_id = await world.deploy(name, compose("new", BREAKS, NOT_YET_HEALTHY))
        await wait_until(lambda: _has_begun(world, job_id, "verify"), what="verify", within_s=60)
        world.proxy.hold(hold, done_first=moment.done)
        # Not waited for: it may end with the container.
        touch = ("exec", "--detach", f"{name}-web-1", "touch", "/break")
        await run("docker", "--host", world.engine.url, *touch)
    if moment.call:
        await wait_until(_reached(world.proxy), what=moment.name, within_s=60)
    else:
        await wait_until(lambda: _has_begun(world, job_id, "verify"), what="verify", within_s=60)
    await world.hit(fault)

    async def ended() -> dict[str, Any] | None:
        try:
            return await world.ended(job_id)
        except ClientError:
            return None

    job = await wait_until(ended, what="the job's end", within_s=ENDED_S)
    async with Docker(world.engine.socket) as docker:

        async def runs() -> list[str] | None:
            found = await _versions(docker, name)
            return found if len(found) == 2 else None

        try:
            versions = await wait_until(runs, what=f"both services to run, after {job}")
        finally:
            left = await docker.call("GET", "/containers/json", params={"all": "true"})
            own = [each["Id"] for each in left if name in each["Names"][0]]
            await docker.remove_all(*own)
    said = job["error"]["message"] if job["error"] else job["message"]
    table.append(
        f"| {moment.name} | {fault} | {versions[0]} | {job['outcome']}: "
        f"{said.replace(name, 'shop')[:160]} |"
    )
    assert len(own) == 2
    assert len(set(versions)) == 1
    assert job["outcome"] == {"new": "done", "old": "undone"}[versions[0]], job
    if way == "back":
        assert versions[0] == "old"
    file = (world.agent.data_dir / "stacks" / name / "compose.yaml").read_text()
    assert f'V: "{versions[0]}"' in file


async def _versions(docker: Docker, name: str) -> list[str]:
    found = []
    for each in await docker.call("GET", "/containers/json"):
        if name in each["Names"][0]:
            environment = (await docker.inspect(each["Id"]))["Config"]["Env"]
            found += [entry[2:] for entry in environment if entry.startswith("V=")]
    return found


async def _has_begun(world: World, job_id: str, step: str) -> bool:
    steps = (await world.job(job_id))["steps"]
    # Whoever looks late finds it done.
    return any(each["name"] == step and each["state"] in {"doing", "done"} for each in steps)


def _reached(proxy: HoldingProxy) -> Any:
    async def reached() -> bool:
        return proxy.reached.is_set()

    return reached
