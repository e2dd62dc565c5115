"""Pebble, a real authority that speaks ACME: for one test, at loopback."""

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

from tests.harness.ports import free_port
from tests.harness.processes import LoggedProcess, ProcessDied, clean_environment
from tests.harness.waiting import wait_until

HOST = "127.0.0.1"
START_S = 60
_ASK_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class PebbleOptions:
    """How this authority behaves.

    `dns_server`: whom it asks, as "127.0.0.1:5353". `nonce_reject_percent`: of so many good
    requests the nonce is refused. `authz_reuse_percent`: how often it takes a name as proven
    before. `always_valid`: no challenge is really looked at. `validation_sleep_s`: so long a
    validation waits at most before it begins; None: it begins at once. `validity_s`: for how long a
    certificate is good. `http_port`, `tls_port`: where it looks for HTTP-01 and TLS-ALPN-01.
    `external_accounts`: key ids and HMAC keys of accounts at its website; where there are any, it
    takes no others. `prefix` is a command that runs it somewhere else, as `ip netns exec NAME`.
    """

    dns_server: str | None = None
    nonce_reject_percent: int = 0
    authz_reuse_percent: int = 0
    always_valid: bool = False
    validation_sleep_s: int | None = None
    validity_s: int = 90 * 24 * 3600
    http_port: int = 80
    tls_port: int = 443
    refused_domains: tuple[str, ...] = ()
    external_accounts: Mapping[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()


class Pebble:
    """One authority. It forgets everything when it ends; its addresses stay over a restart."""

    def __init__(self, folder: Path, options: PebbleOptions | None = None) -> None:
        self.folder = folder
        self.options = options or PebbleOptions()
        self.port, self.management_port = free_port(), free_port()
        self._process: LoggedProcess | None = None

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        await _make_certificate(self.folder)
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def directory(self) -> str:
        """The address that clients of ACME are given."""
        return f"https://{HOST}:{self.port}/dir"

    @property
    def api_ca_file(self) -> Path:
        """Whom to trust for the directory itself (PEM)."""
        return self.folder / "api.pem"

    @property
    def log(self) -> Path:
        """Where it writes what it does."""
        return self.folder / "pebble.log"

    @property
    def pid(self) -> int:
        """The process id."""
        return self._required().pid

    async def start(self, options: PebbleOptions | None = None) -> None:
        """Start it, as a new authority with new keys, and wait until it answers."""
        self.options = options or self.options
        config = self.folder / "pebble.json"
        config.write_text(json.dumps({"pebble": self._config()}))
        self._process = LoggedProcess(
            [*self.options.prefix, "pebble", "-config", str(config), *self._dns()],
            log=self.log,
            environment=clean_environment(**self._faults()),
        )
        await self._process.start()
        await wait_until(self._answers, what="pebble", within_s=START_S)

    async def stop(self) -> None:
        """End it."""
        if self._process is not None:
            await self._process.stop()

    async def root_pem(self) -> str:
        """Return the root of the certificates that it gives out."""
        return (await self._manage("GET", "/roots/0")).decode()

    async def write_root(self, file: Path) -> Path:
        """Write that root to a file, and return the file."""
        await asyncio.to_thread(file.write_text, await self.root_pem())
        return file

    async def certificate_status(self, serial_hex: str) -> dict[str, Any]:
        """Return what it knows of a certificate: `Status` is "Valid" or "Revoked"."""
        found: dict[str, Any] = json.loads(
            await self._manage("GET", f"/cert-status-by-serial/{serial_hex}")
        )
        return found

    async def set_renewal_info(self, certificate_pem: str, answer: Mapping[str, Any]) -> None:
        """Have it answer so, when it is asked when to renew a certificate (ARI)."""
        body = {"Certificate": certificate_pem, "ARIResponse": json.dumps(answer)}
        await self._manage("POST", "/set-renewal-info/", body)

    def _config(self) -> dict[str, Any]:
        options = self.options
        return {
            "listenAddress": f"{HOST}:{self.port}",
            "managementListenAddress": f"{HOST}:{self.management_port}",
            "certificate": str(self.api_ca_file),
            "privateKey": str(self.folder / "api.key"),
            "httpPort": options.http_port,
            "tlsPort": options.tls_port,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": bool(options.external_accounts),
            "externalAccountMACKeys": dict(options.external_accounts),
            "domainBlocklist": list(options.refused_domains),
            "retryAfter": {"authz": 1, "order": 1},
            "profiles": {
                "default": {"description": "for tests", "validityPeriod": options.validity_s}
            },
        }

    def _dns(self) -> tuple[str, ...]:
        server = self.options.dns_server
        return ("-dnsserver", server) if server else ()

    def _faults(self) -> dict[str, str]:
        options = self.options
        faults = {
            "PEBBLE_WFE_NONCEREJECT": str(options.nonce_reject_percent),
            "PEBBLE_AUTHZREUSE": str(options.authz_reuse_percent),
        }
        if options.always_valid:
            faults["PEBBLE_VA_ALWAYS_VALID"] = "1"
        if options.validation_sleep_s is None:
            faults["PEBBLE_VA_NOSLEEP"] = "1"
        else:
            faults["PEBBLE_VA_SLEEPTIME"] = str(options.validation_sleep_s)
        return faults

    async def _answers(self) -> bool:
        self._required().require_running()
        try:
            await self._manage("GET", "/roots/0")
            await self._ask("GET", self.directory)
        except ClientError, TimeoutError:
            return False
        return True

    async def _manage(self, method: str, path: str, body: object = None) -> bytes:
        return await self._ask(method, f"https://{HOST}:{self.management_port}{path}", body)

    async def _ask(self, method: str, url: str, body: object = None) -> bytes:
        context = await asyncio.to_thread(ssl.create_default_context, cafile=self.api_ca_file)
        async with (
            ClientSession(
                connector=TCPConnector(ssl=context),
                timeout=ClientTimeout(total=_ASK_S),
                raise_for_status=True,
            ) as session,
            session.request(method, url, json=body) as answer,
        ):
            return await answer.read()

    def _required(self) -> LoggedProcess:
        if self._process is None:
            raise ProcessDied("pebble was not started")
        return self._process


async def _make_certificate(folder: Path) -> None:
    """Make the certificate of its own API, which is its own authority."""
    process = await asyncio.create_subprocess_exec(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        *("-nodes", "-days", "30", "-subj", "/CN=pebble api"),
        *("-addext", f"subjectAltName=IP:{HOST},DNS:localhost"),
        *("-addext", "keyUsage=critical,digitalSignature,keyCertSign"),
        *("-keyout", "api.key", "-out", "api.pem"),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise ProcessDied(f"openssl: {said.decode().strip()}")
