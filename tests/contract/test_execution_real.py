"""A program in a container of a real Docker: its input arrives, its end is told."""

from collections.abc import AsyncIterator
from pathlib import Path
from secrets import token_hex

import pytest

from homelab_agent.platform.engine.docker.execution import DockerExecution
from homelab_agent.platform.engine.docker.transport import Transport
from homelab_agent.platform.engine.execution import Execution
from homelab_agent.platform.errors import Conflict, Denied, Failed, NotFound, TimedOut
from tests.fakes.socket_proxy import socket_proxy, without
from tests.harness.docker import SOCKET, Docker

pytestmark = pytest.mark.skipif(not Path(SOCKET).exists(), reason="no Docker here")


def execution(*command: str, given: bytes = b"", within_s: float = 20) -> Execution:
    return Execution(
        command=command,
        given=given,
        environment={"PLACE": "nowhere"},
        within_s=within_s,
        keep_bytes=1000,
    )


@pytest.fixture
async def docker() -> AsyncIterator[Docker]:
    async with Docker() as client:
        yield client


@pytest.fixture
async def container(docker: Docker) -> str:
    return await docker.create(f"execution-{token_hex(4)}")


@pytest.fixture
async def engine() -> AsyncIterator[DockerExecution]:
    transport = Transport(f"unix://{SOCKET}")
    yield DockerExecution(transport)
    await transport.close()


async def test_a_program_gets_all_of_its_input_and_its_end_is_told(
    engine: DockerExecution, container: str
) -> None:
    much = b"0123456789" * 50_000
    counted = await engine.execute(container, execution("wc", "-c", given=much))
    assert (counted.code, counted.said.split()) == (0, [b"500000"])
    echoed = await engine.execute(container, execution("cat", given=much))
    assert (echoed.code, echoed.said) == (0, much[-1000:])
    ended = await engine.execute(
        container, execution("sh", "-c", "echo $PLACE; echo wrong >&2; exit 3")
    )
    assert ended.code == 3
    assert sorted(ended.said.split()) == [b"nowhere", b"wrong"]


async def test_what_cannot_be_run_is_told_with_the_reason(
    engine: DockerExecution, docker: Docker, container: str
) -> None:
    with pytest.raises(Failed, match="no-such-program"):
        await engine.execute(container, execution("no-such-program"))
    with pytest.raises(TimedOut, match=r"within 0\.5 s"):
        await engine.execute(container, execution("sleep", "20", within_s=0.5))
    await docker.kill(container)
    with pytest.raises(Conflict, match="is not running"):
        await engine.execute(container, execution("true"))
    with pytest.raises(NotFound):
        await engine.execute("no-such-container", execution("true"))


async def test_a_proxy_that_forbids_it_is_told_of(container: str) -> None:
    async with socket_proxy(SOCKET, without(r"/(containers/\w+/)?exec")) as proxy:
        transport = Transport(proxy.url)
        with pytest.raises(Denied, match="running programs in containers"):
            await DockerExecution(transport).execute(container, execution("true"))
        await transport.close()
