"""Requests and WebSockets to one agent; every failure becomes an `AgentError`."""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager

import aiohttp

from .endpoint import Endpoint, Query
from .errors import (
    AgentError,
    CannotConnect,
    CertificateUntrusted,
    FingerprintMismatch,
    NoAnswer,
    NotAnAgent,
    TlsFailed,
    from_problem,
)

type Loads = Callable[[str | bytes], object]

HANDSHAKE_TIMEOUT_S = 10.0
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
_ERROR_STATUS = 400


class Transport:
    """The way to one agent. `loads` reads JSON; the session stays the caller's."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        endpoint: Endpoint,
        token: str | None,
        *,
        loads: Loads = json.loads,
    ) -> None:
        self.endpoint = endpoint
        self.loads = loads
        self._session = session
        # One object for all requests: connections are reused only for the same certificate check.
        self._ssl = endpoint.ssl_check()
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def request(
        self,
        method: str,
        *path: str,
        query: Query | None = None,
        body: dict[str, object] | None = None,
        timeout_s: float,
    ) -> object:
        """Send one request, once, and return the JSON of its answer."""
        url = self.endpoint.url(*path, query=query)
        with _translated(f"{method} {url.path}"):
            async with (
                asyncio.timeout(timeout_s),
                self._session.request(
                    method,
                    url,
                    headers=self._headers,
                    json=body,
                    ssl=self._ssl,
                    # The token is for this address only.
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(),
                ) as response,
            ):
                text = await response.text(errors="replace")
                if response.status >= _ERROR_STATUS:
                    raise self._problem(response, text)
                return self._read(response, text)

    @asynccontextmanager
    async def websocket(
        self, *path: str, query: Query | None = None
    ) -> AsyncGenerator[aiohttp.ClientWebSocketResponse]:
        """Open a WebSocket for the length of the context."""
        url = self.endpoint.url(*path, scheme="ws", query=query)
        with _translated(f"WebSocket {url.path}"):
            async with asyncio.timeout(HANDSHAKE_TIMEOUT_S):
                socket = await self._session.ws_connect(
                    url,
                    headers=self._headers,
                    ssl=self._ssl,
                    autoping=False,
                    max_msg_size=MAX_MESSAGE_BYTES,
                    timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
                )
        try:
            yield socket
        finally:
            await socket.close()

    def _problem(self, response: aiohttp.ClientResponse, text: str) -> AgentError:
        try:
            problem = self.loads(text)
        except ValueError:
            problem = None
        is_problem = isinstance(problem, dict) and "code" in problem
        if not is_problem and response.status not in _TELLING:
            return _not_an_agent(f"{response.url.path} answered {response.status}")
        error = from_problem(response.status, problem if isinstance(problem, dict) else {})
        error.retry_after_s = _seconds(response.headers.get("Retry-After"))
        return error

    def _read(self, response: aiohttp.ClientResponse, text: str) -> object:
        if response.status not in {200, 202}:
            raise _not_an_agent(f"{response.url.path} answered {response.status}")
        if response.content_type in _DOCUMENTS:
            return text
        try:
            return self.loads(text)
        except ValueError as error:
            raise _not_an_agent(f"{response.url.path} answered no JSON") from error


_DOCUMENTS = frozenset({"text/csv", "text/markdown"})
"""What an agent writes for people, where it is asked to."""

_TELLING = frozenset({401, 403, 429, 503})
"""Statuses that say enough without a problem document, as a proxy in between answers them."""


def _not_an_agent(message: str) -> NotAnAgent:
    return NotAnAgent(message, hint="Check host and port: the agent listens on 8099.")


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isdecimal() else None


@contextmanager
def _translated(what: str) -> Generator[None]:
    """Turn aiohttp's errors into ours."""
    try:
        yield
    except TimeoutError as error:
        raise NoAnswer(f"{what}: no answer in time") from error
    except aiohttp.ServerFingerprintMismatch as error:
        raise FingerprintMismatch(
            "The certificate is not the one whose fingerprint was given",
            extra={"fingerprint": error.got.hex()},
        ) from error
    except (aiohttp.ClientConnectorCertificateError, ssl.SSLCertVerificationError) as error:
        raise CertificateUntrusted("The certificate is signed by nobody known") from error
    except (aiohttp.ClientSSLError, ssl.SSLError) as error:
        raise TlsFailed("TLS could not be agreed on") from error
    except aiohttp.WSServerHandshakeError as error:
        raise _refused_handshake(error) from error
    except (aiohttp.ClientResponseError, aiohttp.InvalidURL) as error:
        raise _not_an_agent(f"{what}: {error}") from error
    except (aiohttp.ClientError, OSError) as error:
        raise CannotConnect(f"{what}: {error}") from error


def _refused_handshake(error: aiohttp.WSServerHandshakeError) -> AgentError:
    if error.status not in _TELLING:
        return _not_an_agent(f"The stream could not be opened: {error.message} ({error.status})")
    refused = from_problem(error.status, {"detail": f"The stream was refused ({error.status})"})
    refused.retry_after_s = _seconds(error.headers.get("Retry-After") if error.headers else None)
    return refused
