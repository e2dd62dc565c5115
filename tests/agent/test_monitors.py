"""Monitors of a real agent: what its clients hear, also across kills, and what it never says."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from custom_components.homelab.client import (
    AgentClient,
    Endpoint,
)
from custom_components.homelab.client.models import MonitorEvent
from tests.agent.hearing import hearing
from tests.fakes.docker_engine import FakeDocker, fake_docker
from tests.harness.agent import Agent, AgentRefused
from tests.harness.waiting import wait_until

SECRET = "correct-horse-battery-staple"
STARS = "*" * 10


@dataclass
class Page:
    """A service that is well, or not."""

    status: int = 200
    url: str = ""
    asked_with: list[str | None] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked_with.append(request.headers.get("X-Key"))
        return web.Response(status=self.status, text="hello")


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    page, application = Page(), web.Application()
    application.router.add_get("/{path:.*}", page.answer)
    server = TestServer(application, host="127.0.0.1")
    await server.start_server()
    page.url = f"http://127.0.0.1:{server.port}/"
    yield page
    await server.close()


@pytest.fixture
async def docker() -> AsyncIterator[FakeDocker]:
    async with fake_docker() as docker:
        yield docker


@pytest.fixture
async def agent(tmp_path: Path, docker: FakeDocker) -> AsyncIterator[Agent]:
    async with Agent(tmp_path / "agent", docker_url=docker.url) as agent:
        yield agent


class Api:
    """The agent's API with one token."""

    def __init__(self, agent: Agent, token: str, session: ClientSession) -> None:
        self.agent = agent
        self.token = token
        self._session = session

    async def ask(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        """Return the JSON of an answer that has this status."""
        text = await self.text(method, path, body, status=status)
        return text.json

    async def text(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Answer:
        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"{self.agent.url}/api/v1{path}"
        async with self._session.request(method, url, json=body, headers=headers) as answer:
            said = await answer.text()
            assert answer.status == status, said
            is_json = "json" in answer.content_type
            return Answer(
                answer.headers["Content-Type"], said, await answer.json() if is_json else None
            )

    def client(self) -> AgentClient:
        endpoint = Endpoint(host=self.agent.host, port=self.agent.port)
        return AgentClient(self._session, endpoint, self.token)


@dataclass(frozen=True)
class Answer:
    content_type: str
    text: str
    json: Any


@pytest.fixture
async def api_of(agent: Agent) -> AsyncIterator[Callable[[str], Any]]:
    async with ClientSession() as session:

        async def make(scope: str) -> Api:
            return Api(agent, await agent.create_token(scope, scope), session)

        yield make


@pytest.fixture
async def api(api_of: Callable[[str], Any]) -> Api:
    made: Api = await api_of("operate")
    return made


def monitor(page: Page, **changes: Any) -> dict[str, Any]:
    check = {"type": "http", "url": page.url, "headers": {"X-Key": SECRET}}
    settings = {"name": "Web", "check": check, "interval_s": 3600, "confirm_down": 1, "retries": 0}
    return settings | changes


def kept_as_told(agent: Agent) -> bool:
    with closing(sqlite3.connect(agent.data_dir / "homelab.db")) as store:
        ((status,),) = store.execute("SELECT status FROM monitor").fetchall()
    return bool(json.loads(status)["told"])


async def check_now(api: Api) -> Any:
    return (await api.ask("POST", "/monitors/web/check", {}))["monitor"]


async def test_an_outage_is_told_once_also_by_an_agent_that_is_killed_meanwhile(
    api: Api, page: Page
) -> None:
    async with hearing(api.client(), MonitorEvent) as heard:
        await api.ask("POST", "/monitors", monitor(page))
        assert (await check_now(api))["state"] == "up"
        page.status = 500
        down = await check_now(api)
        assert down["state"] == "down"
        assert "500" in down["reason"]
        await heard.until(["down"])
        # Written with the next batch: what a crash loses is what was measured since.
        await wait_until(lambda: asyncio.to_thread(kept_as_told, api.agent), what="the batch")

        await api.agent.kill()
        await api.agent.start()
        again = await check_now(api)

        assert (again["state"], again["since"]) == ("down", down["since"])
        page.status = 200
        assert (await check_now(api))["state"] == "up"
        told = await heard.until(["down", "up"])
        since = datetime.fromisoformat(down["since"])
        assert told.duration_s is not None
        assert abs(told.duration_s - (told.at - since).total_seconds()) < 0.01


async def test_a_secret_is_sent_to_its_service_and_shown_to_nobody(api: Api, page: Page) -> None:
    added = await api.text("POST", "/monitors", monitor(page))
    await check_now(api)
    assert page.asked_with[-1] == SECRET
    settings = added.json["settings"]
    assert settings["check"]["headers"] == {"X-Key": STARS}

    # What was shown can be sent back: the secret stays.
    changed = await api.text("PUT", "/monitors/web", settings | {"name": "Site"})
    await check_now(api)
    assert page.asked_with[-1] == SECRET

    await api.agent.stop()
    await api.agent.start()
    await check_now(api)
    assert page.asked_with[-1] == SECRET
    refused = await api.text(
        "POST", "/monitors", settings | {"name": "Thief", "key": "thief"}, status=422
    )
    shown = [added, changed, refused] + [
        await api.text("GET", path)
        for path in ("/monitors", "/monitors/web", "/monitors/report", "/activity")
    ]
    assert all(SECRET not in each.text for each in shown)
    assert SECRET not in api.agent.log.read_text()


async def test_only_an_admin_may_have_guarded_addresses_checked(
    api: Api, page: Page, api_of: Callable[[str], Any]
) -> None:
    body = monitor(page, allow_guarded=True)
    refused = await api.ask("POST", "/monitors", body, status=403)
    assert refused["field"] == "allow_guarded"
    assert "admin" in refused["detail"]

    admin = await api_of("admin")
    await admin.ask("POST", "/monitors", body)
    # Else whoever may operate could point it elsewhere.
    await api.ask("PUT", "/monitors/web", body | {"name": "Elsewhere"}, status=403)
    await api.ask("PUT", "/monitors/web", body | {"allow_guarded": False})


async def test_the_report_is_json_markdown_and_csv_and_the_command_tells_by_its_exit_code(
    api: Api, page: Page
) -> None:
    name = "=HYPERLINK(1)|`x`"
    await api.ask("POST", "/monitors", monitor(page, name=name, key="web", tier="critical"))
    # Also when the agent looks at it by itself, its port is open.
    always_up = {"type": "tcp", "host": "127.0.0.1", "port": urlsplit(page.url).port}
    await api.ask("POST", "/monitors", monitor(page, name="Other", check=always_up))
    await check_now(api)

    markdown = await api.text("GET", "/monitors/report?format=markdown")
    assert markdown.content_type == "text/markdown; charset=utf-8"
    assert "=HYPERLINK(1)\\|\\`x\\`" in markdown.text
    table = await api.text("GET", "/monitors/report?format=csv&name=web")
    assert table.content_type == "text/csv; charset=utf-8"
    assert "critical,'=HYPERLINK(1)|`x`,web," in table.text
    assert "Other" not in table.text
    assert (await api.ask("GET", "/monitors/report"))["total"] == 2
    await api.ask("GET", "/monitors/report?name=nobody", status=404)

    assert "0 of 2 down" in await api.agent.command("check")
    page.status = 503
    await check_now(api)
    with pytest.raises(AgentRefused):
        await api.agent.command("check")
    assert "0 of 1 down" in await api.agent.command("check", "Other")
    tokens = await api.agent.command("token", "list")
    assert "check" not in tokens


async def test_a_label_makes_a_monitor_that_goes_with_its_container_and_comes_back_with_its_past(
    api: Api, page: Page, docker: FakeDocker
) -> None:
    labels = {
        "homelab.monitor.http": page.url,
        "homelab.monitor.name": "Labelled",
        "homelab.monitor.2.tcp": "nowhere",
    }
    container = docker.add("shop", labels=labels)
    docker.emit("start", container)

    async def both() -> bool:
        return len((await api.ask("GET", "/monitors"))["monitors"]) == 2

    await wait_until(both, what="the container's monitors")
    found = {each["key"]: each for each in (await api.ask("GET", "/monitors"))["monitors"]}
    wrong, right = found["label.shop.2.tcp"], found["label.shop.http"]
    assert (right["name"], right["source"], right["container"]) == ("Labelled", "label", "shop")
    assert wrong["state"] == "unknown"
    assert "write host:port" in wrong["reason"]
    await api.ask("POST", "/monitors/label.shop.http/check", {})
    refused = await api.ask("DELETE", "/monitors/label.shop.http", status=409)
    assert "label" in refused["detail"]
    await api.ask("POST", "/monitors/label.shop.http/pause")

    docker.remove(container)

    async def none() -> bool:
        return not (await api.ask("GET", "/monitors"))["monitors"]

    await wait_until(none, what="no monitors")
    container = docker.add("shop", labels={"homelab.monitor.http": page.url})
    docker.emit("start", container)

    async def back() -> bool:
        return len((await api.ask("GET", "/monitors"))["monitors"]) == 1

    await wait_until(back, what="the monitor again")
    since = (datetime.now(UTC) - timedelta(hours=1)).isoformat().replace("+", "%2B")
    checks = await api.ask("GET", f"/monitors/label.shop.http/checks?since={since}")
    assert len(checks["checks"]) >= 1


async def test_what_containers_publish_is_proposed_until_it_is_watched(
    api: Api, docker: FakeDocker
) -> None:
    port = {"HostIp": "", "HostPort": "18096"}
    container = docker.add("tv", ports={"8096/tcp": [port]})
    docker.emit("start", container)
    quiet = docker.add(
        "quiet",
        ports={"80/tcp": [port | {"HostPort": "18097"}]},
        labels={"homelab.monitor": "false"},
    )
    docker.emit("start", quiet)

    async def proposed() -> Any:
        return (await api.ask("GET", "/monitors/proposals"))["proposals"] or None

    (proposal,) = await wait_until(proposed, what="a proposal")
    assert proposal["settings"]["check"]["url"] == "http://127.0.0.1:18096/"
    await api.ask("POST", "/monitors", proposal["settings"])

    assert await proposed() is None


async def test_a_monitor_is_renamed_paused_and_forgotten(api: Api, page: Page) -> None:
    await api.ask("POST", "/monitors", monitor(page))
    await api.ask("POST", "/monitors", monitor(page, key="web"), status=409)
    assert (await api.ask("POST", "/monitors/web/pause"))["outcome"] == "done"
    assert (await api.ask("POST", "/monitors/web/pause"))["outcome"] == "not_needed"
    await api.ask("POST", "/monitors/web/check", {}, status=409)
    assert (await api.ask("POST", "/monitors/web/resume"))["outcome"] == "done"
    refused = await api.ask(
        "PUT",
        "/monitors/web",
        monitor(page, check={"type": "http", "url": "http://user:word@example.org/"}),
        status=422,
    )
    assert refused["field"].endswith("url")
    assert (await api.ask("DELETE", "/monitors/web"))["outcome"] == "done"
    await api.ask("GET", "/monitors/web", status=404)
