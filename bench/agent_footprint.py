"""What an agent costs that has containers to watch and nothing happening.

One client is attached to its stream, as Home Assistant would be. Beside it stands a process of the
same Python that only loads the web and model libraries: no agent in Python could be smaller.
"""

import argparse
import asyncio
import os
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ClientResponseError, ClientSession

from bench.containers import make_containers
from tests.harness.agent import CHECKOUT, Agent
from tests.harness.docker import Docker
from tests.harness.waiting import wait_until

AGENT_PYTHON = CHECKOUT / "addon" / ".venv" / "bin" / "python"
BARE = "import sys, aiohttp.web, pydantic; print('ready', flush=True); sys.stdin.read()"
SETTLE_S = 5


@dataclass(frozen=True)
class Cost:
    """What the kernel says of a process right now."""

    rss_mb: float
    cpu_s: float


def cost_of(pid: int) -> Cost:
    """Return resident memory and processor time used so far."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    # The name in the second field may hold spaces; the fields after it do not.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return Cost(
        rss_mb=pages * os.sysconf("SC_PAGE_SIZE") / 1_000_000,
        cpu_s=ticks / os.sysconf("SC_CLK_TCK"),
    )


async def bare_process_mb(folder: Path) -> float:
    """Return the memory of a Python that has only loaded what the agent stands on."""
    log = folder / "bare.log"
    process = await asyncio.create_subprocess_exec(
        AGENT_PYTHON, "-c", BARE, stdin=asyncio.subprocess.PIPE, stdout=log.open("wb")
    )
    try:

        async def ready() -> bool:
            return log.read_text().startswith("ready")

        await wait_until(ready, what="the bare process")
        return cost_of(process.pid).rss_mb
    finally:
        process.kill()
        await process.wait()


async def knows_all(agent: Agent, token: str, names: set[str]) -> None:
    """Wait until the agent lists every container."""

    async def check() -> bool:
        try:
            answer = await agent.get("/api/v1/containers", token)
        except ClientResponseError:  # it has not reached Docker yet
            return False
        return names <= {each["name"] for each in answer["containers"]}

    await wait_until(check, what="the agent to know every container")


async def main(containers: int, seconds: int) -> None:
    """Start everything, measure, remove everything."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="homelab-bench-")))
        docker = await stack.enter_async_context(Docker())
        names = set(await make_containers(docker, containers))
        bare_mb = await bare_process_mb(folder)
        agent = await stack.enter_async_context(Agent(folder / "agent"))
        token = await agent.create_token(scope="read")
        # The first start of all makes the database, and loads what later ones do without.
        await agent.stop()
        await agent.start()
        await knows_all(agent, token, names)
        session = await stack.enter_async_context(ClientSession())
        stream = await stack.enter_async_context(
            session.ws_connect(
                f"{agent.url}/api/v1/stream", headers={"Authorization": f"Bearer {token}"}
            )
        )
        await stream.receive_json()
        await stream.send_json({"type": "subscribe"})
        await stream.receive_json()
        await asyncio.sleep(SETTLE_S)
        before = cost_of(agent.pid)
        await asyncio.sleep(seconds)
        after = cost_of(agent.pid)
        print(f"Agent, {containers} containers, one client, {seconds} s with nothing happening")
        print(
            f"  resident memory      {after.rss_mb:7.1f} MB (at the start {before.rss_mb:.1f} MB)"
        )
        print(
            f"  bare Python beside it {bare_mb:6.1f} MB ({after.rss_mb / bare_mb:.2f} times that)"
        )
        print(f"  processor time       {after.cpu_s - before.cpu_s:7.2f} s")
        print(f"  used for starting    {before.cpu_s:7.2f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--containers", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=60)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.containers, arguments.seconds))
