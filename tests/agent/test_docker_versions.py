"""The agent before Docker engines of other ages: refused in words, or all of it works."""

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.fakes.docker_engine import FakeDocker, Fault, fake_docker
from tests.harness.agent import Agent
from tests.harness.waiting import wait_until

OBJECTS = {
    "GET images/json": [{"Id": "sha256:" + "1" * 64, "RepoTags": ["busybox:latest"], "Size": 9}],
    "GET volumes": {"Volumes": [{"Name": "data", "Driver": "local"}]},
    "GET networks": [{"Id": "n1", "Name": "bridge", "Driver": "bridge"}],
    "GET system/df": {"LayersSize": 9, "Images": [], "Containers": [], "Volumes": []},
}

STACK_TEXT = {"compose": "services: {web: {image: busybox}}"}
UNKNOWN_WITHOUT_DOCKER: tuple[tuple[str, str, object], ...] = (
    *(
        ("GET", path, None)
        for path in (
            "/containers",
            "/containers/web",
            "/containers/web/logs",
            "/containers/web/recreate",
            "/containers/web/stats",
            "/containers/web/update",
            "/disk-usage",
            "/images",
            "/logs/search?search=a",
            "/networks",
            "/prune",
            "/stacks",
            "/stacks/shop",
            "/stacks/shop/file",
            "/stacks/shop/history",
            "/stats",
            "/swarm",
            "/swarm/services",
            "/updates",
            "/volumes",
        )
    ),
    *(
        ("POST", path, {})
        for path in (
            "/containers/web/check-update",
            "/containers/web/stop",
            "/containers/web/update",
            "/disk-usage/measure",
            "/stacks/shop/down",
            "/stacks/shop/restart",
            "/stacks/shop/start",
            "/stacks/shop/stop",
            "/stacks/shop/update",
            "/swarm/services/web/force_update",
            "/updates/check",
        )
    ),
    ("POST", "/stacks/shop/plan", STACK_TEXT),
    ("POST", "/stacks/shop/restore", {"version": 1}),
    ("PUT", "/stacks/shop", STACK_TEXT),
    ("DELETE", "/images/web", None),
    ("DELETE", "/networks/web", None),
    ("DELETE", "/volumes/web?confirm=web", None),
)
"""What nobody can know, or begin, as long as Docker was never asked."""


async def ask(
    agent: Agent, token: str, method: str, path: str, body: object = None
) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{agent.url}/api/v1{path}"
    async with (
        ClientSession() as session,
        session.request(method, url, headers=headers, json=body) as answer,
    ):
        return answer.status, await answer.json()


def furnish(docker: FakeDocker) -> None:
    for key, answer in OBJECTS.items():
        docker.faults[key] = Fault(200, json.dumps(answer))


async def test_a_docker_that_is_too_old_is_refused_in_words_and_nothing_is_said_to_be_gone(
    tmp_path: Path,
) -> None:
    async with fake_docker(api="1.40") as docker, Agent(tmp_path, docker_url=docker.url) as agent:
        token = await agent.create_token(scope="admin")
        for method, path, body in UNKNOWN_WITHOUT_DOCKER:
            status, answer = await ask(agent, token, method, path, body)

            assert status == 503, (path, answer)
            assert "too old: it speaks API 1.40" in answer["detail"], path
            assert "20.10" in answer["hint"], path
        _, info = await ask(agent, token, "GET", "/info")
        assert "too old" in info["engine"]["reason"]
        assert info["engine"]["reason_code"] == "engine_too_old"


@pytest.mark.parametrize("api", ["1.41", "1.44", "1.51", "1.60"])
async def test_every_side_of_a_docker_that_is_old_or_new_enough_works(
    tmp_path: Path, api: str
) -> None:
    async with fake_docker(api=api) as docker:
        docker.add("web")
        furnish(docker)
        async with Agent(tmp_path, docker_url=docker.url) as agent:
            token = await agent.create_token(scope="admin")

            async def connected() -> bool:
                _, info = await ask(agent, token, "GET", "/info")
                return bool(info["engine"]["connection"] == "connected")

            await wait_until(connected, what="the engine")
            for method, path in (
                ("GET", "/containers/web"),
                ("GET", "/containers/web/logs"),
                ("GET", "/images"),
                ("GET", "/volumes"),
                ("GET", "/networks"),
                ("GET", "/prune?kinds=containers,unused_images,volumes,networks,build_cache"),
                ("POST", "/disk-usage/measure"),
                ("GET", "/disk-usage"),
                ("GET", "/swarm"),
                ("POST", "/containers/web/restart"),
            ):
                status, answer = await ask(agent, token, method, path)
                assert status == 200, (path, answer)
            _, info = await ask(agent, token, "GET", "/info")
            assert info["engine"]["missing_rights"] == []
            spoken = {query.split("/")[1] for query in docker.queries if query != "/version"}
            assert spoken == {f"v{min(api, '1.51')}"}
