"""The agent and a real Caddy, each in a process of its own: restarted, killed, managed."""

import asyncio
import io
import json
import os
import tarfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from tests.fakes.holding_proxy import HoldingProxy, holding_proxy
from tests.harness.agent import Agent
from tests.harness.caddy import NEIGHBOUR, NEIGHBOUR_SAYS, Caddy, program_files
from tests.harness.ports import free_port
from tests.harness.private_engine import PrivateEngine
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.timeout(300)

HOST = "photos.example.org"
PATH = f"/proxy/routes/{HOST}"
PASSWORD = "correct-horse-battery"
SETTINGS = {"HOMELAB_PROXY_INTERVAL_S": "2", "HOMELAB_PORT_INTERVAL_S": "2"}
ROUTE = {"upstreams": ["127.0.0.1:9"], "certificate": "managed"}
OTHER = {
    "upstreams": ["127.0.0.1:10"],
    "certificate": "managed",
    "options": {"https_redirect": False},
    "basic_auth": [{"username": "anna", "password": PASSWORD}],
}


class Teller:
    """Tells the agent what to do."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.token = ""

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        return await self.agent.ask(method, path, body, token=self.token)

    async def done(self, method: str, path: str, body: object = None) -> Any:
        status, answer = await self.ask(method, path, body)
        assert status == 200, answer
        return answer

    async def first_shown(self) -> set[tuple[str, str]]:
        """Return kind and key of all that somebody gets who begins to follow the agent."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with (
            ClientSession(headers=headers) as session,
            session.ws_connect(f"{self.agent.url}/api/v1/stream") as stream,
        ):
            await stream.receive_json()
            await stream.send_json({"type": "subscribe"})
            snapshot = await stream.receive_json()
            return {(each["kind"], each["key"]) for each in snapshot["resources"]}

    async def route_is(self, state: str) -> bool:
        status, route = await self.ask("GET", PATH)
        return bool(status == 200 and route["state"] == state)


@asynccontextmanager
async def told(folder: Path, **settings: str) -> AsyncIterator[Teller]:
    async with Agent(folder, settings={**SETTINGS, **settings}) as agent:
        teller = Teller(agent)
        teller.token = await agent.create_token("tests", "admin")
        yield teller


async def test_a_caddy_that_forgets_is_found_out_and_its_routes_are_put_back(
    tmp_path: Path,
) -> None:
    async with (
        Caddy(tmp_path / "caddy", caddyfile=True) as caddy,
        told(tmp_path / "agent") as teller,
    ):
        before = await caddy.config_text()
        await teller.done("PUT", "/proxy/setup", {"mode": "own", "admin": caddy.admin})
        status = (await teller.done("GET", "/proxy"))["status"]
        assert status["survives_restart"] is False
        assert "--resume" in status["warning"]
        await teller.done("PUT", PATH, OTHER)
        there = await caddy.config_text()
        # While the agent looks elsewhere: it would put back what is missing within two seconds.
        os.kill(teller.agent.pid, SIGSTOP)
        await caddy.restart()
        assert await caddy.config_text() == before
        os.kill(teller.agent.pid, SIGCONT)

        async def is_back() -> bool:
            return await caddy.config_text() == there

        await wait_until(is_back, what="the route to be back")
        assert (await caddy.get(NEIGHBOUR)).text == NEIGHBOUR_SAYS
        await teller.done("DELETE", PATH)
        assert await caddy.config_text() == before
        log = await asyncio.to_thread(teller.agent.log.read_text)
        assert "proxy_route_put_back" in log
        assert PASSWORD not in log
        assert "$argon2id$" not in log


async def test_what_caddy_forgot_is_only_shown_where_that_is_set(tmp_path: Path) -> None:
    async with (
        Caddy(tmp_path / "caddy") as caddy,
        told(tmp_path / "agent", HOMELAB_PROXY_PUT_BACK="false") as teller,
    ):
        before = await caddy.config_text()
        await teller.done("PUT", "/proxy/setup", {"mode": "own", "admin": caddy.admin})
        await teller.done("PUT", PATH, ROUTE)
        await caddy.restart()

        async def is_missing() -> bool:
            return await teller.route_is("missing")

        await wait_until(is_missing, what="the route to be missed")
        assert (await teller.done("GET", "/proxy"))["status"]["drifted_routes"] == 1
        assert await caddy.config_text() == before
        await teller.done("POST", f"{PATH}/apply", {})
        assert await teller.route_is("ok")


