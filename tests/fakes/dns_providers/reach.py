"""What a provider reaches the world through, as the agent has it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from homelab_agent.areas.dns.providers.reach import Reach
from homelab_agent.platform.clock import Clock, utc_now
from homelab_agent.platform.outbound.connections import open_outbound
from homelab_agent.platform.outbound.http import OutboundHttp
from homelab_agent.platform.outbound.tls_contexts import TlsContexts
from homelab_agent.platform.settings import Settings


@asynccontextmanager
async def open_reach(clock: Clock = utc_now) -> AsyncIterator[Reach]:
    """Give it, and close it afterwards."""
    outbound = open_outbound(Settings())
    http = OutboundHttp(outbound)
    try:
        yield Reach(outbound, http, TlsContexts(), clock)
    finally:
        await http.close()
