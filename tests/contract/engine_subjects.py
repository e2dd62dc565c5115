"""The engines that must all keep the same promises: the demo, a fake Docker, a real Docker."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from homelab_agent.platform.engine.demo.containers import DemoEngine
from homelab_agent.platform.engine.docker.containers import DockerEngine
from homelab_agent.platform.engine.docker.transport import Transport
from homelab_agent.platform.engine.interface import Engine
from tests.fakes.docker_engine import fake_docker, frame
from tests.harness.docker import SOCKET, Docker

CHATTY = (
    "trap 'exit 0' TERM; for n in 1 2 3 4 5; do echo out $n; echo err $n >&2; done; "
    "while :; do sleep 3600 & wait $!; done"
)
"""Five lines on each output, then it waits for its end."""


@dataclass
class Subject:
    """An engine, and a way to get a running container with ten log lines on it."""

    engine: Engine
    running: Callable[[], Awaitable[str]]


@asynccontextmanager
async def demo() -> AsyncIterator[Subject]:
    engine = DemoEngine(pace_s=1)

    async def running() -> str:
        return "media-sonarr-1"

    try:
        yield Subject(engine, running)
    finally:
        await engine.close()


@asynccontextmanager
async def fake() -> AsyncIterator[Subject]:
    async with fake_docker() as server:
        engine = DockerEngine(Transport(server.url))

        async def running() -> str:
            log = b"".join(
                frame(stream, f"2026-11-21T08:00:{n:02}.123456789Z {text} {n}\n".encode())
                for n in range(1, 6)
                for stream, text in ((1, "out"), (2, "err"))
            )
            return server.add("chatty", log=log).name

        try:
            yield Subject(engine, running)
        finally:
            await engine.close()


@asynccontextmanager
async def real() -> AsyncIterator[Subject]:
    engine = DockerEngine(Transport(f"unix://{SOCKET}"))
    async with Docker() as docker:

        async def running() -> str:
            name = f"engine-contract-{secrets.token_hex(4)}"
            await docker.create(name, command=("sh", "-c", CHATTY))
            return name

        try:
            yield Subject(engine, running)
        finally:
            await engine.close()
