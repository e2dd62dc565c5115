"""The updates area on a fake engine, a fake registry and a real store."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pytest

from homelab_agent.areas.containers.models import CONTAINER_KIND
from homelab_agent.areas.updates.board import UpdateBoard
from homelab_agent.areas.updates.models import ContainerUpdate, UpdatePolicy
from homelab_agent.areas.updates.policy import ContainerPolicy, read_window
from homelab_agent.areas.updates.registry.client import RegistryClient
from homelab_agent.areas.updates.registry.credentials import Credentials
from homelab_agent.areas.updates.registry.hosts import RegistryHosts
from homelab_agent.areas.updates.registry.lane import Pace
from homelab_agent.areas.updates.store import UpdateMemory
from homelab_agent.areas.updates.watch import Rhythm, UpdateWatch
from homelab_agent.platform.engine.docker.images import DockerImages
from homelab_agent.platform.engine.docker.transport import Transport
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.secrets import SecretFilter
from homelab_agent.platform.store.database import Store
from tests.clock import HandClock
from tests.fakes.containers import container
from tests.fakes.docker_engine import FakeDocker, fake_docker
from tests.fakes.registry import FakeRegistry, fake_registry
from tests.harness.waiting import wait_until

DEFAULT = ContainerPolicy(policy=UpdatePolicy.NOTIFY, window=read_window("03:00-05:00"))
INTERVAL_H = 6


@dataclass
class Area:
    """The parts, and what a person would see."""

    docker: FakeDocker
    registry: FakeRegistry
    resources: Resources
    clock: HandClock
    board: UpdateBoard
    watch: UpdateWatch
    client: RegistryClient
    task: asyncio.Task[None]

    def run(self, key: str, image: str, image_id: str, **labels: str) -> None:
        """Have a container."""
        shown = container(
            key,
            id_=f"{key}-{image_id}",
            image=image,
            image_id=image_id,
            labels={name.replace("_", "."): value for name, value in labels.items()},
        )
        self.resources.publish(CONTAINER_KIND, key, shown)

    def have(self, image_id: str, *digests: str, **facts: object) -> None:
        """Have an image, known to its registry under these digests of team/app."""
        names = [f"{self.name}@{digest}" for digest in digests]
        self.docker.add_image(image_id, RepoDigests=names, **facts)

    @property
    def name(self) -> str:
        return f"{self.registry.address}/team/app"

    async def until(self, key: str, holds: Callable[[ContainerUpdate], object]) -> ContainerUpdate:
        """Wait until what is shown of a container is as it should be."""

        async def check() -> ContainerUpdate | None:
            shown = self.board.get(key)
            return shown if shown is not None and holds(shown) else None

        try:
            return await wait_until(check, what=f"the update of {key}")
        except TimeoutError:
            raise AssertionError(f"it is {self.board.get(key)}") from None


@asynccontextmanager
async def area(
    store: Store,
    clock: HandClock,
    docker: FakeDocker,
    registry: FakeRegistry,
    *,
    deadline_s: float = 20,
) -> AsyncIterator[Area]:
    resources = Resources()
    transport = Transport(docker.url)
    board = UpdateBoard(DockerImages(transport), UpdateMemory(store), resources, DEFAULT)
    pace = Pace(spacing_s=0.0, deadline_s=deadline_s)
    client = RegistryClient(RegistryHosts(()), Credentials((), None, SecretFilter()), pace=pace)
    rhythm = Rhythm(interval_s=INTERVAL_H * 3600, tick_s=0.05)
    watch = UpdateWatch(board, client, resources, clock, rhythm)
    task = asyncio.create_task(watch.run())
    try:
        yield Area(docker, registry, resources, clock, board, watch, client, task)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await transport.close()


@pytest.fixture
async def docker() -> AsyncIterator[FakeDocker]:
    async with fake_docker() as made:
        yield made


@pytest.fixture
async def registry() -> AsyncIterator[FakeRegistry]:
    async with fake_registry() as made:
        yield made


@pytest.fixture
async def live(
    store: Store, clock: HandClock, docker: FakeDocker, registry: FakeRegistry
) -> AsyncIterator[Area]:
    async with area(store, clock, docker, registry) as made:
        yield made
