"""What an agent in a real container sees of the machine's network, by what it was given."""

import json
import secrets
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.agent import CHECKOUT
from tests.lab.network import run

PROBE = Path(__file__).with_name("network_probe.py")
PACKAGES = CHECKOUT / "addon/.venv/lib" / f"python3.{sys.version_info.minor}" / "site-packages"
PYTHON = CHECKOUT / "addon/.venv/bin/python"
PROC = ("--volume", "/proc:/host/proc:ro")
SYS = ("--volume", "/sys:/host/sys:ro")
ROOT = ("--volume", "/:/host/root:ro")

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
async def ours() -> AsyncIterator[str]:
    """A port that this machine listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


async def seen_with(*options: str) -> dict[str, Any]:
    """Return what is seen from a container that was started with these options."""
    program = PYTHON.resolve()
    # The machine's own Python, so that no image has to be built for it.
    shared = {str(CHECKOUT), "/usr", "/lib", "/lib64", str(program.parents[1])}
    answer = await run(
        *("docker", "run", "--rm", "--name", f"homelab-net-{secrets.token_hex(4)}"),
        *(word for folder in sorted(shared) for word in ("--volume", f"{folder}:{folder}:ro")),
        *("--env", f"PYTHONPATH={CHECKOUT / 'addon'}:{PACKAGES}"),
        *("--env", "PYTHONDONTWRITEBYTECODE=1"),
        *options,
        *("busybox", str(program), str(PROBE), "view"),
    )
    seen: dict[str, Any] = json.loads(answer)
    return seen


async def the_machine() -> dict[str, Any]:
    seen: dict[str, Any] = json.loads(
        await run("env", f"PYTHONPATH={CHECKOUT / 'addon'}", str(PYTHON), str(PROBE), "view")
    )
    return seen


async def test_without_anything_it_sees_its_container_and_says_what_would_help(ours: str) -> None:
    seen = await seen_with()
    assert seen["is_of_container"]
    assert "/host/proc" in seen["hint"]
    assert ours not in seen["processes"]


async def test_with_the_machines_proc_it_sees_ports_addresses_and_the_way_out(ours: str) -> None:
    seen, machine = await seen_with(*PROC), await the_machine()
    assert not seen["is_of_container"]
    assert "--network host" in seen["hint"]
    assert seen["gateway"] == machine["gateway"]
    for name in ("lo", "docker0"):
        assert seen["addresses"][name] == machine["addresses"][name]
        assert seen["macs"][name] is None
    # It may see that somebody listens, but not who.
    assert seen["processes"][ours] is None


async def test_with_all_of_it_and_the_right_to_look_it_sees_whose_a_port_is(ours: str) -> None:
    seen = await seen_with(*PROC, *SYS, *ROOT, "--cap-add", "SYS_PTRACE")
    machine = await the_machine()
    assert seen["macs"]["docker0"] == machine["macs"]["docker0"]
    assert seen["processes"][ours] == machine["processes"][ours] is not None


async def test_in_the_hosts_network_it_sees_what_a_command_sees(ours: str) -> None:
    options = ("--network", "host", "--cap-add", "SYS_PTRACE")
    seen, machine = await seen_with(*PROC, *SYS, *ROOT, *options), await the_machine()
    assert seen["hint"] is None
    assert seen["macs"]["docker0"] == machine["macs"]["docker0"]
    assert seen["processes"][ours] == machine["processes"][ours]


async def test_without_the_right_to_look_it_says_which_one_is_missing(ours: str) -> None:
    seen = await seen_with(*PROC, *SYS, *ROOT, "--network", "host")
    assert "SYS_PTRACE" in seen["hint"]
    assert seen["processes"][ours] is None
