"""A repair in a real Home Assistant: a right that a socket proxy keeps from a real agent."""

from pathlib import Path
from typing import Any

import pytest

from tests.fakes.socket_proxy import socket_proxy, without
from tests.harness.agent import Agent
from tests.harness.docker import SOCKET
from tests.harness.home_assistant import HomeAssistant
from tests.harness.waiting import wait_until
from tests.lab.world import SHOWN_WITHIN_S

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(300)]


async def test_a_right_that_was_granted_ends_the_repair_as_soon_as_a_person_says_so(
    tmp_path: Path,
) -> None:
    async with (
        socket_proxy(SOCKET, without("/images/json")) as proxy,
        Agent(tmp_path / "agent", docker_url=proxy.url) as agent,
        HomeAssistant(tmp_path / "home") as home,
    ):
        token = await agent.create_token("home-assistant")
        await home.api.add_homelab(agent.host, agent.port, token)

        async def issue() -> dict[str, Any] | None:
            async with home.api.socket() as socket:
                listed = (await socket.command("repairs/list_issues"))["issues"]
            found = (one for one in listed if one["translation_key"] == "docker_rights_missing")
            return next(found, None)

        shown = await wait_until(issue, what="the repair", within_s=SHOWN_WITHIN_S)
        assert "images_read" in shown["translation_placeholders"]["rights"]
        started = {"handler": "homelab", "issue_id": shown["issue_id"]}
        step = await home.api.call("POST", "/api/repairs/issues/fix", started)
        submit = f"/api/repairs/issues/fix/{step['flow_id']}"
        step = await home.api.call("POST", submit, {})
        assert step["errors"] == {"base": "still_there"}

        proxy.allows = lambda _method, _path: True
        step = await home.api.call("POST", submit, {})
        assert step["type"] == "create_entry"
        assert await issue() is None
