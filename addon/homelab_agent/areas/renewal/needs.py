"""What this area needs of others, in their own words."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from homelab_agent.areas.dns.models import AuthoritativeAnswers, RecordSet, RecordType, ZoneHome
from homelab_agent.areas.proxy.models import ProxyStatus


class Dns(Protocol):
    """Who writes to the DNS: see `DnsService`."""

    async def until_ready(self) -> None:
        """Return when the providers are known."""
        ...

    def homes_of(self, name: str, *, field: str = "name") -> tuple[ZoneHome, ...]:
        """Return where a name is managed; errors name the field where nobody does."""
        ...

    async def answers(self, name: str, type: RecordType) -> AuthoritativeAnswers:  # noqa: A002  # as the field is called
        """Return what the authoritative servers say."""
        ...

    async def wait_until_served(
        self, wanted: Sequence[RecordSet], *, within_s: float, exactly: bool = True
    ) -> None:
        """Wait until every authoritative server gives these values; `TimedOut` names the others."""
        ...

    async def add_txt(
        self, name: str, value: str, *, ttl_s: int = 60, provider: str | None = None
    ) -> None:
        """Put a value beside others."""
        ...

    async def remove_txt(self, name: str, value: str, *, provider: str | None = None) -> None:
        """Take a value away; others stay."""
        ...


class Proxy(Protocol):
    """Who serves HTTPS with it: see `ProxyService`."""

    async def until_ready(self) -> None:
        """Return when it is known which proxy is set up."""
        ...

    def status(self) -> ProxyStatus:
        """Return how the proxy is."""
        ...

    async def give_certificate(
        self, key: str, certificate_file: Path, key_file: Path, names: tuple[str, ...]
    ) -> None:
        """Have it served."""
        ...

    async def take_certificate(self, key: str) -> None:
        """Have it served no more."""
        ...
