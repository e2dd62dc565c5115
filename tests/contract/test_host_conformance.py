"""What every machine promises: this one, and the demo's."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.errors import Unavailable
from homelab_agent.platform.host.demo_machine import DemoMachine
from homelab_agent.platform.host.linux_machine import LinuxMachine
from homelab_agent.platform.host.linux_processes import Processes
from homelab_agent.platform.host.machine import Machine, ProcessReading, StopRefused
from homelab_agent.platform.host.paths import find_paths
from tests.harness.waiting import wait_until


@pytest.fixture
async def real() -> LinuxMachine:
    return await asyncio.to_thread(lambda: LinuxMachine(find_paths(), utc_now))


@pytest.fixture(params=["demo", "real"])
async def machine(request: pytest.FixtureRequest, real: LinuxMachine) -> Machine:
    return DemoMachine(utc_now) if request.param == "demo" else real


@pytest.fixture
async def child() -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec("sleep", "1000")
    yield process
    if process.returncode is None:
        process.kill()
        await process.wait()


async def found(machine: Machine, pid: int) -> ProcessReading:
    sweep = await machine.processes()
    return next(each for each in sweep.processes if each.pid == pid)


async def test_the_machine_tells_what_it_is(machine: Machine) -> None:
    facts = await machine.facts()
    assert facts.kernel_version
    assert facts.architecture
    assert facts.cpu_count
    assert facts.memory_bytes
    assert facts.booted_at is not None
    assert facts.booted_at < datetime.now(UTC)
    assert (await machine.facts()).booted_at == facts.booted_at


async def test_counters_only_grow(machine: Machine) -> None:
    before = await machine.sample()
    await asyncio.sleep(0.05)
    now = await machine.sample()
    assert now.taken_s > before.taken_s
    assert before.cpu is not None
    assert now.cpu is not None
    assert now.cpu.total_s >= before.cpu.total_s
    assert len(now.cores) == len(before.cores) >= 1
    for earlier, later in zip(before.disks, now.disks, strict=True):
        assert earlier.name == later.name
        assert earlier.read_bytes <= later.read_bytes
        assert earlier.write_bytes <= later.write_bytes
        assert earlier.busy_s <= later.busy_s


async def test_memory_adds_up(machine: Machine) -> None:
    memory = (await machine.sample()).memory
    assert memory is not None
    assert 0 < memory.used_bytes < memory.total_bytes
    assert 0 <= memory.swap_used_bytes <= memory.swap_total_bytes


async def test_each_file_system_is_there_once_and_adds_up(machine: Machine) -> None:
    mounts = await machine.filesystems()
    assert mounts
    assert len({each.mount_point for each in mounts}) == len(mounts)
    for mount in mounts:
        assert mount.space is not None
        assert mount.space.used_bytes + mount.space.available_bytes <= mount.space.size_bytes


async def test_processes_are_named_by_number_and_start(machine: Machine) -> None:
    first, second = await machine.processes(), await machine.processes()
    starts = {each.pid: each.started_at for each in first.processes}
    same = [each for each in second.processes if each.pid in starts]
    assert same
    assert all(each.started_at == starts[each.pid] for each in same)


async def test_the_agent_knows_itself_and_what_started_it(real: LinuxMachine) -> None:
    own = await real.own_processes()
    # A parent outside of our own process namespace has the number 0.
    assert {os.getpid(), os.getppid()} - {0} <= own


async def test_exactly_the_process_that_is_meant_is_stopped(
    real: LinuxMachine, child: asyncio.subprocess.Process
) -> None:
    process = await found(real, child.pid)
    assert process.command == ("sleep", "1000")
    other = replace(process, started_at=process.started_at - timedelta(milliseconds=10))
    assert await real.stop(other, signal.SIGTERM) is StopRefused.GONE
    assert child.returncode is None
    assert await real.stop(process, signal.SIGTERM) is None
    assert await child.wait() == -signal.SIGTERM
    assert await real.stop(process, signal.SIGTERM) is StopRefused.GONE


async def test_what_belongs_to_another_user_is_refused_and_not_silently_skipped(
    child: asyncio.subprocess.Process, tmp_path: Path
) -> None:
    script = tmp_path / "stop.py"
    script.write_text(
        "import asyncio\n"
        "from homelab_agent.platform.clock import utc_now\n"
        "from homelab_agent.platform.host.linux_machine import LinuxMachine\n"
        "from homelab_agent.platform.host.paths import find_paths\n"
        "async def main():\n"
        "    machine = LinuxMachine(find_paths(), utc_now)\n"
        "    sweep = await machine.processes()\n"
        f"    process = next(p for p in sweep.processes if p.pid == {child.pid})\n"
        "    print(await machine.stop(process, 15))\n"
        "asyncio.run(main())\n"
    )
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    program = await asyncio.create_subprocess_exec(
        *("setpriv", "--reuid=65534", "--clear-groups", sys.executable, "-c", script.read_text()),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await program.communicate()
    assert output.decode().strip() == "not_permitted"
    assert child.returncode is None


async def test_a_process_with_a_name_of_any_bytes_keeps_nobody_from_reading_the_list(
    real: LinuxMachine,
) -> None:
    rename = "import ctypes; ctypes.CDLL(None).prctl(15, b'\\xffx')"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", f"{rename}; print(flush=True); input()", b"\xfe\xff"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        await process.stdout.readline()
        seen = await found(real, process.pid)
        assert seen.name == "\ufffdx"
        assert seen.command[-1] == "\ufffd\ufffd"
        assert "".join((seen.name, *seen.command)).encode()
    finally:
        process.kill()
        await process.wait()


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("a) R 1 (b", ["sleep", "with a  space", ""]),
        ("a-name-cut-off-", ["/opt/x/a-name-cut-off-by-the-kernel", "1"]),
        ("writer", ["writer: a title of words"]),
    ],
)
async def test_an_odd_process_is_shown_as_other_programs_show_it(
    real: LinuxMachine, name: str, title: list[str]
) -> None:
    rename = f"import ctypes; ctypes.CDLL(None).prctl(15, {name.encode()!r})"
    process = await asyncio.create_subprocess_exec(
        *(title[0], "-c", f"{rename}; print(flush=True); input()", *title[1:]),
        executable=sys.executable,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        await process.stdout.readline()
        told = psutil.Process(process.pid)

        async def waits() -> bool:
            return told.status() == "sleeping"

        await wait_until(waits, what="the process to wait for input")
        seen = await found(real, process.pid)
        assert seen.name == told.name()
        assert list(seen.command) == told.cmdline()
        assert seen.parent_pid == os.getpid()
        assert seen.state == "sleeping"
        assert seen.threads == told.num_threads()
        assert seen.memory_bytes == told.memory_info().rss
        assert seen.started_at.timestamp() == pytest.approx(told.create_time(), abs=0.01)
        assert seen.user == told.username()
        assert seen.cpu_s == pytest.approx(sum(told.cpu_times()[:2]), abs=0.1)
    finally:
        process.kill()
        await process.wait()


def test_a_process_that_ended_and_was_not_collected_is_still_listed() -> None:
    pid = os.posix_spawn("/bin/true", ["true"], {})
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        (seen,) = (each for each in Processes(find_paths()).read().processes if each.pid == pid)
        assert (seen.name, seen.state, seen.memory_bytes, seen.command) == ("true", "zombie", 0, ())
    finally:
        os.waitpid(pid, 0)


async def test_a_process_can_still_be_stopped_after_the_clock_was_set(
    tmp_path: Path, child: asyncio.subprocess.Process
) -> None:
    """Its start is told anew: not as it was before the clock was set."""
    (tmp_path / str(child.pid)).symlink_to(f"/proc/{child.pid}")
    for name in ("self", "uptime"):
        (tmp_path / name).symlink_to(f"/proc/{name}")
    (tmp_path / "stat").write_text("btime 1700000000\n")
    machine = await asyncio.to_thread(lambda: LinuxMachine(find_paths(tmp_path), utc_now))
    try:
        before = await found(machine, child.pid)
        (tmp_path / "stat").write_text("btime 1700003600\n")
        process = await found(machine, child.pid)
        assert process.started_at - before.started_at == timedelta(hours=1)
        assert await machine.stop(process, signal.SIGTERM) is None
        assert await child.wait() == -signal.SIGTERM
    finally:
        # The library knows one place for all.
        await asyncio.to_thread(lambda: LinuxMachine(find_paths(), utc_now))


async def test_a_process_that_hangs_within_the_kernel_takes_one_thread_and_no_more(
    tmp_path: Path,
) -> None:
    (tmp_path / "1").mkdir()
    waits = tmp_path / "1/stat"
    os.mkfifo(waits)
    machine = await asyncio.to_thread(
        lambda: LinuxMachine(find_paths(tmp_path), utc_now, processes_within_s=0.1)
    )
    try:
        before = threading.active_count()
        for _ in range(10):
            with pytest.raises(Unavailable, match="hangs"):
                await machine.processes()
        assert threading.active_count() == before + 1
    finally:
        os.close(os.open(waits, os.O_RDWR | os.O_NONBLOCK))
        # The library knows one place for all.
        await asyncio.to_thread(lambda: LinuxMachine(find_paths(), utc_now))


async def test_a_process_that_ended_meanwhile_is_left_out(
    real: LinuxMachine, child: asyncio.subprocess.Process
) -> None:
    pid = child.pid
    await found(real, pid)
    child.kill()
    await child.wait()

    async def gone() -> bool:
        return all(each.pid != pid for each in (await real.processes()).processes)

    await wait_until(gone, what="the process to be gone from the list")
