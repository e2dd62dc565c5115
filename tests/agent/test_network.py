"""The network of this machine through a real agent: ports told once, over restarts and kills."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponseError, ClientSession

from tests.fakes.address_source import IPV4, IPV6, AddressSource, address_source
from tests.fakes.docker_engine import FakeDocker, fake_docker
from tests.harness.agent import Agent
from tests.harness.waiting import wait_until

LOOKS_EVERY_S = 2

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
async def docker() -> AsyncIterator[FakeDocker]:
    async with fake_docker() as server:
        yield server


@pytest.fixture
async def sources() -> AsyncIterator[tuple[AddressSource, AddressSource]]:
    async with address_source() as first, address_source() as second:
        yield first, second


@pytest.fixture
def agent(
    docker: FakeDocker, sources: tuple[AddressSource, AddressSource], tmp_path: Path
) -> Agent:
    return Agent(
        tmp_path / "agent",
        docker_url=docker.url,
        settings={
            "HOMELAB_PORT_INTERVAL_S": str(LOOKS_EVERY_S),
            "HOMELAB_PUBLIC_ADDRESS_SOURCES": ",".join(each.url for each in sources),
        },
    )


class Asked:
    """An agent that is asked with a token of its own."""

    def __init__(self, agent: Agent, token: str) -> None:
        self._agent = agent
        self._token = token

    async def get(self, path: str) -> Any:  # JSON of the agent
        return await self._agent.get(f"/api/v1/network/{path}", self._token)

    async def status(self) -> Any:  # JSON of the agent
        """Return the network as a whole; None before the first look."""
        try:
            return (await self.get("stats"))["status"]
        except ClientResponseError as error:
            if error.status != 503:
                raise
            return None

    async def port(self, number: int) -> dict[str, Any] | None:
        """Return a listening port, once the agent has seen it."""
        found = (await self.get("ports"))["ports"]
        return next((each for each in found if each["port"] == number), None)

    async def seen(self, number: int) -> dict[str, Any]:
        return await wait_until(lambda: self.port(number), what=f"port {number}")

    async def gone(self, number: int) -> None:
        async def is_gone() -> bool:
            return await self.port(number) is None

        await wait_until(is_gone, what=f"the end of port {number}")


@contextmanager
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


async def test_a_port_is_shown_with_its_process_and_known_across_restart_and_kill(
    agent: Agent,
) -> None:
    async with agent:
        asked = Asked(agent, await agent.create_token())
        with listening() as ours:
            first = await asked.seen(ours)
            assert (first["pid"], first["reach"]) == (os.getpid(), "machine")
            assert first["key"] == f"tcp-127.0.0.1-{ours}"
            assert first["process"]
            await agent.stop()
            await agent.start()
            assert (await asked.seen(ours))["since"] == first["since"]
            await agent.kill()
            await agent.start()
            assert (await asked.seen(ours))["since"] == first["since"]
        await asked.gone(ours)


async def test_traffic_through_the_loopback_is_counted_once_also_across_a_kill(
    agent: Agent,
) -> None:
    passed = _passed_the_loopback()
    async with agent:
        asked = Asked(agent, await agent.create_token())
        before = await _loopback(asked)
        await _send(20_000_000)
        after = await _loopback(asked)
        assert after["receive_bytes"] - before["receive_bytes"] >= 20_000_000
        await agent.kill()
        await agent.start()
        again = await _loopback(asked)
        assert again["since"] == before["since"]
        # Nothing is lost: the kernel went on counting. And nothing is counted twice.
        assert again["receive_bytes"] >= after["receive_bytes"]
        grown = again["receive_bytes"] - before["receive_bytes"]
        assert grown <= _passed_the_loopback() - passed


async def test_the_public_address_and_its_since_outlive_a_restart(agent: Agent) -> None:
    async with agent:
        asked = Asked(agent, await agent.create_token())

        async def known() -> dict[str, Any] | None:
            status = await asked.status()
            is_known = (
                status and status["public_ipv4"]["address"] and status["public_ipv6"]["address"]
            )
            return status if is_known else None

        first = await wait_until(known, what="the public address")
        assert first["public_ipv4"]["address"] == IPV4
        assert first["public_ipv6"]["address"] == IPV6
        assert len(first["public_ipv4"]["agreed_by"]) == 2
        assert abs(first["clock_offset_s"]) < 30
        await agent.kill()
        await agent.start()
        again = await wait_until(known, what="the public address again")
        assert again["public_ipv4"]["since"] == first["public_ipv4"]["since"]


async def test_a_wrong_question_is_answered_with_the_field_and_the_remedy(agent: Agent) -> None:
    async with agent:
        asked = Asked(agent, await agent.create_token())
        for wrong in ("connections?state=open", "connections?port=0", "ports?reach=everywhere"):
            status, problem = await _problem(agent, asked, wrong)
            assert (status, problem["code"]) == (422, "invalid")
            assert problem["field"] in {"state", "port", "reach"}


async def _problem(agent: Agent, asked: Asked, path: str) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {asked._token}"}
    url = f"{agent.url}/api/v1/network/{path}"
    async with ClientSession() as session, session.get(url, headers=headers) as answer:
        return answer.status, await answer.json()


def _passed_the_loopback() -> int:
    """Return what the kernel counted: others use it as well."""
    return int(Path("/sys/class/net/lo/statistics/rx_bytes").read_text())


async def _loopback(asked: Asked) -> dict[str, Any]:
    interfaces = (await asked.get("bandwidth"))["interfaces"]
    return next(each for each in interfaces if each["key"] == "lo")


async def _send(size: int) -> None:
    """Send so many bytes through the loopback."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1 << 16):
            pass
        writer.close()

    async with await asyncio.start_server(take, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(size // 10_000):
            writer.write(b"x" * 10_000)
            await writer.drain()
        writer.close()
        await writer.wait_closed()


async def test_the_demo_has_a_network_worth_looking_at(tmp_path: Path) -> None:
    async with Agent(tmp_path / "demo", demo=True) as agent:
        asked = Asked(agent, await agent.create_token())

        async def known() -> dict[str, Any] | None:
            status = await asked.status()
            has_ports = status and status["listening_ports"] > 15
            return status if has_ports and status["public_ipv4"]["address"] else None

        status = await wait_until(known, what="the demo's network")
        # Addresses that are nobody's: of the documentation.
        assert status["public_ipv4"]["address"].startswith("203.0.113.")
        assert status["public_ipv6"]["address"].startswith("2001:db8:")
        ports = (await asked.get("ports"))["ports"]
        assert sum(port["container"] is not None for port in ports) >= 15
        moving = [
            each
            for each in (await asked.get("bandwidth"))["interfaces"]
            if each["receive_bytes_per_s"] and each["transmit_bytes_per_s"]
        ]
        assert len(moving) >= 3
        assert len((await asked.get("neighbours"))["neighbours"]) >= 3
