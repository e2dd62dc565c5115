"""An address may hold a password; what anybody may read never does."""

import pytest

from homelab_agent.platform.engine.docker.address import without_password
from homelab_agent.platform.engine.docker.containers import DockerEngine
from homelab_agent.platform.engine.docker.transport import Transport
from homelab_agent.platform.errors import AgentError
from tests.fakes.docker_engine import FakeDocker, Fault


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("tcp://me:secret@nas:2375", "tcp://nas:2375"),
        ("https://me:sec@ret@nas:2376", "https://nas:2376"),
        ("me:secret@nas:2375", "nas:2375"),
        ("unix:///var/run/docker.sock", "unix:///var/run/docker.sock"),
        ("unix:///srv/me@home/docker.sock", "unix:///srv/me@home/docker.sock"),
    ],
)
def test_a_password_in_an_address_is_not_shown(url: str, shown: str) -> None:
    assert without_password(url) == shown


async def _refusal(url: str) -> str:
    engine = DockerEngine(Transport(url, deadline_s=0.5))
    try:
        with pytest.raises(AgentError) as refused:
            await engine.connect()
    finally:
        await engine.close()
    return f"{refused.value.message} {refused.value.hint}"


@pytest.mark.parametrize(
    "url",
    [
        "tcp://bob:hunter2@127.0.0.1:9",
        "https://bob:hunter2@127.0.0.1:9",
        "tcp://bob:hunter2@127.0.0.1:99999999",
        "http://bob:hunter2@[::1",
        "bob:hunter2@127.0.0.1:9",
        "ftp://bob:hunter2@127.0.0.1:9",
    ],
)
async def test_no_refusal_tells_the_password(url: str) -> None:
    assert "hunter2" not in await _refusal(url)


@pytest.mark.parametrize("fault", [Fault(hang=True), Fault(cut=True), Fault(500, "no")])
async def test_an_engine_that_misbehaves_brings_no_password_to_light(
    docker: FakeDocker, fault: Fault
) -> None:
    port = await docker.listen_on_tcp()
    docker.faults[".*"] = fault

    said = await _refusal(f"tcp://bob:hunter2@127.0.0.1:{port}")

    assert "hunter2" not in said
    assert "bob" not in said
