"""Behind a socket proxy the agent knows what it may not do, before anyone tries."""

from collections.abc import AsyncIterator

import pytest

from homelab_agent.platform.engine.docker.containers import DockerEngine
from homelab_agent.platform.engine.docker.transport import Transport
from homelab_agent.platform.engine.models import EngineRight
from homelab_agent.platform.errors import Denied, Unavailable
from tests.fakes.docker_engine import FakeDocker, Fault
from tests.fakes.socket_proxy import SocketProxy, socket_proxy, without


@pytest.fixture
async def proxy(docker: FakeDocker) -> AsyncIterator[SocketProxy]:
    async with socket_proxy(str(docker.socket)) as made:
        yield made


@pytest.fixture
async def behind(proxy: SocketProxy) -> AsyncIterator[DockerEngine]:
    engine = DockerEngine(Transport(proxy.url, deadline_s=2))
    yield engine
    await engine.close()


CHANGING = {
    EngineRight.CONTAINERS_CONTROL,
    EngineRight.CONTAINERS_CHANGE,
    EngineRight.IMAGES_CHANGE,
    EngineRight.OBJECTS_CHANGE,
}


async def test_a_proxy_that_only_reads_leaves_no_right_to_change_anything(
    docker: FakeDocker, behind: DockerEngine
) -> None:
    web = docker.add("web")

    assert await behind.missing_rights() == CHANGING
    assert [row.name for row in await behind.list_containers()] == ["web"]
    with pytest.raises(Denied) as refused:
        await behind.stop("web", None)

    assert refused.value.extra == {"right": "containers_control"}
    assert web.status == "running"


@pytest.mark.parametrize(
    ("pattern", "missing"),
    [
        ("/info", EngineRight.INFO),
        ("/events", EngineRight.EVENTS),
        ("/images/json", EngineRight.IMAGES_READ),
        ("/images/create", EngineRight.IMAGES_CHANGE),
        ("/images/_[^/]*$", EngineRight.IMAGES_CHANGE),
        ("/containers/(json|.*/json)", EngineRight.CONTAINERS_READ),
        ("/containers/.*/kill", EngineRight.CONTAINERS_CONTROL),
        ("/containers/create", EngineRight.CONTAINERS_CHANGE),
        ("/containers/.*/rename", EngineRight.CONTAINERS_CHANGE),
        ("/system/df", EngineRight.OBJECTS_READ),
        ("/volumes$", EngineRight.OBJECTS_READ),
        ("/networks$", EngineRight.OBJECTS_READ),
        ("/volumes/", EngineRight.OBJECTS_CHANGE),
        ("/build/prune", EngineRight.OBJECTS_CHANGE),
    ],
)
async def test_each_right_is_found_by_itself(
    proxy: SocketProxy, behind: DockerEngine, pattern: str, missing: EngineRight
) -> None:
    proxy.allows = without(pattern)

    assert await behind.missing_rights() == {missing}


async def test_looking_for_rights_changes_nothing(docker: FakeDocker, engine: DockerEngine) -> None:
    web = docker.add("web")

    assert await engine.missing_rights() == frozenset()

    assert web.status == "running"
    assert docker.history == []


async def test_a_right_is_not_called_missing_because_the_engine_stumbles(
    docker: FakeDocker, engine: DockerEngine
) -> None:
    docker.faults["GET images/json"] = Fault(500, '{"message": "database is locked"}')

    assert await engine.missing_rights() == frozenset()


async def test_rights_of_an_engine_that_is_away_are_not_known(
    docker: FakeDocker, behind: DockerEngine
) -> None:
    await behind.connect()
    await docker.stop()

    with pytest.raises(Unavailable, match="proxy does not reach Docker"):
        await behind.missing_rights()
