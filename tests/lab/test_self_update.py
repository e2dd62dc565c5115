"""The agent in its image updates itself, and comes back as it was when the new one is no good."""

import asyncio
import json
import os
import secrets
import shlex
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientError

from tests.fakes.holding_proxy import HoldingProxy, holding_proxy
from tests.harness.agent import ask_agent
from tests.harness.docker import SOCKET, Docker
from tests.harness.ports import free_port
from tests.harness.waiting import wait_until
from tests.lab.network import run

CHECKOUT = Path(__file__).parents[2]
REGISTRY = "127.0.0.1:5000"
SECOND_NS = 1_000_000_000
MADE = r"POST /containers/create\?name=.*-homelab-new"
SET_ASIDE = r"POST /containers/.*/rename\?name=.*-homelab-old"
NAMED = r"POST /containers/.*/rename\?name=self-update-[0-9]+"
TAKEN_BACK = r"POST /containers/.*/rename\?name=.*-homelab-new"

MIGRATE = """
import contextlib, pathlib, sqlite3
copy = pathlib.Path("/data/homelab.db.before-9999")
if not copy.exists():
    with contextlib.closing(sqlite3.connect("/data/homelab.db")) as store:
        with contextlib.closing(sqlite3.connect(copy)) as kept:
            store.backup(kept)
        store.execute("UPDATE alembic_version SET version_num = '9999'")
        store.commit()
"""
"""What a newer agent does first: a copy is kept, then no older one can read the store."""

pytestmark = [pytest.mark.timeout(900)]


class Packaged:
    """The agent in a container, which is made from `image`."""

    def __init__(self, docker: Docker, image: str, *, socket: str = SOCKET) -> None:
        self.docker = docker
        self.image = image
        self.socket = socket
        self.port = free_port()
        self.name = f"self-update-{self.port}"
        self.volume = f"{self.name}-data"
        self.token = ""

    async def start(self) -> str:
        """Start it and make a token of an admin; return the container's id."""
        identity = await self.docker.create(
            self.name,
            image=self.image,
            command=(),
            config={
                "Env": [f"HOMELAB_LISTEN=127.0.0.1:{self.port}", "HOMELAB_MDNS=false"],
                "Healthcheck": {"Interval": SECOND_NS, "StartPeriod": SECOND_NS},
            },
            NetworkMode="host",
            RestartPolicy={"Name": "always"},
            Binds=[f"{self.socket}:{SOCKET}", f"{self.volume}:/data"],
        )
        await wait_until(self.answers, what="the agent in the container", within_s=60)
        create = ("token", "create", "--name", "admin", "--scope", "admin")
        self.token = (await run("docker", "exec", self.name, "homelab-agent", *create)).strip()
        await wait_until(self.sees_itself, what="the agent to see itself")
        return identity

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Do one request; return status and answer."""
        url = f"http://127.0.0.1:{self.port}"
        return await ask_agent(url, method, path, body, token=self.token)

    async def answers(self) -> bool:
        """Return whether the API is there."""
        try:
            return (await self.ask("GET", "/health"))[0] == 200
        except ClientError:
            return False

    async def sees_itself(self) -> bool:
        """Return whether its own container is listed."""
        return (await self.ask("GET", f"/containers/{self.name}"))[0] == 200

    async def update(self, image: str) -> dict[str, Any]:
        """Update the agent; return the job at its end, in whichever life of the agent."""
        status, begun = await self.ask("POST", f"/containers/{self.name}/update", {"image": image})
        assert status in {200, 202}, begun
        job_id = begun["job"]["id"]

        async def ended() -> dict[str, Any] | None:
            try:
                status, job = await self.ask("GET", f"/jobs/{job_id}")
            except ClientError:
                return None
            return job if status == 200 and job["state"] == "finished" else None

        return await wait_until(ended, what="the job's end", within_s=400)

    async def left(self) -> list[str]:
        """Return the names of all containers that have to do with it."""
        listed = await self.docker.call("GET", "/containers/json", params={"all": "true"})
        names = [each["Names"][0].removeprefix("/") for each in listed]
        return [name for name in names if name.startswith(self.name)]

    async def remove(self) -> None:
        """Remove all that it left."""
        for name in await self.left():
            await self.docker.remove(name)
        await run("docker", "image", "rm", "--force", f"homelab-rollback/{self.name}:previous")
        await run("docker", "volume", "rm", "--force", self.volume)


async def build(image: str, dockerfile: str) -> None:
    """Build and push an image that is based on the agent's."""
    command = ("docker", "build", "--quiet", "--tag", image, "-")
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    await process.communicate(dockerfile.encode())
    assert process.returncode == 0
    await run("docker", "push", "--quiet", image)


