"""Requests to registries: bounded in size and time, and their failures in words."""

import asyncio
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from time import time

import aiohttp
from pydantic import BaseModel, ValidationError

from homelab_agent import __version__
from homelab_agent.platform.errors import AgentError, RateLimited, TimedOut, Unavailable

USER_AGENT = f"homelab-agent/{__version__}"

_OLDEST_UNIX_TIME = 1_000_000_000
"""A `Retry-After` beyond this is a moment, as Docker Hub writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request; `most_bytes` bounds its answer."""

    method: str
    url: str
    ssl: ssl.SSLContext
    most_bytes: int
    headers: Mapping[str, str]
    parameters: Mapping[str, str] | None = None
    form: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back. `host` is who is spoken of in errors."""

    host: str
    status: int
    headers: Mapping[str, str]
    challenges: tuple[str, ...]
    body: bytes

    def require_well(self) -> None:
        """Raise what is no answer of a registry that works: too much asked, or a broken server."""
        said = _status_words(self.status)
        if self.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise RateLimited(
                f"{self.host} has had too many requests from here ({said}).",
                hint="Log in to it (setting registries) to be allowed more.",
                retry_after_s=retry_after_s(self.headers) or None,
            )
        if self.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Unavailable(
                f"{self.host} is in trouble: it answers {said}.",
                retry_after_s=retry_after_s(self.headers),
            )

    def read[Document: BaseModel](self, document: type[Document]) -> Document:
        """Return the body as what it should be."""
        try:
            return document.model_validate_json(self.body)
        except ValidationError:
            raise no_registry(self.host, self.headers.get("Content-Type")) from None


class Http:
    """One session for all registries; nothing of one reaches another: no cookies, no redirects."""

    def __init__(self, *, deadline_s: float) -> None:
        self._deadline_s = deadline_s
        self._session: aiohttp.ClientSession | None = None

    async def send(self, host: str, request: Request) -> Reply:
        """Return the answer, whatever its status; raise `Unavailable` or `TimedOut` for none."""
        with _translated(host, self._deadline_s):
            async with (
                asyncio.timeout(self._deadline_s),
                self._client().request(
                    request.method,
                    request.url,
                    params=request.parameters,
                    data=request.form,
                    headers=request.headers,
                    ssl=request.ssl,
                    allow_redirects=False,
                ) as response,
            ):
                return Reply(
                    host=host,
                    status=response.status,
                    headers=response.headers,
                    challenges=tuple(response.headers.getall("WWW-Authenticate", ())),
                    body=await _bounded(host, response, request.most_bytes),
                )

    async def close(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(),
                # A kept connection that the registry has closed would look like a failure of it.
                connector=aiohttp.TCPConnector(force_close=True),
                headers={"User-Agent": USER_AGENT},
                timeout=aiohttp.ClientTimeout(total=None),
                max_line_size=16384,
            )
        return self._session


class NoTls(Unavailable):
    """What answers there does not speak TLS."""


class NotReached(Unavailable):
    """Nobody answers there."""


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return how long a server asks to be left alone; None where it does not say."""
    text = headers.get("Retry-After") or headers.get("X-Retry-After") or ""
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) <= len(str(_OLDEST_UNIX_TIME)):
        number = int(text)
        return max(0.0, number - time()) if number > _OLDEST_UNIX_TIME else float(number)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def no_registry(host: str, content_type: str | None) -> AgentError:
    """Return the error for an answer that a registry would not give, as of a log-in page."""
    kind = (content_type or "nothing of a kind").partition(";")[0]
    return Unavailable(
        f"{host} does not answer as a registry does ({kind}).",
        hint="Is there a log-in page or another server in between?",
    )


@contextmanager
def _translated(host: str, deadline_s: float) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise TimedOut(f"{host} did not answer within {deadline_s:g} s.") from None
    except aiohttp.ClientConnectorCertificateError as error:
        raise _untrusted(host, error.certificate_error) from None
    except aiohttp.ClientConnectorDNSError:
        raise Unavailable(
            f"The name of {host} cannot be resolved.",
            hint="Check the name of the image, and the host's DNS.",
        ) from None
    except aiohttp.ClientSSLError as error:
        raise NoTls(
            f"{host} does not speak TLS with the agent: {_reason(error)}.",
            hint="Set insecure for this registry (registries) if it has no TLS.",
        ) from None
    except aiohttp.ClientConnectorError as error:
        raise NotReached(
            f"{host} cannot be reached: {_reason(error)}.",
            hint="Check the host's network, and that the registry runs.",
        ) from None
    except aiohttp.ClientError, OSError, ValueError:
        raise Unavailable(f"{host} broke off its answer, or does not speak HTTP.") from None


async def _bounded(host: str, response: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > most_bytes:
            response.close()
            raise Unavailable(f"{host} answers more than a registry would ({most_bytes} bytes).")
    return bytes(body)


def _untrusted(host: str, error: Exception) -> AgentError:
    why = getattr(error, "verify_message", None) or str(error)
    return Unavailable(
        f"The certificate of {host} is not trusted: {why}.",
        hint="Set ca_file of this registry (registries) to your CA's certificate, or insecure.",
    )


def _reason(error: aiohttp.ClientConnectorError | aiohttp.ClientSSLError) -> str:
    inner = getattr(error, "os_error", None)
    if isinstance(inner, ssl.SSLError):
        return (inner.reason or "no TLS").replace("_", " ").lower()
    if isinstance(inner, OSError) and inner.strerror:
        return inner.strerror.partition(" [")[0]
    return str(inner or "no connection")


def _status_words(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
