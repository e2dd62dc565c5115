"""The numbers are right: under known loads ours against the kernel's own counters.

From control groups and from Docker's one-shot answers; the second agent cannot see the first.
"""

import asyncio
import json
import secrets
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from tests.harness.agent import Agent
from tests.harness.docker import Docker
from tests.harness.waiting import wait_until

INTERVAL_S = 4
WITHIN = 0.02
SWEEPS_OF_TRIES = (4, 4, 8, 12, 16)
"""On a busy machine what is published may arrive later at one end of a time than at the other,
which counts the less the longer that time is."""

MIB = 1024**2

BURN = "while :; do :; done"
HOLD = "dd if=/dev/zero of=/held/block bs=1M count=100 && sleep 3600"
SEND = "while :; do ping -q -c 100 -i 0.02 -s 4000 {gateway}; done"
WRITE = (
    "while :; do dd if=/dev/zero of=/data/block bs=128k count=8 oflag=direct conv=notrunc; "
    "sleep 0.05; done"
)

FACTORS = {"cpu": 100 / 1e9, "network": 1, "disk": 1}
"""From what the kernel counts to what is shown."""

WITHOUT_GROUPS = (
    *("unshare", "--mount", "sh", "-c"),
    'umount --lazy --recursive /sys/fs/cgroup && exec "$@"',
    "agent",
)
"""What runs the agent where it sees no control groups, as in most containers."""

GROUPS = Path("/sys/fs/cgroup")

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(300),
    pytest.mark.skipif(not (GROUPS / "cpuacct").exists(), reason="reads the counters of cgroup v1"),
]


@dataclass
class Loads:
    """The containers under load: their ids by what they do."""

    prefix: str
    ids: dict[str, str]
    sender_link: Path

    def counter(self, what: str) -> int:
        """Return what the kernel has counted, read at another place where there is one."""
        match what:
            case "cpu":
                return self._number("cpuacct", "cpu", "cpuacct.usage")
            case "network":
                # The other end of the cable: what it receives was sent.
                return int((self.sender_link / "statistics" / "rx_bytes").read_text())
            case "disk":
                text = self._file("blkio", "disk", "blkio.throttle.io_service_bytes").read_text()
                return sum(int(row.split()[2]) for row in text.splitlines() if " Write " in row)
            case _:
                return self._number("memory", "memory", "memory.usage_in_bytes")

    def _number(self, controller: str, what: str, name: str) -> int:
        return int(self._file(controller, what, name).read_text())

    def _file(self, controller: str, what: str, name: str) -> Path:
        return GROUPS / controller / "docker" / self.ids[what] / name


@dataclass
class Kernel:
    """What the kernel counted, moment by moment."""

    loads: Loads
    moments: list[tuple[float, dict[str, int]]] = field(default_factory=list)

    def look(self) -> None:
        """Note all counters now."""
        counters = {what: self.loads.counter(what) for what in ("cpu", "network", "disk")}
        self.moments.append((time.monotonic(), counters))

    def rate(self, what: str) -> float:
        """Return the mean per second from the first look to the last."""
        (began, first), (ended, last) = self.moments[0], self.moments[-1]
        return (last[what] - first[what]) / (ended - began)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def loads(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Loads]:
    prefix = f"statz-{secrets.token_hex(3)}"
    folder = tmp_path_factory.mktemp("data")
    async with Docker() as docker, _network(docker, prefix) as gateway:
        ids = {
            "cpu": await docker.create(
                f"{prefix}-cpu", command=("sh", "-c", BURN), NanoCpus=250_000_000
            ),
            "memory": await docker.create(
                f"{prefix}-memory",
                command=("sh", "-c", HOLD),
                Tmpfs={"/held": "size=200m"},
                Memory=512 * MIB,
            ),
            "network": await docker.create(
                f"{prefix}-network",
                command=("sh", "-c", SEND.format(gateway=gateway)),
                NetworkMode=prefix,
            ),
            "disk": await docker.create(
                f"{prefix}-disk", command=("sh", "-c", WRITE), Binds=[f"{folder}:/data"]
            ),
        }
        pid = (await docker.inspect(ids["network"]))["State"]["Pid"]
        try:
            yield Loads(prefix, ids, await _other_end(pid))
        finally:
            # Before its network.
            await docker.remove(ids["network"])


@asynccontextmanager
async def _network(docker: Docker, name: str) -> AsyncIterator[str]:
    """Have a network of the test's own; give its gateway."""
    await docker.call("POST", "/networks/create", json={"Name": name})
    try:
        described = await docker.call("GET", f"/networks/{name}")
        yield described["IPAM"]["Config"][0]["Gateway"]
    finally:
        await docker.call("DELETE", f"/networks/{name}")


