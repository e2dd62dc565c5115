"""What making a container anew relies on, of the demo and of a real engine."""

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from homelab_agent.platform.engine.demo.containers import DemoEngine
from homelab_agent.platform.engine.demo.recreate import DemoRecreate
from homelab_agent.platform.engine.docker.containers import DockerEngine
from homelab_agent.platform.engine.docker.recreate import DockerRecreate
from homelab_agent.platform.engine.docker.transport import Transport
from homelab_agent.platform.engine.interface import Engine
from homelab_agent.platform.engine.models import ContainerState
from homelab_agent.platform.engine.recreate import (
    NEVER_RESTART,
    Original,
    RecreateEngine,
    RestartPolicy,
)
from homelab_agent.platform.errors import Conflict, NotFound
from tests.harness.docker import SOCKET, Docker

needs_docker = pytest.mark.skipif(not Path(SOCKET).exists(), reason="no Docker here")
POLICY = RestartPolicy(name="unless-stopped")
SECOND_NS = 1_000_000_000


@dataclass
class Subject:
    """An engine with a running container that has a health check, and one without."""

    engine: Engine
    recreate: RecreateEngine
    checked: str
    unchecked: str

    async def beside(self, original: Original) -> str:
        """Make the same again beside it; return its id."""
        return await self.recreate.create(
            original,
            name=f"{original.name}-homelab-new",
            image=original.image,
            image_id=original.image_id,
            replaced={},
        )


@pytest.fixture(params=["demo", pytest.param("real", marks=needs_docker)])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    async with AsyncExitStack() as stack:
        if request.param == "demo":
            demo = DemoEngine(pace_s=1)
            stack.push_async_callback(demo.close)
            rows = [
                row
                for row in await demo.list_containers()
                if row.state is ContainerState.RUNNING and row.restart_policy == POLICY.name
            ]
            named = {row.has_health_check: row.name for row in rows}
            yield Subject(demo, DemoRecreate(demo), named[True], named[False])
            return
        docker = await stack.enter_async_context(Docker())
        transport = Transport(f"unix://{SOCKET}")
        stack.push_async_callback(transport.close)
        names = [f"recreate-contract-{secrets.token_hex(4)}" for _ in range(2)]
        check = {"Test": ["CMD", "true"], "Interval": SECOND_NS, "Timeout": SECOND_NS, "Retries": 3}
        for name, config in zip(names, ({"Healthcheck": check}, {}), strict=True):
            await docker.create(name, config=config, RestartPolicy={"Name": POLICY.name})
        yield Subject(DockerEngine(transport), DockerRecreate(transport), *names)
        # What the test made, docker did not.
        listed = await docker.call("GET", "/containers/json", params={"all": "true"})
        found = [each["Names"][0].removeprefix("/") for each in listed]
        await docker.remove_all(*(each for each in found if each.startswith(tuple(names))))


async def test_a_look_tells_what_has_to_be_put_back(subject: Subject) -> None:
    row = await subject.engine.inspect(subject.checked)
    original = await subject.recreate.look(subject.checked)
    assert (original.id, original.name) == (row.id, row.name)
    assert (original.image, original.image_id) == (row.image, row.image_id)
    assert (original.state, original.restart_policy) == (ContainerState.RUNNING, POLICY)
    assert original.refusal is None


async def test_the_new_one_stands_beside_the_old_one_and_does_not_run(subject: Subject) -> None:
    original = await subject.recreate.look(subject.checked)
    new = await subject.engine.inspect(await subject.beside(original))
    old = await subject.engine.inspect(original.id)
    assert (new.state, old.state) == (ContainerState.CREATED, ContainerState.RUNNING)
    assert new.name == f"{original.name}-homelab-new"
    assert (new.image, new.image_id) == (old.image, old.image_id)
    assert (new.labels, new.restart_policy) == (old.labels, old.restart_policy)
    assert new.has_health_check


async def test_a_name_belongs_to_one_container_alone(subject: Subject) -> None:
    original = await subject.recreate.look(subject.unchecked)
    new_id = await subject.beside(original)
    with pytest.raises(Conflict):
        await subject.beside(original)
    with pytest.raises(Conflict):
        await subject.recreate.rename(new_id, original.name)


async def test_one_is_set_aside_and_the_other_takes_its_place_and_back_again(
    subject: Subject,
) -> None:
    engine, recreate = subject.engine, subject.recreate
    original = await recreate.look(subject.unchecked)
    new_id = await subject.beside(original)
    await recreate.set_restart_policy(original.id, NEVER_RESTART)
    await engine.stop(original.id, 1)
    await recreate.rename(original.id, f"{original.name}-homelab-old")
    await recreate.rename(new_id, original.name)
    await engine.start(new_id)
    found = await engine.inspect(original.name)
    assert (found.id, found.state) == (new_id, ContainerState.RUNNING)
    old = await recreate.look(original.id)
    assert (old.state, old.restart_policy) == (ContainerState.EXITED, NEVER_RESTART)

    await recreate.remove(new_id, own_volumes=True)
    await recreate.rename(original.id, original.name)
    await recreate.set_restart_policy(original.id, original.restart_policy)
    await engine.start(original.id)
    assert await recreate.look(original.name) == original


async def test_what_runs_is_removed_too_and_then_nobody_finds_it(subject: Subject) -> None:
    original = await subject.recreate.look(subject.unchecked)
    await subject.recreate.remove(original.id, own_volumes=False)
    for call in (
        subject.recreate.look(original.id),
        subject.recreate.rename(original.id, "recreate-contract-nobody"),
        subject.recreate.set_restart_policy(original.id, POLICY),
        subject.recreate.remove(original.id, own_volumes=False),
        subject.recreate.health_limit_s(original.id),
        subject.beside(original),
    ):
        with pytest.raises(NotFound):
            await call


async def test_every_container_says_whom_it_uses(subject: Subject) -> None:
    row = await subject.engine.inspect(subject.unchecked)
    assert (await subject.recreate.uses())[row.id] == frozenset()


async def test_only_a_health_check_has_a_time_by_which_it_decides(subject: Subject) -> None:
    limit_s = await subject.recreate.health_limit_s(subject.checked)
    assert limit_s is not None
    assert 0 < limit_s <= 120
    assert await subject.recreate.health_limit_s(subject.unchecked) is None
