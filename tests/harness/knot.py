"""Real Knot name servers: one that takes signed updates, and one that transfers its zones.

Each has an address of its own on loopback and the usual port, as 127.31.7.200:53, so that the NS
records of the zones are true: whoever asks `primary.address` for the NS of a zone and then for the
addresses of those is led to both. Give an agent `knot.primary.server` or `knot.servers` (with port)
as `name_servers` of a provider, or `knot.primary.address` as its resolver (`dns_resolvers`); pebble
takes `-dnsserver {knot.primary.server}`. They are authoritative only and look nothing else up.

    async with Knot({"lab.example": "www 300 A 192.0.2.1"}) as knot:
        before = await knot.zone_text("lab.example")    # by AXFR, without the SOA
        knot.transfers.hold()                           # the second server stays behind ...
        knot.transfers.release()                        # ... until now
        await knot.second.stop()                        # or pause(), kill(), start()

It needs root, for port 53, as in the lab.
"""

import asyncio
import base64
import os
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from types import TracebackType
from typing import Self

from tests.harness.name_servers import (
    DNS_PORT,
    NotAnswered,
    ask,
    own_address,
    run,
    transferred,
    without_serial,
)
from tests.harness.processes import LoggedProcess, clean_environment
from tests.harness.transfer_gate import TransferGate
from tests.harness.waiting import wait_until

ALGORITHM = "hmac-sha256"
START_S = 60
_KEEPING_ITS_RIGHTS = ("setpriv", "--bounding-set", "-setpcap")
"""Knot gives up what it has no use for, if it may; and then the kernel would no longer end it with
us."""
_NOTIFY_MS = 2000
_TRANSFER_MS = 120_000  # a transfer that is held back is not given up meanwhile


class KnotServer:
    """One knotd. `stop`, `kill` and `start` it as often as wanted; what it holds stays."""

    def __init__(self, folder: Path, address: str, *, clock: str | None = None) -> None:
        self.address = address
        self.server = f"{address}:{DNS_PORT}"
        """Its address with port."""
        self.folder = folder
        self._socket = str(folder / "knot.sock")
        self._process = LoggedProcess(
            [*_KEEPING_ITS_RIGHTS, "knotd", "--config", str(folder / "knot.conf")],
            log=folder / "knotd.log",
            environment=clean_environment(**_at(clock)),
        )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    async def start(self) -> None:
        """Start it and wait until it can be told something."""
        await self._process.start()
        await wait_until(self._is_up, what=f"knotd at {self.server}", within_s=START_S)

    async def stop(self) -> None:
        """End it; whoever asks is refused at once."""
        if self._process.running:
            self.resume()
        await self._process.stop()

    async def kill(self) -> None:
        """End it without a word to it."""
        await self._process.kill()

    def pause(self) -> None:
        """Let it take connections and say nothing any more, as a server that hangs."""
        os.kill(self.pid, SIGSTOP)
        # All of its threads: one that still runs may answer.
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOWAIT)

    def resume(self) -> None:
        """Let it go on."""
        os.kill(self.pid, SIGCONT)

    async def control(self, *command: str) -> str:
        """Tell it something with knotc, as `control("zone-read", "lab.example")`."""
        return await run("knotc", "--socket", self._socket, *command)

    async def ask(self, name: str, kind: str) -> tuple[str, ...]:
        """Return the values that it gives, sorted, as in a zone file."""
        return await ask(self.address, name, kind)

    async def serial(self, zone: str) -> int:
        """Return the serial number of a zone."""
        (soa,) = await self.ask(zone, "SOA")
        return int(soa.split()[2])

    def configure(self, text: str, *, timeout_ms: int) -> None:
        """Write what it shall be; `timeout_ms`: how long it waits for other servers."""
        general = _GENERAL.format(address=self.address, folder=self.folder, timeout_ms=timeout_ms)
        (self.folder / "knot.conf").write_text(general + text)

    def log_tail(self) -> str:
        """Return the end of its log."""
        return self._process.log_tail()

    async def _is_up(self) -> bool:
        self._process.require_running()
        try:
            zones = await self.control("zone-status", "+role", "+serial")
        except NotAnswered:
            return False
        # A second server may have to wait for the first; the first has all it needs.
        return not any("master" in zone and "serial: -" in zone for zone in zones.splitlines())


