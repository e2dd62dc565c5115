"""The machine's resolver, in network namespaces whose resolver is away."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[5]
SILENT = """
import asyncio, socket, sys, threading, time
from homelab_agent.platform.outbound.names import Names

silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
if sys.argv[1] == "silent":
    silent.bind(("127.0.0.1", 53))

async def main():
    names = Names()

    async def ask(host, within_s=20):
        try:
            async with asyncio.timeout(within_s):
                await names.look_up(host, 80)
        except TimeoutError:
            print(host, "timed out")
        except socket.gaierror as error:
            print(host, "no answer" if error.errno == socket.EAI_AGAIN else error)
        else:
            print(host, "found")

    hosts = [f"nas{number}.lab.example" for number in range(3)]
    within_s = 0.5 if sys.argv[1] == "silent" else 20
    await asyncio.gather(*(ask(host, within_s) for host in hosts * 2))
    print("asking:", threading.active_count() - 1)
    # Who is in the hosts file is found, and an address is no question.
    await ask("both.example")
    await ask("192.0.2.1")

asyncio.run(main())
print(time.monotonic())
"""
BOTH_FAMILIES = """
import asyncio
from homelab_agent.platform.outbound.connections import open_outbound
from homelab_agent.platform.settings import Settings

async def main():
    try:
        await open_outbound(Settings()).connect("both.example", 9, timeout_s=5, allow_guarded=False)
    except OSError as error:
        print(type(error).__name__)

asyncio.run(main())
"""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes a network namespace")


def run(tmp_path: Path, script: str, argument: str = "") -> list[str]:
    """Run a script where there is only the loopback, and a resolver and a hosts file of ours."""
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    (tmp_path / "hosts").write_text("2001:db8::1 both.example\n127.0.0.1 both.example\n")
    mounts = [f"mount --bind {tmp_path}/{name} /etc/{name}" for name in ("resolv.conf", "hosts")]
    steps = " && ".join(("ip link set lo up", *mounts, f'exec "$0" -c "$1" {argument}'))
    done = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-ec", steps, sys.executable, script],
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
        env={"PYTHONPATH": str(ROOT / "addon"), "PATH": os.environ["PATH"]},
    )
    return done.stdout.splitlines()


def test_a_resolver_that_hangs_delays_neither_other_names_nor_the_end(tmp_path: Path) -> None:
    *said, ended_at = run(tmp_path, SILENT, "silent")
    # glibc itself would ask on for ten seconds.
    assert time.monotonic() - float(ended_at) < 8
    assert sorted({*said[:6]}) == [f"nas{number}.lab.example timed out" for number in (0, 1, 2)]
    # Six asked, about three names.
    assert said[6:] == ["asking: 3", "both.example found", "192.0.2.1 found"]


def test_a_resolver_that_is_away_is_told_from_a_name_that_is_not_there(tmp_path: Path) -> None:
    said = run(tmp_path, SILENT, "away")
    assert {*said[:6]} == {f"nas{number}.lab.example no answer" for number in (0, 1, 2)}


def test_what_is_wrong_at_the_one_family_that_there_is_is_told(tmp_path: Path) -> None:
    # Not that there is no way to the other one.
    assert run(tmp_path, BOTH_FAMILIES) == ["ConnectionRefusedError"]
