"""Cleaning up a real host through the real agent: who may, and what is left."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import ClientSession

from tests.harness.agent import Agent
from tests.harness.docker import Docker
from tests.harness.private_engine import PrivateEngine
from tests.harness.waiting import wait_until


class Person:
    """Someone with a token."""

    def __init__(self, agent: Agent, token: str) -> None:
        self._url = f"{agent.url}/api/v1"
        self._headers = {"Authorization": f"Bearer {token}"}

    async def ask(self, method: str, path: str, **body: object) -> tuple[int, dict[str, Any]]:
        async with (
            ClientSession(headers=self._headers) as session,
            session.request(method, f"{self._url}{path}", json=body or None) as answer,
        ):
            return answer.status, await answer.json()


@pytest.mark.timeout(240)
async def test_an_admin_cleans_up_what_was_shown_and_nobody_else_can(tmp_path: Path) -> None:
    async with PrivateEngine() as engine, Docker(engine.socket) as docker:
        await engine.copy_image("busybox")
        await docker.create("web")
        made = await docker.call("POST", "/commit", params={"container": "web"}, json={})
        for repo in ("shop/old", "shop/older"):
            params = {"repo": repo, "tag": "1"}
            await docker.call("POST", f"/images/{made['Id']}/tag", params=params)
        await docker.call(
            "POST", "/commit", params={"container": "web"}, json={"Labels": {"n": "2"}}
        )
        async with Agent(tmp_path, docker_url=engine.url) as agent:
            admin = Person(agent, await agent.create_token("admin", scope="admin"))
            operator = Person(agent, await agent.create_token("operator", scope="operate"))

            async def sees_web() -> bool:
                return (await admin.ask("GET", "/containers/web"))[0] == 200

            await wait_until(sees_web, what="the container")
            await a_name_of_an_image_is_removed(admin, operator)
            status, shown = await operator.ask("GET", "/prune?kinds=images,unused_images")
            assert status == 200
            assert sorted(item["kind"] for item in shown["items"]) == ["images", "unused_images"]
            wanted = {"kinds": ["images", "unused_images"], "hash": shown["hash"]}
            assert (await operator.ask("POST", "/prune", **wanted))[0] == 403
            status, done = await admin.ask("POST", "/prune", **wanted)
            assert (status, done["outcome"]) == (200, "done"), done
            assert done["message"].startswith("Removed 2 of 2 (2 images)")
            status, refused = await admin.ask("POST", "/prune", **wanted)
            assert (status, refused["field"]) == (409, "hash")
            tags = [row["RepoTags"] for row in await docker.call("GET", "/images/json")]
            assert tags == [["busybox:latest"]]
            _, activity = await admin.ask("GET", "/activity")
            told = [(entry["action"], entry["outcome"]) for entry in activity["entries"]]
            assert ("prune.run", "done") in told
            assert ("prune.run", "refused") in told
            assert ("images.remove", "done") in told


async def a_name_of_an_image_is_removed(admin: Person, operator: Person) -> None:
    path = f"/images/{quote('shop/older:1', safe='')}"
    assert (await operator.ask("DELETE", path))[0] == 403
    status, done = await admin.ask("DELETE", path)
    assert (status, done["outcome"]) == (200, "done"), done
    assert done["message"] == "The name shop/older:1 was removed; the image stays as shop/old:1."
    status, refused = await admin.ask("DELETE", f"/images/{quote('busybox:latest', safe='')}")
    assert status == 409
    assert "Used by web." in refused["detail"]