async def test_an_agent_that_has_just_started_shows_its_routes_though_caddy_hangs(
    tmp_path: Path,
) -> None:
    async with (
        Caddy(tmp_path / "caddy") as caddy,
        told(tmp_path / "agent") as teller,
    ):
        await teller.done("PUT", "/proxy/setup", {"mode": "own", "admin": caddy.admin})
        await teller.done("PUT", PATH, ROUTE)
        await teller.agent.kill()
        os.kill(caddy.pid, SIGSTOP)
        try:
            await teller.agent.start()
            shown = await teller.first_shown()
            routes = (await teller.done("GET", "/proxy/routes"))["routes"]
            report = await teller.done("GET", "/proxy")
        finally:
            os.kill(caddy.pid, SIGCONT)
        assert shown >= {("proxy_route", HOST), ("proxy", "caddy")}
        assert [(each["key"], each["state"]) for each in routes] == [(HOST, "unknown")]
        assert [each["key"] for each in report["routes"]] == [HOST]
        await wait_until(lambda: teller.route_is("ok"), what="the route to be seen in Caddy")


async def test_a_caddy_that_resumes_is_known_to_remember(tmp_path: Path) -> None:
    async with (
        Caddy(tmp_path / "caddy", resume=True) as caddy,
        told(tmp_path / "agent") as teller,
    ):
        await teller.done("PUT", "/proxy/setup", {"mode": "own", "admin": caddy.admin})
        status = (await teller.done("GET", "/proxy"))["status"]
        assert (status["survives_restart"], status["warning"]) == (True, None)
        assert (status["reach"], status["foreign_routes"]) == ("ok", 1)
        await teller.done("PUT", PATH, ROUTE)
        await caddy.stop()

        async def is_away() -> bool:
            status = (await teller.done("GET", "/proxy"))["status"]
            return bool(status["reach"] == "away")

        await wait_until(is_away, what="Caddy to be missed")
        await wait_until(lambda: teller.route_is("unknown"), what="the route to be unknown")
        status_code, problem = await teller.ask("PUT", PATH, OTHER)
        assert (status_code, problem["code"]) == (503, "unavailable")
        await caddy.start()

        async def is_ok() -> bool:
            return await teller.route_is("ok")

        await wait_until(is_ok, what="Caddy to be seen again")


async def test_a_setup_that_cannot_be_is_refused_and_a_caddy_that_is_gone_can_be_forgotten(
    tmp_path: Path,
) -> None:
    async with (
        Caddy(tmp_path / "caddy", admin="tcp") as caddy,
        told(tmp_path / "agent") as teller,
    ):

        async def refused(**body: object) -> tuple[int, str, str | None]:
            status, problem = await teller.ask("PUT", "/proxy/setup", body)
            return status, problem["code"], problem.get("field")

        nowhere = f"http://127.0.0.1:{free_port()}"
        assert await refused(mode="own") == (422, "invalid", "admin")
        assert await refused(mode="own", admin="ftp://x") == (422, "invalid", "admin")
        assert await refused(mode="own", admin="http://x:99999") == (422, "invalid", "admin")
        assert (await refused(mode="own", admin=nowhere))[:2] == (503, "unavailable")
        assert (await refused(mode="own", admin=f"unix/{tmp_path}/no"))[:2] == (503, "unavailable")
        assert (await teller.done("GET", "/proxy"))["status"]["mode"] == "none"
        status, problem = await teller.ask("PUT", PATH, ROUTE)
        assert (status, "No reverse proxy is set up" in problem["detail"]) == (409, True)

        admin, teller.token = teller.token, await teller.agent.create_token("operator", "operate")
        assert (await refused(mode="own", admin=caddy.admin))[:2] == (403, "denied")
        teller.token = admin
        await teller.done("PUT", "/proxy/setup", {"mode": "own", "admin": caddy.admin})
        await teller.done("PUT", PATH, ROUTE)
        assert (await refused(mode="none"))[:2] == (409, "conflict")
        await caddy.stop()
        await teller.done("PUT", "/proxy/setup", {"mode": "none"})
        assert (await teller.done("GET", "/proxy"))["routes"] == []


