"""Docker, agent and Home Assistant, all real, as one thing to ask questions of."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.harness.agent import Agent
from tests.harness.docker import Docker
from tests.harness.home_assistant import HomeAssistant
from tests.harness.waiting import wait_until
from tests.lab.network import PrivateNetwork

AGENT_PORT = 8099
SHOWN_WITHIN_S = 60


class Shown:
    """What Home Assistant shows of one agent."""

    home: HomeAssistant
    instance_id: str

    async def entity(self, container: str, what: str) -> str:
        """Return the entity id of one fact of a container, once Home Assistant has it."""

        async def find() -> str | None:
            for entry in await self.registry():
                if entry["unique_id"] == f"{self.instance_id}:{container}:{what}":
                    found: str = entry["entity_id"]
                    return found
            return None

        return await wait_until(
            find, what=f"the entity {what} of {container}", within_s=SHOWN_WITHIN_S
        )

    async def host_entity(self, what: str) -> str:
        """Return the entity id of one fact of the host."""
        for entry in await self.registry():
            if entry["unique_id"] == f"{self.instance_id}:{what}":
                found: str = entry["entity_id"]
                return found
        raise LookupError(f"the host has no entity {what}")

    async def registry(self) -> list[dict[str, Any]]:
        """Return the entities of the integration."""
        async with self.home.api.socket() as socket:
            return [e for e in await socket.entities() if e["platform"] == "homelab"]

    async def device_id(self, container: str) -> str | None:
        """Return the id of a container's device, None where there is none."""
        return await self._device(f"{self.instance_id}:{container}")

    async def host_device_id(self) -> str | None:
        """Return the id of the host's device."""
        return await self._device(self.instance_id)

    async def _device(self, identifier: str) -> str | None:
        async with self.home.api.socket() as socket:
            for device in await socket.devices():
                if ["homelab", identifier] in device["identifiers"]:
                    found: str = device["id"]
                    return found
        return None

    async def shows(self, entity_id: str, state: str, *, within_s: float = SHOWN_WITHIN_S) -> None:
        """Wait until Home Assistant shows a state."""

        async def look() -> bool:
            return await self.home.api.state(entity_id) == state

        try:
            await wait_until(look, what=f"{entity_id} to be {state}", within_s=within_s)
        except TimeoutError as error:
            now = await self.home.api.state(entity_id)
            raise TimeoutError(f"{error}; it is {now}") from None


@dataclass
class World(Shown):
    """What the tests touch. `instance_id` is the agent's."""

    docker: Docker
    agent: Agent
    home: HomeAssistant
    network: PrivateNetwork
    instance_id: str


@dataclass
class ShownAgent(Shown):
    """An agent that is part of another world, and the Home Assistant that shows it."""

    agent: Agent
    home: HomeAssistant
    instance_id: str


@asynccontextmanager
async def open_world(folder: Path, docker_socket: str) -> AsyncIterator[World]:
    """Give an agent in a network of its own for the engine at `docker_socket`, and who shows it."""
    async with AsyncExitStack() as stack:
        docker = await stack.enter_async_context(Docker(docker_socket))
        network = await stack.enter_async_context(PrivateNetwork())
        agent = await stack.enter_async_context(
            Agent(
                folder / "agent",
                docker_url=f"unix://{docker_socket}",
                listen=f"{network.inner_address}:{AGENT_PORT}",
                prefix=network.prefix,
                settings={"HOMELAB_NAME": "Lab"},
            )
        )
        home = await stack.enter_async_context(HomeAssistant(folder / "home-assistant"))
        token = await agent.create_token("home-assistant")
        await home.api.add_homelab(agent.host, agent.port, token, ssl=False)
        health = await agent.get("/api/v1/health")
        yield World(docker, agent, home, network, health["instance_id"])
