"""Updates that the engine itself cannot carry out, each on a real engine of its own."""

import os
import secrets
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.fakes.cutting_proxy import CuttingProxy
from tests.fakes.holding_proxy import holding_proxy
from tests.harness.agent import Agent
from tests.harness.built_images import REGISTRY, BuiltImages
from tests.harness.docker import Docker
from tests.harness.private_engine import PrivateEngine
from tests.harness.waiting import wait_until
from tests.lab.update_bench import HEX, Bench

pytestmark = pytest.mark.asyncio(loop_scope="module")

DISK_MIB = 64
LAYER_BYTES = 8_000_000
SUBNET = "10.213.77.0/28"
FIXED_ADDRESS = "10.213.77.9"


@dataclass(frozen=True)
class World:
    """A small engine, and the way from it to the registry."""

    engine: PrivateEngine
    registry: CuttingProxy
    images: BuiltImages
    bench: Bench

    async def update(self, tag: str) -> Any:
        """Ask for an update to an image that comes through the proxy; return the answer."""
        image = f"{self.images.name}:{tag}".replace(REGISTRY, self.registry.address)
        return (await self.bench.update_to(image))[1]

    async def tags(self) -> list[str]:
        """Return the names of all images that the engine has."""
        images = await self.bench.docker.call("GET", "/images/json", params={"all": "true"})
        return sorted(tag for image in images for tag in image["RepoTags"] or ["<none>"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    host, _, port = REGISTRY.partition(":")
    once = ("--max-download-attempts", "1")
    async with (
        PrivateEngine(registries=True, disk_mib=DISK_MIB, options=once) as engine,
        BuiltImages() as images,
        CuttingProxy(host, int(port)) as registry,
        holding_proxy(engine.socket) as proxy,
        Agent(tmp_path_factory.mktemp("agent"), docker_url=proxy.url) as agent,
        Docker(engine.socket) as docker,
    ):
        await images.push("1", "1")
        await images.push("2", "2")
        big = f"head -c {DISK_MIB}m"
        await images.push("unpacks-big", "3", f"RUN {big} /dev/zero > /big")
        await images.push("downloads-big", "4", f"RUN {big} /dev/urandom > /big")
        await images.push("layer", "5", f"RUN head -c {LAYER_BYTES} /dev/urandom > /layer")
        await engine.copy_image(f"{images.name}:1")
        yield World(
            engine,
            registry,
            images,
            Bench(agent, docker, images, proxy, await agent.create_token(scope="admin")),
        )


@pytest_asyncio.fixture(loop_scope="module")
async def bench(world: World) -> AsyncIterator[Bench]:
    yield world.bench
    await world.bench.remove_all()


@pytest_asyncio.fixture(loop_scope="module")
async def network(bench: Bench) -> AsyncIterator[str]:
    name = f"net-{secrets.token_hex(4)}"
    asked = {"Name": name, "IPAM": {"Config": [{"Subnet": SUBNET}]}}
    await bench.docker.call("POST", "/networks/create", json=asked)
    yield name
    await bench.remove_all()
    await bench.docker.call("DELETE", f"/networks/{name}")


@pytest.mark.parametrize("tag", ["unpacks-big", "downloads-big"])
async def test_a_disk_that_runs_full_while_pulling_changes_nothing(
    world: World, bench: Bench, tag: str
) -> None:
    identity = await bench.have()
    tags, free_mib = await world.tags(), world.engine.free_mib
    answer = await world.update(tag)
    assert "no space left on device" in answer["detail"], answer
    assert "disk is full" in answer["hint"]
    await bench.is_as_before(identity)
    last = await bench.last()
    assert last["outcome"] == "failed"
    assert "no space left on device" in last["reason"]
    assert await world.tags() == tags

    async def is_free() -> bool:
        return world.engine.free_mib >= free_mib - 1

    await wait_until(is_free, what="the engine to let go of what it had fetched")


async def test_a_pull_that_is_cut_half_way_changes_nothing_and_works_later(
    world: World, bench: Bench
) -> None:
    identity = await bench.have()
    tags = await world.tags()
    world.registry.cut_after_bytes = LAYER_BYTES // 2
    try:
        answer = await world.update("layer")
    finally:
        world.registry.cut_after_bytes = None
    assert world.registry.cuts > 0
    assert "EOF" in answer["detail"], answer
    assert "Check the network" in answer["hint"]
    await bench.is_as_before(identity)
    assert (await bench.last())["outcome"] == "failed"
    assert await world.tags() == tags

    async def second() -> Any:
        # For a moment the engine may tell the next one, too, how the pull before it ended.
        answer = await world.update("layer")
        return None if "EOF" in answer.get("detail", "") else answer

    answer = await wait_until(second, what="the engine to pull anew")
    assert answer.get("outcome") == "done", answer
    assert (await bench.docker.inspect(bench.name))["Id"] != identity


async def test_a_mounted_folder_that_is_gone_is_told_and_changes_nothing(
    bench: Bench, tmp_path: Path
) -> None:
    folder = tmp_path / "media"
    folder.mkdir()
    mount = {"Type": "bind", "Source": str(folder), "Target": "/media"}
    identity = await bench.have(Mounts=[mount])
    folder.rmdir()
    answer = (await bench.update("2"))[1]
    assert str(folder) in answer["detail"], answer
    await bench.is_as_before(identity)
    last = await bench.last()
    assert last["outcome"] == "undone"
    assert str(folder) in last["reason"]


async def test_a_device_that_was_pulled_out_leaves_the_old_container_and_says_why(
    bench: Bench, tmp_path: Path
) -> None:
    device = tmp_path / "ttyUSB0"
    os.mknod(device, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    there = {"PathOnHost": str(device), "PathInContainer": "/dev/x", "CgroupPermissions": "rw"}
    identity = await bench.have(Devices=[there])
    device.unlink()
    answer = (await bench.update("2"))[1]
    assert str(device) in answer["detail"], answer
    assert await bench.left() == [bench.name]
    found = await bench.docker.inspect(bench.name)
    assert (found["Id"], found["State"]["Running"]) == (identity, False)
    last = await bench.last()
    assert last["outcome"] == "failed", last
    assert str(device) in last["reason"]


async def test_an_address_that_somebody_took_meanwhile_brings_the_old_container_back(
    bench: Bench, network: str
) -> None:
    pattern = rf"POST /containers/{HEX}/start"
    address = {"EndpointsConfig": {network: {"IPAMConfig": {"IPv4Address": FIXED_ADDRESS}}}}
    identity = await bench.have(NetworkMode=network, networking=address)
    bench.proxy.hold(pattern, done_first=False)
    _, begun = await bench.update("2", wait_s=0)
    await bench.proxy.reached.wait()
    thief = await bench.docker.create(
        f"{bench.name}-thief",
        image=f"{bench.images.name}:1",
        command=(),
        config={"NetworkingConfig": address},
        NetworkMode=network,
    )
    job = await bench.job_without(thief, begun["job"]["id"])
    assert job["outcome"] == "undone", job
    assert "Address already in use" in job["error"]["message"]
    await bench.is_as_before(identity)
