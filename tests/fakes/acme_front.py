"""What stands between an agent and a real authority: it counts, answers instead, holds and cuts."""

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import ClientSession, ClientTimeout, TCPConnector, web

NEW_ACCOUNT, NEW_ORDER, NEW_NONCE = "/sign-me-up", "/order-plz", "/nonce-plz"
CHALLENGE, FINALIZE, CERTIFICATE = "/chalZ/", "/finalize-order/", "/certZ/"
DIRECTORY = "/dir"

_PROBLEM = "application/problem+json"
_ASK_S = 30
_HOLD_S = 120
_OURS = frozenset({"content-length", "transfer-encoding", "connection", "date", "server"})


@dataclass(slots=True)
class Hold:
    """Stops the next request of a kind: before it is handed on, or with the answer in hand."""

    path: str
    after: bool
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)


class AcmeFront:
    """An HTTPS server with the authority's own certificate; the paths are pebble's."""

    def __init__(self, port: int, folder: Path) -> None:
        self._origin = f"https://127.0.0.1:{port}"
        self._folder = folder
        self.port = 0
        self.counted: Counter[str] = Counter()
        """How many requests reached the authority, by the first part of the path."""
        self.date: str | None = None
        """What the time is there; None: as it is."""
        self._instead: dict[str, tuple[int, object, Mapping[str, str]]] = {}
        self._hold: Hold | None = None
        self._cut: str | None = None
        self._session: ClientSession | None = None

    @property
    def directory(self) -> str:
        """The address that the agent is given."""
        return f"https://127.0.0.1:{self.port}{DIRECTORY}"

    def answer(
        self, path: str, status: int, body: object, headers: Mapping[str, str] | None = None
    ) -> None:
        """Answer requests of a kind so, instead of handing them on."""
        self._instead[path] = (status, body, headers or {})

    def refuse(
        self, path: str, kind: str, detail: str, *, status: int = 403, retry_after: str = ""
    ) -> None:
        """Answer requests of a kind with a problem of ACME."""
        headers = {"Retry-After": retry_after} if retry_after else {}
        problem = {"type": f"urn:ietf:params:acme:error:{kind}", "detail": detail}
        self.answer(path, status, {**problem, "status": status}, headers)

    def cut(self, path: str) -> None:
        """Hang up on whoever asks that."""
        self._cut = path

    def work(self) -> None:
        """Hand on everything again."""
        self._instead.clear()
        self._cut = None

    def hold(self, path: str, *, after: bool) -> Hold:
        """Stop the next request of a kind."""
        self._hold = Hold(path, after)
        return self._hold

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Hand a request on, or do what was wanted with it."""
        kind = _kind(request.path)
        if self._cut == kind and request.transport is not None:
            request.transport.abort()
        if kind in self._instead:
            return self._made_up(kind)
        hold = self._hold if self._hold and self._hold.path == kind else None
        if hold is not None:
            self._hold = None
        if hold is not None and not hold.after:
            await _stop(hold)
            # Whoever was killed meanwhile never said it.
            raise web.HTTPServiceUnavailable
        answer = await self._ask(request, kind)
        if hold is not None:
            await _stop(hold)
        return answer

    def _made_up(self, kind: str) -> web.Response:
        status, body, headers = self._instead[kind]
        if isinstance(body, str):
            return web.Response(status=status, text=body, headers=headers)
        return web.json_response(body, status=status, headers=headers, content_type=_PROBLEM)

    async def _ask(self, request: web.BaseRequest, kind: str) -> web.Response:
        self.counted[kind] += 1
        kept = {"Host": request.host}
        kept |= {
            name: request.headers[name] for name in ("Content-Type",) if name in request.headers
        }
        assert self._session is not None
        async with self._session.request(
            request.method,
            f"{self._origin}{request.path_qs}",
            headers=kept,
            data=await request.read(),
        ) as answer:
            made = web.Response(status=answer.status, body=await answer.read())
            for name, value in answer.headers.items():
                if name.lower() not in _OURS:
                    if name.lower() == "content-type":
                        made.headers[name] = value
                    else:
                        made.headers.add(name, value)
            if self.date is not None:
                made.headers["Date"] = self.date
            return made

    async def start(self) -> None:
        """Listen."""
        trusting = ssl.create_default_context(cafile=self._folder / "api.pem")
        self._session = ClientSession(
            connector=TCPConnector(ssl=trusting, force_close=True),
            timeout=ClientTimeout(total=_ASK_S),
        )

    async def close(self) -> None:
        """Be gone."""
        if self._session is not None:
            await self._session.close()


@asynccontextmanager
async def acme_front(port: int, folder: Path) -> AsyncIterator[AcmeFront]:
    """Give a running one before the authority at a port, whose certificate is in a folder."""
    front = AcmeFront(port, folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "api.pem", folder / "api.key")
    runner = web.ServerRunner(web.Server(front.serve), shutdown_timeout=0.1)
    await runner.setup()
    await front.start()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    front.port = runner.addresses[0][1]
    try:
        yield front
    finally:
        await runner.cleanup()
        await front.close()


async def _stop(hold: Hold) -> None:
    hold.reached.set()
    with suppress(TimeoutError):
        await asyncio.wait_for(hold.go_on.wait(), _HOLD_S)


def _kind(path: str) -> str:
    first = path.split("/")[1]
    return f"/{first}/" if path.count("/") > 1 else f"/{first}"
