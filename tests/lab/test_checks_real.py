"""Checks of a real agent against real servers: TigerVNC, Knot DNS, Caddy, Home Assistant, Docker.

Plex and Sunshine cannot be had here; tests/contract/test_check_conformance.py has servers that
speak as theirs are documented.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from tests.harness.agent import Agent
from tests.harness.docker import Docker
from tests.harness.home_assistant import HomeAssistant
from tests.harness.ports import free_port
from tests.harness.processes import LoggedProcess, clean_environment
from tests.harness.waiting import wait_until
from tests.lab.network import run

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(which("Xtigervnc") is None, reason="the lab has the servers"),
    pytest.mark.timeout(300),
]

TIMEOUT_S = 20
ZONE = """\
$ORIGIN lab.example.
$TTL 60
@   SOA ns admin 1 3600 600 86400 60
@   NS  ns
@   MX  10 mail
@   TXT "v=spf1 " "-all"
ns  A   192.0.2.53
nas A   192.0.2.7
nas A   192.0.2.8
nas AAAA 2001:db8::7
www CNAME nas
"""


@dataclass
class Monitors:
    """The monitors of a running agent."""

    agent: Agent
    session: ClientSession

    async def add(self, check: dict[str, Any], **settings: Any) -> str:
        """Add a monitor; return its key."""
        key = f"real-{secrets.token_hex(4)}"
        body = {"name": key, "key": key, "check": check, "timeout_s": TIMEOUT_S, "retries": 0}
        await self._post("/api/v1/monitors", body | settings)
        return key

    async def check(self, key: str) -> dict[str, Any]:
        """Check it now; return the result, with the monitor's warning."""
        description = await self._post(f"/api/v1/monitors/{key}/check", {"wait_s": 60})
        found: dict[str, Any] = description["result"]
        found["warning"] = description["monitor"]["warning"]
        found["details"] = {each["name"]: each["value"] for each in found["details"]}
        return found

    async def ask(self, check: dict[str, Any], **settings: Any) -> dict[str, Any]:
        """Add a monitor and check it."""
        return await self.check(await self.add(check, **settings))

    async def becomes(self, key: str, code: str | None) -> None:
        """Wait until a check ends so; one that the agent did by itself may have begun before."""

        async def is_so() -> bool:
            return bool((await self.check(key))["code"] == code)

        await wait_until(is_so, what=f"the check to say {code or 'that all is well'}")

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        async with self.session.post(f"{self.agent.url}{path}", json=body) as answer:
            assert answer.ok, await answer.text()
            return await answer.json()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def monitors(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Monitors]:
    async with Agent(tmp_path_factory.mktemp("agent") / "data") as agent:
        token = await agent.create_token(scope="admin")
        async with ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
            yield Monitors(agent, session)


@asynccontextmanager
async def program(folder: Path, port: int, *command: str) -> AsyncIterator[LoggedProcess]:
    """Run a server until it takes connections, and end it afterwards."""
    process = LoggedProcess(
        command, log=folder / "server.log", environment=clean_environment(HOME=str(folder))
    )

    async def listens() -> bool:
        process.require_running()
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return True
        return False

    await process.start()
    try:
        await wait_until(listens, what=f"{command[0]} to listen")
        yield process
    finally:
        await process.stop()


def vnc_command(port: int, security: str, *more: str) -> Sequence[str]:
    server = f"Xtigervnc :{1000 + port % 10000} -geometry 64x64 -localhost -rfbport {port}"
    return (*server.split(), "-SecurityTypes", security, *more)


async def test_a_real_vnc_server_without_a_password_is_up_and_warned_of(
    monitors: Monitors, tmp_path: Path
) -> None:
    port = free_port()
    async with program(tmp_path, port, *vnc_command(port, "None")) as server:
        key = await monitors.add({"type": "vnc", "host": "127.0.0.1", "port": port})
        found = await monitors.check(key)
        assert found["ok"], found
        assert found["details"] == {"protocol": "3.8", "security": "none"}
        assert "asks for no password" in found["warning"]
        await server.stop()
        await monitors.becomes(key, "refused")


async def test_a_real_vnc_server_that_locks_the_agent_out_is_up_and_warned_of(
    monitors: Monitors, tmp_path: Path
) -> None:
    port = free_port()
    (tmp_path / "password").write_bytes(bytes(8))  # nobody logs in
    more = ("-rfbauth", str(tmp_path / "password"))
    async with program(tmp_path, port, *vnc_command(port, "VncAuth", *more)):
        key = await monitors.add({"type": "vnc", "host": "127.0.0.1", "port": port})
        # TigerVNC counts to five; then every connection without a login locks out for longer.
        found = [await monitors.check(key) for _ in range(10)]
        assert all(each["ok"] for each in found), found
        assert found[0]["details"]["security"] == "VNC password"
        assert found[0]["warning"] is None
        assert "BlacklistThreshold" in found[-1]["warning"]


async def test_a_real_vnc_server_that_is_told_so_never_locks_the_agent_out(
    monitors: Monitors, tmp_path: Path
) -> None:
    port = free_port()
    (tmp_path / "password").write_bytes(bytes(8))
    more = ("-rfbauth", str(tmp_path / "password"), "-BlacklistThreshold", "1000000")
    async with program(tmp_path, port, *vnc_command(port, "VncAuth", *more)):
        key = await monitors.add({"type": "vnc", "host": "127.0.0.1", "port": port})
        found = [await monitors.check(key) for _ in range(10)]
        assert all(each["ok"] and each["warning"] is None for each in found), found


