"""A real server on a port of its own, with real parts behind it."""

import io
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest
from aiohttp import ClientSession

from homelab_agent.api.auth import Authenticator
from homelab_agent.api.connections import ConnectionLimits
from homelab_agent.api.login_throttle import LoginThrottle
from homelab_agent.api.rate_limit import RateLimit
from homelab_agent.api.request_parsing import BODY_DEADLINE_S
from homelab_agent.api.server import ApiServer
from homelab_agent.api.sockets import StreamLimits
from homelab_agent.api.stream_socket import StreamSockets
from homelab_agent.platform.audit import Audit
from homelab_agent.platform.commands import Registry, Scope
from homelab_agent.platform.contract import CONTRACT_OLDEST, CONTRACT_VERSION, Hello
from homelab_agent.platform.gate import Gate
from homelab_agent.platform.metrics import Metrics
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.tokens import Tokens
from tests.unit.agent.api.routes_to_try import RoutesToTry


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> dict[str, object]:
        found = json.loads(self.text)
        assert isinstance(found, dict)
        return found


@dataclass
class Door:
    """A running server and a client for it."""

    server: ApiServer
    session: ClientSession
    routes: RoutesToTry
    tokens: Tokens
    gate: Gate
    streams: StreamSockets
    host: str = ""
    port: int = 0
    secret: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    async def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        body: object = None,
        data: bytes | None = None,
        token: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        sent = {"Authorization": f"Bearer {token or self.secret}"} if token != "" else {}
        async with self.session.request(
            method,
            self.url + path,
            json=body,
            data=None if data is None else io.BytesIO(data),
            headers=sent | (headers or {}),
            allow_redirects=False,
        ) as answer:
            text = await answer.text()
            return Answer(answer.status, dict(answer.headers), text)


class Doors:
    """Opens doors with limits of a test's own; all are closed when the test ends."""

    def __init__(self, tokens: Tokens, audit: Audit, resources: Resources) -> None:
        self._tokens = tokens
        self._audit = audit
        self._resources = resources
        self._closing = AsyncExitStack()

    async def open(
        self,
        *,
        limit: RateLimit | None = None,
        throttle: LoginThrottle | None = None,
        streams: StreamLimits | None = None,
        tokens: Tokens | None = None,
        resources: Resources | None = None,
        body_deadline_s: float = BODY_DEADLINE_S,
        connection_limits: ConnectionLimits | None = None,
    ) -> Door:
        tokens = tokens or self._tokens
        routes, registry, gate = RoutesToTry(), Registry(), Gate(self._audit)
        registry.collect(routes)
        sockets = StreamSockets(resources or self._resources, HELLO, streams)
        server = ApiServer(
            registry.operations(),
            Authenticator(tokens, limit or RateLimit(), throttle or LoginThrottle()),
            gate,
            sockets,
            Metrics(),
            body_deadline_s=body_deadline_s,
            connection_limits=connection_limits,
        )
        session = await self._closing.enter_async_context(ClientSession())
        door = Door(server, session, routes, tokens, gate, sockets)
        self._closing.push_async_callback(server.close)
        door.host, door.port = await server.start("127.0.0.1", 0)
        door.secret = await tokens.create(f"operator {id(door)}", Scope.OPERATE)
        return door

    async def close(self) -> None:
        await self._closing.aclose()


HELLO = Hello(
    contract=CONTRACT_VERSION,
    oldest=CONTRACT_OLDEST,
    instance_id="the instance",
    version="1.2.3",
    epoch="the epoch",
)


@pytest.fixture
async def doors(tokens: Tokens, audit: Audit, resources: Resources) -> AsyncIterator[Doors]:
    doors = Doors(tokens, audit, resources)
    yield doors
    await doors.close()


@pytest.fixture
async def door(doors: Doors) -> Door:
    return await doors.open()
