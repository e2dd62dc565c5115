"""Requests of a thread, carried by the event loop: guarded, with a deadline, to be recalled."""

import asyncio
import ssl
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from homelab_agent.platform.outbound.http import Attempt, HttpRequest, OutboundHttp

REQUEST_S = 30.0
_GRACE_S = 5.0
_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `headers` are found in any case."""

    status: int
    headers: CIMultiDict[str]
    body: bytes


class AnswerTooLong(aiohttp.ClientError):
    """No authority has that much to say."""


class Courier:
    """Carries the requests of one thread at a time."""

    def __init__(
        self, http: OutboundHttp, context: ssl.SSLContext, *, request_s: float = REQUEST_S
    ) -> None:
        self._http = http
        self._context = context
        self._request_s = request_s
        self._loop = asyncio.get_running_loop()
        self._under_way: Future[Answer] | None = None
        self._recalled = False

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Return the answer, to a thread that is not that of the loop.

        Raises what `fetch` raises, and CancelledError once it was recalled.
        """
        future = asyncio.run_coroutine_threadsafe(
            self.fetch(method, url, headers, body), self._loop
        )
        self._under_way = future
        if self._recalled:
            future.cancel()
            raise CancelledError
        return future.result(self._request_s + _GRACE_S)

    def recall(self) -> None:
        """End what is under way, and carry nothing any more: nobody waits for it."""
        self._recalled = True
        if self._under_way is not None:
            self._under_way.cancel()

    async def fetch(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Return the answer.

        Raises:
            GuardedAddress: the agent does not connect to there.
            aiohttp.ClientError, OSError, TimeoutError: it did not work.
        """
        request = HttpRequest(url=URL(url), method=method, headers=headers or {}, body=body)
        async with (
            asyncio.timeout(self._request_s),
            self._http.request(
                request, Attempt(), context=self._context, allow_guarded=False
            ) as answer,
        ):
            found = bytearray()
            async for chunk in answer.content.iter_any():
                found += chunk
                if len(found) > _MOST_BYTES:
                    raise AnswerTooLong(f"more than {_MOST_BYTES} bytes")
            return Answer(answer.status, CIMultiDict(answer.headers), bytes(found))
