"""Whose a port is, on a real engine: published with a proxy, in the host's network, made anew."""

import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.harness.agent import Agent
from tests.harness.docker import Docker
from tests.harness.ports import free_port
from tests.harness.waiting import wait_until

SERVE = ("httpd", "-f", "-p")

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]


class Machine:
    """The engine, and an agent that looks every two seconds."""

    def __init__(self, docker: Docker, agent: Agent, token: str) -> None:
        self.docker = docker
        self.prefix = f"homelab-net-{secrets.token_hex(4)}"
        self._agent = agent
        self._token = token

    async def publish(self, name: str, port: int) -> None:
        """Run a container that publishes a port on the loopback."""
        await self.docker.create(
            name,
            command=(*SERVE, "80"),
            config={"ExposedPorts": {"80/tcp": {}}},
            NetworkMode="bridge",
            PortBindings={"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]},
        )

    async def port(self, port: int) -> dict[str, Any] | None:
        answer = await self._agent.get("/api/v1/network/ports", self._token)
        return next((each for each in answer["ports"] if each["port"] == port), None)

    async def owned(self, port: int, container: str) -> dict[str, Any]:
        """Return a port, once it is known to be this container's."""

        async def found() -> dict[str, Any] | None:
            known = await self.port(port)
            return known if known and known["container"] == container else None

        return await wait_until(found, what=f"port {port} of {container}")

    async def gone(self, port: int) -> None:
        async def is_gone() -> bool:
            return await self.port(port) is None

        await wait_until(is_gone, what=f"the end of port {port}")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def machine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Machine]:
    folder: Path = tmp_path_factory.mktemp("network")
    settings = {"HOMELAB_PORT_INTERVAL_S": "2", "HOMELAB_PUBLIC_ADDRESS_INTERVAL_S": "0"}
    async with Docker() as docker, Agent(folder, settings=settings) as agent:
        yield Machine(docker, agent, await agent.create_token())


async def test_a_published_port_is_its_containers_and_stays_it_when_that_is_made_anew(
    machine: Machine,
) -> None:
    name, port = f"{machine.prefix}-web", free_port()
    await machine.publish(name, port)
    first = await machine.owned(port, name)
    assert (first["reach"], first["transport"]) == ("machine", "tcp")
    await machine.docker.remove(name)
    await machine.gone(port)
    await machine.publish(name, port)
    again = await machine.owned(port, name)
    # Not a new port, only a new container behind it.
    assert again["since"] == first["since"]


async def test_a_container_in_the_hosts_network_is_named_beside_its_process(
    machine: Machine,
) -> None:
    name, port = f"{machine.prefix}-host", free_port()
    await machine.docker.create(name, command=(*SERVE, str(port)), NetworkMode="host")
    found = await machine.owned(port, name)
    assert found["process"] == "httpd"
    pid = (await machine.docker.inspect(name))["State"]["Pid"]
    assert found["pid"] == pid
