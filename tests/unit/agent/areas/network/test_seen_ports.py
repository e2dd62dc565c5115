"""Whose a listening port is: a process, a container in the host's network, or a published one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from homelab_agent.areas.containers.models import EngineConnection
from homelab_agent.areas.network.connection_query import find_connections
from homelab_agent.areas.network.models import ConnectionQuery
from homelab_agent.areas.network.published import ContainerPorts
from homelab_agent.areas.network.seen_ports import SETTLES_AFTER_S, PortEyes
from homelab_agent.platform.errors import Invalid
from homelab_agent.platform.host.linux_network import LinuxNetwork
from tests.fakes.commanded import Commanded, commanded
from tests.fakes.docker_engine import FakeContainer, FakeDocker, fake_docker
from tests.fakes.network_files import ANYWHERE, NetworkFiles

ESTABLISHED, CLOSE, LISTEN = 1, 7, 10
NOBODY = (ANYWHERE, 0)


@pytest.fixture
def files(tmp_path: Path) -> NetworkFiles:
    return NetworkFiles(tmp_path / "machine")


@pytest.fixture
async def docker() -> AsyncIterator[FakeDocker]:
    async with fake_docker() as server:
        yield server


@pytest.fixture
def web(docker: FakeDocker) -> FakeContainer:
    published = [{"HostIp": ANYWHERE, "HostPort": "8080"}, {"HostIp": "::", "HostPort": "8080"}]
    local = [{"HostIp": "127.0.0.1", "HostPort": "9000"}]
    return docker.add("web", ports={"80/tcp": published, "9000/udp": local, "5/sctp": published})


@pytest.fixture
async def agent(docker: FakeDocker, web: FakeContainer, tmp_path: Path) -> AsyncIterator[Commanded]:
    assert web.running
    folder = tmp_path / "agent"
    folder.mkdir()
    async with commanded(docker.url, folder) as agent:
        await agent.live.connected()
        await agent.live.until(lambda: len(agent.live.shown("web").ports) > 1)
        yield agent


@pytest.fixture
def ports(agent: Commanded) -> ContainerPorts:
    return ContainerPorts(agent.service, agent.live.resources)


@pytest.fixture
def eyes(files: NetworkFiles, ports: ContainerPorts) -> PortEyes:
    return PortEyes(LinuxNetwork(files.paths), ports)


async def test_what_docker_publishes_is_its_containers_whoever_holds_the_socket(
    files: NetworkFiles, eyes: PortEyes
) -> None:
    files.write_sockets(
        "tcp", (ANYWHERE, 8080, *NOBODY, LISTEN, 11), (ANYWHERE, 22, *NOBODY, LISTEN, 12)
    )
    files.write_process(700, "docker-proxy", 11)
    files.write_process(701, "sshd", 12)
    seen = await eyes.look(0)
    assert (seen["tcp-0.0.0.0-8080"].container, seen["tcp-0.0.0.0-8080"].process) == ("web", None)
    assert (seen["tcp-0.0.0.0-22"].container, seen["tcp-0.0.0.0-22"].process) == (None, "sshd")


async def test_a_process_that_forwards_for_docker_is_nobodys_name(
    files: NetworkFiles, eyes: PortEyes
) -> None:
    # As at the agent's start, before the engine has told whose it is.
    files.write_sockets("tcp", (ANYWHERE, 8443, *NOBODY, LISTEN, 11))
    files.write_process(700, "docker-proxy", 11)
    seen = (await eyes.look(0))["tcp-0.0.0.0-8443"]
    assert (seen.process, seen.pid, seen.container) == (None, None, None)


async def test_what_is_published_without_a_process_that_forwards_is_seen_too(
    eyes: PortEyes,
) -> None:
    seen = await eyes.look(0)
    assert {key: port.container for key, port in seen.items()} == {
        "tcp-0.0.0.0-8080": "web",
        "tcp-__-8080": "web",
        "udp-127.0.0.1-9000": "web",
    }


async def test_a_process_in_a_container_with_the_hosts_network_is_its_containers(
    files: NetworkFiles, eyes: PortEyes, web: FakeContainer
) -> None:
    files.write_sockets("tcp", (ANYWHERE, 8123, *NOBODY, LISTEN, 11))
    files.write_process(700, "hass", 11, cgroup=f"0::/system.slice/docker-{web.id}.scope\n")
    seen = (await eyes.look(0))["tcp-0.0.0.0-8123"]
    assert (seen.container, seen.process, seen.pid) == ("web", "hass", 700)


async def test_ports_of_containers_stay_theirs_while_docker_is_away(
    eyes: PortEyes, docker: FakeDocker, agent: Commanded
) -> None:
    before = await eyes.look(0)
    await docker.stop()
    await agent.live.until(lambda: agent.live.status.connection is EngineConnection.UNAVAILABLE)
    assert before
    assert await eyes.look(15) == before


async def test_a_question_to_a_name_server_is_no_open_port(
    files: NetworkFiles, eyes: PortEyes
) -> None:
    for second in range(0, 300, 15):
        # Each question has a port and a socket of its own.
        files.write_sockets("udp", (ANYWHERE, 40_000 + second, *NOBODY, CLOSE, 500 + second))
        assert not any(key.startswith("udp-0.0.0.0") for key in await eyes.look(second))


async def test_a_service_on_such_a_port_is_shown_once_it_stays(
    files: NetworkFiles, eyes: PortEyes
) -> None:
    files.write_sockets("udp", (ANYWHERE, 51820, *NOBODY, CLOSE, 500))
    key = "udp-0.0.0.0-51820"
    assert key not in await eyes.look(0)
    assert key not in await eyes.look(SETTLES_AFTER_S - 1)
    assert key in await eyes.look(SETTLES_AFTER_S)
    # It restarts: another socket on the same port is the same port.
    files.write_sockets("udp", (ANYWHERE, 51820, *NOBODY, CLOSE, 501))
    assert key in await eyes.look(SETTLES_AFTER_S + 15)


async def test_a_port_that_was_known_before_the_agents_restart_need_not_settle_again(
    files: NetworkFiles, eyes: PortEyes
) -> None:
    files.write_sockets("udp", (ANYWHERE, 51820, *NOBODY, CLOSE, 500))
    eyes.remember(["udp-0.0.0.0-51820"])
    assert "udp-0.0.0.0-51820" in await eyes.look(0)


async def test_processes_are_not_looked_at_again_for_sockets_that_are_known(
    files: NetworkFiles, eyes: PortEyes
) -> None:
    files.write_sockets("tcp", (ANYWHERE, 22, *NOBODY, LISTEN, 12))
    files.write_process(701, "sshd", 12)
    await eyes.look(0)
    (files.proc / "701/comm").write_text("somebody else\n")
    assert (await eyes.look(15))["tcp-0.0.0.0-22"].process == "sshd"
    files.write_sockets("tcp", (ANYWHERE, 22, *NOBODY, LISTEN, 13))
    files.write_process(702, "dropbear", 13)
    assert (await eyes.look(30))["tcp-0.0.0.0-22"].process == "dropbear"


async def test_connections_are_listed_with_whose_they_are(
    files: NetworkFiles, ports: ContainerPorts
) -> None:
    network = LinuxNetwork(files.paths)
    files.write_sockets(
        "tcp",
        (ANYWHERE, 22, *NOBODY, LISTEN, 12),
        ("192.168.1.10", 22, "192.168.1.5", 50_000, ESTABLISHED, 13),
        ("192.168.1.10", 8080, "192.168.1.6", 50_001, ESTABLISHED, 14),
        ("192.168.1.10", 8080, "192.168.1.6", 50_002, 6, 0),
    )
    files.write_process(700, "docker-proxy", 14)
    files.write_process(701, "sshd", 12, 13)
    every = await find_connections(network, ports.look(), ConnectionQuery())
    assert every.total == 3
    assert [
        (each.local_port, each.state, each.process, each.container) for each in every.connections
    ] == [
        (22, "ESTABLISHED", "sshd", None),
        (8080, "ESTABLISHED", "docker-proxy", "web"),
        (8080, "TIME_WAIT", None, "web"),
    ]
    few = await find_connections(network, ports.look(), ConnectionQuery(limit=1))
    assert (len(few.connections), few.total) == (1, 3)
    of_web = await find_connections(network, ports.look(), ConnectionQuery(container="web"))
    assert of_web.total == 2
    waiting = await find_connections(network, ports.look(), ConnectionQuery(state="time-wait"))
    assert waiting.total == 1
    to_peer = await find_connections(network, ports.look(), ConnectionQuery(port=50_000))
    assert to_peer.total == 1
    with pytest.raises(Invalid) as invalid:
        await find_connections(network, ports.look(), ConnectionQuery(state="open"))
    assert invalid.value.field == "state"
    assert "ESTABLISHED" in (invalid.value.hint or "")
