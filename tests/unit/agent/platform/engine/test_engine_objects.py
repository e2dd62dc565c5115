"""Volumes, images and disk use as different engines tell of them."""

import json
from collections.abc import AsyncIterator

import pytest

from homelab_agent.platform.engine.docker.objects import DockerObjects
from homelab_agent.platform.engine.docker.transport import Transport
from homelab_agent.platform.errors import Denied, Failed, NotFound
from tests.fakes.docker_engine import FakeDocker, Fault, fake_docker

IMAGE = {"Id": "sha256:" + "1" * 64, "Size": 100, "SharedSize": 30}
VOLUME = {"Name": "data", "Driver": "local", "UsageData": {"Size": 7, "RefCount": 0}}
CACHE = {"ID": "abc1", " Parents": ["abc0"], "Size": 5, "InUse": False, "Shared": False}
WHOLE = {
    "LayersSize": 90,
    "Images": [IMAGE],
    "Containers": [{"Id": "c1", "SizeRw": 12}, {"Id": "c2"}],
    "Volumes": [VOLUME],
    "BuildCache": [CACHE],
}


def says(answer: object, status: int = 200) -> Fault:
    return Fault(status, json.dumps(answer))


@pytest.fixture
async def objects(docker: FakeDocker) -> AsyncIterator[DockerObjects]:
    transport = Transport(docker.url, deadline_s=2)
    yield DockerObjects(transport)
    await transport.close()


async def test_everything_is_measured_part_by_part(
    docker: FakeDocker, objects: DockerObjects
) -> None:
    docker.faults["GET system/df"] = says(WHOLE)

    measured = await objects.measure()

    assert (measured.layers_bytes, measured.containers_bytes) == (90, 12)
    assert measured.unique_bytes == {IMAGE["Id"]: 70}
    assert measured.volumes is not None
    assert [(each.name, each.size_bytes) for each in measured.volumes] == [("data", 7)]
    assert measured.cache[0].parents == ("abc0",)
    asked = [query.partition("type=")[2] for query in docker.queries if "system/df" in query]
    assert sorted(asked) == ["build-cache", "container", "image", "volume"]


async def test_an_engine_that_knows_no_parts_is_asked_for_the_whole_once() -> None:
    async with fake_docker(api="1.41") as docker:
        docker.faults["GET system/df"] = says(WHOLE)
        transport = Transport(docker.url, deadline_s=2)
        measured = await DockerObjects(transport).measure()
        await transport.close()

        assert measured.layers_bytes == 90
        assert measured.volumes is not None
        assert docker.calls["GET system/df"] == 1


async def test_what_the_volumes_take_is_unknown_and_not_nothing_where_nobody_tells(
    docker: FakeDocker, objects: DockerObjects
) -> None:
    docker.faults["GET system/df"] = says({"LayersSize": 90, "Images": None})

    measured = await objects.measure()

    assert measured.volumes is None
    assert measured.layers_bytes == 90


async def test_a_forbidden_measurement_names_the_right(
    docker: FakeDocker, objects: DockerObjects
) -> None:
    docker.faults["GET system/df"] = Fault(403, "Forbidden", "text/plain")

    with pytest.raises(Denied) as refused:
        await objects.measure()

    assert refused.value.extra == {"right": "objects_read"}


async def test_what_podman_leaves_out_is_nothing_and_no_error(
    docker: FakeDocker, objects: DockerObjects
) -> None:
    docker.faults["GET images/json"] = says([{"Id": "2" * 64, "Size": 50, "SharedSize": 0}])
    docker.faults["GET volumes"] = says(
        {"Volumes": [{"Name": "a" * 64, "CreatedAt": "2026-11-01T10:00:00.5+01:00"}]}
    )
    docker.faults["GET networks"] = says([{"Id": "n1", "Name": "podman", "Driver": "bridge"}])
    docker.faults["GET system/df"] = says({"Images": [], "Containers": [], "Volumes": []})
    docker.faults["GET containers/json"] = says(
        [{"Id": "c1", "Names": ["/db"], "ImageID": "sha256:2", "Mounts": None, "State": "exited"}]
    )

    assert await objects.unique_sizes() == {"sha256:" + "2" * 64: 50}
    (volume,) = await objects.volumes()
    assert volume.anonymous
    (network,) = await objects.networks()
    assert network.subnets == ()
    (user,) = await objects.users()
    assert (user.name, user.volumes) == ("db", ())
    assert await objects.cache() == ()
    assert (await objects.measure()).cache == ()


async def test_a_container_that_cannot_be_read_makes_nothing_look_unused(
    docker: FakeDocker, objects: DockerObjects
) -> None:
    docker.faults["GET containers/json"] = says([{"Id": "c1", "Mounts": "?"}])

    with pytest.raises(Failed, match="not readable"):
        await objects.users()


async def test_only_the_piece_of_cache_that_is_named_goes(
    docker: FakeDocker, objects: DockerObjects
) -> None:
    docker.faults["POST build/prune"] = says({"CachesDeleted": None, "SpaceReclaimed": 0})

    assert await objects.remove_cache("abc1") is None
    with pytest.raises(NotFound):
        await objects.remove_cache("a.*")

    (asked,) = [query for query in docker.queries if "build/prune" in query]
    assert "%5Eabc1$" in asked or "^abc1$" in asked or "%5Eabc1%24" in asked
