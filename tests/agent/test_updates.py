"""Newer images, asked of a real agent with its invented homelab."""

from contextlib import suppress

import pytest
from aiohttp import ClientSession

from custom_components.homelab.client import AgentClient
from custom_components.homelab.client.errors import NotFound
from tests.harness.agent import Agent
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_every_container_says_whether_there_is_something_newer(client: AgentClient) -> None:
    expected = {
        "paperless": "available",
        "edge:caddy:1": "current",
        "minecraft": "local",
        "iot:mosquitto:1": "pinned",
        "edge:wireguard:1": "unknown",
    }

    async def said() -> dict[str, str]:
        updates = (await client.updates()).updates
        states = {update.key: str(update.state) for update in updates}
        return {key: states[key] for key in expected if key in states}

    async def looked() -> bool:  # each registry is asked at its own pace
        return await said() == expected

    with suppress(TimeoutError):
        await wait_until(looked, what="the first look")
    assert await said() == expected


async def test_asking_twice_bothers_no_registry(client: AgentClient) -> None:
    await client.check_update("paperless")
    again = await client.check_update("paperless")
    assert again.outcome == "not_needed"
    assert "2.19.5" in again.message


async def test_nobody_looks_for_a_container_that_is_not_there(client: AgentClient) -> None:
    with pytest.raises(NotFound):
        await client.check_update("nobody")


async def test_who_may_only_read_makes_no_registry_be_asked(
    agent: Agent, session: ClientSession
) -> None:
    token = await agent.create_token("reader", scope="read")
    for path in ("/updates/check", "/containers/paperless/check-update"):
        async with session.post(
            f"{agent.url}/api/v1{path}", headers={"Authorization": f"Bearer {token}"}, json={}
        ) as answer:
            assert answer.status == 403
    async with session.get(
        f"{agent.url}/api/v1/containers/paperless/update",
        headers={"Authorization": f"Bearer {token}"},
    ) as answer:
        assert (await answer.json())["latest_version"] == "2.19.5"
