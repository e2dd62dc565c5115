"""What an image may be exchanged for, and by whom, asked of a real agent."""

import pytest
from aiohttp import ClientSession

from tests.harness.agent import Agent

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_who_may_operate_cannot_run_any_image_with_the_mounts_of_another(
    agent: Agent, session: ClientSession
) -> None:
    tokens = {
        scope: await agent.create_token(f"one-to-{scope}", scope=scope)
        for scope in ("operate", "admin")
    }

    async def ask(scope: str, image: str) -> int:
        async with session.post(
            f"{agent.url}/api/v1/containers/paperless/update",
            headers={"Authorization": f"Bearer {tokens[scope]}"},
            json={"image": image, "wait_s": 0},
        ) as answer:
            return answer.status

    for image in ("stranger/image:1", "docker.io/paperless-ngx/paperless-ngx:2"):
        assert await ask("operate", image) == 403
    assert await ask("admin", "stranger/image:1") in {200, 202}


async def test_who_may_operate_updates_to_another_tag_of_the_same_image(
    agent: Agent, session: ClientSession
) -> None:
    token = await agent.create_token("operator")
    async with session.post(
        f"{agent.url}/api/v1/containers/cloud-redis-1/update",
        headers={"Authorization": f"Bearer {token}"},
        json={"image": "redis:9-alpine", "wait_s": 0},
    ) as answer:
        assert answer.status in {200, 202}, await answer.text()
