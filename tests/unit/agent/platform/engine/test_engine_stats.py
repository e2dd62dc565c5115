"""Where a container's figures come from, and what happens when that stops working."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from homelab_agent.platform.engine.docker.stats import DockerStats
from homelab_agent.platform.engine.docker.transport import Transport
from homelab_agent.platform.engine.stats import Sample, StatsSource, StatsTarget
from homelab_agent.platform.errors import Denied, Unavailable
from tests.fakes.docker_engine import FakeContainer, FakeDocker, Fault
from tests.fakes.kernel_files import KernelFiles, KernelUse


@pytest.fixture
async def transport(docker: FakeDocker) -> AsyncIterator[Transport]:
    made = Transport(docker.url)
    yield made
    await made.close()


@pytest.fixture
def kernel(tmp_path: Path) -> KernelFiles:
    return KernelFiles(tmp_path, 2)


@pytest.fixture
def stats(transport: Transport, kernel: KernelFiles) -> DockerStats:
    return DockerStats(transport, cgroups=kernel.cgroups(), deadline_s=20)


def _target(container: FakeContainer) -> StatsTarget:
    return StatsTarget(container.id, None)


async def test_docker_is_not_asked_for_figures_where_the_kernel_tells_them(
    docker: FakeDocker, stats: DockerStats, kernel: KernelFiles
) -> None:
    web = docker.add("web", pid=11)
    kernel.write(f"docker/{web.id}", KernelUse(), pid=11)

    for _ in range(3):
        sweep = await stats.sample([_target(web)])

    assert sweep.source is StatsSource.CGROUP_V2
    assert sweep.reason is None
    assert sweep.samples[_target(web)].network_receive_bytes == 1_000_000
    assert docker.calls[f"GET containers/{web.id}/stats"] == 0
    assert docker.calls[f"GET containers/{web.id}/json"] == 1


async def test_docker_is_asked_where_the_kernels_files_are_not_visible_and_it_says_why(
    docker: FakeDocker, stats: DockerStats
) -> None:
    web = docker.add("web")

    sweep = await stats.sample([_target(web)])

    assert sweep.source is StatsSource.ONE_SHOT
    assert "/host/sys/fs/cgroup" in (sweep.reason or "")
    sample = sweep.samples[_target(web)]
    assert sample._replace(taken_ns=0) == Sample(
        source=StatsSource.ONE_SHOT,
        taken_ns=0,
        cpu_ns=5_000_000_000,
        memory_bytes=30_000_000,
        memory_limit_bytes=4096,
        network_receive_bytes=1_000_000,
        network_transmit_bytes=2_000_000,
        block_read_bytes=3_000_000,
        block_write_bytes=4_000_000,
        processes=7,
    )


async def test_figures_go_on_when_the_files_vanish(
    docker: FakeDocker, stats: DockerStats, kernel: KernelFiles
) -> None:
    web = docker.add("web", pid=11)
    kernel.write(f"docker/{web.id}", KernelUse(), pid=11)
    assert (await stats.sample([_target(web)])).source is StatsSource.CGROUP_V2

    kernel.remove(f"docker/{web.id}")
    await stats.forget([_target(web)])
    sweep = await stats.sample([_target(web)])

    assert sweep.source is StatsSource.ONE_SHOT
    assert sweep.reason
    assert sweep.samples[_target(web)].cpu_ns == 5_000_000_000


@pytest.mark.parametrize(
    ("mode", "received"), [("host", None), ("container:abc", None), ("none", 0)]
)
async def test_docker_too_tells_only_a_network_of_its_own(
    docker: FakeDocker, stats: DockerStats, mode: str, received: int | None
) -> None:
    web = docker.add("web", network_mode=mode)

    sample = (await stats.sample([_target(web)])).samples[_target(web)]

    assert sample.network_receive_bytes == received


async def test_a_container_that_is_gone_or_has_ended_is_left_out(
    docker: FakeDocker, stats: DockerStats
) -> None:
    web, ended, gone = docker.add("web"), docker.add("ended"), docker.add("gone")
    targets = [_target(each) for each in (web, ended, gone)]
    assert len((await stats.sample(targets)).samples) == 3

    docker.end(ended, 0)
    docker.remove(gone)
    sweep = await stats.sample(targets)

    assert set(sweep.samples) == {_target(web)}


@pytest.mark.parametrize(
    "nonsense", ["", "[]", "{}", '{"read": "yesterday"}', "\x00\x01", '{"read": null}']
)
async def test_nonsense_about_one_container_does_not_hide_the_others(
    docker: FakeDocker, stats: DockerStats, nonsense: str
) -> None:
    web, odd = docker.add("web"), docker.add("odd")
    docker.faults[f"GET containers/{odd.id}/stats"] = Fault(status=200, body=nonsense)

    sweep = await stats.sample([_target(web), _target(odd)])

    assert set(sweep.samples) == {_target(web)}


async def test_one_slow_container_delays_the_others_by_no_more_than_its_deadline(
    docker: FakeDocker, transport: Transport, kernel: KernelFiles
) -> None:
    stats = DockerStats(transport, cgroups=kernel.cgroups(), deadline_s=1.5)
    others = [docker.add(f"web-{number}") for number in range(20)]
    slow = docker.add("slow")
    docker.faults[f"GET containers/{slow.id}/stats"] = Fault(hang=True)

    async with asyncio.timeout(15):
        sweep = await stats.sample([_target(each) for each in (slow, *others)])

    assert set(sweep.samples) == {_target(each) for each in others}


async def test_an_engine_that_is_away_is_told_as_such(
    docker: FakeDocker, stats: DockerStats
) -> None:
    web = docker.add("web")
    await stats.sample([_target(web)])
    await docker.stop()

    with pytest.raises(Unavailable):
        await stats.sample([_target(web)])


async def test_figures_come_back_with_the_engine(docker: FakeDocker, stats: DockerStats) -> None:
    web = docker.add("web")
    for _ in range(2):
        assert (await stats.sample([_target(web)])).samples
        # The connections that were kept are gone with it.
        await docker.stop()
        await docker.start()

    assert (await stats.sample([_target(web)])).samples


async def test_a_proxy_that_forbids_it_is_told_as_such(
    docker: FakeDocker, stats: DockerStats
) -> None:
    web = docker.add("web")
    docker.faults["GET containers/.*/stats"] = Fault(status=403, body="forbidden")

    with pytest.raises(Denied):
        await stats.sample([_target(web)])


async def test_three_hundred_containers_cost_three_hundred_questions_and_no_more(
    docker: FakeDocker, stats: DockerStats
) -> None:
    targets = [_target(docker.add(f"web-{number}")) for number in range(300)]

    for _ in range(2):
        assert len((await stats.sample(targets)).samples) == 300

    asked = {
        kind: sum(n for key, n in docker.calls.items() if key.endswith(kind))
        for kind in ("/json", "/stats")
    }
    assert asked == {"/json": 300, "/stats": 600}
