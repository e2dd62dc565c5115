"""What the machine is: who is logged in, whether it waits for a reboot, how much of it is seen."""

import struct
from pathlib import Path

import pytest

from homelab_agent.platform.host.linux_reboot import reboot_reason
from homelab_agent.platform.host.linux_users import read_users
from homelab_agent.platform.host.paths import View, find_paths
from tests.fakes.machine_files import MachineFiles

RUNNING = "6.12.48+deb13-amd64"
ID = "5f" * 32


@pytest.fixture
def files(tmp_path: Path) -> MachineFiles:
    return MachineFiles(tmp_path / "machine")


def kernels(files: MachineFiles, *versions: str) -> tuple[bool | None, str | None]:
    for version in versions:
        files.put(f"root/boot/vmlinuz-{version}", "")
    return reboot_reason(str(files.root), RUNNING)


def test_a_system_that_does_not_tell_leaves_it_unknown(files: MachineFiles) -> None:
    assert kernels(files) == (None, None)


def test_a_kernel_that_is_not_in_boot_says_nothing(files: MachineFiles) -> None:
    assert kernels(files, "6.12.57+deb13-amd64") == (None, None)


def test_the_newest_kernel_runs(files: MachineFiles) -> None:
    assert kernels(files, RUNNING, "6.12.9+deb13-amd64") == (False, None)


def test_a_newer_kernel_waits_for_a_reboot(files: MachineFiles) -> None:
    assert kernels(files, RUNNING, "6.12.57+deb13-amd64") == (
        True,
        "Kernel 6.12.57+deb13-amd64 is installed, 6.12.48+deb13-amd64 is running",
    )


def test_kernels_are_compared_by_their_numbers(files: MachineFiles) -> None:
    assert kernels(files, RUNNING, "6.12.100+deb13-amd64")[0] is True


def test_a_kernel_of_another_flavour_is_not_compared(files: MachineFiles) -> None:
    assert kernels(files, RUNNING, "6.14.1-pve", "6.15.0-rt-lowlatency") == (False, None)


def test_what_the_system_says_itself_wins(files: MachineFiles) -> None:
    files.put("root/run/reboot-required", "*** System restart required ***\n")
    files.put("root/run/reboot-required.pkgs", "libc6\nlinux-base\nlibc6\n")
    assert kernels(files, RUNNING) == (True, "Updated: libc6, linux-base")


def test_users_are_known_from_systemd(files: MachineFiles) -> None:
    files.put(
        "root/run/systemd/sessions/4",
        "UID=1000\nUSER=ada\nACTIVE=1\nSTATE=active\nREMOTE=1\nREMOTE_HOST=192.0.2.20\n"
        "CLASS=user\nTTY=pts/0\nREALTIME=1790000000123456\n",
    )
    files.put("root/run/systemd/sessions/5", "UID=1000\nUSER=ada\nCLASS=manager\n")
    files.put("root/run/systemd/sessions/6", "USER=bob\nCLASS=user\nSTATE=closing\n")
    (user,) = read_users(str(files.root)) or ()
    assert (user.name, user.terminal, user.host) == ("ada", "pts/0", "192.0.2.20")
    assert user.since is not None
    assert int(user.since.timestamp()) == 1790000000


def test_users_are_known_from_utmp_where_there_is_no_systemd(files: MachineFiles) -> None:
    record = struct.Struct("=hhi32s4s32s256shhiii36x")
    there = record.pack(7, 0, 1, b"tty1", b"1", b"ada", b"", 0, 0, 1, 1790000000, 0)
    left = record.pack(8, 0, 2, b"tty2", b"2", b"bob", b"", 0, 0, 2, 1790000000, 0)
    (files.root / "run").mkdir()
    (files.root / "run/utmp").write_bytes(left + there + b"half a record")
    (user,) = read_users(str(files.root)) or ()
    assert (user.name, user.terminal, user.host) == ("ada", "tty1", None)


def test_where_nobody_keeps_it_the_users_are_unknown(files: MachineFiles) -> None:
    assert read_users(str(files.root)) is None


def _process(files: MachineFiles, *, pids: str, own: str, first: str) -> None:
    files.put("proc/self/status", f"Name:\tagent\nNSpid:\t{pids}\n")
    files.put("proc/self/cgroup", own)
    files.put("proc/1/cgroup", first)
    files.put("proc/1/net/dev", "")


def _see(files: MachineFiles, *, with_root: bool = False) -> tuple[View, View, View, str | None]:
    paths = find_paths(
        files.proc,
        files.sys,
        files.root if with_root else None,
        own_id=ID,
        mounted=files.root / "none",
    )
    return paths.processes, paths.network, paths.filesystems, paths.hint


def test_a_container_with_the_machines_folders_sees_the_machine(files: MachineFiles) -> None:
    _process(files, pids="8310\t10", own=f"0::/docker/{ID}\n", first="0::/init.scope\n")
    assert _see(files, with_root=True) == (View.HOST, View.HOST, View.HOST, None)


def test_a_container_with_nothing_of_the_machine_says_how_to_see_it(files: MachineFiles) -> None:
    _process(files, pids="10", own="0::/\n", first="0::/\n")
    *views, hint = _see(files)
    assert views == [View.CONTAINER] * 3
    assert hint is not None
    assert "-v /proc:/host/proc:ro -v /sys:/host/sys:ro -v /:/host/root:ro,rslave" in hint


def test_an_app_is_not_told_to_use_options_that_it_cannot_have(files: MachineFiles) -> None:
    _process(files, pids="10", own="0::/\n", first="0::/\n")
    paths = find_paths(files.proc, own_id=ID, is_app=True, mounted=files.root / "none")
    assert paths.hint is not None
    assert "-v" not in paths.hint
    assert "An app is not given more" in paths.hint


@pytest.mark.parametrize(
    ("own", "first"),
    [
        ("0::/\n", "0::/../../init.scope\n"),
        (f"4:memory:/docker/{ID}\n", "4:memory:/\n"),
    ],
)
def test_a_container_with_the_machines_processes_is_recognised(
    files: MachineFiles, own: str, first: str
) -> None:
    _process(files, pids="4711", own=own, first=first)
    assert _see(files)[0] is View.HOST


def test_a_container_with_a_system_of_its_own_inside_is_not_taken_for_the_machine(
    files: MachineFiles,
) -> None:
    _process(
        files,
        pids="10",
        own=f"4:memory:/docker/{ID}/agent.service\n",
        first=f"4:memory:/docker/{ID}/init.scope\n",
    )
    assert _see(files)[0] is View.CONTAINER


def test_the_root_folder_alone_does_not_tell_what_is_mounted(files: MachineFiles) -> None:
    _process(files, pids="10", own="0::/\n", first="0::/\n")
    assert _see(files, with_root=True)[2] is View.CONTAINER