class Knot:
    """A primary server and, unless `second` is False, one that follows it by NOTIFY and AXFR/IXFR.

    `zones`: for each zone the lines of its zone file beyond SOA, NS (ns1, ns2) and the addresses of
    those, which are written for it. The key (`key_name`, `key_secret`, `ALGORITHM`) is good for
    updates and transfers. `clock`: by how much the clock of both is wrong, as "+1h".
    """

    def __init__(
        self, zones: Mapping[str, str], *, second: bool = True, clock: str | None = None
    ) -> None:
        self.zones = dict(zones)
        self.key_name = "homelab-test"
        self.key_secret = base64.b64encode(secrets.token_bytes(32)).decode()
        self.folder = Path(tempfile.mkdtemp(prefix="knot-"))
        self.primary = KnotServer(self.folder / "primary", own_address(), clock=clock)
        self._second = (
            KnotServer(self.folder / "second", own_address(), clock=clock) if second else None
        )
        self.transfers = TransferGate(own_address(), self.primary.address, DNS_PORT)
        """Between the second server and the primary: `hold`, `release`, `delay_s`."""

    @property
    def second(self) -> KnotServer:
        """The second server."""
        if self._second is None:
            raise NotAnswered("There is no second server.")
        return self._second

    @property
    def servers(self) -> tuple[str, ...]:
        """All servers, with port."""
        return tuple(server.server for server in self._all())

    @property
    def tsig(self) -> str:
        """The key as kdig and knsupdate take it."""
        return f"{ALGORITHM}:{self.key_name}:{self.key_secret}"

    async def __aenter__(self) -> Self:
        try:
            await asyncio.to_thread(self._write)
            await self.transfers.start()
            for server in self._all():
                await server.start()
            for zone in self.zones:
                await self.wait_until_in_step(zone)
        except BaseException as error:
            for server in self._all():
                error.add_note(f"{server.server}:\n{server.log_tail()}")
            await self._end()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            for server in self._all():
                error.add_note(f"knotd at {server.server}:\n{server.log_tail()}")
        await self._end()

    async def records(self, zone: str) -> tuple[str, ...]:
        """Return all records of the primary by AXFR, a line each, sorted."""
        return await transferred(self.primary.address, zone, self.tsig)

    async def zone_text(self, zone: str) -> str:
        """Return the zone as one text to be compared: all but the SOA, which counts changes."""
        return without_serial(await self.records(zone))

    async def edit(
        self, zone: str, *, put: tuple[str, ...] = (), drop: tuple[str, ...] = ()
    ) -> None:
        """Change the zone as somebody else would, behind the back of whoever is tested.

        `put`: records, as "www 60 A 192.0.2.9", with the TTL that their set has. `drop`: what goes
        first, as "www", "www A" or "www A 192.0.2.9".
        """
        await self.primary.control("zone-begin", zone)
        for record in drop:
            await self.primary.control("zone-unset", zone, *record.split(maxsplit=2))
        for record in put:
            await self.primary.control("zone-set", zone, *record.split(maxsplit=3))
        await self.primary.control("zone-commit", zone)

    async def wait_until_in_step(self, zone: str, *, within_s: float = START_S) -> None:
        """Wait until every server has the same serial number."""

        async def in_step() -> bool:
            try:
                serials = {await server.serial(zone) for server in self._all()}
            except NotAnswered:
                return False
            return len(serials) == 1

        await wait_until(in_step, what=f"all servers to have {zone}", within_s=within_s)

    def _all(self) -> tuple[KnotServer, ...]:
        return (self.primary, self._second) if self._second else (self.primary,)

    def _write(self) -> None:
        for server in self._all():
            server.folder.mkdir()
        common = _KEY.format(name=self.key_name, algorithm=ALGORITHM, secret=self.key_secret)
        common += _ACL.format(key=self.key_name)
        for zone, lines in self.zones.items():
            self._write_zone(zone, lines)
        if self._second is None:
            self.primary.configure(common + self._served("notify: []"), timeout_ms=_NOTIFY_MS)
            return
        notified = self._remote(f"{self._second.address}@{DNS_PORT}")
        self.primary.configure(
            common + notified + self._served("notify: other"), timeout_ms=_NOTIFY_MS
        )
        followed = self._remote(self.transfers.server)
        self._second.configure(common + followed + self._served(_FOLLOWS), timeout_ms=_TRANSFER_MS)

    def _remote(self, address: str) -> str:
        return _REMOTE.format(address=address, key=self.key_name)

    def _served(self, role: str) -> str:
        return "zone:\n" + "".join(_ZONE.format(zone=zone, role=role) for zone in self.zones)

    def _write_zone(self, zone: str, lines: str) -> None:
        head = f"$ORIGIN {zone}.\n$TTL 300\n@ SOA ns1 hostmaster 1 2 1 86400 5\n"
        for number, server in enumerate(self._all(), start=1):
            head += f"@ NS ns{number}\nns{number} A {server.address}\n"
        (self.folder / "primary" / f"{zone}.zone").write_text(f"{head}{lines}\n")

    async def _end(self) -> None:
        for server in self._all():
            await server.kill()
        await self.transfers.close()
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)


def _at(clock: str | None) -> dict[str, str]:
    """Return the environment of a wrong clock. The program `faketime` would be a parent in between,
    and its child would outlive it.
    """
    if clock is None:
        return {}
    (library,) = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME": clock,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


_GENERAL = """
server:
  listen: {address}@53
  rundir: {folder}
  udp-workers: 1
  tcp-workers: 2
  background-workers: 1
  tcp-remote-io-timeout: {timeout_ms}
control:
  listen: knot.sock
log:
  - target: stderr
    any: info
database:
  storage: {folder}
  journal-db-max-size: 50M
  kasp-db-max-size: 50M
  timer-db-max-size: 10M
template:
  - id: default
    storage: {folder}
    file: "%s.zone"
    # The file stays what it was; changes are kept in the journal, and so survive a restart.
    zonefile-sync: -1
    journal-max-usage: 10M
"""
_KEY = """
key:
  - id: {name}
    algorithm: {algorithm}
    secret: {secret}
"""
_REMOTE = """
remote:
  - id: other
    address: {address}
    key: {key}
"""
_ACL = """
acl:
  - id: signed
    key: {key}
    action: [update, transfer, notify]
"""
_FOLLOWS = """master: other
    zonefile-load: none
    journal-content: all"""
_ZONE = """
  - domain: {zone}
    {role}
    acl: signed
"""
