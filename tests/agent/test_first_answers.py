"""What an agent answers just after its start: nothing of before may look as if it were gone."""

import asyncio
from pathlib import Path

from tests.fakes.docker_engine import fake_docker
from tests.harness.agent import Agent

SLOW_S = 1.5
"""Docker takes so long to answer; the agent waits for ten seconds."""


async def test_nobody_is_let_in_before_docker_has_told_which_containers_there_are(
    tmp_path: Path,
) -> None:
    async with fake_docker() as docker:
        docker.add("web")
        agent = Agent(tmp_path, docker_url=docker.url)
        async with docker.held("GET containers/json") as held:
            starting = asyncio.create_task(agent.start())
            await held.reached.wait()
            await asyncio.wait((starting,), timeout=SLOW_S)
            told_early = starting.done()
        await starting
        try:
            token = await agent.create_token("test", "read")
            status, answer = await agent.ask("GET", "/containers", token=token)
            seen, network = await agent.ask("GET", "/network/interfaces", token=token)
        finally:
            await agent.stop()
    assert not told_early, "it answers, and knows of no container yet"
    assert status == 200, answer
    assert [each["key"] for each in answer["containers"]] == ["web"]
    assert seen == 200, network
    assert "lo" in {each["key"] for each in network["interfaces"]}
