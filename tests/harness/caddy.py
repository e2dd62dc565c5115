"""A real Caddy of a test's own, with the site of another person behind it."""

import asyncio
import base64
import json
import shutil
import ssl
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import aiohttp

from tests.harness.ports import free_port
from tests.harness.processes import LoggedProcess, clean_environment
from tests.harness.waiting import wait_until

NEIGHBOUR = "neighbour.test"
NEIGHBOUR_SAYS = "the neighbour's own site"
START_S = 60

_MIGRATE = Path("/proc/sys/net/ipv4/tcp_migrate_req")

type Json = dict[str, Json] | list[Json] | str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a site answered."""

    status: int
    headers: dict[str, str]
    text: str


class Caddy:
    """`caddy run` with folders, ports and an admin API of its own.

    `caddyfile`: it is started with a Caddyfile instead of JSON. `resume`: it goes on with what the
    API told it before. `neighbour`: another person's site is served; `catch_all`: and a route of
    theirs takes what nobody else takes. `acme_directory` and `acme_root`: where certificates are
    got from, and whom to trust for that. Where that may be set, the kernel is told to move
    connections over from listeners that a reload closes, as docs/DOMAINS.md recommends.
    """

    def __init__(
        self,
        folder: Path,
        *,
        admin: Literal["unix", "tcp"] = "unix",
        caddyfile: bool = False,
        resume: bool = False,
        neighbour: bool = True,
        catch_all: bool = False,
        http_port: int | None = None,
        https_port: int | None = None,
        acme_directory: str | None = None,
        acme_root: Path | None = None,
    ) -> None:
        self.folder = folder
        self.http_port = http_port or free_port()
        self.https_port = https_port or free_port()
        # The kernel refuses sockets with long paths.
        self._short = Path(tempfile.mkdtemp(prefix="caddy-", dir="/tmp"))
        self.admin_socket = self._short / "admin.sock"
        self.admin_listen = (
            f"unix/{self.admin_socket}" if admin == "unix" else f"127.0.0.1:{free_port()}"
        )
        self.config_file = folder / ("Caddyfile" if caddyfile else "caddy.json")
        self._caddyfile = caddyfile
        self._neighbour = neighbour
        self._catch_all = catch_all
        self._acme_directory = acme_directory
        self._acme_root = acme_root
        self._process = LoggedProcess(
            [
                *("caddy", "run", "--config", str(self.config_file)),
                *(("--adapter", "caddyfile") if caddyfile else ()),
                *(("--resume",) if resume else ()),
            ],
            log=folder / "caddy.log",
            environment=clean_environment(
                HOME=str(folder),
                XDG_DATA_HOME=str(folder / "data"),
                XDG_CONFIG_HOME=str(folder / "config"),
            ),
        )

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        text = self._as_caddyfile() if self._caddyfile else json.dumps(self._as_json())
        await asyncio.to_thread(self.config_file.write_text, text)
        await asyncio.to_thread(_move_connections_over)
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._process.stop()
        await asyncio.to_thread(shutil.rmtree, self._short, True)

    @property
    def admin(self) -> str:
        """The address of its admin API, as the agent is told it."""
        return self.admin_listen if self._on_unix else f"http://{self.admin_listen}"

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def storage(self) -> Path:
        """Where it keeps certificates and its own authority."""
        return self.folder / "data" / "caddy"

    async def start(self) -> None:
        """Start it (again) and wait until it and the neighbour's site answer."""
        self.admin_socket.unlink(missing_ok=True)
        await self._process.start()
        await wait_until(self._answers, what="Caddy", within_s=START_S)

    async def stop(self) -> None:
        """End it in order."""
        await self._process.stop()

    async def kill(self) -> None:
        """End it as a power cut would."""
        await self._process.kill()

    async def restart(self) -> None:
        """End it in order, and start it again as it was started."""
        await self.stop()
        await self.start()

    async def call(
        self, method: str, path: str, body: Json = None, *, etag: str | None = None
    ) -> Answer:
        """Ask its admin API, as another person's program would."""
        async with self._session() as session:
            base = "http://caddy" if self._on_unix else self.admin
            headers = {"Content-Type": "application/json"}
            if etag is not None:
                headers["If-Match"] = etag
            data = None if method == "GET" else json.dumps(body)
            async with session.request(
                method, f"{base}{path}", data=data, headers=headers
            ) as answer:
                return Answer(answer.status, dict(answer.headers), await answer.text())

    async def config_text(self) -> str:
        """Return its whole configuration as it prints it: to compare byte for byte."""
        return (await self.call("GET", "/config/")).text

    async def config(self) -> Json:
        """Return its whole configuration."""
        read: Json = json.loads(await self.config_text())
        return read

    async def get(
        self,
        host: str,
        path: str = "/",
        *,
        https: bool = True,
        headers: dict[str, str] | None = None,
        user: tuple[str, str] | None = None,
        authority: Path | None = None,
        timeout_s: float = 10,
    ) -> Answer:
        """Ask one of its sites over a new connection; `authority` None trusts any certificate."""
        port = self.https_port if https else self.http_port
        scheme = "https" if https else "http"
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=True),
                timeout=aiohttp.ClientTimeout(total=timeout_s),
            ) as session,
            session.get(
                f"{scheme}://127.0.0.1:{port}{path}",
                headers={"Host": host, **_login(user), **(headers or {})},
                ssl=tls_context(authority),
                server_hostname=host if https else None,
                allow_redirects=False,
            ) as answer,
        ):
            return Answer(answer.status, dict(answer.headers), await answer.text())

    @property
    def _on_unix(self) -> bool:
        return self.admin_listen.startswith("unix/")

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(str(self.admin_socket)) if self._on_unix else None,
            timeout=aiohttp.ClientTimeout(total=20),
        )

    async def _answers(self) -> bool:
        self._process.require_running()
        try:
            if self._neighbour and (await self.get(NEIGHBOUR)).status != 200:
                return False
            return (await self.call("GET", "/config/")).status == 200
        except aiohttp.ClientError, OSError:
            return False

    def _as_json(self) -> Json:
        http: dict[str, Json] = {"http_port": self.http_port, "https_port": self.https_port}
        routes = self._neighbour_routes()
        if routes:
            http["servers"] = {"main": {"listen": [f":{self.https_port}"], "routes": routes}}
        apps: dict[str, Json] = {
            "http": http,
            # Its own authority is not put into the machine's list of those it trusts.
            "pki": {"certificate_authorities": {"local": {"install_trust": False}}},
        }
        policies = self._policies()
        if policies:
            apps["tls"] = {"automation": {"policies": policies}}
        return {"admin": {"listen": self.admin_listen}, "apps": apps}

    def _neighbour_routes(self) -> list[Json]:
        routes: list[Json] = []
        if self._neighbour:
            routes.append(
                {
                    "match": [{"host": [NEIGHBOUR]}],
                    "handle": [{"handler": "static_response", "body": NEIGHBOUR_SAYS}],
                    "terminal": True,
                }
            )
        if self._catch_all:
            routes.append({"handle": [{"handler": "static_response", "status_code": 404}]})
        return routes

    def _policies(self) -> list[Json]:
        policies: list[Json] = []
        if self._neighbour:
            policies.append({"subjects": [NEIGHBOUR], "issuers": [{"module": "internal"}]})
        if self._acme_directory:
            issuer: dict[str, Json] = {"module": "acme", "ca": self._acme_directory}
            if self._acme_root:
                issuer["trusted_roots_pem_files"] = [str(self._acme_root)]
            policies.append({"issuers": [issuer]})
        return policies

    def _as_caddyfile(self) -> str:
        acme = f"acme_ca {self._acme_directory}" if self._acme_directory else ""
        root = f"acme_ca_root {self._acme_root}" if self._acme_root else ""
        return "\n".join(
            (
                "{",
                *(f"admin {self.admin_listen}", "skip_install_trust"),
                *(f"http_port {self.http_port}", f"https_port {self.https_port}"),
                *(line for line in (acme, root) if line),
                "}",
                *self._caddyfile_sites(),
                "",
            )
        )

    def _caddyfile_sites(self) -> list[str]:
        sites = []
        if self._neighbour:
            sites.append(f'{NEIGHBOUR} {{\ntls internal\nrespond "{NEIGHBOUR_SAYS}"\n}}')
        if self._catch_all:
            sites.append(f":{self.https_port} {{\nrespond 404\n}}")
        return sites


def program_files() -> tuple[str, ...]:
    """Return the program and the libraries that it needs: what a container must have to run it."""
    program = shutil.which("caddy") or ""
    needed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return program, *(word for word in needed.split() if word.startswith("/"))


def moves_connections_over() -> bool:
    """Return whether no connection is lost when a listener is closed for the next one."""
    try:
        return _MIGRATE.read_text().strip() == "1"
    except OSError:
        return False


def _move_connections_over() -> None:
    with suppress(OSError):
        _MIGRATE.write_text("1")


def _login(user: tuple[str, str] | None) -> dict[str, str]:
    if user is None:
        return {}
    packed = base64.b64encode(":".join(user).encode()).decode()
    return {"Authorization": f"Basic {packed}"}


@cache
def tls_context(authority: Path | None) -> ssl.SSLContext:
    """Return what trusts one authority only, or any certificate."""
    context = ssl.create_default_context(cafile=str(authority) if authority else None)
    if authority is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