WAYS = {
    "new": (None, "PUT", ROUTE),
    "changed": (ROUTE, "PUT", OTHER),
    "removed": (OTHER, "DELETE", None),
}


@dataclass(frozen=True)
class KillWorld:
    """A Caddy that remembers, the agent that configures it, and what may stop what is said."""

    caddy: Caddy
    proxy: HoldingProxy
    teller: Teller


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[KillWorld]:
    """One for all kills: each of them leaves it as it was."""
    folder = tmp_path_factory.mktemp("kills")
    async with (
        Caddy(folder / "caddy", resume=True) as caddy,
        holding_proxy(str(caddy.admin_socket)) as proxy,
        told(folder / "agent") as teller,
    ):
        setup = {"mode": "own", "admin": f"unix/{proxy.socket}"}
        await teller.done("PUT", "/proxy/setup", setup)
        yield KillWorld(caddy, proxy, teller)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("killed", ["agent", "caddy"])
@pytest.mark.parametrize("done_first", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
async def test_a_route_is_wholly_there_or_as_before_whoever_is_killed(
    world: KillWorld,
    way: tuple[dict[str, Any] | None, str, dict[str, Any] | None],
    killed: str,
    *,
    done_first: bool,
) -> None:
    first, method, body = way
    caddy, proxy, teller = world.caddy, world.proxy, world.teller
    untouched = await caddy.config_text()
    if first:
        await teller.done("PUT", PATH, first)
    before = await caddy.config_text()

    proxy.hold(r"(PUT|PATCH|POST|DELETE) /config/.*", done_first=done_first)
    asking = asyncio.create_task(teller.ask(method, PATH, body))
    await asyncio.wait_for(proxy.reached.wait(), 60)
    if killed == "agent":
        await teller.agent.kill()
        proxy.release()
        await teller.agent.start()
    else:
        await caddy.kill()
        await caddy.start()
        proxy.release()
    await asyncio.gather(asking, return_exceptions=True)

    async def jobs_ended() -> bool:
        jobs = (await teller.done("GET", "/jobs"))["jobs"]
        return all(each["state"] == "finished" for each in jobs)

    await wait_until(jobs_ended, what="the job to end", within_s=60)
    job = (await teller.done("GET", "/jobs?limit=1"))["jobs"][0]
    after = await caddy.config_text()
    status, route = await teller.ask("GET", PATH)
    if job["outcome"] in {"done", "not_needed"}:
        assert (after == before) is False
        if body is None:
            assert (status, after) == (404, untouched)
        else:
            assert (status, route["upstreams"]) == (200, body["upstreams"])
    else:
        assert (job["outcome"], after) == ("undone", before)
    assert (await caddy.get(NEIGHBOUR)).text == NEIGHBOUR_SAYS
    if status == 200:
        await teller.done("DELETE", PATH)
    assert await caddy.config_text() == untouched


def caddy_image() -> bytes:
    """Return the file system of a small image with the lab's own Caddy."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", dereference=True) as tar:
        for file in program_files():
            tar.add(file, arcname=file.lstrip("/"))
        for folder in ("data", "config", "tmp", "run"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o777
            tar.addfile(entry)
    return packed.getvalue()


async def docker(engine: PrivateEngine, *arguments: str, given: bytes = b"") -> str:
    process = await asyncio.create_subprocess_exec(
        *("docker", "--host", engine.url, *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate(given)
    assert process.returncode == 0, arguments
    return printed.decode()


async def test_the_agent_runs_a_caddy_where_there_is_none_and_takes_it_away_again(
    tmp_path: Path,
) -> None:
    http_port, https_port = free_port(), free_port()
    setup = {
        "mode": "managed",
        "image": "homelab-test-caddy:2",
        "wait_s": 120,
        "http_port": http_port,
        "https_port": https_port,
    }
    async with PrivateEngine(registries=True) as engine:
        packed = await asyncio.to_thread(caddy_image)
        await docker(
            engine, "import", "--change", "ENV PATH=/usr/bin", "-", setup["image"], given=packed
        )
        async with told(tmp_path / "agent", HOMELAB_DOCKER_URL=engine.url) as teller:
            status, problem = await teller.ask(
                "PUT", "/proxy/setup", {**setup, "image": "127.0.0.1:5000/no-such-caddy:2"}
            )
            assert status >= 400, problem
            assert await docker(engine, "ps", "--all", "--quiet") == ""
            assert await docker(engine, "volume", "ls", "--quiet") == ""
            assert (await teller.done("GET", "/proxy"))["status"]["mode"] == "none"

            await teller.done("PUT", "/proxy/setup", setup)
            shown = (await teller.done("GET", "/proxy"))["status"]
            assert (shown["mode"], shown["reach"], shown["survives_restart"]) == (
                "managed",
                "ok",
                True,
            )
            assert shown["addresses"] == [f"127.0.0.1:{https_port}"]
            plan = await teller.done("POST", f"{PATH}/plan", {**ROUTE, "certificate": "none"})
            assert (plan["validated"], plan["warnings"]) == (True, [])
            until = str(int(time.time()) + 1)
            happened = await docker(engine, "events", "--since", "5m", "--until", until)
            assert "exec_create: caddy validate --config -" in happened
            await teller.done("PUT", PATH, {**ROUTE, "certificate": "none"})
            folder = tmp_path / "agent" / "proxy"
            assert (await asyncio.to_thread(folder.stat)).st_mode & 0o777 == 0o700

            await docker(engine, "rm", "--force", "homelab-proxy-caddy-1")

            async def is_away() -> bool:
                return await teller.route_is("unknown")

            await wait_until(is_away, what="Caddy to be missed")
            await teller.done("PUT", "/proxy/setup", setup)
            assert await teller.route_is("ok")
            status, problem = await teller.ask("PUT", "/proxy/setup", {"mode": "none"})
            assert (status, problem["code"]) == (409, "conflict")
            await teller.done("DELETE", PATH)
            await teller.done("PUT", "/proxy/setup", {"mode": "none", "wait_s": 120})
            assert await docker(engine, "ps", "--all", "--quiet") == ""
            volumes = await docker(engine, "volume", "ls", "--quiet")
            assert set(volumes.split()) == {"homelab-proxy_config", "homelab-proxy_data"}


async def test_an_agent_killed_while_it_begins_to_run_a_caddy_goes_on(tmp_path: Path) -> None:
    setup = {
        "mode": "managed",
        "image": "homelab-test-caddy:2",
        "wait_s": 0,
        "http_port": free_port(),
        "https_port": free_port(),
    }
    async with PrivateEngine(registries=True) as engine:
        packed = await asyncio.to_thread(caddy_image)
        await docker(
            engine, "import", "--change", "ENV PATH=/usr/bin", "-", setup["image"], given=packed
        )
        async with told(tmp_path / "agent", HOMELAB_DOCKER_URL=engine.url) as teller:
            _, answer = await teller.ask("PUT", "/proxy/setup", setup)
            path = f"/jobs/{answer['job']['id']}"

            async def has_begun() -> bool:
                first, deployment = (await teller.done("GET", path))["steps"][:2]
                # Whoever looks late finds it done.
                return first["state"] == "done" and deployment["state"] in {"doing", "done"}

            await wait_until(has_begun, what="the deployment to begin")
            await teller.agent.kill()
            await teller.agent.start()

            async def ended() -> Any:
                job = await teller.done("GET", path)
                return job if job["outcome"] else None

            job = await wait_until(ended, what="the job to end", within_s=90)
            assert job["outcome"] == "done", job
            status = (await teller.done("GET", "/proxy"))["status"]
            assert status["mode"] == "managed"
            assert len((await docker(engine, "ps", "--quiet")).split()) == 1


async def test_a_port_that_is_taken_is_told_before_anything_starts(tmp_path: Path) -> None:
    async with (
        Caddy(tmp_path / "caddy") as caddy,
        told(tmp_path / "agent") as teller,
    ):

        async def is_listed() -> bool:
            listed = json.dumps(await teller.done("GET", "/network/ports"))
            return f'"port": {caddy.https_port}' in listed

        await wait_until(is_listed, what="the port to be listed")
        setup = {"mode": "managed", "http_port": free_port(), "https_port": caddy.https_port}
        status, problem = await teller.ask("PUT", "/proxy/setup", setup)
        assert (status, problem["field"]) == (409, "https_port")
        assert "is taken by caddy" in problem["detail"]
