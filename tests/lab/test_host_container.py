"""What an agent in a real container sees of the machine, and what it says of the rest."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.harness.agent import CHECKOUT
from tests.lab.network import run

IMAGE = "python:3.14-slim"
PACKAGES = CHECKOUT / "addon" / ".venv" / "lib" / "python3.14" / "site-packages"
USER = "8099"
# The lab's own root is no shared mount, as systemd makes it: without "rslave".
MACHINE = ("-v", "/proc:/host/proc:ro", "-v", "/sys:/host/sys:ro", "-v", "/:/host/root:ro")

LOOK = """
import asyncio, json
from dataclasses import asdict
from homelab_agent.areas.containers.protection import own_container_id
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.host.linux_machine import LinuxMachine
from homelab_agent.platform.host.paths import find_paths

async def look():
    paths = find_paths(own_id=own_container_id())
    machine = LinuxMachine(paths, utc_now)
    sample, facts = await machine.sample(), await machine.facts()
    sweep = await machine.processes()
    first = next(each for each in sweep.processes if each.pid == 1)
    print(json.dumps({
        "view": asdict(machine.view),
        "host_name": facts.host_name,
        "system": facts.operating_system,
        "memory": sample.memory.total_bytes,
        "disks": [disk.name for disk in sample.disks],
        "mounts": [asdict(each) for each in await machine.filesystems()],
        "processes": [each.pid for each in sweep.processes],
        "stopped": await machine.stop(first, 0),
    }, default=str))

asyncio.run(look())
"""


async def look(*options: str) -> dict[str, Any]:
    said = await run(
        *("docker", "run", "--rm", "--user", USER, "-v", f"{CHECKOUT}/addon:{CHECKOUT}/addon:ro"),
        *("-e", f"PYTHONPATH={CHECKOUT}/addon:{PACKAGES}", "-e", "PYTHONDONTWRITEBYTECODE=1"),
        *(*options, IMAGE, "python", "-c", LOOK),
    )
    return dict(json.loads(said.splitlines()[-1]))


def own_disks() -> list[str]:
    return sorted(each.name for each in Path("/sys/block").iterdir() if (each / "device").exists())


async def test_with_the_machines_folders_the_machine_is_seen() -> None:
    seen = await look(*MACHINE)
    assert seen["view"] == {
        "processes": "host",
        "network": "host",
        "filesystems": "host",
        "hint": None,
    }
    assert os.getpid() in seen["processes"]
    assert seen["system"] is not None
    assert seen["disks"] == own_disks()
    root = next(each for each in seen["mounts"] if each["mount_point"] == "/")
    assert root["error"] is None
    told = os.statvfs("/")
    assert root["space"]["size_bytes"] == told.f_blocks * told.f_frsize
    # Numbers of processes are the machine's, but signals go by the container's own.
    assert seen["stopped"] == "out_of_reach"


async def test_with_nothing_of_the_machine_that_is_said_and_what_would_show_it() -> None:
    seen = await look()
    views = {part: seen["view"][part] for part in ("processes", "network", "filesystems")}
    assert set(views.values()) == {"container"}
    for option in ("/proc:/host/proc:ro", "/sys:/host/sys:ro", "/:/host/root:ro,rslave"):
        assert f"-v {option}" in seen["view"]["hint"]
    # Its own name and system are not the machine's.
    assert (seen["host_name"], seen["system"]) == (None, None)
    assert os.getpid() not in seen["processes"]
    # What the kernel counts for all is the machine's all the same.
    assert seen["disks"] == own_disks()
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert seen["memory"] == pytest.approx(pages, rel=0.01)


async def test_with_the_machines_processes_and_network_only_its_file_systems_are_missed() -> None:
    seen = await look("--pid", "host", "--network", "host")
    view = seen["view"]
    assert (view["processes"], view["network"], view["filesystems"]) == (
        "host",
        "host",
        "container",
    )
    assert "file systems" in view["hint"]
    assert os.getpid() in seen["processes"]
    # Another user's process: seen, but not to be touched.
    assert seen["stopped"] == "not_permitted"


async def test_a_process_in_a_container_is_known_to_be_its(tmp_path: Path) -> None:
    name = f"host-test-{os.getpid()}"
    container = (
        await run("docker", "run", "--detach", "--rm", "--name", name, "busybox", "sleep", "1234")
    ).strip()
    try:
        script = tmp_path / "find.py"
        script.write_text(
            "import asyncio\n"
            "from homelab_agent.platform.clock import utc_now\n"
            "from homelab_agent.platform.host.linux_machine import LinuxMachine\n"
            "from homelab_agent.platform.host.paths import find_paths\n"
            "sweep = asyncio.run(LinuxMachine(find_paths(), utc_now).processes())\n"
            "print([p.container_id for p in sweep.processes if p.command == ('sleep', '1234')])\n"
        )
        program = await asyncio.create_subprocess_exec(
            *(str(CHECKOUT / "addon/.venv/bin/python"), str(script)),
            stdout=asyncio.subprocess.PIPE,
            stderr=sys.stderr,
        )
        output, _ = await program.communicate()
        assert output.decode().strip() == f"['{container}']"
    finally:
        await run("docker", "kill", name)
