"""A DNS record: it is there, and says what it should."""

import asyncio

from homelab_agent.areas.monitors.check_settings import CheckType, DnsCheckSettings
from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.checks.codes import CheckCode
from homelab_agent.areas.monitors.checks.failures import failed, timed_out, unknown
from homelab_agent.platform.outbound.connections import Outbound
from homelab_agent.platform.outbound.guard import GuardedAddress
from homelab_agent.platform.outbound.name_server import host_and_port

_READ_SERVERS_AGAIN_S = 60.0

type Server = tuple[str, int]


class DnsCheck:
    """Asks a name server. The response time is until its answer is there."""

    type = CheckType.DNS

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound
        self._system: tuple[Server, ...] = ()
        self._read_again_at = 0.0

    async def run(
        self, settings: DnsCheckSettings, timeout_s: float, *, allow_guarded: bool
    ) -> CheckOutcome:
        """See `Check.run`."""
        # Only where it is used: it costs some megabytes.
        from homelab_agent.areas.monitors.checks.dns_lookup import look_up  # noqa: PLC0415

        place = settings.server or "the name server of this machine"
        try:
            async with asyncio.timeout(timeout_s):
                servers = await self._servers(settings, allow_guarded=allow_guarded)
                if not servers:
                    return unknown(
                        CheckCode.DNS_FAILED, "The agent's machine has no name server set."
                    )
                return await look_up(settings, servers, place)
        except TimeoutError:
            return timed_out(place, timeout_s, f"answer about {settings.name}")
        except (OSError, GuardedAddress) as error:
            return failed(error, place)

    def target(self, settings: DnsCheckSettings) -> str:
        """Return record and name, and who is asked."""
        at = f" at {settings.server}" if settings.server else ""
        return f"{settings.record} {settings.name}{at}"

    async def _servers(
        self, settings: DnsCheckSettings, *, allow_guarded: bool
    ) -> tuple[Server, ...]:
        if settings.server is not None:
            host, port = host_and_port(settings.server)
            targets = await self._outbound.targets(host, port, allow_guarded=allow_guarded)
            return tuple((target.address, target.port) for target in targets)
        from homelab_agent.platform.outbound.dns_exchange import (  # noqa: PLC0415
            servers_of_the_system,
        )

        now = asyncio.get_running_loop().time()
        if now >= self._read_again_at:
            self._system = await asyncio.to_thread(servers_of_the_system)
            self._read_again_at = now + _READ_SERVERS_AGAIN_S
        return self._system
