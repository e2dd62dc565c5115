"""What watching the machine and its network costs, beside Glances as a server, in one run.

All are asked for the same at the same interval: the agent by a client that follows these kinds on
its stream, Glances as Home Assistant asks it, over its web API. Glances as it comes reads neither
connections nor listening ports; the agent does, and its memory is that of everything it can do.
"""

import argparse
import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ClientError, ClientSession

from bench.agent_footprint import Cost, cost_of
from bench.stats_cost import run
from tests.harness.agent import Agent
from tests.harness.processes import LoggedProcess, clean_environment
from tests.harness.waiting import wait_until

GLANCES = "glances[web]==4.5.8"
FIRST_PORT = 61_208
SETTLE_S = 25
KINDS = (
    *("block_device", "disk_health", "filesystem", "host_info", "host_power", "host_sensor"),
    *("host_stats", "listening_port", "network_connections", "network_interface"),
    *("network_status", "network_traffic"),
)
SAME_AS_OURS = (
    *("connections", "cpu", "diskio", "fs", "load", "mem", "memswap", "network", "percpu"),
    *("sensors", "system", "uptime"),
)
"""The plug-ins of Glances that read what the agent reads, and no list of processes."""


@dataclass
class Measured:
    """One program under measurement."""

    name: str
    pid: int
    before: Cost | None = None


async def install_glances(folder: Path) -> Path:
    """Return Glances' program, in an environment of its own."""
    await run("uv", "venv", "--quiet", str(folder))
    await run("uv", "pip", "install", "--quiet", "--python", str(folder / "bin/python"), GLANCES)
    return folder / "bin" / "glances"


@asynccontextmanager
async def following(agent: Agent) -> AsyncIterator[None]:
    """Follow the machine on the agent's stream."""
    token = await agent.create_token(scope="read")
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        ClientSession() as session,
        session.ws_connect(f"{agent.url}/api/v1/stream", headers=headers) as stream,
    ):
        await stream.receive_json()
        await stream.send_json({"type": "subscribe", "kinds": KINDS})

        async def read() -> None:
            async for _ in stream:
                pass

        reading = asyncio.create_task(read())
        yield
        reading.cancel()


@asynccontextmanager
async def glances(
    program: Path, folder: Path, port: int, interval_s: int, plugins: tuple[str, ...] | None
) -> AsyncIterator[int]:
    """Run a server, asked for everything at the interval; yield its process number."""
    command = [str(program), "-w", "--disable-webui", "--port", str(port), "--bind", "127.0.0.1"]
    command += ["--time", str(interval_s), "--disable-check-update", "--disable-autodiscover"]
    if plugins:
        command += ["--disable-plugin", "all", "--enable-plugin", ",".join(plugins)]
    server = LoggedProcess(command, log=folder / f"{port}.log", environment=clean_environment())
    await server.start()
    async with ClientSession() as session:

        async def asked() -> bool:
            server.require_running()
            try:
                async with session.get(f"http://127.0.0.1:{port}/api/4/all") as answer:
                    return answer.status == 200 and bool(await answer.json())  # noqa: PLR2004
            except ClientError:
                return False

        async def ask_on() -> None:
            while True:
                await asked()
                await asyncio.sleep(interval_s)

        await wait_until(asked, what="Glances", within_s=60)
        asking = asyncio.create_task(ask_on())
        try:
            yield server.pid
        finally:
            asking.cancel()
            await server.kill()


@asynccontextmanager
async def processes(count: int) -> AsyncIterator[None]:
    """Have as many processes as a homelab has; they do nothing."""
    script = f"for i in $(seq {count}); do sleep 100000 & done; wait"
    shell = await asyncio.create_subprocess_exec("sh", "-c", script, start_new_session=True)
    try:
        yield
    finally:
        os.killpg(shell.pid, signal.SIGKILL)
        await shell.wait()


def report(programs: list[Measured], seconds: int) -> None:
    """Print what each cost since it was measured before."""
    print(f"{'':44}{'CPU s per minute':>18}{'resident MB':>14}")
    minutes, spent = seconds / 60, {}
    for each in programs:
        after = cost_of(each.pid)
        spent[each.name] = (after.cpu_s - (each.before.cpu_s if each.before else 0)) / minutes
        print(f"{each.name:44}{spent[each.name]:18.2f}{after.rss_mb:14.1f}")
    ours, *others = spent.values()
    for name, other in zip(list(spent)[1:], others, strict=True):
        print(f"agent / {name}: {ours / other:.2f}" if other else f"{name} used nothing")


async def main(seconds: int, interval_s: int, others: int) -> None:
    """Start all, measure the same minute of each, remove all."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="homelab-bench-")))
        program = await install_glances(folder / "glances")
        # What others do on the network of this machine is nothing to compare by.
        os.unshare(os.CLONE_NEWNET)
        await run("ip", "link", "set", "lo", "up")
        await stack.enter_async_context(processes(others))
        settings = {
            "HOMELAB_HOST_INTERVAL_S": str(interval_s),
            "HOMELAB_FILESYSTEM_INTERVAL_S": str(interval_s),
            "HOMELAB_PORT_INTERVAL_S": str(interval_s),
            "HOMELAB_PUBLIC_ADDRESS_INTERVAL_S": "0",
        }
        agent = Agent(folder / "agent", docker_url=f"unix://{folder}/none.sock", settings=settings)
        await stack.enter_async_context(agent)
        # The first start of all makes the database, and loads what later ones do without.
        await agent.stop()
        await agent.start()
        await stack.enter_async_context(following(agent))
        programs = [Measured("agent, host and network, one listener", agent.pid)]
        for number, (name, plugins) in enumerate(
            (("Glances, only the same figures", SAME_AS_OURS), ("Glances as it comes", None))
        ):
            pid = await stack.enter_async_context(
                glances(program, folder, FIRST_PORT + number, interval_s, plugins)
            )
            programs.append(Measured(name, pid))
        await asyncio.sleep(SETTLE_S)
        for each in programs:
            each.before = cost_of(each.pid)
        await asyncio.sleep(seconds)
        print(f"Every {interval_s} s, over {seconds} s, beside {others} processes")
        report(programs, seconds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--interval", type=int, default=10)
    parser.add_argument("--processes", type=int, default=250)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.seconds, arguments.interval, arguments.processes))
