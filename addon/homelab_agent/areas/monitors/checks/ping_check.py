"""Echo requests (ICMP): the machine answers."""

import asyncio

from homelab_agent.areas.monitors.check_settings import CheckType, PingCheckSettings
from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.checks.failures import failed, timed_out
from homelab_agent.platform.outbound.connections import Outbound
from homelab_agent.platform.outbound.guard import GuardedAddress


class PingCheck:
    """Sends one request after the other until one is answered. The response time is of that one.

    No right is needed where the kernel lets everybody ping (`net.ipv4.ping_group_range`), as Docker
    does within containers that have a network of their own; else the right to raw sockets.
    """

    type = CheckType.PING

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound

    async def run(
        self, settings: PingCheckSettings, timeout_s: float, *, allow_guarded: bool
    ) -> CheckOutcome:
        """See `Check.run`."""
        # Only where it is used.
        from homelab_agent.areas.monitors.checks.ping_requests import ping  # noqa: PLC0415

        until = asyncio.get_running_loop().time() + timeout_s
        try:
            async with asyncio.timeout_at(until):
                targets = await self._outbound.targets(
                    settings.host, 0, allow_guarded=allow_guarded
                )
        except TimeoutError:
            return timed_out(settings.host, timeout_s, "answer about the name")
        except (OSError, GuardedAddress) as error:
            return failed(error, settings.host)
        return await ping(settings, targets[0], until, timeout_s)

    def target(self, settings: PingCheckSettings) -> str:
        """Return the host."""
        return settings.host
