"""The invented homelab updates containers too, and takes one update back."""

from typing import Any

import pytest
from aiohttp import ClientSession

from tests.harness.agent import Agent
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _updated(agent: Agent, token: str, name: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{agent.url}/api/v1/containers/{name}/update"
    async with ClientSession(headers=headers) as session, session.post(url, json={}) as answer:
        job_id = (await answer.json())["job"]["id"]

    async def ended() -> dict[str, Any] | None:
        job: dict[str, Any] = await agent.get(f"/api/v1/jobs/{job_id}", token)
        return job if job["state"] == "finished" else None

    await wait_until(ended, what="the update's end", within_s=120)
    status: dict[str, Any] = await agent.get(f"/api/v1/containers/{name}/recreate", token)
    return status


@pytest.mark.parametrize(
    ("name", "outcome"), [("paperless", "done"), ("cloud-nextcloud-1", "undone")]
)
async def test_the_demo_shows_an_update_that_works_and_one_that_is_taken_back(
    agent: Agent, token: str, name: str, outcome: str
) -> None:
    status = await _updated(agent, token, name)
    container = await agent.get(f"/api/v1/containers/{name}", token)
    listed = await agent.get("/api/v1/containers", token)
    assert status["last"]["outcome"] == outcome
    assert (container["name"], container["state"]) == (name, "running")
    assert bool(status["rollback_version"]) is (outcome == "done")
    assert not [each for each in listed["containers"] if "-homelab-" in each["name"]]
