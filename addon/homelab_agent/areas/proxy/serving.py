"""Whether Caddy really answers for a host, seen from where the agent is."""

import asyncio
import ssl
from typing import Protocol, override

import aiohttp

from homelab_agent.platform.outbound.connections import where
from homelab_agent.platform.outbound.reasons import why_not
from homelab_agent.platform.outbound.sites import OutboundSites

_ASK_S = 10.0
_OK = 200


class Prober(Protocol):
    """Asks a proxy for a host."""

    async def ask(self, host: str, address: tuple[str, int], *, secure: bool) -> str | None:
        """Return why Caddy does not serve the host there, None where it does."""


class HttpProber(Prober):
    """Asks over the network, as a browser would, but takes any certificate."""

    def __init__(self, sites: OutboundSites) -> None:
        self._sites = sites

    @override
    async def ask(self, host: str, address: tuple[str, int], *, secure: bool) -> str | None:
        """Ask for `/`. Without a certificate yet, Caddy refuses the handshake: it does answer."""
        there = where(*address)
        name = host.replace("*", "any", 1)
        try:
            async with (
                asyncio.timeout(_ASK_S),
                self._sites.ask(name, address, secure=secure) as answer,
            ):
                return None if await _is_of_a_route(answer) else _not_served(host, there)
        except TimeoutError:
            return f"Nothing answered at {there} within {_ASK_S:g} s."
        except aiohttp.ClientConnectorSSLError, ssl.SSLError:
            return None
        except (aiohttp.ClientError, OSError) as error:
            return f"Nothing answers at {there}: {why_not(error)}"


async def _is_of_a_route(answer: aiohttp.ClientResponse) -> bool:
    """Tell the answer of a route from the empty one that Caddy has for hosts it does not know."""
    if answer.status != _OK or "Via" in answer.headers:
        return True
    return bool(await answer.content.read(1))


def _not_served(host: str, there: str) -> str:
    return f"Caddy answers at {there}, but does not serve {host}."