async def kill_helper_after(agent: Packaged, proxy: HoldingProxy, moments: Sequence[str]) -> None:
    """Kill the helper each time when the engine did what it asked for, before it hears of it."""
    for moment in moments:
        proxy.hold(moment, done_first=True)

        async def reached() -> bool:
            return proxy.reached.is_set()

        await wait_until(reached, what=moment, within_s=120)
        helper = await agent.docker.inspect(f"{agent.name}-homelab-helper")
        os.kill(helper["State"]["Pid"], SIGKILL)
        proxy.release()


@pytest_asyncio.fixture
async def repository() -> AsyncIterator[str]:
    name = f"{REGISTRY}/agent-{secrets.token_hex(4)}"
    base = f"{name}:1"
    await run(
        "docker", "build", "--quiet", "--network", "host", "--tag", base, str(CHECKOUT / "addon")
    )
    await run("docker", "push", "--quiet", base)
    version = "LABEL org.opencontainers.image.version"
    await build(f"{name}:2", f"FROM {base}\n{version}=2\n")
    # It can run the helper, but not serve; before it fails it migrates the store.
    script = (
        'case "$*" in *replace-container*) exec docker-entrypoint.sh "$@";; esac; '
        f"python3 -c {shlex.quote(MIGRATE)}; exit 9"
    )
    broken = f"ENTRYPOINT {json.dumps(['sh', '-c', script, 'sh'])}"
    await build(
        f"{name}:3", f'FROM {base}\n{version}=3\n{broken}\nCMD ["homelab-agent", "serve"]\n'
    )
    yield name
    for tag in ("1", "2", "3"):
        await run("docker", "image", "rm", "--force", f"{name}:{tag}")


async def test_the_agent_updates_itself_and_comes_back_when_the_new_one_is_no_good(
    repository: str,
) -> None:
    async with Docker() as docker:
        agent = Packaged(docker, f"{repository}:1")
        try:
            first = await agent.start()
            job = await agent.update(f"{repository}:2")
            assert job["outcome"] == "done", job
            second = await docker.inspect(agent.name)
            assert second["Id"] != first
            assert second["Config"]["Image"] == f"{repository}:2"
            assert second["HostConfig"]["RestartPolicy"]["Name"] == "always"
            assert await agent.left() == [agent.name]

            job = await agent.update(f"{repository}:3")
            assert job["outcome"] == "undone", job
            assert "did not prove itself" in job["error"]["message"]
            third = await docker.inspect(agent.name)
            assert third["Id"] == second["Id"]
            assert third["State"]["Running"]
            assert third["HostConfig"]["RestartPolicy"]["Name"] == "always"
            assert await agent.left() == [agent.name]
            _, status = await agent.ask("GET", f"/containers/{agent.name}/recreate")
            assert status["last"]["outcome"] == "undone"
            # The store was migrated meanwhile, and is the old one again.
            assert "homelab.db.before-9999" in await run(
                "docker", "exec", agent.name, "ls", "/data"
            )
        finally:
            await agent.remove()


async def test_a_helper_that_is_killed_after_each_of_its_steps_leaves_an_agent_that_runs(
    repository: str,
) -> None:
    async with Docker() as docker, holding_proxy(SOCKET) as proxy:
        proxy.socket.chmod(0o666)  # the agent in the image is not root
        agent = Packaged(docker, f"{repository}:1", socket=str(proxy.socket))
        try:
            first = await agent.start()
            job, _ = await asyncio.gather(
                agent.update(f"{repository}:2"),
                kill_helper_after(agent, proxy, (MADE, SET_ASIDE, NAMED)),
            )
            assert job["outcome"] == "done", job
            second = await docker.inspect(agent.name)
            assert second["Id"] != first
            assert second["State"]["Running"]
            assert await agent.left() == [agent.name]

            job, _ = await asyncio.gather(
                agent.update(f"{repository}:3"),
                kill_helper_after(agent, proxy, (MADE, SET_ASIDE, NAMED, TAKEN_BACK)),
            )
            assert job["outcome"] == "undone", job
            third = await docker.inspect(agent.name)
            assert third["Id"] == second["Id"]
            assert third["State"]["Running"]
            assert await agent.left() == [agent.name]
        finally:
            await agent.remove()
