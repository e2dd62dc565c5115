"""A real PowerDNS: its HTTP API, and the name server that answers from what the API writes.

It has an address of its own and the usual port (`server`), as those of `knot.py`, so that the NS
records of its zones are true. The API is at `url`, with `api_key`, and its server is "localhost".
It takes signed updates (RFC 2136) as well, with `key_name` and `key_secret` (hmac-sha256).

    async with PowerDns({"lab.example": "www 300 A 192.0.2.1"}) as pdns:
        before = await pdns.zone_text("lab.example")
        await pdns.stop()                               # or kill(), start()

It needs root, for port 53, as in the lab.
"""

import asyncio
import base64
import secrets
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import ClientError, ClientSession

from tests.harness.name_servers import (
    DNS_PORT,
    ask,
    own_address,
    run,
    transferred,
    without_serial,
)
from tests.harness.processes import LoggedProcess, clean_environment
from tests.harness.waiting import wait_until

START_S = 60
_API_PORT = 8081
_SCHEMA = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")


class PowerDns:
    """One pdns_server with its own database.

    `zones`: for each zone the lines of its zone file beyond SOA, NS (ns1) and the address of that.
    """

    def __init__(self, zones: Mapping[str, str]) -> None:
        self.zones = dict(zones)
        self.api_key = secrets.token_urlsafe(24)
        self.key_name = "homelab-test"
        self.key_secret = base64.b64encode(secrets.token_bytes(32)).decode()
        self.address = own_address()
        self.server = f"{self.address}:{DNS_PORT}"
        """Its address with port, for questions of DNS."""
        # At an address of its own no port is taken by anybody meanwhile.
        self.url = f"http://{self.address}:{_API_PORT}"
        """Its HTTP API."""
        # Its control socket does not take a long path.
        self.folder = Path(tempfile.mkdtemp(prefix="pdns-", dir="/tmp"))
        self._process = LoggedProcess(
            ["pdns_server", f"--config-dir={self.folder}"],
            log=self.folder / "pdns.log",
            environment=clean_environment(),
        )

    async def __aenter__(self) -> Self:
        try:
            await asyncio.to_thread(self._write)
            for zone in self.zones:
                file = str(self.folder / f"{zone}.zone")
                await run("pdnsutil", f"--config-dir={self.folder}", "load-zone", zone, file)
            await asyncio.to_thread(self._allow_updates)
            await self.start()
        except BaseException as error:
            error.add_note(self._process.log_tail())
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
            error.add_note(f"pdns_server at {self.server}:\n{self._process.log_tail()}")
        await self._end()

    async def start(self) -> None:
        """Start it (again) and wait until its API answers."""
        await self._process.start()
        await wait_until(self._is_up, what=f"PowerDNS at {self.url}", within_s=START_S)

    async def stop(self) -> None:
        """End it; what it holds stays."""
        await self._process.stop()

    async def kill(self) -> None:
        """End it without a word to it."""
        await self._process.kill()

    async def records(self, zone: str) -> tuple[str, ...]:
        """Return all records by AXFR, a line each, sorted."""
        return await transferred(self.address, zone)

    async def zone_text(self, zone: str) -> str:
        """Return the zone as one text to be compared: all but the SOA, which counts changes."""
        return without_serial(await self.records(zone))

    async def ask(self, name: str, kind: str) -> tuple[str, ...]:
        """Return the values that it gives, sorted, as in a zone file."""
        return await ask(self.address, name, kind)

    async def edit(self, zone: str, name: str, kind: str, *contents: str, ttl_s: int = 300) -> None:
        """Make a record set be this, as somebody else would; no contents: there is none.

        `name` is whole, without the final dot; `contents` as the API takes them.
        """
        rrset = {
            "name": f"{name}.",
            "type": kind,
            "ttl": ttl_s,
            "changetype": "REPLACE" if contents else "DELETE",
            "records": [{"content": content, "disabled": False} for content in contents],
        }
        url = f"{self.url}/api/v1/servers/localhost/zones/{zone}."
        async with (
            ClientSession(headers={"X-API-Key": self.api_key}) as session,
            session.patch(url, json={"rrsets": [rrset]}, raise_for_status=True),
        ):
            pass

    def _write(self) -> None:
        with closing(sqlite3.connect(self._database)) as made:
            made.executescript(_SCHEMA.read_text())
        settings = _SETTINGS.format(
            address=self.address, port=_API_PORT, key=self.api_key, folder=self.folder
        )
        (self.folder / "pdns.conf").write_text(settings)
        for zone, lines in self.zones.items():
            head = f"$ORIGIN {zone}.\n$TTL 300\n@ SOA ns1 hostmaster 1 2 1 86400 5\n"
            head += f"@ NS ns1\nns1 A {self.address}\n"
            (self.folder / f"{zone}.zone").write_text(f"{head}{lines}\n")

    @property
    def _database(self) -> Path:
        return self.folder / "pdns.sqlite3"

    def _allow_updates(self) -> None:
        """Have the key, and let it update and transfer every zone."""
        with closing(sqlite3.connect(self._database)) as made, made:
            made.execute(
                "INSERT INTO tsigkeys (name, algorithm, secret) VALUES (?, 'hmac-sha256', ?)",
                (self.key_name, self.key_secret),
            )
            for right in ("TSIG-ALLOW-DNSUPDATE", "TSIG-ALLOW-AXFR"):
                made.execute(
                    "INSERT INTO domainmetadata (domain_id, kind, content) "
                    "SELECT id, ?, ? FROM domains",
                    (right, self.key_name),
                )

    async def _is_up(self) -> bool:
        self._process.require_running()
        try:
            async with (
                ClientSession(headers={"X-API-Key": self.api_key}) as session,
                session.get(f"{self.url}/api/v1/servers/localhost") as answer,
            ):
                return answer.status == 200
        except ClientError:
            return False

    async def _end(self) -> None:
        await self._process.kill()
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)


_SETTINGS = """
launch=gsqlite3
gsqlite3-database={folder}/pdns.sqlite3
socket-dir={folder}
local-address={address}
local-port=53
api=yes
api-key={key}
webserver=yes
webserver-address={address}
webserver-port={port}
webserver-allow-from=127.0.0.0/8
allow-axfr-ips=127.0.0.0/8
dnsupdate=yes
allow-dnsupdate-from=127.0.0.0/8
# What was written is answered at once.
cache-ttl=0
negquery-cache-ttl=0
query-cache-ttl=0
zone-cache-refresh-interval=0
receiver-threads=1
distributor-threads=1
daemon=no
guardian=no
disable-syslog=yes
"""
