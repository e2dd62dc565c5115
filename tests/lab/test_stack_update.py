"""An update of a whole stack: all of its containers, or none of them."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.harness.agent import Agent
from tests.harness.built_images import BuiltImages
from tests.harness.docker import Docker
from tests.harness.waiting import wait_until
from tests.lab.network import run

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

SERVICES = ("db", "api", "web")
"""Each needs the one before."""


class World:
    """An agent, and images in the lab's registry."""

    def __init__(self, agent: Agent, token: str, images: BuiltImages) -> None:
        self.agent = agent
        self.images = images
        self._token = token

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        """Return the agent's answer."""
        return (await self.agent.ask(method, path, body, token=self._token))[1]

    async def deploy(self, name: str) -> None:
        """Deploy version 1 of three services."""
        lines = ["services:"]
        for before, service in zip((None, *SERVICES), SERVICES, strict=False):
            lines += [
                f"  {service}:",
                f"    image: {self.images.name}:{service}",
                "    network_mode: none",
                "    labels: {homelab.update.stable_s: '2'}",
                "    configs: [greeting, {source: greeting, target: /etc/app/greeting.conf}]",
                "    secrets: [word]",
                *((f"    depends_on: [{before}]",) if before else ()),
            ]
        lines += ["configs: {greeting: {content: good morning}}"]
        lines += ["secrets: {word: {environment: WORD}}"]
        environment = {"WORD": "open sesame"}
        body = {"compose": "\n".join(lines), "environment": environment, "wait_s": 90}
        answer = await self.ask("PUT", f"/stacks/{name}", body)
        assert answer.get("outcome") == "done", answer

    async def see_updates(self, name: str) -> None:
        """Look at the registry until a newer image is known for each service."""

        async def seen() -> bool:
            states = []
            for service in SERVICES:
                path = f"/containers/{name}:{service}:1"
                await self.ask("POST", f"{path}/check-update", {})
                states.append((await self.ask("GET", f"{path}/update")).get("state"))
            return states == ["available"] * 3

        await wait_until(seen, what="newer images to be known", within_s=60)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with BuiltImages() as images, Agent(tmp_path_factory.mktemp("agent")) as agent:
        yield World(agent, await agent.create_token(), images)


@pytest_asyncio.fixture(loop_scope="module")
async def name(world: World) -> AsyncIterator[str]:
    """A stack of version 1 of all services."""
    name = f"stu-{uuid4().hex[:8]}"
    for service in SERVICES:
        await world.images.push(service, "1")
    await world.deploy(name)
    yield name
    await run("docker", "compose", "--project-name", name, "down", "--timeout", "1")


async def versions(name: str) -> list[str]:
    """Return which version of each service runs."""
    async with Docker() as docker:
        found = [await docker.inspect(f"{name}-{service}-1") for service in SERVICES]
    assert all(each["State"]["Running"] for each in found)
    return [each["Config"]["Labels"]["org.opencontainers.image.version"] for each in found]


async def injected(name: str) -> list[str]:
    """Return what compose wrote into a container, as it is there now."""
    paths = ("/greeting", "/etc/app/greeting.conf", "/run/secrets/word")
    return [await run("docker", "exec", name, "cat", path) for path in paths]


async def test_all_services_of_a_stack_are_updated_in_one_job(world: World, name: str) -> None:
    for service in SERVICES:
        await world.images.push(service, "2")
    await world.see_updates(name)
    answer = await world.ask("POST", f"/stacks/{name}/update", {"wait_s": 120})
    assert answer.get("outcome") == "done", answer
    assert await versions(name) == ["2", "2", "2"]
    for service in SERVICES:
        found = await injected(f"{name}-{service}-1")
        assert found == ["good morning", "good morning", "open sesame"]
    again = await world.ask("POST", f"/stacks/{name}/update", {"wait_s": 120})
    assert again["outcome"] == "not_needed"


async def test_a_third_service_that_fails_takes_the_first_two_back_with_it(
    world: World, name: str
) -> None:
    await world.images.push("db", "3")
    await world.images.push("api", "3")
    await world.images.push("web", "3", script="echo I cannot work; exit 3")
    await world.see_updates(name)
    answer = await world.ask("POST", f"/stacks/{name}/update", {"wait_s": 120})
    job = await world.ask("GET", f"/jobs/{answer['job_id']}")
    assert job["outcome"] == "undone", job
    assert await versions(name) == ["1", "1", "1"]
