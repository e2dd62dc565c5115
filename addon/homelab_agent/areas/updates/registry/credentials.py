"""Logins of registries: from the settings, else from Docker's own configuration."""

import asyncio
import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from homelab_agent.areas.updates.registry.helpers import ask_helper
from homelab_agent.platform.clock import Steady, steady_s
from homelab_agent.platform.engine.image_reference import DOCKER_HUB
from homelab_agent.platform.engine.images import RegistryLogin
from homelab_agent.platform.errors import AgentError, Failed
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.secrets import SHORTEST_SECRET, SecretFilter
from homelab_agent.platform.settings import RegistrySettings

_KEPT_S = 600.0
"""How long a login is used before it is looked up again: helpers give some that end."""

_MOST_BYTES = 1024 * 1024
_HUB_KEY = "https://index.docker.io/v1/"
_HUB_NAMES = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})
_SCHEME = re.compile(r"^https?://")

_log = get_logger(__name__)


class _Auth(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    auth: str = ""
    username: str = ""
    password: SecretStr = SecretStr("")
    identity_token: SecretStr = Field(default=SecretStr(""), alias="identitytoken")


class _DockerConfig(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    auths: dict[str, _Auth] = Field(default_factory=dict)
    helpers: dict[str, str] = Field(default_factory=dict, alias="credHelpers")
    store: str = Field(default="", alias="credsStore")


@dataclass(frozen=True, slots=True)
class _Kept:
    login: RegistryLogin | None
    until: float


class Credentials:
    """Finds the login of a registry. What makes it unreadable is told in the log, once."""

    def __init__(
        self,
        settings: Sequence[RegistrySettings],
        docker_config: Path | None,
        secrets: SecretFilter,
        *,
        now: Steady = steady_s,
    ) -> None:
        self._settings: Mapping[str, RegistrySettings] = {each.host: each for each in settings}
        self._docker_config = docker_config
        self._secrets = secrets
        self._now = now
        self._kept: dict[str, _Kept] = {}
        self._told: dict[str, str] = {}

    async def get(self, registry: str) -> RegistryLogin | None:
        """Return what to show to a registry; None where nothing is known."""
        kept = self._kept.get(registry)
        if kept is None or kept.until <= self._now():
            kept = _Kept(await self._found(registry), self._now() + _KEPT_S)
            self._kept[registry] = kept
        return kept.login

    def keep_only(self, registries: frozenset[str]) -> None:
        """Forget the logins of all other registries until they are asked for again."""
        for known in (self._kept, self._told):
            for gone in known.keys() - registries:
                del known[gone]

    async def _found(self, registry: str) -> RegistryLogin | None:
        try:
            login = await self._from_settings(registry) or await self._from_docker(registry)
        except AgentError as error:
            if self._told.get(registry) != error.message:
                self._told[registry] = error.message
                _log.warning("registry_login_not_readable", registry=registry, why=error.message)
            return None
        if login is not None:
            self._hide(login)
        return login

    async def _from_settings(self, registry: str) -> RegistryLogin | None:
        settings = self._settings.get(registry)
        if settings is None or settings.username is None:
            return None
        password = settings.password
        if settings.password_file is not None:
            text = await asyncio.to_thread(_text, settings.password_file)
            password = SecretStr(text.rstrip("\r\n"))
        return RegistryLogin(username=settings.username, password=password or SecretStr(""))

    async def _from_docker(self, registry: str) -> RegistryLogin | None:
        if self._docker_config is None:
            return None
        config = await asyncio.to_thread(_read_config, self._docker_config)
        if config is None:
            return None
        server = _HUB_KEY if registry == DOCKER_HUB else registry
        helper = config.helpers.get(server) or config.helpers.get(registry) or config.store
        if helper and (login := await ask_helper(helper, server)):
            return login
        for key, auth in config.auths.items():
            if _names(key, registry):
                return _login(key, auth)
        return None

    def _hide(self, login: RegistryLogin) -> None:
        for secret in (login.password, login.identity_token):
            value = secret.get_secret_value() if secret else ""
            if len(value) >= SHORTEST_SECRET:
                self._secrets.add(value)


def _names(key: str, registry: str) -> bool:
    """Return whether an entry of Docker's configuration is about a registry."""
    host = _SCHEME.sub("", key).partition("/")[0]
    return host in _HUB_NAMES if registry == DOCKER_HUB else host == registry


def _login(key: str, auth: _Auth) -> RegistryLogin | None:
    username, password = auth.username, auth.password
    if auth.auth:
        try:
            text = b64decode(auth.auth, validate=True).decode()
        except ValueError:
            raise Failed(f"Docker's login for {key} is not readable.") from None
        username, _, found = text.partition(":")
        password = SecretStr(found.rstrip("\0"))
    if auth.identity_token.get_secret_value():
        return RegistryLogin(username=username, identity_token=auth.identity_token)
    if not username:
        return None
    return RegistryLogin(username=username, password=password)


def _read_config(path: Path) -> _DockerConfig | None:
    if not path.exists():
        return None
    try:
        return _DockerConfig.model_validate_json(_text(path))
    except ValidationError:
        # Without its details, which would hold what stands in the file.
        raise Failed(f"{path} is not a configuration of Docker.") from None


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(_MOST_BYTES)
    except OSError as error:
        raise Failed(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise Failed(f"{path} is not text.") from error
