"""The agent is killed (SIGKILL) while it changes a zone: the zone comes right, wherever it was."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.dns_providers.cloudflare import TOKEN, CloudflareServer
from tests.fakes.dns_providers.server import Applies, Fault
from tests.harness.agent import Agent
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.timeout(120)

ZONE = "example.org"
WANTED = [
    {"name": "nas.example.org", "type": "A", "values": ["192.0.2.20"]},
    {"name": "old.example.org", "type": "TXT", "values": []},
    {"name": "wiki.example.org", "type": "A", "values": ["192.0.2.30"], "ttl_s": 300},
]
BEFORE = ["nas.example.org A 192.0.2.10 300", "old.example.org TXT bye 300"]
AFTER = ["nas.example.org A 192.0.2.20 300", "wiki.example.org A 192.0.2.30 300"]
PLACES = {
    # The plan that is shown reads it, the one that is compared with it, and then the first step.
    "while it checks": Fault(hang=True, times=1, only="GET /zones/", after=2),
    "before the first change": Fault(hang=True, times=1, only="DELETE "),
    "after the first change": Fault(hang=True, times=1, only="DELETE ", applies=Applies.ALL),
    "before the second change": Fault(hang=True, times=1, only="PATCH "),
    "after the second change": Fault(hang=True, times=1, only="PATCH ", applies=Applies.ALL),
    "before the last change": Fault(hang=True, times=1, only="POST "),
    "after the last change": Fault(hang=True, times=1, only="POST ", applies=Applies.ALL),
}


class World:
    """A provider with one zone, and an agent that has it set up."""

    def __init__(self, agent: Agent, provider: CloudflareServer) -> None:
        self.agent = agent
        self.provider = provider
        self.token = ""

    async def set_up(self) -> None:
        """Have the provider known to the agent."""
        self.provider.zones.put("nas.example.org", "A", "192.0.2.10")
        self.provider.zones.put("old.example.org", "TXT", "bye")
        self.token = await self.agent.create_token(scope="admin")
        settings = {"type": "cloudflare", "api_token": TOKEN, "url": self.provider.url}
        body = {"name": "Cloud", "settings": settings}
        status, added = await self.agent.ask("POST", "/dns/providers", body, token=self.token)
        assert (status, added["state"]) == (200, "ok"), added

    async def begin(self) -> None:
        """Begin to apply the plan, and do not wait for it."""
        _, plan = await self.agent.ask("POST", "/dns/plan", {"wanted": WANTED}, token=self.token)
        assert len(plan["changes"]) == 3, plan
        body = {"wanted": WANTED, "plan_hash": plan["hash"], "wait_s": 0}
        status, _ = await self.agent.ask("POST", "/dns/apply", body, token=self.token)
        assert status == 202

    async def killed_at(self, fault: Fault) -> None:
        """Kill the agent as soon as it hangs in this fault."""

        async def there() -> bool:
            return fault.times == 0

        await wait_until(there, what="the agent to get there")
        await self.agent.kill()

    async def ended(self) -> dict[str, Any]:
        """Return the job when it has ended."""

        async def end() -> dict[str, Any] | None:
            _, page = await self.agent.ask("GET", "/jobs", token=self.token)
            job: dict[str, Any] = page["jobs"][0]
            return job if job["state"] == "finished" else None

        return await wait_until(end, what="the job to end", within_s=60)

    def lines(self) -> list[str]:
        """Return what the zone holds."""
        return sorted(
            f"{each.name} {each.type} {each.value} {each.ttl_s}"
            for each in self.provider.zones.records[ZONE]
        )


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    provider = CloudflareServer(ZONE)
    await provider.start()
    try:
        async with Agent(tmp_path / "agent", demo=False, docker_url="unix:///nowhere") as agent:
            world = World(agent, provider)
            await world.set_up()
            yield world
    finally:
        await provider.stop()


@pytest.mark.parametrize("place", PLACES)
async def test_a_plan_is_wholly_applied_wherever_the_agent_was_killed(
    world: World, place: str
) -> None:
    world.provider.fail(PLACES[place])
    (fault,) = world.provider.faults
    await world.begin()
    await world.killed_at(fault)

    await world.agent.start()
    job = await world.ended()
    assert (job["kind"], job["outcome"]) == ("dns.apply", "done"), job
    assert world.lines() == AFTER


async def test_a_way_back_that_was_cut_off_is_gone_to_its_end(world: World) -> None:
    # The last change is refused, and on the way back the agent is killed.
    world.provider.fail(Fault(status=400, body="{}", only="POST ", times=1))
    world.provider.fail(Fault(hang=True, times=1, only="PATCH ", after=1))
    _, cut_off = world.provider.faults
    await world.begin()
    await world.killed_at(cut_off)
    world.provider.faults = []

    await world.agent.start()
    job = await world.ended()
    assert job["outcome"] == "undone", job
    assert world.lines() == BEFORE
