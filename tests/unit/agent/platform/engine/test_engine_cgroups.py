"""What is read of the kernel's files, wherever and however they are mounted."""

from pathlib import Path

import pytest

from homelab_agent.platform.engine.cgroups.containers import Cgroups
from homelab_agent.platform.engine.cgroups.search import GroupSearch, Place
from homelab_agent.platform.engine.cgroups.tree import Mount, find_trees
from homelab_agent.platform.engine.stats import Sample, StatsSource, StatsTarget
from tests.fakes.kernel_files import KernelFiles, KernelUse

ID = "5c1e" * 16
TARGET = StatsTarget(ID, None)
PID = 321
PLACE = Place(PID, "bridge")

DRIVERS = {
    "cgroupfs": f"docker/{ID}",
    "systemd": f"system.slice/docker-{ID}.scope",
    "own parent": f"homelab.slice/homelab-media.slice/docker-{ID}.scope",
    "rootless": (f"user.slice/user-1000.slice/user@1000.service/user.slice/docker-{ID}.scope"),
    "podman": f"machine.slice/libpod-{ID}.scope",
}


@pytest.fixture(params=[1, 2], ids=["v1", "v2"])
def kernel(request: pytest.FixtureRequest, tmp_path: Path) -> KernelFiles:
    return KernelFiles(tmp_path, request.param)


def _read(cgroups: Cgroups, place: Place = PLACE) -> Sample | None:
    return cgroups.read([TARGET], {TARGET: place}).samples.get(TARGET)


@pytest.mark.parametrize("group", DRIVERS.values(), ids=DRIVERS.keys())
@pytest.mark.parametrize("pid", [PID, None], ids=["by its process", "by its name"])
def test_a_container_is_found_under_every_driver(
    kernel: KernelFiles, group: str, pid: int | None
) -> None:
    kernel.write(group, KernelUse(), pid=pid)

    sample = _read(kernel.cgroups())

    assert sample is not None
    assert sample.cpu_ns == 5_000_000_000


def test_every_figure_is_what_the_kernel_counted(kernel: KernelFiles) -> None:
    kernel.write(f"docker/{ID}", KernelUse(limit_bytes=64_000_000), pid=PID)

    sample = _read(kernel.cgroups())

    assert sample is not None
    assert sample._replace(taken_ns=0) == Sample(
        source=StatsSource.CGROUP_V1 if kernel.version == 1 else StatsSource.CGROUP_V2,
        taken_ns=0,
        cpu_ns=5_000_000_000,
        memory_bytes=30_000_000,
        memory_limit_bytes=64_000_000,
        network_receive_bytes=1_000_000,
        network_transmit_bytes=2_000_000,
        block_read_bytes=3_000_000,
        block_write_bytes=4_000_000,
        processes=7,
    )


def test_the_next_look_sees_what_was_used_since(kernel: KernelFiles) -> None:
    kernel.write(f"docker/{ID}", KernelUse(), pid=PID)
    cgroups = kernel.cgroups()
    first = _read(cgroups)
    kernel.write(f"docker/{ID}", KernelUse(cpu_ns=6_000_000_000, receive_bytes=1_500_000), pid=PID)
    second = _read(cgroups)

    assert first is not None
    assert second is not None
    assert second.cpu_ns == 6_000_000_000
    assert second.network_receive_bytes == 1_500_000
    assert second.taken_ns > first.taken_ns


def test_a_process_that_went_into_a_group_of_its_own_below_does_not_mislead(
    kernel: KernelFiles,
) -> None:
    kernel.write(f"docker/{ID}", KernelUse(cpu_ns=9_000_000_000))
    kernel.write(f"docker/{ID}/init", KernelUse(cpu_ns=1), pid=PID)

    sample = _read(kernel.cgroups())

    assert sample is not None
    assert sample.cpu_ns == 9_000_000_000


def test_without_a_limit_there_is_none(kernel: KernelFiles) -> None:
    kernel.write(f"docker/{ID}", KernelUse(), pid=PID)

    sample = _read(kernel.cgroups())

    assert sample is not None
    assert sample.memory_limit_bytes is None


@pytest.mark.parametrize("mode", ["host", "container:abc"])
def test_a_network_that_is_not_its_own_is_unknown_and_not_counted_twice(
    kernel: KernelFiles, mode: str
) -> None:
    kernel.write(f"docker/{ID}", KernelUse(), pid=PID)

    sample = _read(kernel.cgroups(), Place(PID, mode))

    assert sample is not None
    assert sample.network_receive_bytes is None
    assert sample.network_transmit_bytes is None
    assert sample.cpu_ns is not None


