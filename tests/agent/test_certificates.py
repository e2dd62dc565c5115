"""Certificates watched by a real agent: what its client hears, also across kills and restarts."""

import asyncio
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from pathlib import Path

import pytest
from aiohttp import ClientSession

from custom_components.homelab.client import (
    AgentClient,
    Conflict,
    Denied,
    Endpoint,
    Invalid,
)
from custom_components.homelab.client.models.certificates import (
    CertificateEvent,
    EndpointBody,
    Verdict,
    WatchBody,
)
from tests.agent.hearing import CONNECTED_WITHIN_S, hearing
from tests.fakes.docker_engine import fake_docker
from tests.fakes.tls_servers import Authority, TlsServer, make_authority, tls_server
from tests.harness.agent import Agent
from tests.harness.waiting import wait_until

NAME = "nas.lab.example"
HOST = "127.0.0.1"


@pytest.fixture
def authority() -> Authority:
    return make_authority()


@pytest.fixture
async def server(authority: Authority, tmp_path: Path) -> AsyncIterator[TlsServer]:
    async with tls_server(authority.issue(NAME, HOST, days=20), tmp_path) as server:
        yield server


@pytest.fixture
async def agent(tmp_path: Path, authority: Authority) -> AsyncIterator[Agent]:
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(authority.root.chain_pem)
    (tmp_path / "certificates").mkdir()
    settings = {
        "SSL_CERT_FILE": str(trusted),
        "HOMELAB_CERTIFICATE_PATHS": str(tmp_path / "certificates"),
    }
    async with (
        fake_docker() as docker,
        Agent(tmp_path / "agent", docker_url=docker.url, settings=settings) as agent,
    ):
        yield agent


@pytest.fixture
async def client_of(agent: Agent) -> AsyncIterator[Callable[[str], AgentClient]]:
    async with ClientSession() as session:
        tokens = {scope: await agent.create_token(scope, scope) for scope in ("operate", "admin")}
        endpoint = Endpoint(host=agent.host, port=agent.port)
        yield lambda scope: AgentClient(session, endpoint, tokens[scope])


@pytest.fixture
def client(client_of: Callable[[str], AgentClient]) -> AgentClient:
    return client_of("operate")


class Asked:
    """What Home Assistant does not ask an agent for, asked without its client."""

    def __init__(self, agent: Agent, token: str) -> None:
        self._agent = agent
        self._token = token

    async def keys(self) -> list[str]:
        """Return the keys of what is watched."""
        _, answer = await self._agent.ask("GET", "/certificates", token=self._token)
        return [each["key"] for each in answer["certificates"]]

    async def check(self, key: str) -> tuple[int, str | None]:
        """Have a certificate looked at now; return the status and when that was."""
        path = f"/certificates/{key}/check"
        status, answer = await self._agent.ask("POST", path, token=self._token)
        return status, answer.get("checked_at")


@pytest.fixture
async def asked(agent: Agent) -> Asked:
    return Asked(agent, await agent.create_token("asked", "operate"))


async def test_a_watched_certificate_is_shown_checked_and_forgotten(
    client: AgentClient, server: TlsServer, asked: Asked
) -> None:
    (added,) = (
        await client.certificates.watch(WatchBody(host=HOST, port=server.port, name="The NAS"))
    ).certificates
    assert (added.verdict, added.name, added.days_left) == (Verdict.TRUSTED, "The NAS", 19)
    assert await asked.keys() == [added.key]

    first, second = await asked.check(added.key), await asked.check(added.key)
    assert first[0] == second[0] == HTTPStatus.OK
    assert first[1] != second[1]
    await client.certificates.forget(added.key)
    assert await asked.keys() == []
    assert (await asked.check(added.key))[0] == HTTPStatus.NOT_FOUND


