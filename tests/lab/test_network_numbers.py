"""The network's figures are right: under load, beside `ip` and `ss` in the same second.

`pytest -s` shows the differences.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.harness.agent import CHECKOUT
from tests.lab.network import PrivateNetwork, run
from tests.lab.network_probe import CLOSE_WAITS, CONNECTIONS, TIME_WAITS

PYTHON = CHECKOUT / "addon/.venv/bin/python"
PROBE = Path(__file__).with_name("network_probe.py")
IN_THIS_PLACE = f"PYTHONPATH={CHECKOUT / 'addon'}"
MANY = 5_000

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def network() -> AsyncIterator[PrivateNetwork]:
    async with PrivateNetwork() as network:
        inside = (*network.prefix, "ip")
        await run(*inside, "link", "add", "home0", "type", "bridge")
        await run(*inside, "link", "set", "home0", "mtu", "9000", "up")
        await run(*inside, "addr", "add", "192.168.77.2/24", "dev", "home0")
        await run(*inside, "addr", "add", "fd77::2/64", "dev", "home0", "nodad")
        await run(*inside, "route", "add", "default", "via", "192.168.77.1", "metric", "50")
        await run(*inside, "route", "add", "default", "via", outer_address(network), "metric", "9")
        await run(*inside, "-6", "route", "add", "default", "via", "fd77::1", "dev", "home0")
        yield network


@asynccontextmanager
async def load(network: PrivateNetwork, connections: int) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        *(*network.prefix, "env", IN_THIS_PLACE, str(PYTHON), str(PROBE)),
        *("load", outer_address(network), str(connections)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert (await process.stdout.readline()).startswith(b"ready")
        yield
    finally:
        process.stdin.close()
        await process.wait()


async def read(network: PrivateNetwork) -> dict[str, Any]:
    program = ("env", IN_THIS_PLACE, str(PYTHON), str(PROBE), "read")
    answer: dict[str, Any] = json.loads(await run(*network.prefix, *program))
    return answer


def outer_address(network: PrivateNetwork) -> str:
    """Return the address at the other end of the cable."""
    return str(ip_address(network.inner_address) - 1)


def show(what: str, theirs: object, ours: object, difference: object = 0) -> None:
    print(f"{what:<44} {theirs!s:>28} {ours!s:>28} {difference!s:>10}")  # noqa: T201


async def test_figures_are_those_of_ip_and_ss_in_the_same_second(network: PrivateNetwork) -> None:
    async with load(network, CONNECTIONS):
        found = await read(network)
    print(f"\n{'':<44} {'ip, ss':>28} {'agent':>28} {'off by':>10}")  # noqa: T201
    _compare_counters(found)
    _compare_setup(found)
    _compare_neighbours(found)
    _compare_ports(found)
    _compare_counts(found["counts"], found["ss_states"], found["ss_summary"])


async def test_the_count_stays_cheap_with_ten_thousand_sockets(network: PrivateNetwork) -> None:
    async with load(network, MANY):
        found = await read(network)
    costs = found["cost_ms"]
    assert found["counts"]["established"] >= 2 * MANY
    show(f"cost in ms, {2 * MANY} connections: count", "", costs["count"], "")
    show("cost in ms: what listens", "", costs["listening"], "")
    show("cost in ms: interfaces, addresses, routes", "", costs["look"], "")
    # What listens stands before the connections, which are not read for it.
    assert costs["listening"] < costs["count"] / 2


def _compare_counters(found: dict[str, Any]) -> None:
    for each in found["rounds"]:
        assert each["s"] < 10
        for name, ours in each["ours"].items():
            before, after = each["before"][name], each["after"][name]
            assert before[:2] <= ours[:2] <= after[:2], name
    last = found["rounds"][-1]
    assert last["after"]["lo"][0] > found["rounds"][0]["before"]["lo"][0], "there was no load"
    for name, ours in last["ours"].items():
        for number, what in enumerate(("received", "sent")):
            between = f"{last['before'][name][number]}..{last['after'][name][number]}"
            show(f"{what} bytes of {name[:12]}", between, ours[number], "between")


def _compare_setup(found: dict[str, Any]) -> None:
    theirs = {link["ifname"]: link for link in found["ip_addr"]}
    assert found["interfaces"].keys() == theirs.keys()
    for name, ours in found["interfaces"].items():
        link = theirs[name]
        addresses = sorted(f"{each['local']}/{each['prefixlen']}" for each in link["addr_info"])
        assert ours["addresses"] == addresses
        assert ours["mtu"] == link["mtu"]
        assert ours["mac"] == (link["address"] if name != "lo" else None)
        # Some never say more than that they are there.
        is_there = link["operstate"] == "UNKNOWN" and "LOWER_UP" in link["flags"]
        is_up = link["operstate"] == "UP" or is_there
        assert ours["state"] == ("up" if is_up else "down")
        show(f"addresses of {name[:12]}", len(addresses), len(ours["addresses"]))
    gateways = [
        min(routes, key=lambda route: route.get("metric", 0)) for routes in found["ip_route"]
    ]
    assert found["gateways"] == [route["gateway"] for route in gateways]
    show("default route", gateways[0]["gateway"], found["gateways"][0])
    show("default route (IPv6)", gateways[1]["gateway"], found["gateways"][1])


def _compare_neighbours(found: dict[str, Any]) -> None:
    theirs = sorted([each["dst"], each["lladdr"]] for each in found["ip_neigh"] if "lladdr" in each)
    assert found["neighbours"] == theirs
    show("neighbours", len(theirs), len(found["neighbours"]))


def _compare_ports(found: dict[str, Any]) -> None:
    assert len(found["ss_ports"]) >= 8
    assert found["ports"] == found["ss_ports"]
    show("listening ports with address and process", len(found["ss_ports"]), len(found["ports"]))


def _compare_counts(ours: dict[str, int], theirs: dict[str, int], summary: str) -> None:
    pairs = {
        "established": "ESTAB",
        "listening": "LISTEN",
        "time_wait": "TIME-WAIT",
        "close_wait": "CLOSE-WAIT",
        "udp": "udp",
    }
    for name, state in pairs.items():
        show(f"sockets: {name}", theirs[state], ours[name], ours[name] - theirs[state])
        assert ours[name] == theirs[state], name
    assert ours["established"] >= 2 * CONNECTIONS
    assert ours["close_wait"] == CLOSE_WAITS
    assert ours["time_wait"] >= TIME_WAITS
    # What `ss -s` calls established can still send: what waits for its close is among it.
    told = int(summary.partition("estab ")[2].partition(",")[0])
    show("sockets: ss -s, estab", told, ours["established"] + ours["close_wait"])
    assert told == ours["established"] + ours["close_wait"]