def test_without_the_hosts_processes_the_network_is_unknown_and_it_says_so(
    kernel: KernelFiles,
) -> None:
    kernel.write(f"docker/{ID}", KernelUse())
    cgroups = kernel.cgroups()

    sample = _read(cgroups)

    assert sample is not None
    assert sample.network_receive_bytes is None
    assert "/host/proc" in (cgroups.reason or "")


def test_another_process_of_the_same_number_is_not_taken_for_the_containers(
    kernel: KernelFiles,
) -> None:
    kernel.write(f"docker/{ID}", KernelUse())
    kernel.write("docker/" + "0" * 64, KernelUse(receive_bytes=666), pid=PID)

    sample = _read(kernel.cgroups())

    assert sample is not None
    assert sample.network_receive_bytes is None


def test_a_container_that_ends_between_two_looks_is_left_out(kernel: KernelFiles) -> None:
    kernel.write(f"docker/{ID}", KernelUse(), pid=PID)
    cgroups = kernel.cgroups(most_open=0)
    assert _read(cgroups) is not None
    kernel.remove(f"docker/{ID}")

    seen = cgroups.read([TARGET], {})

    assert seen.samples == {}
    assert seen.unseen == (TARGET,)
    assert not cgroups.knows(TARGET)


@pytest.mark.parametrize(
    "garbage", [b"", b"\n", b"\xff\xfe\x00", b"-1\n", b"max\n", b"usage_usec many\n", b"9" * 30000]
)
def test_garbage_in_the_files_is_unknown_and_never_an_error(
    kernel: KernelFiles, garbage: bytes
) -> None:
    kernel.write(f"docker/{ID}", KernelUse(), pid=PID)
    kernel.spoil(ID, garbage)

    sample = _read(kernel.cgroups())

    assert sample is not None
    assert sample.memory_limit_bytes is None
    numbers = (sample.cpu_ns, sample.memory_bytes, sample.processes, sample.block_read_bytes)
    assert all(number in {None, 0} for number in numbers)


def test_what_a_controller_that_is_off_would_count_is_unknown(tmp_path: Path) -> None:
    kernel = KernelFiles(tmp_path, 2)
    group = f"user.slice/docker-{ID}.scope"
    kernel.write(group, KernelUse(), pid=PID)
    for name in ("memory.current", "memory.stat", "memory.max", "io.stat", "pids.current"):
        (Path(kernel.mount.cgroup) / group / name).unlink()

    sample = _read(kernel.cgroups())

    assert sample is not None
    assert sample.cpu_ns == 5_000_000_000
    assert sample.memory_bytes is None
    assert sample.block_read_bytes is None
    assert sample.processes is None


def test_many_interfaces_are_all_counted(kernel: KernelFiles) -> None:
    kernel.write(f"docker/{ID}", KernelUse(), pid=PID)
    with (Path(kernel.mount.proc) / str(PID) / "net" / "dev").open("a") as file:
        for number in range(300):
            file.write(f"  veth{number}: 10 1 0 0 0 0 0 0 20 1 0 0 0 0 0 0\n")

    sample = _read(kernel.cgroups())

    assert sample is not None
    assert sample.network_receive_bytes == 1_000_000 + 300 * 10
    assert sample.network_transmit_bytes == 2_000_000 + 300 * 20


def test_where_nothing_is_mounted_it_says_what_to_mount(tmp_path: Path) -> None:
    cgroups = Cgroups(GroupSearch(lambda: find_trees((Mount(str(tmp_path), str(tmp_path)),))))

    assert cgroups.read([TARGET], {TARGET: PLACE}).unseen == (TARGET,)
    assert "/host/sys/fs/cgroup" in (cgroups.reason or "")


def test_where_only_the_agents_own_group_is_visible_it_says_what_to_mount(
    kernel: KernelFiles,
) -> None:
    cgroups = kernel.cgroups()

    assert cgroups.read([TARGET], {TARGET: PLACE}).unseen == (TARGET,)
    assert "not visible" in (cgroups.reason or "")


def test_more_containers_than_files_may_be_open_are_read_all_the_same(
    kernel: KernelFiles,
) -> None:
    targets = [StatsTarget(f"{number:064x}", None) for number in range(1, 8)]
    for number, target in enumerate(targets):
        kernel.write(f"docker/{target.id}", KernelUse(cpu_ns=number * 1000), pid=100 + number)
    places = {target: Place(100 + number, "bridge") for number, target in enumerate(targets)}
    cgroups = kernel.cgroups(most_open=2)

    for _ in range(2):
        seen = cgroups.read(targets, places)
        assert [seen.samples[target].cpu_ns for target in targets] == [
            number * 1000 for number in range(7)
        ]
