"""Stacks deployed and commanded by actions of a real Home Assistant, with the real compose."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.harness.agent import Agent
from tests.harness.home_assistant import HomeAssistant
from tests.harness.home_assistant_api import HomeAssistantRefused
from tests.harness.waiting import wait_until
from tests.lab.network import run
from tests.lab.world import SHOWN_WITHIN_S

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

SAYS_AND_SLEEPS = """["sh", "-c", "echo it said this; trap 'exit 0' TERM; sleep 3600 & wait $$!"]"""
COMPOSE = f"""
services:
  web:
    image: busybox
    network_mode: none
    command: {SAYS_AND_SLEEPS}
"""
UNKNOWN_KEY = COMPOSE.replace("image:", "imagee:")
MOUNT = COMPOSE + '    volumes: ["/etc:/outside:ro"]\n'


@dataclass
class Setup:
    """A real Home Assistant and its agent at the real Docker."""

    agent: Agent
    home: HomeAssistant
    entry_id: str

    async def act(self, action: str, **data: object) -> Any:
        """Call an action as the page does: its errors come as a person reads them."""
        async with self.home.api.socket() as socket:
            answer = await socket.command(
                "call_service",
                domain="homelab",
                service=action,
                service_data=data,
                return_response=True,
            )
        return answer["response"]

    async def deploy(self, name: str, compose: str, **more: object) -> Any:
        """Deploy a text with the images that are there."""
        return await self.act("deploy_stack", name=name, compose=compose, pull=False, **more)

    async def device(self, key: str) -> str:
        """Return the id of a device, once Home Assistant has it."""

        async def find() -> str | None:
            async with self.home.api.socket() as socket:
                for found in await socket.devices():
                    for domain, identifier in found["identifiers"]:
                        if domain == "homelab" and identifier.partition(":")[2] == key:
                            return str(found["id"])
            return None

        return await wait_until(find, what=f"the device of {key}", within_s=SHOWN_WITHIN_S)

    async def give_token(self, scope: str) -> None:
        """Reconfigure the integration with a token of another scope."""
        api = self.home.api
        flow = {"handler": "homelab", "entry_id": self.entry_id}
        step = await api.call("POST", "/api/config/config_entries/flow", flow)
        token = await self.agent.create_token(scope, scope)
        address = {"host": self.agent.host, "port": self.agent.port, "ssl": False}
        done = await api.next_step(step["flow_id"], {**address, "token": token})
        assert done["reason"] == "reconfigure_successful", done
        # It is being reloaded by now; this one waits its turn and tells when it is over.
        await api.call("POST", f"/api/config/config_entries/entry/{self.entry_id}/reload")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Setup]:
    folder = tmp_path_factory.mktemp("actions")
    async with Agent(folder / "agent") as agent, HomeAssistant(folder / "home") as home:
        token = await agent.create_token("home-assistant")
        entry_id = await home.api.add_homelab(agent.host, agent.port, token)
        yield Setup(agent, home, entry_id)


@pytest_asyncio.fixture(loop_scope="module")
async def name() -> AsyncIterator[str]:
    """The name of a stack of which nothing is left afterwards."""
    name = f"acts-{uuid4().hex[:8]}"
    yield name
    await run("docker", "compose", "--project-name", name, "down", "--volumes", "--timeout", "1")


async def containers(name: str, *more: str) -> list[str]:
    """Return what Docker has of a stack."""
    label = f"label=com.docker.compose.project={name}"
    return (await run("docker", "ps", "--quiet", "--filter", label, *more)).split()


async def test_a_stack_is_deployed_operated_and_taken_down(lab: Setup, name: str) -> None:
    planned = await lab.act("plan_stack", name=name, compose=COMPOSE)
    assert (planned["new"], planned["created"], planned["findings"]) == (True, ["web"], [])
    done = await lab.deploy(name, COMPOSE, plan_hash=planned["hash"])
    assert (done["name"], done["outcome"]) == (name, "done")
    assert len(await containers(name)) == 1

    stack = await lab.device(f"stack:{name}")
    web = await lab.device(f"{name}:web:1")
    (logs,) = (await lab.act("get_logs", device_id=web, search="said"))["containers"]
    assert [line["text"] for line in logs["lines"]] == ["it said this"]

    for command, running in (("stop", 0), ("start", 1), ("restart", 1)):
        told = await lab.act("stack_command", device_id=stack, command=command)
        assert [one["outcome"] for one in told["stacks"]] == ["done"]
        assert len(await containers(name)) == running
    (history,) = (await lab.act("stack_history", device_id=stack))["stacks"]
    assert [one["version"] for one in history["versions"]] == [1]

    all_of_it = {"device_id": stack, "command": "down", "forget": True}
    with pytest.raises(HomeAssistantRefused, match="write the name of the stack once more"):
        await lab.act("stack_command", **all_of_it)
    down = await lab.act("stack_command", **all_of_it, confirm=name)
    assert [one["outcome"] for one in down["stacks"]] == ["done"]
    assert await containers(name, "--all") == []


@pytest.mark.parametrize("action", ["plan_stack", "deploy_stack"])
async def test_a_key_that_compose_does_not_know_is_named(
    lab: Setup, name: str, action: str
) -> None:
    with pytest.raises(HomeAssistantRefused, match="imagee"):
        await lab.act(action, name=name, compose=UNKNOWN_KEY)
    assert await containers(name, "--all") == []


async def test_a_mount_outside_needs_an_admin_who_confirms_it(lab: Setup, name: str) -> None:
    for more in ({}, {"confirm_findings": True}):
        with pytest.raises(HomeAssistantRefused, match=r"services\.web\.volumes"):
            await lab.deploy(name, MOUNT, **more)
    assert await containers(name, "--all") == []

    await lab.give_token("admin")
    with pytest.raises(HomeAssistantRefused, match=r"services\.web\.volumes.*confirm_findings"):
        await lab.deploy(name, MOUNT)
    done = await lab.deploy(name, MOUNT, confirm_findings=True)
    assert done["outcome"] == "done"
    (container,) = await containers(name)
    mounts = await run("docker", "inspect", "--format", "{{json .Mounts}}", container)
    assert '"Destination":"/outside"' in mounts