async def test_a_real_name_server_is_asked_for_every_kind_of_record(
    monitors: Monitors, tmp_path: Path
) -> None:
    port = free_port()
    (tmp_path / "lab.example.zone").write_text(ZONE)
    (tmp_path / "knot.conf").write_text(
        f"server:\n  listen: 127.0.0.1@{port}\n  rundir: {tmp_path}\n"
        f"database:\n  storage: {tmp_path}\n"
        f"template:\n  - id: default\n    storage: {tmp_path}\n"
        "zone:\n  - domain: lab.example\n"
    )
    server = f"127.0.0.1:{port}"
    right = {
        "A": ("nas", ["192.0.2.8", "192.0.2.7"]),
        "AAAA": ("nas", ["2001:DB8:0::7"]),
        "CNAME": ("www", ["nas.lab.example"]),
        "MX": ("", ["10 mail.lab.example."]),
        "TXT": ("", ["v=spf1 -all"]),
        "NS": ("", ["NS.lab.example"]),
    }
    async with program(tmp_path, port, "knotd", "--config", str(tmp_path / "knot.conf")):
        for record, (host, values) in right.items():
            name = f"{host}.lab.example".lstrip(".")
            ask = {"type": "dns", "name": name, "record": record, "values": values}
            found = await monitors.ask(ask | {"server": server})
            assert found["ok"], found
            assert found["response_ms"] < 1000 * TIMEOUT_S
        ask = {"type": "dns", "server": server}
        wrong = await monitors.ask(ask | {"name": "nas.lab.example", "values": ["192.0.2.9"]})
        assert wrong["code"] == "wrong_value"
        assert (await monitors.ask(ask | {"name": "no.lab.example"}))["code"] == "unknown_host"
        foreign = await monitors.ask(ask | {"name": "nas.other.example"})
        assert foreign["code"] == "dns_failed"
        assert "REFUSED" in foreign["reason"]
    gone = await monitors.ask(ask | {"name": "nas.lab.example"})
    assert gone["code"] == "refused"


async def test_a_real_web_server_with_an_authority_of_its_own(
    monitors: Monitors, tmp_path: Path
) -> None:
    port, plain = free_port(), free_port()
    (tmp_path / "Caddyfile").write_text(
        "{\n  admin off\n  skip_install_trust\n  auto_https disable_redirects\n"
        f"  storage file_system {tmp_path}/caddy\n}}\n"
        f'https://localhost:{port} {{\n  tls internal\n  respond "all is well"\n}}\n'
        f"http://localhost:{plain} {{\n  redir https://localhost:{port}{{uri}}\n}}\n"
    )
    serve = ("caddy", "run", "--config", str(tmp_path / "Caddyfile"), "--adapter", "caddyfile")
    async with program(tmp_path, port, *serve):
        http = {"type": "http", "url": f"https://localhost:{port}/", "contains": "all is well"}
        key = await monitors.add(http)
        # At first it has no certificate yet.
        await monitors.becomes(key, "certificate_untrusted")
        found = await monitors.ask(http | {"verify_tls": False})
        assert found["ok"], found
        assert found["certificate_days_left"] == 0  # Caddy's own are good for half a day
        redirected = http | {"url": f"http://localhost:{plain}/x?key=1", "verify_tls": False}
        assert (await monitors.ask(redirected))["ok"]
        tls = {"type": "tls", "host": "localhost", "port": port}
        assert (await monitors.ask(tls))["code"] in {
            "certificate_untrusted",
            "certificate_incomplete",
        }
        ending = await monitors.ask(tls | {"verify": False})
        assert ending["code"] == "certificate_expiring"


async def test_a_real_home_assistant_runs_and_then_does_not(
    monitors: Monitors, tmp_path: Path
) -> None:
    async with HomeAssistant(tmp_path / "home") as home:
        check = {"type": "home_assistant", "url": home.url}
        pages = await monitors.ask(check)
        assert pages["ok"], pages
        token = home.api.token
        key = await monitors.add(check | {"token": token})
        found = await monitors.check(key)
        assert found["ok"], found
        assert found["details"]["version"].startswith("2026.")
        wrong = await monitors.ask(check | {"token": "not-" + token})
        assert wrong["code"] == "login_failed"
        assert token not in str(wrong)
        await home.stop()
        await monitors.becomes(key, "refused")


async def test_a_real_container_runs_is_well_and_then_is_gone(monitors: Monitors) -> None:
    name = f"checks-{secrets.token_hex(4)}"
    health = {"Test": ["CMD-SHELL", "test ! -e /sick"], "Interval": 10**9, "Retries": 1}
    async with Docker() as docker:
        identity = await docker.create(name, config={"Healthcheck": health})
        key = await monitors.add({"type": "container", "container": name})
        await monitors.becomes(key, None)
        await run("docker", "exec", identity, "touch", "/sick")
        await monitors.becomes(key, "unhealthy")
        await docker.stop(identity)
        await monitors.becomes(key, "not_running")
        await docker.remove(identity)
        await monitors.becomes(key, "no_container")


async def test_the_agents_own_api_is_no_target_unless_an_admin_says_so(monitors: Monitors) -> None:
    http = {"type": "http", "url": f"{monitors.agent.url}/api/v1/health"}
    refused = await monitors.ask(http)
    assert refused["code"] == "guarded"
    assert "the API of the agent itself" in refused["reason"]
    assert (await monitors.ask(http, allow_guarded=True))["ok"]
    port = monitors.agent.port
    for host in ("localhost", "127.0.0.2", "0", "::ffff:127.0.0.1"):
        tcp = {"type": "tcp", "host": host, "port": port}
        assert (await monitors.ask(tcp))["code"] == "guarded"


async def test_this_machine_answers_a_ping(monitors: Monitors) -> None:
    found = await monitors.ask({"type": "ping", "host": "127.0.0.1"})
    assert found["ok"], found
