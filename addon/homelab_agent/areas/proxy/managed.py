"""Running Caddy for a person who has none: a stack of one container, told by a socket of ours."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from pydantic_core import to_json

from homelab_agent.areas.network.models import LISTENING_PORT_KIND, ListeningPort
from homelab_agent.areas.proxy.kept import KeptSetup
from homelab_agent.areas.proxy.models import ProxyMode, ProxySetupBody
from homelab_agent.areas.stacks.models import DeployBody, DownBody
from homelab_agent.platform.commands import SYSTEM, Caller, Outcome
from homelab_agent.platform.engine.objects import ObjectUser, StoredVolume
from homelab_agent.platform.errors import Busy, Conflict, NotFound, TimedOut, Unavailable
from homelab_agent.platform.jobs.models import CommandResult
from homelab_agent.platform.jobs.runner import JobRunner
from homelab_agent.platform.resources import Resources

STACK = "homelab-proxy"
CONTAINER = f"{STACK}:caddy:1"
"""The key of its container."""
_CONTAINER_NAME = f"{STACK}-caddy-1"
"""As compose calls it."""
USUAL_IMAGE = "caddy:2"
HTTP_PORT = 80
HTTPS_PORT = 443

_SOCKET = "admin.sock"
_INSIDE = "/run/homelab-proxy"
_DEPLOY_S = 300.0
_COMES_BACK_S = 30.0
_ASK_AGAIN_S = 0.5
_ONLY_OURS = 0o700


class Stacks(Protocol):
    """Deploys compose texts."""

    async def deploy(self, name: str, body: DeployBody, caller: Caller) -> CommandResult:
        """Deploy a text."""

    async def down(self, name: str, body: DownBody, caller: Caller) -> CommandResult:
        """Take a stack down."""


class Objects(Protocol):
    """Tells what the engine has; `Unavailable` while it is away."""

    async def users(self) -> tuple[ObjectUser, ...]:
        """Return every container."""

    async def volumes(self) -> tuple[StoredVolume, ...]:
        """Return every volume."""


class ManagedCaddy:
    """The Caddy that the agent runs. It is in the machine's own network, as its sites are for all.

    Its admin API is a socket in a folder that nobody but the agent may enter. It goes on after a
    restart with what it was told (--resume). Certificates are in a volume, which stays when Caddy
    is removed: authorities do not like to be asked for the same ones again.
    """

    def __init__(
        self,
        stacks: Stacks,
        objects: Objects,
        resources: Resources,
        runner: JobRunner,
        folder: Path,
    ) -> None:
        self._stacks = stacks
        self._objects = objects
        self._resources = resources
        self._runner = runner
        self._folder = folder

    def wanted(self, body: ProxySetupBody) -> KeptSetup:
        """Return what is to be kept of a Caddy that the agent runs."""
        return KeptSetup(
            mode=ProxyMode.MANAGED,
            admin=f"unix/{self._folder / _SOCKET}",
            address=body.address,
            http_port=body.http_port or HTTP_PORT,
            https_port=body.https_port or HTTPS_PORT,
            stack=STACK,
            image=body.image or USUAL_IMAGE,
        )

    def require_free(self, wanted: KeptSetup) -> None:
        """Raise `Conflict` where something else listens at one of its ports, and say what."""
        taken = {
            each.port: each
            for each in self._resources.every(LISTENING_PORT_KIND, ListeningPort)
            # One of ours that just ended may still be listed.
            if each.transport == "tcp" and each.container != CONTAINER
        }
        for field, port in (("http_port", wanted.http_port), ("https_port", wanted.https_port)):
            found = taken.get(port or 0)
            if found:
                who = found.container or found.process or "something else"
                raise Conflict(
                    f"Port {port} is taken by {who} ({found.address}).",
                    field=field,
                    hint="Stop that, choose another port, or use that proxy if it is a Caddy.",
                )

    async def has_volumes(self) -> bool:
        """Return whether volumes of an earlier one are there."""
        volumes = await self._when_free(self._objects.volumes)
        return any(each.name.startswith(f"{STACK}_") for each in volumes)

    async def deploy(self, wanted: KeptSetup) -> None:
        """Have it run, also where it does already; what it was told before stays.

        Raises what a deployment of a stack does.
        """
        await asyncio.to_thread(self._make_folder)
        body = DeployBody(
            compose=self._compose(wanted),
            confirm_findings=True,  # it is the agent's own text, and an admin asked for it
            wait_s=_DEPLOY_S,
        )
        result = await self._when_free(lambda: self._stacks.deploy(STACK, body, SYSTEM))
        _require_ended(result)

    async def remove(self, *, volumes: bool) -> None:
        """Have it no more; nothing happens where it is not there."""
        body = DownBody(volumes=volumes, forget=True, confirm=STACK, wait_s=_DEPLOY_S)
        result = await self._when_free(lambda: self._down(body))
        if result is not None:
            _require_ended(result)

    async def _down(self, body: DownBody) -> CommandResult | None:
        """Take its stack down; None: there is none."""
        try:
            return await self._stacks.down(STACK, body, SYSTEM)
        except NotFound:
            # Just after a start no stack is known yet: then it may be there all the same.
            if any(each.name == _CONTAINER_NAME for each in await self._objects.users()):
                raise Unavailable(f"The stack {STACK} is not known yet.") from None
            return None

    async def _when_free[Answer](self, work: Callable[[], Awaitable[Answer]]) -> Answer:
        """Do it as soon as that can be: after a crash older jobs and the engine come back first."""
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + _COMES_BACK_S
        while True:
            try:
                return await work()
            except Busy as busy:
                job_id = busy.extra.get("job_id")
                if not isinstance(job_id, str):
                    raise
                await self._runner.wait(job_id, _DEPLOY_S)
            except Unavailable:
                if loop.time() >= give_up_at:
                    raise
                await asyncio.sleep(_ASK_AGAIN_S)

    def _make_folder(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=_ONLY_OURS)
        self._folder.chmod(_ONLY_OURS)

    def _compose(self, wanted: KeptSetup) -> str:
        """Return the compose text: JSON, which is YAML as well."""
        caddy = {
            "image": wanted.image,
            "command": ["caddy", "run", "--resume"],
            "environment": {
                # Whoever may not enter the folder on the host does not come to the socket.
                "CADDY_ADMIN": f"unix/{_INSIDE}/{_SOCKET}|0666",
                "XDG_DATA_HOME": "/data",
                "XDG_CONFIG_HOME": "/config",
            },
            "network_mode": "host",
            "restart": "unless-stopped",
            "labels": {"homelab.managed": "proxy"},
            "volumes": ["data:/data", "config:/config", f"{self._folder}:{_INSIDE}"],
        }
        text = {"services": {"caddy": caddy}, "volumes": {"data": {}, "config": {}}}
        return to_json(text, indent=2).decode()


def _require_ended(result: CommandResult) -> None:
    if result.outcome not in {Outcome.DONE, Outcome.NOT_NEEDED}:
        raise TimedOut(
            f"The stack {STACK} was not ready within {_DEPLOY_S:g} s.",
            hint=f"GET /api/v1/stacks/{STACK} tells how far it is.",
        )
