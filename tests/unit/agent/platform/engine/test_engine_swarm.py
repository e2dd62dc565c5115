"""A swarm as different hosts know it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from homelab_agent.platform.engine.docker.rights import missing_rights
from homelab_agent.platform.engine.docker.swarm import DockerSwarm
from homelab_agent.platform.engine.docker.transport import Transport
from homelab_agent.platform.engine.models import EngineRight
from homelab_agent.platform.engine.swarm import SwarmRole
from homelab_agent.platform.errors import Conflict, NotFound
from tests.fakes.docker_engine import FakeDocker, Fault
from tests.fakes.socket_proxy import socket_proxy, without

NO_MANAGER = {"message": 'This node is not a swarm manager. Use "docker swarm init" ...'}
SERVICE = {
    "ID": "s1",
    "Version": {"Index": 4},
    "Spec": {"Name": "web", "Mode": {"Replicated": {"Replicas": 1}}, "TaskTemplate": {}},
}


def says(answer: object, status: int = 200) -> Fault:
    return Fault(status, json.dumps(answer))


def info(**swarm: Any) -> Fault:
    return says({"Name": "fake", "Swarm": swarm})


@pytest.fixture
async def transport(docker: FakeDocker) -> AsyncIterator[Transport]:
    made = Transport(docker.url, deadline_s=2)
    yield made
    await made.close()


@pytest.fixture
def swarm(transport: Transport) -> DockerSwarm:
    return DockerSwarm(transport)


@pytest.mark.parametrize(
    ("told", "role"),
    [
        ({}, SwarmRole.INACTIVE),
        ({"LocalNodeState": "inactive"}, SwarmRole.INACTIVE),
        ({"LocalNodeState": "active", "ControlAvailable": False}, SwarmRole.WORKER),
        ({"LocalNodeState": "active", "ControlAvailable": True, "Nodes": 3}, SwarmRole.MANAGER),
    ],
)
async def test_the_role_is_told_without_asking_the_swarm(
    docker: FakeDocker, swarm: DockerSwarm, told: dict[str, Any], role: SwarmRole
) -> None:
    docker.faults["GET info"] = info(**told)

    assert (await swarm.swarm()).role is role
    assert docker.calls["GET services"] == 0


async def test_podman_which_knows_no_swarm_is_in_none(swarm: DockerSwarm) -> None:
    assert (await swarm.swarm()).role is SwarmRole.INACTIVE


async def test_a_worker_says_that_only_a_manager_knows(
    docker: FakeDocker, swarm: DockerSwarm
) -> None:
    docker.faults["GET services"] = says(NO_MANAGER, 503)

    with pytest.raises(Conflict, match="no manager"):
        await swarm.services()


async def test_a_change_that_others_overtake_each_time_ends_in_words(
    docker: FakeDocker, swarm: DockerSwarm
) -> None:
    docker.faults["GET services/web"] = says(SERVICE)
    docker.faults["POST services/web/update"] = says(
        {"message": "rpc error: code = Unknown desc = update out of sequence"}, 500
    )

    with pytest.raises(Conflict, match="out of sequence"):
        await swarm.scale("web", 3)

    assert docker.calls["POST services/web/update"] > 1


async def test_any_other_failure_of_a_change_is_not_repeated(
    docker: FakeDocker, swarm: DockerSwarm
) -> None:
    docker.faults["GET services/web"] = says(SERVICE)
    docker.faults["POST services/web/update"] = says({"message": "name conflicts"}, 409)

    with pytest.raises(Conflict):
        await swarm.force_update("web")

    assert docker.calls["POST services/web/update"] == 1


@pytest.mark.parametrize("name", ["../info", "a/b", "", "a?x=1"])
async def test_what_is_no_name_reaches_nothing(
    docker: FakeDocker, swarm: DockerSwarm, name: str
) -> None:
    with pytest.raises(NotFound):
        await swarm.scale(name, 1)

    assert docker.calls.total() == 0


async def test_the_right_to_the_swarm_is_missed_only_in_a_swarm(docker: FakeDocker) -> None:
    async with socket_proxy(str(docker.socket), without("/(services|nodes)")) as proxy:
        transport = Transport(proxy.url, deadline_s=2)
        outside = await missing_rights(transport)
        docker.faults["GET info"] = info(LocalNodeState="active", ControlAvailable=True)
        inside = await missing_rights(transport)
        await transport.close()

    assert EngineRight.SWARM not in outside
    assert inside == {EngineRight.SWARM}
