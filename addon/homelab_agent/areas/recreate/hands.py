"""What the steps work with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from homelab_agent.areas.recreate.http_check import HttpCheck
from homelab_agent.areas.recreate.patience import Patience
from homelab_agent.areas.recreate.store import Record
from homelab_agent.platform.engine.image_reference import ImageReference
from homelab_agent.platform.engine.images import ImageEngine, RegistryLogin
from homelab_agent.platform.engine.interface import Engine
from homelab_agent.platform.engine.models import EngineContainer
from homelab_agent.platform.engine.recreate import RecreateEngine
from homelab_agent.platform.secrets import SecretFilter

type Guard = Callable[[EngineContainer], str | None]
"""Returns why a container must not be touched, None where nothing protects it."""

type Look = Callable[[str], Awaitable[object]]
"""Looks at a container now, so that what is published of it is true."""


type Injected = Callable[[EngineContainer], Awaitable[tuple[str, ...]]]
"""Returns the files that compose has written into a container, which a new one would lack."""


class PullAuth(Protocol):
    """Knows how the agent logs in to registries."""

    async def login(self, reference: ImageReference) -> RegistryLogin | None:
        """Return what to show the registry of an image; None for nothing."""


class Book(Protocol):
    """Remembers what was done to each container."""

    def now(self) -> datetime:
        """Return the time."""

    async def read(self, key: str) -> Record:
        """Return what is remembered of a container."""

    async def write(self, key: str, record: Record) -> None:
        """Remember this of a container from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """Everything a step needs, passed in once."""

    containers: Engine
    images: ImageEngine
    recreate: RecreateEngine
    guard: Guard
    look: Look
    injected: Injected
    logins: PullAuth | None
    http: HttpCheck
    patience: Patience
    book: Book
    secrets: SecretFilter
