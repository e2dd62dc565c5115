"""Tells the local network where the agent is, so that Home Assistant finds it by itself."""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from homelab_agent.areas.agent.models import AGENT_KIND, AgentInfo
from homelab_agent.areas.agent.service import AgentService
from homelab_agent.platform.logging import get_logger
from homelab_agent.platform.resources import Overflow, Resources

if TYPE_CHECKING:
    from zeroconf import ServiceInfo
    from zeroconf.asyncio import AsyncZeroconf

SERVICE_TYPE = "_homelab-agent._tcp.local."
RETRY_S = 60.0

_log = get_logger(__name__)


class MdnsAnnouncement:
    """Announces the agent for as long as it runs, under the name it has at the moment."""

    def __init__(
        self,
        service: AgentService,
        resources: Resources,
        *,
        fingerprint: str | None,
        interfaces: Sequence[str] | None = None,
        retry_s: float = RETRY_S,
    ) -> None:
        self._service = service
        self._resources = resources
        self._fingerprint = fingerprint
        self._interfaces = interfaces
        self._retry_s = retry_s

    async def run(self, addresses: Sequence[str], port: int) -> None:
        """Announce until cancelled; a network that is not there yet is waited for."""
        # Only where it is used: it costs some megabytes.
        from zeroconf import Error, InterfaceChoice  # noqa: PLC0415
        from zeroconf.asyncio import AsyncZeroconf  # noqa: PLC0415

        interfaces = list(self._interfaces or ()) or InterfaceChoice.Default
        while True:
            try:
                async with AsyncZeroconf(interfaces=interfaces) as zeroconf:
                    await self._announce(zeroconf, addresses, port)
            except (Error, OSError) as error:
                _log.warning("mdns_failed", reason=str(error) or type(error).__name__)
            await asyncio.sleep(self._retry_s)

    async def _announce(self, zeroconf: AsyncZeroconf, addresses: Sequence[str], port: int) -> None:
        said: AgentInfo | None = None
        while True:
            with (
                self._resources.subscribe(kinds=(AGENT_KIND,)) as subscription,
                suppress(Overflow),
            ):
                said = await self._say(zeroconf, said, addresses, port)
                async for _ in subscription.batches():
                    said = await self._say(zeroconf, said, addresses, port)

    async def _say(
        self,
        zeroconf: AsyncZeroconf,
        said: AgentInfo | None,
        addresses: Sequence[str],
        port: int,
    ) -> AgentInfo:
        """Say what the agent is now where that differs from what was said; return it."""
        info = self._service.info
        if info == said:
            return info
        described = self._describe(info, addresses, port)
        if said is None:
            await (await zeroconf.async_register_service(described))
            _log.info("mdns_announced", addresses=list(addresses), port=port)
        else:
            await (await zeroconf.async_update_service(described))
        return info

    def _describe(self, info: AgentInfo, addresses: Sequence[str], port: int) -> ServiceInfo:
        from zeroconf import ServiceInfo  # noqa: PLC0415

        name = f"homelab-{info.instance_id[:12]}"
        properties = {
            "instance_id": info.instance_id,
            "version": info.version,
            "name": info.name,
            "tls": "1" if self._fingerprint else "0",
        }
        if self._fingerprint:
            properties["fingerprint"] = self._fingerprint
        return ServiceInfo(
            SERVICE_TYPE,
            f"{name}.{SERVICE_TYPE}",
            port=port,
            parsed_addresses=list(addresses),
            properties=properties,
            server=f"{name}.local.",
        )


def addresses_to_announce(listen_host: str) -> tuple[str, ...]:
    """Return where the network can reach what listens at `listen_host`; nothing for loopback."""
    try:
        address = ipaddress.ip_address(listen_host)
    except ValueError:
        return ()
    if address.is_loopback:
        return ()
    if not address.is_unspecified:
        return (listen_host,)
    found = [_source_address(socket.AF_INET, "192.0.2.1")]
    if address.version == 6:  # noqa: PLR2004  # the IP version
        found = [_source_address(socket.AF_INET6, "2001:db8::1")]
    return tuple(own for own in found if own is not None)


def only_virtual_cables(interfaces: Path = Path("/sys/class/net")) -> bool:
    """Return whether all that leads out of here are cables to somewhere else on this machine.

    So it is in a container with a network of its own: its address means nothing to others. One
    with the host's network has the host's interfaces, and those of other kinds (macvlan, ipvlan)
    say so. Reads files: call it in a thread.
    """
    found = [interface for interface in interfaces.glob("*") if interface.name != "lo"]
    return bool(found) and all(_is_virtual_cable(interface) for interface in found)


def _is_virtual_cable(interface: Path) -> bool:
    try:
        index, other_end = (interface / "ifindex").read_text(), (interface / "iflink").read_text()
        kind = (interface / "uevent").read_text()
    except OSError:
        return False
    return index != other_end and "DEVTYPE=" not in kind


def _source_address(family: socket.AddressFamily, somewhere: str) -> str | None:
    """Return the address this host would speak from; nothing is sent to find that out."""
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((somewhere, 9))
        except OSError:
            return None
        own = str(probe.getsockname()[0])
    return None if ipaddress.ip_address(own).is_loopback else own
