"""What it costs to look at the health of 200 domains, beside a bare loop that asks the same.

Two real name servers and an HTTPS server with one certificate for all names; the domains as the
agent has them, and a loop of asyncio, dnspython and `ssl` that asks both servers for each name,
shakes hands and reads the page. Each is a process of its own, on the same core, in turns.
"""

import argparse
import asyncio
import json
import os
import resource
import ssl
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import dns.asyncquery
import dns.message
from cryptography.hazmat.primitives.serialization import Encoding

from bench import provisioning_time
from bench.numbers import percentile
from homelab_agent.areas.certificates.endpoint import EndpointReader
from homelab_agent.areas.certificates.service import CertificateService
from homelab_agent.areas.certificates.trust import TrustStore
from homelab_agent.areas.dns.book import ProviderBook
from homelab_agent.areas.dns.entries import KeptProvider
from homelab_agent.areas.dns.name_servers import RealNameServers
from homelab_agent.areas.dns.providers.all_providers import Reach, make_provider
from homelab_agent.areas.dns.service import DnsService
from homelab_agent.areas.dns.writer import ZoneWriter
from homelab_agent.areas.dns.zone_tally import ZoneTally
from homelab_agent.areas.domains.around import Around
from homelab_agent.areas.domains.board import Board
from homelab_agent.areas.domains.book import Book
from homelab_agent.areas.domains.checks.page import Pages
from homelab_agent.areas.domains.checks.records import RecordsCheck
from homelab_agent.areas.domains.checks.web import WebCheck
from homelab_agent.areas.domains.looking import Looker
from homelab_agent.areas.domains.models import DomainBody, DomainStatus
from homelab_agent.areas.domains.service import DomainService
from homelab_agent.areas.domains.store import DomainStore
from homelab_agent.areas.domains.wishes import Wishes
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.outbound.connections import open_outbound
from homelab_agent.platform.outbound.http import OutboundHttp
from homelab_agent.platform.outbound.tls_contexts import TlsContexts
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.secrets import SecretFilter
from homelab_agent.platform.settings import Settings
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.records import Records
from homelab_agent.platform.store.tables import dns_provider
from homelab_agent.platform.vault import Vault
from tests.fakes.tls_servers import Authority, make_authority
from tests.harness.knot import Knot
from tests.harness.name_servers import own_address

DOMAINS = 200
AT_ONCE = 20
ROUNDS = 5
ZONE = "lab.example"
PORT = 443
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
AUTHORITY = "authority.pem"


@dataclass
class Cost:
    """What each round took."""

    failed: int
    seconds: list[float]
    cpu_s: list[float]


@dataclass(frozen=True)
class Place:
    """Where the servers are."""

    folder: Path
    address: str
    servers: tuple[str, ...]


def names() -> list[str]:
    """Return the names that are looked at."""
    return [f"n{number}.{ZONE}" for number in range(DOMAINS)]