async def test_nothing_is_told_twice_or_lost_when_the_agent_is_killed(
    agent: Agent, client: AgentClient, server: TlsServer, authority: Authority, asked: Asked
) -> None:
    body = WatchBody(host=HOST, port=server.port)
    async with hearing(client, CertificateEvent) as heard:
        (added,) = (await client.certificates.watch(body)).certificates
        server.show(authority.issue(HOST, days=10))
        await asked.check(added.key)
        await heard.until(["expiring", "changed", "expiring"])

        for _ in range(3):
            await agent.kill()
            await agent.start()
            await asyncio.wait_for(heard.connected.wait(), CONNECTED_WITHIN_S)
            await asked.check(added.key)
        assert heard.types() == ["expiring", "changed", "expiring"]

        await agent.kill()
        server.show(authority.issue(HOST, days=80))
        await agent.start()
        await heard.until(["expiring", "changed", "expiring", "changed"])
        assert heard.events[max(heard.events)].expires_at is not None


async def test_a_kill_right_after_a_check_that_found_a_change_tells_it_exactly_once(
    agent: Agent, client: AgentClient, server: TlsServer, authority: Authority, asked: Asked
) -> None:
    (added,) = (
        await client.certificates.watch(WatchBody(host=HOST, port=server.port))
    ).certificates
    for delay_s in (0.0, 0.005, 0.02, 0.05):
        async with hearing(client, CertificateEvent) as heard:
            before = heard.types()
            issued = authority.issue(HOST, days=80)
            server.show(issued)
            checking = asyncio.create_task(asked.check(added.key))
            await asyncio.sleep(delay_s)  # the moment of the kill is what is tried out
            await agent.kill()
            await asyncio.gather(checking, return_exceptions=True)
            await agent.start()
            await asyncio.wait_for(heard.connected.wait(), CONNECTED_WITHIN_S)
            await asked.check(added.key)
            await heard.until([*before, "changed"])


async def test_a_file_is_watched_where_the_settings_allow_it(
    client: AgentClient, authority: Authority, tmp_path: Path
) -> None:
    allowed = authority.issue("file.example").write(tmp_path / "certificates", "a")
    (added,) = (await client.certificates.watch(WatchBody(path=str(allowed)))).certificates
    assert (added.verdict, added.path) == (Verdict.TRUSTED, str(allowed))

    outside = authority.issue("file.example").write(tmp_path, "outside")
    with pytest.raises(Denied) as denied:
        await client.certificates.watch(WatchBody(path=str(outside)))
    assert "certificate_paths" in (denied.value.hint or "")
    with pytest.raises(Invalid):
        await client.certificates.watch(WatchBody(host=HOST, path=str(allowed)))
    with pytest.raises(Invalid):
        await client.certificates.watch(WatchBody())


async def test_what_is_found_by_itself_cannot_be_forgotten_only_its_cause(
    agent: Agent, client: AgentClient, authority: Authority, asked: Asked, tmp_path: Path
) -> None:
    authority.issue("file.example").write(tmp_path / "certificates", "a")
    await agent.stop()
    await agent.start()

    async def found() -> str | None:
        return next(iter(await asked.keys()), None)

    key = await wait_until(found, what="the file to be found")
    with pytest.raises(Conflict) as refused:
        await client.certificates.forget(key)
    assert "certificate_paths" in (refused.value.hint or "")


async def test_the_door_of_the_agent_is_not_read_unless_an_admin_says_so(
    agent: Agent, client_of: Callable[[str], AgentClient]
) -> None:
    own = EndpointBody(host=HOST, port=agent.port, timeout_s=20)
    allowed = EndpointBody(host=HOST, port=agent.port, timeout_s=20, allow_guarded=True)

    with pytest.raises(Denied):
        await client_of("admin").certificates.read(own)
    with pytest.raises(Denied):
        await client_of("operate").certificates.read(allowed)
    report = await client_of("admin").certificates.read(allowed)
    assert report.verdict is Verdict.NO_CERTIFICATE
    assert "plain HTTP" in (report.reason or "")
