"""Asks for a page: bounded in time and memory, redirects looked at one by one."""

import asyncio
import ssl
import zlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus

import aiohttp
from yarl import URL

from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.checks.codes import CheckCode
from homelab_agent.areas.monitors.checks.failures import FAILURES, down, failed, timed_out
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.outbound.connections import where
from homelab_agent.platform.outbound.http import Attempt, HttpRequest, OutboundHttp, Stage
from homelab_agent.platform.outbound.tls_contexts import TlsContexts

MOST_BODY_BYTES = 1024 * 1024
FEW_BODY_BYTES = 64 * 1024
"""So much is read of an answer whose content does not matter: enough to see that it comes."""

MOST_REDIRECTS = 10

_ENDLESS = {"multipart/x-mixed-replace", "text/event-stream"}
_REDIRECTS = {301, 302, 303, 307, 308}
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_WAITED_FOR = {
    Stage.NAME: "answer about the name",
    Stage.CONNECTION: "connection",
    Stage.HANDSHAKE: "end of the TLS handshake",
    Stage.ANSWER: "answer",
    Stage.BODY: "end of the answer, which did begin,",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to ask, and how. Its headers may be secrets: another server never gets them."""

    request: HttpRequest
    verify_tls: bool = True
    follow_redirects: bool = True
    most_bytes: int = MOST_BODY_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What was answered in the end. `response_ms` is until the headers of that last answer."""

    url: URL
    status: int
    response_ms: float
    body: bytes
    whole: bool
    charset: str
    certificate_days_left: int | None

    @property
    def place(self) -> str:
        """Host and port that answered."""
        return _place(self.url)


class Web:
    """Asks. What does not lead to a page is told as the outcome that it means."""

    def __init__(self, http: OutboundHttp, contexts: TlsContexts, clock: Clock) -> None:
        self._http = http
        self._contexts = contexts
        self._clock = clock

    async def ask(
        self, question: Question, timeout_s: float, *, allow_guarded: bool
    ) -> Page | CheckOutcome:
        """Return the page, or what is wrong. Raises nothing but CancelledError."""
        way = _Way(question)
        try:
            async with asyncio.timeout(timeout_s):
                context = await self._contexts.get(verify=question.verify_tls)
                way.began = asyncio.get_running_loop().time()
                while True:
                    found = await self._step(way, context, allow_guarded=allow_guarded)
                    if found is not None:
                        return found
        except TimeoutError as error:
            if error.errno is not None:
                return failed(error, way.place)
            return timed_out(way.place, timeout_s, _WAITED_FOR[way.attempt.stage])
        except FAILURES as error:
            return failed(error, way.place)

    async def _step(
        self, way: _Way, context: ssl.SSLContext, *, allow_guarded: bool
    ) -> Page | CheckOutcome | None:
        """Ask once; None: there is another place to ask at."""
        question, way.attempt = way.question, Attempt()
        async with self._http.request(
            way.request, way.attempt, context=context, allow_guarded=allow_guarded
        ) as answer:
            response_ms = (asyncio.get_running_loop().time() - way.began) * 1000
            location = answer.headers.get("Location")
            if question.follow_redirects and answer.status in _REDIRECTS and location is not None:
                return way.go_on(answer.status, location)
            days_left = _days_left(way.attempt.tls, self._clock())
            body, whole = await _read(answer, question.most_bytes)
            return Page(
                url=way.request.url,
                status=answer.status,
                response_ms=response_ms,
                body=body,
                whole=whole,
                charset=answer.charset or "utf-8",
                certificate_days_left=days_left,
            )


class _Way:
    """Where a question led to so far."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.request = question.request
        self.attempt = Attempt()
        self.began = asyncio.get_running_loop().time()
        self._seen = {(self.request.method, self.request.url)}

    @property
    def place(self) -> str:
        return _place(self.request.url)

    def go_on(self, status: int, location: str) -> CheckOutcome | None:
        """Turn to where an answer points to; return what is wrong with that."""
        place = self.place
        try:
            url = self.request.url.join(URL(location)).with_fragment(None)
        except ValueError:
            url = URL()
        if url.scheme not in {"http", "https"} or not url.raw_host:
            return down(CheckCode.BAD_ANSWER, f"{place} redirects to no address of the web.")
        self.request = _redirected(self.request, status, url)
        step = (self.request.method, url)
        if step in self._seen:
            return down(CheckCode.REDIRECT_LOOP, f"{place} redirects to where we were before.")
        self._seen.add(step)
        if len(self._seen) > MOST_REDIRECTS + 1:
            return down(
                CheckCode.TOO_MANY_REDIRECTS,
                f"{place} redirects on after {MOST_REDIRECTS} redirects.",
            )
        return None


def _redirected(old: HttpRequest, status: int, url: URL) -> HttpRequest:
    """Return what a browser would ask now, but for secrets."""
    new = replace(old, url=url, headers=old.headers if url.origin() == old.url.origin() else {})
    becomes_get = status == HTTPStatus.SEE_OTHER or (
        status in {HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.FOUND} and old.method == "POST"
    )
    if becomes_get and old.method != "HEAD":
        new = replace(new, method="GET", body=None)
    return new


async def _read(answer: aiohttp.ClientResponse, most_bytes: int) -> tuple[bytes, bool]:
    """Return the beginning of the body, and whether that is all of it."""
    if most_bytes <= FEW_BODY_BYTES and answer.content_type in _ENDLESS:
        return b"", False
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > most_bytes:
            return _unpacked(answer, bytes(body[:most_bytes]), most_bytes)[0], False
    return _unpacked(answer, bytes(body), most_bytes)


def _unpacked(answer: aiohttp.ClientResponse, body: bytes, most_bytes: int) -> tuple[bytes, bool]:
    """Unpack what was packed although we asked for it plain, as some servers do."""
    if answer.headers.get("Content-Encoding", "").lower() not in {"gzip", "deflate"}:
        return body, True
    unpacking = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        plain = unpacking.decompress(body, most_bytes)
    except zlib.error as error:
        raise aiohttp.ClientResponseError(
            answer.request_info, (), message="the body is not packed as it says"
        ) from error
    return plain, not unpacking.unconsumed_tail


def _days_left(tls: ssl.SSLObject | None, now: datetime) -> int | None:
    """Return for how many whole days the certificate that was shown is still good."""
    if tls is None:
        return None
    trusted = tls.getpeercert()
    if trusted:
        expires_at = datetime.fromtimestamp(
            ssl.cert_time_to_seconds(str(trusted["notAfter"])), tz=UTC
        )
        return (expires_at - now).days
    shown = tls.getpeercert(binary_form=True)
    if shown is None:
        return None
    # Only where it is used: it costs some megabytes.
    from cryptography import x509  # noqa: PLC0415

    try:
        return (x509.load_der_x509_certificate(shown).not_valid_after_utc - now).days
    except ValueError, x509.InvalidVersion:
        return None  # whoever takes any certificate takes one that cannot be read


def _place(url: URL) -> str:
    return where(url.host or "", url.port or 0)
