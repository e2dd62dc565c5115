"""The machine's resolver, in network namespaces whose resolver is away."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[5]
SCRIPT = """
import asyncio, socket, sys, time
from homelab_agent.platform.outbound.names import Names

async def main():
    names = Names()
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    if sys.argv[1] == "silent":
        silent.bind(("127.0.0.1", 53))

    async def ask(host):
        began = time.monotonic()
        try:
            async with asyncio.timeout(0.5):
                await names.look_up(host, 80)
        except TimeoutError:
            print(host, "timed out")
        except socket.gaierror as error:
            print(host, "no answer" if error.errno == socket.EAI_AGAIN else error)
        else:
            print(host, "found")
        assert time.monotonic() - began < 5

    hosts = [f"nas{number}.lab.example" for number in range(3)]
    await asyncio.gather(*map(ask, hosts), *map(ask, hosts))
    # Who is in the hosts file is found, and an address is no question.
    await ask("localhost")
    await ask("192.0.2.1")
    print("asked at once:", len(names._asked))

asyncio.run(main())
"""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes a network namespace")


def look_up(tmp_path: Path, resolver: str) -> tuple[list[str], float]:
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    steps = (
        f'ip link set lo up && mount --bind {tmp_path}/resolv.conf /etc/resolv.conf && exec "$0" '
        f'-c "$1" {resolver}'
    )
    began = time.monotonic()
    done = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-ec", steps, sys.executable, SCRIPT],
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
        env={"PYTHONPATH": str(ROOT / "addon"), "PATH": os.environ["PATH"]},
    )
    return done.stdout.splitlines(), time.monotonic() - began


def test_a_resolver_that_hangs_delays_neither_other_names_nor_the_end(tmp_path: Path) -> None:
    said, took_s = look_up(tmp_path, "silent")
    assert [f"nas{number}.lab.example timed out" for number in (0, 1, 2)] == sorted({*said[:6]})
    assert said[6:8] == ["localhost found", "192.0.2.1 found"]
    # Six asked, about three names.
    assert said[8] == "asked at once: 3"
    # glibc itself would ask on for ten seconds.
    assert took_s < 8


def test_a_resolver_that_is_away_is_told_from_a_name_that_is_not_there(tmp_path: Path) -> None:
    said, _ = look_up(tmp_path, "away")
    assert {*said[:6]} == {f"nas{number}.lab.example no answer" for number in (0, 1, 2)}
