"""Stacks of the invented homelab, through a real agent."""

from typing import Any

import pytest
from aiohttp import ClientSession

from tests.harness.agent import Agent

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def ask(
    session: ClientSession, agent: Agent, token: str, method: str, path: str, body: object = None
) -> tuple[int, Any]:
    """Return status and answer."""
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{agent.url}/api/v1/stacks{path}"
    async with session.request(method, url, json=body, headers=headers) as answer:
        return answer.status, await answer.json()


async def test_the_demo_shows_stacks_that_run_and_some_that_do_not(
    session: ClientSession, agent: Agent, token: str
) -> None:
    _, answer = await ask(session, agent, token, "GET", "")
    stacks = {each["name"]: each for each in answer["stacks"]}
    assert stacks["media"]["state"] == "running"
    assert stacks["monitoring"]["problem"] == "loki exited with code 137"
    assert "homelab.protect" in stacks["edge"]["protected_reason"]
    nextcloud = next(each for each in stacks["cloud"]["services"] if each["name"] == "nextcloud")
    assert nextcloud["depends_on"] == ["db", "redis"]


async def test_a_stack_of_the_demo_is_restarted_in_the_order_its_services_need(
    session: ClientSession, agent: Agent, token: str
) -> None:
    _, answer = await ask(session, agent, token, "POST", "/media/restart", {"wait_s": 60})
    assert answer["outcome"] == "done", answer
    steps = [each["name"] for each in answer["job"]["steps"]]
    assert len(steps) == 8
    assert {each.split()[0] for each in steps[:4]} == {"stop"}


async def test_the_demo_does_not_pretend_to_deploy(
    session: ClientSession, agent: Agent, token: str
) -> None:
    body = {"compose": "services: {web: {image: nginx}}"}
    status, answer = await ask(session, agent, token, "POST", "/new/plan", body)
    assert (status, answer["code"]) == (409, "conflict")
    assert "demo" in answer["detail"]
