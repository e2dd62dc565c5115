"""What 500 HTTP and 500 TLS checks at 30 s cost, beside a bare loop that does the same handshakes.

Servers, monitors and the bare loop are processes of their own; both run at the same time.
"""

import argparse
import asyncio
import json
import os
import resource
import ssl
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.numbers import percentile
from homelab_agent.api.tls import open_self_signed
from homelab_agent.areas.certificates.endpoint import EndpointReader
from homelab_agent.areas.certificates.service import CertificateService
from homelab_agent.areas.certificates.trust import TrustStore
from homelab_agent.areas.monitors.board import Board
from homelab_agent.areas.monitors.check_settings import HttpCheckSettings, TlsCheckSettings
from homelab_agent.areas.monitors.checks.http_check import HttpCheck
from homelab_agent.areas.monitors.checks.registry import Checks
from homelab_agent.areas.monitors.checks.tls_check import TlsCheck
from homelab_agent.areas.monitors.checks.web import Web
from homelab_agent.areas.monitors.desk import Desk
from homelab_agent.areas.monitors.history import History
from homelab_agent.areas.monitors.history_store import HistoryStore
from homelab_agent.areas.monitors.intake import Intake
from homelab_agent.areas.monitors.models import MonitorSettings, MonitorSource
from homelab_agent.areas.monitors.store import MonitorStore
from homelab_agent.areas.monitors.timeline import Timeline
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.outbound.connections import open_outbound
from homelab_agent.platform.outbound.http import OutboundHttp
from homelab_agent.platform.outbound.tls_contexts import TlsContexts
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.secrets import SecretFilter
from homelab_agent.platform.settings import Settings
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.vault import Vault

EACH = 500
INTERVAL_S = 30.0
WARM_UP_S = 35.0
WRITE_S = 5.0
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


@dataclass
class Cost:
    """What one process did within the time measured."""

    checks: int
    failed: int
    cpu_s: float
    late_ms: list[float]
    memory_before_mb: float
    memory_mb: float


class Ports:
    """Where the servers are."""

    def __init__(self, text: str) -> None:
        self.http, self.tls = (int(part) for part in text.split(","))


async def serve(folder: Path) -> None:
    """Answer HTTP at one port and shake hands at the other, until ended."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(ANSWER)
            await writer.drain()
        except asyncio.IncompleteReadError, OSError:
            pass
        finally:
            writer.close()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
        except OSError:
            pass
        finally:
            writer.close()

    tls = await asyncio.to_thread(open_self_signed, folder, "127.0.0.1")
    http = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024)
    greeting = await asyncio.start_server(greet, "127.0.0.1", 0, backlog=1024, ssl=tls.context)
    ports = [server.sockets[0].getsockname()[1] for server in (http, greeting)]
    sys.stdout.write(",".join(map(str, ports)) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


async def monitors(folder: Path, ports: Ports, seconds: float) -> Cost:
    """Watch all servers as the agent does, on one core."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    before_mb = _memory_mb()
    store = await Store.open(f"sqlite+aiosqlite:///{folder}/homelab.db", folder)
    outbound = open_outbound(Settings(data_dir=folder))
    http = OutboundHttp(outbound)
    certificates = CertificateService(EndpointReader(outbound), TrustStore(utc_now), utc_now)
    checks = Checks((HttpCheck(Web(http, TlsContexts(), utc_now)), TlsCheck(certificates)))
    history = History(HistoryStore(store, keep_checks_h=24))
    board, timeline = Board(Resources(), utc_now), Timeline(utc_now)
    late_s: list[float] = []
    desk = Desk(
        MonitorStore(store, utc_now, Vault(bytes(32), SecretFilter())),
        history,
        Intake(history, board),
        board,
        checks,
        timeline,
        SecretFilter(),
        most_at_once=64,
        observe=late_s.append,
    )
    await history.load(timeline.now().wall_ms)
    for number in range(EACH):
        for kind, check in (
            ("http", HttpCheckSettings(url=f"http://127.0.0.1:{ports.http}/{number}")),
            ("tls", TlsCheckSettings(host="127.0.0.1", port=ports.tls, verify=False)),
        ):
            settings = MonitorSettings(
                name=f"{kind} {number}", check=check, interval_s=INTERVAL_S, timeout_s=10
            )
            await desk.add(f"{kind}-{number}", MonitorSource.PERSON, settings)

    async def keep() -> None:
        while True:
            await history.write()
            await history.move(timeline.now().wall_ms)
            await asyncio.sleep(WRITE_S)

    tasks = [asyncio.create_task(desk.schedule.run()), asyncio.create_task(keep())]
    await asyncio.sleep(WARM_UP_S)
    late_s.clear()
    began_s = _cpu_s()
    await asyncio.sleep(seconds)
    cost = Cost(
        checks=len(late_s),
        failed=sum(each.outcome is None or not each.outcome.ok for each in desk.watched.values()),
        cpu_s=_cpu_s() - began_s,
        late_ms=[late * 1000 for late in late_s],
        memory_before_mb=before_mb,
        memory_mb=_memory_mb(),
    )
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await http.close()
    await store.close()
    return cost


