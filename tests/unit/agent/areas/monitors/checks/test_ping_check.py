"""Ping is answered by the kernel, so each test has a machine of its own: a network namespace."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from homelab_agent.areas.monitors.checks.codes import CheckCode

ROOT = Path(__file__).resolve().parents[6]
SCRIPT = """
import asyncio, json, sys
from dataclasses import asdict
from homelab_agent.areas.monitors.check_settings import PingCheckSettings
from homelab_agent.areas.monitors.checks.ping_check import PingCheck
from homelab_agent.platform.outbound.connections import open_outbound
from homelab_agent.platform.settings import Settings

host, timeout_s = sys.argv[1], float(sys.argv[2])
check = PingCheck(open_outbound(Settings()))
running = check.run(PingCheckSettings(host=host), timeout_s, allow_guarded=False)
outcome = asyncio.run(running)
print(json.dumps({**asdict(outcome), "details": {d.name: d.value for d in outcome.details}}))
"""
UP = "ip link set lo up"
EVERYBODY_MAY = 'echo "0 2147483647" >/proc/sys/net/ipv4/ping_group_range'
NOBODY_ANSWERS = "echo 1 >/proc/sys/net/ipv4/icmp_echo_ignore_all"
AS_NOBODY = "setpriv --reuid=65534 --regid=65534 --clear-groups"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes a network namespace")


def ping(*before: str, host: str = "127.0.0.1", timeout_s: float = 5, user: str = "") -> Any:
    steps = " && ".join((*before, f'exec {user} "$0" -c "$1" {host} {timeout_s}'))
    done = subprocess.run(
        ["unshare", "--net", "sh", "-ec", steps, sys.executable, SCRIPT],
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
        env={"PYTHONPATH": str(ROOT / "addon"), "PATH": os.environ["PATH"]},
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
@pytest.mark.parametrize(
    ("before", "user"),
    [((UP,), ""), ((UP, EVERYBODY_MAY), AS_NOBODY)],
    ids=["with the right to raw sockets", "without any right where everybody may"],
)
def test_a_machine_that_answers_is_up(host: str, before: tuple[str, ...], user: str) -> None:
    outcome = ping(*before, host=host, user=user)
    assert outcome["ok"], outcome
    assert 0 < outcome["response_ms"] < 1000
    assert outcome["details"] == {"lost": 0}


def test_a_machine_that_is_silent_is_down_when_the_time_is_over() -> None:
    outcome = ping(UP, NOBODY_ANSWERS, timeout_s=0.6)
    assert outcome["code"] == CheckCode.TIMED_OUT
    assert outcome["reason"] == "127.0.0.1: no answer to 3 pings within 0.6 s."


def test_a_network_that_is_not_there_is_told_so() -> None:
    outcome = ping(UP, host="192.0.2.1")
    assert outcome["code"] == CheckCode.UNREACHABLE
    assert "unreachable" in outcome["reason"]


def test_an_agent_without_the_right_says_what_to_do_and_blames_nobody() -> None:
    outcome = ping(UP, user=AS_NOBODY)
    assert (outcome["known"], outcome["code"]) == (False, CheckCode.NOT_PERMITTED)
    assert "net.ipv4.ping_group_range" in outcome["reason"]
