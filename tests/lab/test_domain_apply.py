"""A domain's records at real name servers: made, waited for, and finished by an agent that died."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.harness.agent import Agent
from tests.harness.knot import Knot
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.timeout(300)

ZONE = "lab.example"
NAME = f"wiki.{ZONE}"
PATH = f"/domains/{NAME}"
DONE_WITHIN_S = 90


@dataclass
class Lab:
    """An agent that manages the zone of two name servers."""

    agent: Agent
    knot: Knot
    token: str

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        status, answer = await self.agent.ask(method, path, body, token=self.token)
        assert status in {200, 202}, answer
        return answer

    async def applied(self, **more: object) -> Any:
        """Want an address, and have it made."""
        records = [{"type": "A", "values": ["192.0.2.7"], "ttl_s": 60}]
        wish = {"name": NAME, "records": records, "service_type": "other"}
        await self.ask("POST", "/domains", wish)
        plan = await self.ask("POST", f"{PATH}/plan", {})
        body = {"plan_hash": plan["hash"], "wait_s": DONE_WITHIN_S, **more}
        return await self.ask("POST", f"{PATH}/apply", body)


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with Knot({ZONE: "www A 192.0.2.1"}) as knot:
        settings = {"HOMELAB_DNS_RESOLVERS": knot.primary.address}
        async with Agent(tmp_path, settings=settings) as agent:
            lab = Lab(agent, knot, await agent.create_token(scope="admin"))
            provider = {
                "name": "Knot",
                "settings": {
                    "type": "rfc2136",
                    "server": knot.primary.server,
                    "key_name": knot.key_name,
                    "key_secret": knot.key_secret,
                    "zones": [ZONE],
                },
            }
            await lab.ask("POST", "/dns/providers", provider)
            yield lab


async def test_what_is_applied_is_served_everywhere_and_removed_without_a_trace(lab: Lab) -> None:
    before = await lab.knot.zone_text(ZONE)
    assert (await lab.applied())["outcome"] == "done"
    for server in (lab.knot.primary, lab.knot.second):
        assert await server.ask(NAME, "A") == ("192.0.2.7",)
    assert (await lab.ask("POST", f"{PATH}/check"))["status"] == "healthy"
    removal = await lab.ask("POST", f"{PATH}/plan", {"remove": True})
    wait = f"wait_s={DONE_WITHIN_S}"
    done = await lab.ask("DELETE", f"{PATH}?plan_hash={removal['hash']}&{wait}")
    assert done["outcome"] == "done"
    assert await lab.knot.zone_text(ZONE) == before


async def test_a_killed_agent_goes_on_waiting_for_the_name_servers(lab: Lab) -> None:
    lab.knot.transfers.hold()
    job = (await lab.applied(wait_s=0))["job"]

    async def is_written() -> bool:
        return "192.0.2.7" in await lab.knot.zone_text(ZONE)

    async def is_changing() -> bool:
        return bool((await lab.ask("GET", PATH))["status"] == "changing")

    await wait_until(is_written, what="the primary to have it")
    await wait_until(is_changing, what="the domain to show that a job is at it")
    await lab.agent.kill()
    await lab.agent.start()
    lab.knot.transfers.release()

    async def is_done() -> bool:
        return bool((await lab.ask("GET", f"/jobs/{job['id']}"))["outcome"] == "done")

    await wait_until(is_done, what="the job to end", within_s=DONE_WITHIN_S)
    assert (await lab.ask("GET", PATH))["job_id"] is None
    assert await lab.knot.second.ask(NAME, "A") == ("192.0.2.7",)
    events = (await lab.ask("GET", f"{PATH}/events"))["events"]
    assert [each["type"] for each in events if each["type"] != "recovered"] == [
        "dns_applied",
        "created",
    ]
    assert events[0]["caller"] == "test"
