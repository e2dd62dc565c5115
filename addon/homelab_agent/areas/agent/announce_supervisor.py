"""Hands address and token to Home Assistant through Supervisor, so that nothing is typed in."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from aiohttp import ClientError, ClientSession, ClientTimeout

from homelab_agent.platform.commands import Scope
from homelab_agent.platform.durable_files import replace_file
from homelab_agent.platform.errors import AgentError
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.model import Model
from homelab_agent.platform.secrets import SecretFilter
from homelab_agent.platform.tokens import Tokens

SUPERVISOR_URL = "http://supervisor"
TOKEN_NAME = "home-assistant"  # noqa: S105  # a name, not a secret
TOKEN_FILE = "home-assistant.token"  # noqa: S105  # the same
ATTEMPT_S = 10.0
DELAYS_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)

_log = get_logger(__name__)


class DiscoveryConfig(Model):
    """What Home Assistant is told. `fingerprint` is the SHA-256 of the certificate, for pinning."""

    host: str
    port: int
    ssl: bool
    fingerprint: str | None
    token: str
    instance_id: str


class DiscoveryMessage(Model):
    """What Supervisor takes."""

    service: str = "homelab"
    config: DiscoveryConfig


class SupervisorAnnouncement:
    """Makes a token for Home Assistant and announces it until Supervisor has taken it.

    The token is kept in a file of the data folder, readable for the agent alone: a new one with
    every start would turn Home Assistant out each time. Whoever can read that folder can write
    the token table in it too.
    """

    def __init__(
        self,
        tokens: Tokens,
        secrets: SecretFilter,
        data_dir: Path,
        *,
        supervisor_token: str,
        fingerprint: str | None,
        url: str = SUPERVISOR_URL,
        delays_s: Sequence[float] = DELAYS_S,
    ) -> None:
        self._tokens = tokens
        self._secrets = secrets
        self._file = data_dir / TOKEN_FILE
        self._supervisor_token = supervisor_token
        self._fingerprint = fingerprint
        self._url = url
        self._delays_s = delays_s

    async def run(self, host: str, port: int, instance_id: str) -> None:
        """Announce once; goes on trying while Supervisor is not ready."""
        attempt = 0
        while not await self._announce(host, port, instance_id):
            await asyncio.sleep(self._delays_s[min(attempt, len(self._delays_s) - 1)])
            attempt += 1

    async def _announce(self, host: str, port: int, instance_id: str) -> bool:
        try:
            config = DiscoveryConfig(
                host=host,
                port=port,
                ssl=self._fingerprint is not None,
                fingerprint=self._fingerprint,
                token=await self._token(),
                instance_id=instance_id,
            )
            await self._post(DiscoveryMessage(config=config))
        except (AgentError, ClientError, TimeoutError, OSError) as error:
            _log.warning("supervisor_discovery_failed", reason=str(error) or type(error).__name__)
            return False
        _log.info("supervisor_discovery_done", host=host, port=port)
        return True

    async def _post(self, message: DiscoveryMessage) -> None:
        async with (
            ClientSession(
                headers={"Authorization": f"Bearer {self._supervisor_token}"},
                timeout=ClientTimeout(total=ATTEMPT_S),
                raise_for_status=True,
            ) as session,
            session.post(f"{self._url}/discovery", json=message.model_dump()),
        ):
            return

    async def _token(self) -> str:
        kept = await asyncio.to_thread(self._read)
        if kept:
            caller = await self._tokens.verify(kept)
            if caller is not None and caller.scope is Scope.OPERATE:
                return kept
        token = await self._tokens.rotate(TOKEN_NAME, Scope.OPERATE)
        self._secrets.add(token)
        await asyncio.to_thread(replace_file, self._file, token)
        return token

    def _read(self) -> str | None:
        try:
            return self._file.read_text(encoding="ascii").strip()
        except FileNotFoundError, UnicodeDecodeError:
            return None
