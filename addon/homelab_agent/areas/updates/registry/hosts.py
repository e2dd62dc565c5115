"""Where a registry is, and how it may be spoken to."""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from homelab_agent.platform.engine.image_reference import DOCKER_HUB
from homelab_agent.platform.errors import Unavailable
from homelab_agent.platform.settings import RegistrySettings

_HUB_HOST = "registry-1.docker.io"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryHost:
    """`schemes` are tried in this order; only one that may be insecure has more than https."""

    name: str
    address: str
    schemes: tuple[str, ...]
    ssl: ssl.SSLContext

    @property
    def insecure(self) -> bool:
        """Whether neither encryption nor a trusted certificate is asked for."""
        return "http" in self.schemes


class RegistryHosts:
    """What the settings say of registries. As with Docker, the host itself may be insecure."""

    def __init__(self, settings: Sequence[RegistrySettings]) -> None:
        self._settings: Mapping[str, RegistrySettings] = {each.host: each for each in settings}
        self._hosts: dict[str, RegistryHost] = {}
        self._system: ssl.SSLContext | None = None

    async def get(self, name: str) -> RegistryHost:
        """Return how to speak to a registry; raise `Unavailable` for a CA that cannot be read."""
        host = self._hosts.get(name)
        if host is None:
            settings = self._settings.get(name)
            insecure = settings.insecure if settings else _is_this_host(name)
            ca_file = settings.ca_file if settings else None
            host = self._hosts[name] = RegistryHost(
                name=name,
                address=_HUB_HOST if name == DOCKER_HUB else name,
                schemes=("https", "http") if insecure else ("https",),
                ssl=await asyncio.to_thread(_context, name, ca_file, insecure=insecure),
            )
        return host

    def keep_only(self, names: frozenset[str]) -> None:
        """Forget all other registries; they are made anew from the settings when asked for."""
        for gone in self._hosts.keys() - names:
            del self._hosts[gone]

    async def system_ssl(self) -> ssl.SSLContext:
        """Return what any other server is trusted by."""
        if self._system is None:
            self._system = await asyncio.to_thread(ssl.create_default_context)
        return self._system


def _context(name: str, ca_file: Path | None, *, insecure: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as error:
            raise Unavailable(
                f"The CA of {name} cannot be read: {ca_file}: {error.strerror or error}.",
                hint="Set ca_file of this registry (registries) to a PEM file.",
            ) from error
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _is_this_host(name: str) -> bool:
    host = name[1 : name.index("]")] if name.startswith("[") else name.rpartition(":")[0] or name
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
