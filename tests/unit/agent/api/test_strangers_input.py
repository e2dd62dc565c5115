"""Whatever a stranger sends: never a 500, never a trace, and the next one is served."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import pytest
from aiohttp import ClientSession, WSMsgType
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from yarl import URL

from homelab_agent.app import running
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.commands import Scope
from homelab_agent.platform.secrets import SecretFilter
from homelab_agent.platform.settings import Settings
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.tokens import Tokens
from homelab_agent.surface import described_operations

BOUNDED = settings(
    max_examples=300,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)

FIELDS = sorted(
    {
        name
        for operation in described_operations()
        for model in (operation.query, operation.body)
        if model is not None
        for name in model.model_fields
    }
)
SOME_NAMES = ("no-such-container", "shop:web:1", "_")
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")

texts = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            *("", "0", "-1", "1e999", "NaN", "true", "null", "running", "SIGKILL", "9" * 400),
            *("2026-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"),
            *("99999999999999999", "../../etc/passwd", "a" * 900, "%00", "\x00", "{{7*7}}"),
            "'; drop table job; --",
        ]
    ),
)
names = st.one_of(st.sampled_from(FIELDS), texts)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
bodies = st.one_of(
    st.binary(max_size=200),
    values.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(names, values, max_size=4).map(lambda value: json.dumps(value).encode()),
)
somewhere = st.tuples(
    st.sampled_from(METHODS), st.text(max_size=60).map(lambda text: "/" + quoted(text))
)
declared = st.tuples(
    st.sampled_from(described_operations()), st.one_of(st.sampled_from(SOME_NAMES), texts)
).map(
    lambda drawn: (
        drawn[0].declaration.method,
        re.sub(r"{\w+}", lambda _: quoted(drawn[1]) or "_", "/api/v1" + drawn[0].declaration.path),
    )
)
targets = st.one_of(declared, declared, declared, somewhere)
queries = st.one_of(st.just([]), st.lists(st.tuples(names, texts), max_size=4))
types = st.sampled_from(
    ["application/json"] * 4 + ["text/plain", "", "a/b; charset=utf-99", "multipart/x"]
)


def quoted(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")


class Stranger:
    """A whole agent with the demo engine, and whoever sends it something."""

    def __init__(self, session: ClientSession, url: str, tokens: list[str]) -> None:
        self._session = session
        self._url = url
        # Each has a rate limit of its own.
        self._tokens = cycle(tokens)

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {next(self._tokens)}"}

    async def send(
        self, method: str, path: str, query: list[tuple[str, str]], body: bytes, type_: str
    ) -> tuple[int, str]:
        text = "&".join(f"{quoted(name)}={quoted(value)}" for name, value in query)
        url = URL(f"{self._url}{path}?{text}", encoded=True)
        headers = self._headers | ({"Content-Type": type_} if type_ else {})
        async with self._session.request(
            method, url, data=body or None, headers=headers, allow_redirects=False
        ) as answer:
            return answer.status, await answer.text(errors="replace")

    async def subscribe(self, message: bytes) -> int | str | None:
        """Return the code with which the stream was closed, or what its first message was."""
        async with self._session.ws_connect(
            f"{self._url}/api/v1/stream", headers=self._headers
        ) as stream:
            await stream.receive()
            await stream.send_str(message.decode("utf-8", "replace"))
            answer = await stream.receive()
            if answer.type is WSMsgType.TEXT:
                return str(json.loads(answer.data)["type"])
            return stream.close_code


@asynccontextmanager
async def agent(data_dir: Path) -> AsyncIterator[Stranger]:
    chosen = Settings(data_dir=data_dir, listen="127.0.0.1:0", demo=True, mdns=False)
    async with AsyncExitStack() as closing:
        await closing.enter_async_context(running(chosen, SecretFilter()))
        store = await Store.open(chosen.store_url, data_dir)
        closing.push_async_callback(store.close)
        tokens = Tokens(store, utc_now)
        secrets = [await tokens.create(f"stranger {number}", Scope.ADMIN) for number in range(8)]
        url = await asyncio.to_thread((data_dir / "address").read_text)
        session = await closing.enter_async_context(ClientSession())
        yield Stranger(session, url.strip(), secrets)


@pytest.fixture(autouse=True)
def no_file_left_open() -> None:
    """Leave the agent's store open: it serves all tests of this file."""


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def stranger(runner: asyncio.Runner) -> Iterator[Stranger]:
    with TemporaryDirectory() as folder:
        opened = agent(Path(folder))
        yield runner.run(opened.__aenter__())
        runner.run(opened.__aexit__(None, None, None))


@BOUNDED
@given(targets, queries, st.one_of(st.just(b""), bodies), types)
def test_no_request_breaks_the_agent(
    runner: asyncio.Runner,
    stranger: Stranger,
    target: tuple[str, str],
    query: list[tuple[str, str]],
    body: bytes,
    type_: str,
) -> None:
    method, path = target
    status, text = runner.run(stranger.send(method, path, query, body, type_))
    event(f"status {status}")
    assert status != 500, text
    assert "Traceback" not in text
    if status >= 400 and method != "HEAD" and text.startswith("{"):
        problem = json.loads(text)
        assert problem["status"] == status
        assert problem["code"] != "internal"


@BOUNDED
@given(bodies)
def test_no_subscription_breaks_the_stream(
    runner: asyncio.Runner, stranger: Stranger, message: bytes
) -> None:
    assert runner.run(stranger.subscribe(message)) in {4002, "snapshot"}
