"""Echo requests (ICMP): the machine answers."""

import asyncio
import socket
from typing import TYPE_CHECKING

from homelab_agent.areas.monitors.check_settings import CheckType, PingCheckSettings
from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.checks.codes import CheckCode
from homelab_agent.areas.monitors.checks.failures import down, failed, timed_out, unknown
from homelab_agent.areas.monitors.models import MonitorDetail
from homelab_agent.platform.outbound.connections import Outbound
from homelab_agent.platform.outbound.guard import GuardedAddress
from homelab_agent.platform.outbound.names import Target

if TYPE_CHECKING:
    from icmplib import AsyncSocket, ICMPRequest

_NOT_PERMITTED = (
    "The agent may not send pings. On the machine of the agent, run: "
    'sysctl -w net.ipv4.ping_group_range="0 2147483647"'
)
# The library watches the wall clock, which may be set meanwhile; we watch another one.
_NEVER_S = 1e6
_REQUESTS = {8, 128}
"""The types of an echo request, of IPv4 and IPv6."""


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
        return await _ping(settings, targets[0], until, timeout_s)

    def target(self, settings: PingCheckSettings) -> str:
        """Return the host."""
        return settings.host


async def _ping(
    settings: PingCheckSettings, target: Target, until: float, timeout_s: float
) -> CheckOutcome:
    # Only where it is used: its sockets are of no use to most.
    from icmplib import ICMPLibError, SocketPermissionError  # noqa: PLC0415

    try:
        with _open_socket(target) as sock:
            return await _ask_one_by_one(settings, sock, target, until, timeout_s)
    except SocketPermissionError:
        return unknown(CheckCode.NOT_PERMITTED, _NOT_PERMITTED)
    except ICMPLibError as error:
        return down(CheckCode.UNREACHABLE, f"{settings.host} cannot be reached: {error}.")


async def _ask_one_by_one(
    settings: PingCheckSettings,
    sock: AsyncSocket,
    target: Target,
    until: float,
    timeout_s: float,
) -> CheckOutcome:
    from icmplib import ICMPRequest  # noqa: PLC0415
    from icmplib.utils import unique_identifier  # noqa: PLC0415

    loop = asyncio.get_running_loop()
    address = f"{target.address}%{target.scope_id}" if target.scope_id else target.address
    own_id = unique_identifier()
    for lost in range(settings.count):
        request = ICMPRequest(destination=address, id=own_id, sequence=lost)
        sent_at = loop.time()
        sock.send(request)
        try:
            async with asyncio.timeout_at(sent_at + (until - sent_at) / (settings.count - lost)):
                await _reply(sock, request)
        except TimeoutError:
            continue
        return CheckOutcome(
            ok=True,
            response_ms=(loop.time() - sent_at) * 1000,
            details=(MonitorDetail(name="lost", value=lost),),
        )
    return timed_out(settings.host, timeout_s, f"answer to {settings.count} pings")


async def _reply(sock: AsyncSocket, request: ICMPRequest) -> None:
    """Wait for the answer. A raw socket also hears what this machine asks itself."""
    while True:
        reply = await sock.receive(request, timeout=_NEVER_S)
        if reply.type not in _REQUESTS:
            reply.raise_for_status()
            return


def _open_socket(target: Target) -> AsyncSocket:
    """Return a socket of the kind that needs no right, else a raw one."""
    from icmplib import (  # noqa: PLC0415
        AsyncSocket,
        ICMPSocketError,
        ICMPv4Socket,
        ICMPv6Socket,
    )

    kind = ICMPv6Socket if target.family == socket.AF_INET6 else ICMPv4Socket
    try:
        return AsyncSocket(kind(privileged=False))
    except ICMPSocketError:
        return AsyncSocket(kind(privileged=True))
