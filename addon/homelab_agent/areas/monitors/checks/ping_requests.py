"""Sends echo requests, with icmplib. It is only loaded where there is a ping check."""

import asyncio
import socket

from icmplib import (
    AsyncSocket,
    ICMPLibError,
    ICMPRequest,
    ICMPSocketError,
    ICMPv4Socket,
    ICMPv6Socket,
    SocketPermissionError,
)
from icmplib.utils import unique_identifier

from homelab_agent.areas.monitors.check_settings import PingCheckSettings
from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.checks.codes import CheckCode
from homelab_agent.areas.monitors.checks.failures import down, timed_out, unknown
from homelab_agent.areas.monitors.models import MonitorDetail
from homelab_agent.platform.outbound.names import Target

_NOT_PERMITTED = (
    "The agent may not send pings. On the machine of the agent, run: "
    'sysctl -w net.ipv4.ping_group_range="0 2147483647"'
)
# The library watches the wall clock, which may be set meanwhile; we watch another one.
_NEVER_S = 1e6


async def ping(
    settings: PingCheckSettings, target: Target, until: float, timeout_s: float
) -> CheckOutcome:
    """Ask a machine until one request is answered, or the time is over."""
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
    loop = asyncio.get_running_loop()
    address = f"{target.address}%{target.scope_id}" if target.scope_id else target.address
    own_id = unique_identifier()
    for lost in range(settings.count):
        request = ICMPRequest(destination=address, id=own_id, sequence=lost)
        sent_at = loop.time()
        sock.send(request)
        try:
            async with asyncio.timeout_at(sent_at + (until - sent_at) / (settings.count - lost)):
                reply = await sock.receive(request, timeout=_NEVER_S)
        except TimeoutError:
            continue
        response_ms = (loop.time() - sent_at) * 1000
        reply.raise_for_status()
        return CheckOutcome(
            ok=True,
            response_ms=response_ms,
            details=(MonitorDetail(name="lost", value=lost),),
        )
    return timed_out(settings.host, timeout_s, f"answer to {settings.count} pings")


def _open_socket(target: Target) -> AsyncSocket:
    """Return a socket of the kind that needs no right, else a raw one."""
    kind = ICMPv6Socket if target.family == socket.AF_INET6 else ICMPv4Socket
    try:
        return AsyncSocket(kind(privileged=False))
    except ICMPSocketError:
        return AsyncSocket(kind(privileged=True))