async def _other_end(pid: int) -> Path:
    """Return the host's end of a container's network cable."""
    process = await asyncio.create_subprocess_exec(
        *("nsenter", "--target", str(pid), "--net", "ip", "-j", "link", "show", "dev", "eth0"),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    name = socket.if_indextoname(json.loads(output)[0]["link_index"])
    return Path("/sys/class/net") / name


async def _followed(
    agent: Agent, token: str, loads: Loads, kernel: Kernel, sweeps: int
) -> tuple[dict[str, float], dict[str, Any]]:
    """Return the mean of the rates that were published, and the last figures of each container."""
    latest: dict[str, Any] = {}
    sums = dict.fromkeys(("cpu", "network", "disk"), 0.0)
    async with (
        ClientSession() as session,
        session.ws_connect(
            f"{agent.url}/api/v1/stream", headers={"Authorization": f"Bearer {token}"}
        ) as stream,
    ):
        await stream.receive_json()
        await stream.send_json({"type": "subscribe", "kinds": ["container_stats", "engine_stats"]})
        await stream.receive_json()
        while len(kernel.moments) <= sweeps:
            message = await stream.receive_json(timeout=90)
            for change in message["changes"]:
                latest[change["key"]] = change["data"]
            if not all(f"{loads.prefix}-{what}" in latest for what in loads.ids):
                continue
            kernel.look()
            if len(kernel.moments) == 1:
                continue
            lasted = kernel.moments[-1][0] - kernel.moments[-2][0]
            for what, field_name in (
                ("cpu", "cpu_percent"),
                ("network", "network_transmit_bytes_per_s"),
                ("disk", "block_write_bytes_per_s"),
            ):
                sums[what] += latest[f"{loads.prefix}-{what}"][field_name] * lasted
    lasted = kernel.moments[-1][0] - kernel.moments[0][0]
    return {what: total / lasted for what, total in sums.items()}, latest


@pytest.mark.parametrize(("source", "prefix"), [("cgroup_v1", ()), ("one_shot", WITHOUT_GROUPS)])
async def test_figures_are_what_the_kernel_counted(
    source: str, prefix: tuple[str, ...], loads: Loads, tmp_path: Path
) -> None:
    settings = {"HOMELAB_STATS_INTERVAL_S": str(INTERVAL_S)}
    async with Agent(tmp_path / "agent", settings=settings, prefix=prefix) as agent:
        token = await agent.create_token(scope="read")
        for sweeps in SWEEPS_OF_TRIES:
            kernel = Kernel(loads)
            means, latest = await _followed(agent, token, loads, kernel, sweeps)
            rates = {what: FACTORS[what] * kernel.rate(what) for what in means}
            if means == pytest.approx(rates, rel=WITHIN):
                break
    assert latest["docker"]["source"] == source
    assert (latest["docker"]["source_reason"] is None) is (source == "cgroup_v1")

    for what, shown in means.items():
        counted = rates[what]
        print(f"{source}: {what}: shown {shown:.1f}, counted {counted:.1f}")  # noqa: T201
        assert shown == pytest.approx(counted, rel=WITHIN), what
    held = latest[f"{loads.prefix}-memory"]
    counted = loads.counter("memory")
    print(f"{source}: memory: shown {held['memory_bytes']}, counted {counted}")  # noqa: T201
    assert held["memory_bytes"] == pytest.approx(counted, rel=WITHIN)
    assert held["memory_bytes"] > 100 * MIB
    assert held["memory_limit_bytes"] == 512 * MIB
    assert held["memory_percent"] == pytest.approx(counted / (512 * MIB) * 100, rel=WITHIN)


async def test_a_container_in_the_hosts_network_has_unknown_network_figures(
    tmp_path: Path,
) -> None:
    async with Docker() as docker, Agent(tmp_path / "agent") as agent:
        name = f"statz-{secrets.token_hex(3)}"
        await docker.create(name, NetworkMode="host")
        token = await agent.create_token(scope="read")

        async def known() -> bool:
            answer = await agent.get("/api/v1/containers", token)
            return any(each["name"] == name for each in answer["containers"])

        await wait_until(known, what="the container")

        async def of_both_processes() -> dict[str, Any] | None:
            found: dict[str, Any] = await agent.get(f"/api/v1/containers/{name}/stats", token)
            return found if found["processes"] == 2 else None

        figures = await wait_until(of_both_processes, what="the shell and what it waits for")

    assert figures["network_receive_bytes"] is None
    assert figures["network_transmit_bytes_per_s"] is None