async def bare(ports: Ports, seconds: float) -> Cost:
    """Connect and shake hands as often, and do nothing else; on the same core."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    before_mb = _memory_mb()
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    loop = asyncio.get_running_loop()
    late_s: list[float] = []
    running: set[asyncio.Task[None]] = set()
    failed = 0

    async def ask(port: int, tls: ssl.SSLContext | None) -> None:
        nonlocal failed
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
            if tls is None:
                writer.write(REQUEST)
                await reader.read()
            writer.close()
            await writer.wait_closed()
        except OSError:
            failed += 1

    def due(at_s: float, port: int, tls: ssl.SSLContext | None) -> None:
        late_s.append(loop.time() - at_s)
        task = loop.create_task(ask(port, tls))
        running.add(task)
        task.add_done_callback(running.discard)
        loop.call_at(at_s + INTERVAL_S, due, at_s + INTERVAL_S, port, tls)

    for number in range(2 * EACH):
        at_s = loop.time() + INTERVAL_S * number / (2 * EACH)
        port, tls = (ports.http, None) if number % 2 else (ports.tls, context)
        loop.call_at(at_s, due, at_s, port, tls)
    await asyncio.sleep(WARM_UP_S)
    late_s.clear()
    began_s = _cpu_s()
    await asyncio.sleep(seconds)
    return Cost(
        checks=len(late_s),
        failed=failed,
        cpu_s=_cpu_s() - began_s,
        late_ms=[late * 1000 for late in late_s],
        memory_before_mb=before_mb,
        memory_mb=_memory_mb(),
    )


async def compare(seconds: float) -> None:
    """Run all three and print what they cost."""
    with tempfile.TemporaryDirectory() as folder:
        server = await _process("serve", folder)
        if server.stdout is None:
            raise RuntimeError("the servers say nothing")
        ports = (await server.stdout.readline()).decode().strip()
        both = [
            await _process(role, folder, "--ports", ports, "--seconds", str(seconds))
            for role in ("monitors", "bare")
        ]
        answers = await asyncio.gather(*(each.communicate() for each in both))
        server.terminate()
        await server.wait()
    sys.stdout.write(f"{EACH} HTTP and {EACH} TLS checks at {INTERVAL_S:g} s, {seconds:g} s long\n")
    costs = [Cost(**json.loads(said)) for said, _ in answers]
    for name, cost in zip(("monitors", "bare loop"), costs, strict=True):
        sys.stdout.write(
            f"{name:<10} checks {cost.checks:5}  failed {cost.failed:3}  "
            f"CPU {1000 * cost.cpu_s / cost.checks:6.2f} s per 1,000 checks  "
            f"late p50 {percentile(cost.late_ms, 50):6.2f} p99 {percentile(cost.late_ms, 99):6.2f} "
            f"max {max(cost.late_ms):6.2f} ms  "
            f"memory {cost.memory_mb:5.1f} MB ({cost.memory_mb - cost.memory_before_mb:+.1f})\n"
        )
    per_check = [cost.cpu_s / cost.checks for cost in costs]
    sys.stdout.write(f"ratio of CPU per check: {per_check[0] / per_check[1]:.2f}\n")


async def _process(role: str, folder: str, *more: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.monitors", role, "--folder", folder, *more,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _memory_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def main() -> None:
    """Measure, or be one of the processes that are measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    roles = ("compare", "serve", "monitors", "bare")
    parser.add_argument("role", nargs="?", default="compare", choices=roles)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--ports", type=Ports)
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    match given.role:
        case "serve":
            asyncio.run(serve(given.folder))
        case "monitors":
            cost = asyncio.run(monitors(given.folder, given.ports, given.seconds))
            sys.stdout.write(json.dumps(asdict(cost)))
        case "bare":
            cost = asyncio.run(bare(given.ports, given.seconds))
            sys.stdout.write(json.dumps(asdict(cost)))
        case _:
            asyncio.run(compare(given.seconds))


if __name__ == "__main__":
    main()
