"""Updates that nobody asks for: the agent, an engine and a registry, left alone."""

import secrets
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from tests.harness.agent import Agent
from tests.harness.built_images import BuiltImages
from tests.harness.docker import Docker
from tests.harness.private_engine import PrivateEngine
from tests.harness.waiting import wait_until
from tests.lab.network import run

pytestmark = pytest.mark.timeout(480)

WITHIN_S = 150
"""The agent looks twice a minute."""


class World:
    """An agent, and containers that update themselves.

    The engine is their own: every agent that sees such a container would update it.
    """

    def __init__(
        self,
        engine: PrivateEngine,
        agent: Agent,
        docker: Docker,
        images: BuiltImages,
        token: str,
    ) -> None:
        self.engine = engine
        self.agent = agent
        self.docker = docker
        self.images = images
        self._token = token
        self.prefix = f"auto-{secrets.token_hex(4)}"

    async def have(self, name: str) -> str:
        """Have a container that follows the tag of its own name."""
        now = datetime.now().astimezone()
        window = f"{now - timedelta(hours=1):%H:%M}-{now + timedelta(hours=2):%H:%M}"
        labels = {"homelab.update": "automatic", "homelab.update.window": window}
        image = await self.images.push(name, "1")
        await run("docker", "--host", self.engine.url, "pull", "--quiet", image)
        await self.docker.create(
            f"{self.prefix}-{name}",
            image=image,
            command=(),
            labels=labels | {"homelab.update.stable_s": "1"},
        )
        return f"{self.prefix}-{name}"

    async def publish(self, name: str, version: str, script: str | None = None) -> None:
        """Have a newer image, and let the agent look for it once."""
        tag = name.removeprefix(f"{self.prefix}-")
        more = {"script": script} if script else {}
        await self.images.push(tag, version, **more)

        async def knows() -> bool:
            await self.ask("POST", f"/containers/{name}/check-update", {})
            return (await self.update(name)).get("latest_version") == version

        await wait_until(knows, what=f"version {version} of {name} to be known", within_s=WITHIN_S)

    async def runs(self, name: str, version: str) -> None:
        """Wait until a version runs, and nothing else is there."""

        async def does() -> bool:
            listed = await self.docker.call("GET", "/containers/json", params={"all": "true"})
            ours = [each for each in listed if name in each["Names"][0]]
            label = "org.opencontainers.image.version"
            found = [(each["Names"], each["Labels"][label], each["State"]) for each in ours]
            return found == [([f"/{name}"], version, "running")]

        await wait_until(does, what=f"version {version} of {name}", within_s=WITHIN_S)

    async def update(self, name: str) -> dict[str, Any]:
        """Return what everyone may know of a container's update."""
        known: dict[str, Any] = await self.ask("GET", f"/containers/{name}/update")
        return known

    async def jobs(self, name: str) -> list[str]:
        """Wait until no update of a container runs, and return how they went."""

        async def ended() -> list[str] | None:
            jobs = (await self.ask("GET", "/jobs"))["jobs"]
            outcomes = [job["outcome"] for job in jobs if job["target"] == name]
            return None if None in outcomes else sorted(outcomes)

        return await wait_until(ended, what=f"the end of {name}'s updates", within_s=WITHIN_S)

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        """Return the agent's answer."""
        return (await self.agent.ask(method, path, body, token=self._token))[1]


@pytest_asyncio.fixture
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with (
        PrivateEngine(registries=True) as engine,
        BuiltImages() as images,
        Agent(tmp_path_factory.mktemp("agent"), docker_url=engine.url) as agent,
        Docker(engine.socket) as docker,
    ):
        yield World(engine, agent, docker, images, await agent.create_token())


async def test_a_good_image_is_taken_by_itself_and_a_broken_one_is_tried_once(
    world: World,
) -> None:
    name, later = await world.have("first"), await world.have("second")
    await world.publish(name, "2")
    await world.runs(name, "2")
    assert await world.jobs(name) == ["done"]

    await world.publish(name, "3", script="echo no database; exit 7")

    async def told() -> str | None:
        reason: str | None = (await world.update(name)).get("reason")
        return reason if reason and "was not kept" in reason else None

    reason = await wait_until(told, what="why it was not kept", within_s=WITHIN_S)
    assert "exit code 7" in reason
    assert "not tried again" in reason
    await world.runs(name, "2")
    assert await world.jobs(name) == ["done", "undone"]
    assert (await world.update(name))["state"] == "available"

    # In each round the first one comes before the second one, which is tried in a later round.
    await world.publish(later, "2")
    await world.runs(later, "2")
    assert await world.jobs(name) == ["done", "undone"]