async def serve(place: Place) -> None:
    """Answer HTTPS until ended."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(ANSWER)
            await writer.drain()
        except asyncio.IncompleteReadError, OSError:
            pass
        finally:
            writer.close()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(place.folder / "server.pem")
    server = await asyncio.start_server(answer, place.address, PORT, backlog=1024, ssl=context)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await server.serve_forever()


async def ours(place: Place) -> Cost:
    """Look at all domains as the agent does: found, judged, kept, published."""
    store = await Store.open(f"sqlite+aiosqlite:///{place.folder}/homelab.db", place.folder)
    outbound = open_outbound(Settings(data_dir=place.folder))
    http, contexts = OutboundHttp(outbound), TlsContexts()
    authority = place.folder / AUTHORITY
    certificates = CertificateService(
        EndpointReader(outbound), TrustStore(utc_now, further=authority), utc_now
    )
    resources = Resources()
    reach = Reach(outbound, http, contexts, utc_now)
    providers = ProviderBook(
        Records(store, dns_provider, KeptProvider),
        Vault(bytes(32), SecretFilter()),
        resources,
        lambda settings: make_provider(settings, reach=reach),
        utc_now,
    )
    servers = RealNameServers(outbound, tuple(each.partition(":")[0] for each in place.servers))
    dns_service = DnsService(
        providers, ZoneWriter(providers, servers), servers, ZoneTally(store, utc_now)
    )
    await dns_service.until_ready()
    wishes = Wishes(dns_service)
    around = Around(wishes, resources)
    board = Board(around, resources, utc_now)
    web = WebCheck(Pages(outbound, http, contexts), certificates, utc_now)
    looker = Looker(RecordsCheck(dns_service), web, around, utc_now)
    book = Book(DomainStore(store, utc_now), board, looker.look, utc_now, interval_s=300)
    await book.load()
    service = DomainService(book, wishes, board, utc_now)
    for name in names():
        records = [{"type": "A", "values": [place.address]}]
        body = DomainBody.model_validate({"name": name, "records": records})
        await service.put(body, "bench", provisioned=False, job_id=None)
    watched = list(book.watched.values())
    cost = await _rounds([lambda each=each: book.look(each) for each in watched])
    cost.failed = sum(each.status is not DomainStatus.HEALTHY for each in watched)
    await http.close()
    await store.close()
    return cost


async def bare(place: Place) -> Cost:
    """Ask the same, and do nothing else."""
    context = ssl.create_default_context(cafile=str(place.folder / AUTHORITY))
    context.verify_flags &= ~ssl.VerifyFlags.VERIFY_X509_STRICT
    failed = 0

    async def resolve(name: str, server: str) -> set[str]:
        host, _, port = server.partition(":")
        answer = await dns.asyncquery.udp(
            dns.message.make_query(name, "A"), host, timeout=5, port=int(port)
        )
        return {value.to_text() for each in answer.answer for value in each}

    async def look(name: str) -> None:
        nonlocal failed
        found = await asyncio.gather(*(resolve(name, server) for server in place.servers))
        reader, writer = await asyncio.open_connection(
            place.address, PORT, ssl=context, server_hostname=name
        )
        writer.write(f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
        status = await reader.readline()
        failed += any(each != {place.address} for each in found) or b" 200 " not in status
        writer.close()
        await writer.wait_closed()

    cost = await _rounds([lambda name=name: look(name) for name in names()])
    cost.failed = failed
    return cost


async def _rounds(looks: Sequence[Callable[[], Awaitable[object]]]) -> Cost:
    """Look at all, some at once, in rounds that the other side allows; the first is to warm up."""
    lane = asyncio.Semaphore(AT_ONCE)
    cost = Cost(failed=0, seconds=[], cpu_s=[])
    loop = asyncio.get_running_loop()

    async def one(look: Callable[[], Awaitable[object]]) -> None:
        async with lane:
            await look()

    while await asyncio.to_thread(sys.stdin.readline):
        began_s, began_cpu_s = loop.time(), _cpu_s()
        await asyncio.gather(*map(one, looks))
        cost.seconds.append(loop.time() - began_s)
        cost.cpu_s.append(_cpu_s() - began_cpu_s)
        sys.stdout.write("round\n")
        sys.stdout.flush()
    return cost


async def compare() -> None:
    """Run all and print what they cost."""
    address = own_address()
    zone = "\n".join(f"{name}. A {address}" for name in names())
    with tempfile.TemporaryDirectory() as folder:
        authority = await asyncio.to_thread(make_authority)
        await asyncio.to_thread(_write, authority, Path(folder))
        async with Knot({ZONE: zone}) as knot:
            place = Place(Path(folder), address, knot.servers)
            server = await _process("serve", place)
            await _line(server)
            both = [await _process(role, place) for role in ("ours", "bare")]
            for _ in range(ROUNDS + 1):
                for each in both:
                    await _next_round(each)
            answers = [(await each.communicate())[0] for each in both]
            server.terminate()
            await server.wait()
    _print([Cost(**json.loads(said)) for said in answers])


def _print(costs: Sequence[Cost]) -> None:
    sys.stdout.write(
        f"health of {DOMAINS} domains, {AT_ONCE} at once: two name servers, a handshake and a "
        f"page each; median of {ROUNDS} rounds\n"
    )
    medians = []
    for name, cost in zip(("domains", "bare loop"), costs, strict=True):
        seconds, cpu_s = (percentile(each[1:], 50) for each in (cost.seconds, cost.cpu_s))
        medians.append((seconds, cpu_s))
        sys.stdout.write(
            f"{name:<10} {seconds:6.3f} s  CPU {cpu_s:6.3f} s  "
            f"{1000 * cpu_s / DOMAINS:5.2f} ms of CPU per domain  not well {cost.failed}\n"
        )
    sys.stdout.write(
        f"ratio of seconds {medians[0][0] / medians[1][0]:.2f}, "
        f"of CPU {medians[0][1] / medians[1][1]:.2f}\n"
    )


def _write(authority: Authority, folder: Path) -> None:
    authority.issue(*names()).write(folder)
    root = authority.root.certificate.public_bytes(Encoding.PEM)
    (folder / AUTHORITY).write_bytes(root)


async def _next_round(process: asyncio.subprocess.Process) -> None:
    if process.stdin is None:
        raise RuntimeError("it cannot be told anything")
    process.stdin.write(b"go\n")
    await process.stdin.drain()
    await _line(process)


async def _line(process: asyncio.subprocess.Process) -> None:
    if process.stdout is None or not await process.stdout.readline():
        raise RuntimeError("it ended")


async def _process(role: str, place: Place) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.domains", role, "--folder", place.folder,
        "--address", place.address, "--servers", ",".join(place.servers),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure, or be one of the processes that are measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "role", nargs="?", default="compare", choices=("compare", "serve", "ours", "bare")
    )
    parser.add_argument("--folder", type=Path, default=Path())
    parser.add_argument("--address", default="")
    parser.add_argument("--servers", default="")
    parser.add_argument("--provisioning", action="store_true", help="where its seconds go, instead")
    given = parser.parse_args()
    if given.provisioning:
        asyncio.run(provisioning_time.measure(ROUNDS))
        return
    if given.role == "compare":
        asyncio.run(compare())
        return
    cores = sorted(os.sched_getaffinity(0))
    # What is measured has a core of its own, and who answers has the other.
    os.sched_setaffinity(0, {cores[0] if given.role == "serve" else cores[-1]})
    place = Place(given.folder, given.address, tuple(given.servers.split(",")))
    if given.role == "serve":
        asyncio.run(serve(place))
        return
    cost = asyncio.run(ours(place) if given.role == "ours" else bare(place))
    sys.stdout.write(json.dumps(asdict(cost)) + "\n")


if __name__ == "__main__":
    main()
