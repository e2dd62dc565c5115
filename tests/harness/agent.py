"""A real agent in a process of its own."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from types import TracebackType
from typing import Any, Self

from aiohttp import ClientError, ClientSession

from tests.harness.ports import free_port
from tests.harness.processes import LoggedProcess, clean_environment
from tests.harness.waiting import wait_until

CHECKOUT = Path(__file__).resolve().parents[2]
PROGRAM = CHECKOUT / "addon" / ".venv" / "bin" / "homelab-agent"
DOCKER_URL = "unix:///var/run/docker.sock"
START_S = 90


async def ask_agent(
    url: str, method: str, path: str, body: object = None, *, token: str = ""
) -> tuple[int, Any]:
    """Ask the agent at `url` for what is under `/api/v1`; return status and JSON answer."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        ClientSession(headers=headers) as session,
        session.request(method, f"{url}/api/v1{path}", json=body) as answer,
    ):
        # Also what is no JSON by its name: a door that is just being opened or closed.
        return answer.status, await answer.json(content_type=None)


class AgentRefused(Exception):
    """The command ended with an error; the message is what it said."""


class Agent:
    """One agent with its data folder. After a restart it listens at the same address.

    `prefix` is a command that runs it somewhere else, such as `ip netns exec NAME`.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        docker_url: str = DOCKER_URL,
        demo: bool = False,
        listen: str | None = None,
        settings: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        self.data_dir = data_dir
        self.demo = demo
        self.address = ""
        """Host and port, once started."""
        self._settings = {
            "HOMELAB_DATA_DIR": str(data_dir),
            "HOMELAB_DOCKER_URL": docker_url,
            "HOMELAB_LISTEN": listen or f"127.0.0.1:{free_port()}",
            "HOMELAB_MDNS": "false",
            **(settings or {}),
        }
        self._prefix = tuple(prefix)
        self._process: LoggedProcess | None = None

    async def __aenter__(self) -> Self:
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
    def url(self) -> str:
        """The agent's base address."""
        return f"http://{self.address}"

    @property
    def host(self) -> str:
        """The host part of the address."""
        return self.address.rpartition(":")[0]

    @property
    def port(self) -> int:
        """The port of the address."""
        return int(self.address.rpartition(":")[2])

    @property
    def pid(self) -> int:
        """The process id."""
        return self._require().pid

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self.data_dir / "agent.log"

    async def start(self) -> None:
        """Start the agent and wait until it answers."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        address_file = self.data_dir / "address"
        address_file.unlink(missing_ok=True)
        self._process = LoggedProcess(
            [*self._prefix, str(PROGRAM), "serve", *(["--demo"] if self.demo else [])],
            log=self.log,
            environment=clean_environment(**self._settings),
        )
        await self._process.start()
        self.address = await wait_until(
            self._read_address, what="the agent's address", within_s=START_S
        )
        self._settings["HOMELAB_LISTEN"] = self.address
        await wait_until(self._healthy, what="the agent's health answer", within_s=START_S)

    async def stop(self) -> int | None:
        """End the agent in its own good way; return its exit code."""
        return await self._process.stop() if self._process else None

    async def kill(self) -> None:
        """End the agent as a power cut would."""
        await self._require().kill()

    def pause(self) -> None:
        """Let it stand still in what it does. Its clients take it for lost after 15 s."""
        os.kill(self.pid, SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        os.kill(self.pid, SIGCONT)

    async def create_token(self, name: str = "test", scope: str = "operate") -> str:
        """Return the secret of a new token."""
        return (await self.command("token", "create", "--name", name, "--scope", scope)).strip()

    async def command(self, *arguments: str) -> str:
        """Run `homelab-agent` with the same settings; return what it printed."""
        process = await asyncio.create_subprocess_exec(
            PROGRAM,
            *arguments,
            env=clean_environment(**self._settings),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        if process.returncode:
            raise AgentRefused(errors.decode().strip())
        return output.decode()

    async def get(self, path: str, token: str | None = None) -> Any:  # JSON of the agent
        """Return the JSON answer of a GET."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with (
            ClientSession(raise_for_status=True) as session,
            session.get(f"{self.url}{path}", headers=headers) as answer,
        ):
            return await answer.json()

    async def ask(
        self, method: str, path: str, body: object = None, *, token: str
    ) -> tuple[int, Any]:
        """Ask for what is under `/api/v1`; return status and JSON answer, whatever they are."""
        return await ask_agent(self.url, method, path, body, token=token)

    async def _read_address(self) -> str | None:
        self._require().require_running()
        try:
            text = (self.data_dir / "address").read_text().strip()
        except FileNotFoundError:
            return None
        return text.rpartition("//")[2] or None

    async def _healthy(self) -> bool:
        self._require().require_running()
        try:
            await self.get("/api/v1/health")
        except ClientError:
            return False
        return True

    def _require(self) -> LoggedProcess:
        if self._process is None:
            raise AgentRefused("the agent was not started")
        return self._process
