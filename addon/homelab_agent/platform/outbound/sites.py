"""A site asked for at whoever serves it, wherever its name leads to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from yarl import URL

from homelab_agent.platform.outbound.http import Attempt, HttpRequest, OutboundHttp
from homelab_agent.platform.outbound.tls_contexts import TlsContexts


class OutboundSites:
    """Asks for sites as a browser would that was sent to this very address."""

    def __init__(self, http: OutboundHttp, tls: TlsContexts) -> None:
        self._http = http
        self._tls = tls

    @asynccontextmanager
    async def ask(
        self, name: str, place: tuple[str, int], *, secure: bool
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Give what is answered for `/`; any certificate will do. Raises what `OutboundHttp` does.

        `place`: host and port at which it is served. `secure`: by HTTPS.
        """
        host, port = place
        request = HttpRequest(
            url=URL.build(scheme="https" if secure else "http", host=host, port=port, path="/"),
            headers={"Host": name},
            server_name=name if secure else None,
        )
        context = await self._tls.get(verify=False)
        async with self._http.request(
            request, Attempt(), context=context, allow_guarded=False
        ) as answer:
            yield answer
