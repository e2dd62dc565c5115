"""What providers reach the world through."""

from dataclasses import dataclass

from homelab_agent.platform.clock import Clock
from homelab_agent.platform.outbound.connections import Outbound
from homelab_agent.platform.outbound.http import OutboundHttp
from homelab_agent.platform.outbound.tls_contexts import TlsContexts


@dataclass(frozen=True, slots=True)
class Reach:
    """Connections that the guard was asked about, and the time. Whoever made it closes it."""

    outbound: Outbound
    http: OutboundHttp
    contexts: TlsContexts
    clock: Clock
