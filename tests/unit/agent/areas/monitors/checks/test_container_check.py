from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from homelab_agent.areas.monitors.check_settings import ContainerCheckSettings
from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.checks.codes import CheckCode
from homelab_agent.areas.monitors.checks.container_check import ContainerCheck
from tests.fakes.commanded import Commanded, commanded
from tests.fakes.docker_engine import FakeDocker, fake_docker

CONTAINERS = {
    "plain": None,
    "healthy": None,
    "unhealthy": CheckCode.UNHEALTHY,
    "starting": CheckCode.NOT_READY,
    "ended": CheckCode.NOT_RUNNING,
    "paused": CheckCode.NOT_RUNNING,
    "nobody": CheckCode.NO_CONTAINER,
}


@pytest.fixture
async def docker() -> AsyncIterator[FakeDocker]:
    async with fake_docker() as engine:
        engine.add("plain")
        for health in ("healthy", "unhealthy", "starting"):
            engine.add(health, health=health)
        engine.end(engine.add("ended"), 3)
        engine.add("paused").status = "paused"
        yield engine


@pytest.fixture
async def area(docker: FakeDocker, tmp_path: Path) -> AsyncIterator[Commanded]:
    async with commanded(docker.url, tmp_path) as made:
        await made.live.until(lambda: made.live.container("paused"))
        yield made


async def ask(area: Commanded, container: str) -> CheckOutcome:
    check = ContainerCheck(area.service)
    return await check.run(ContainerCheckSettings(container=container), 1, allow_guarded=False)


@pytest.mark.parametrize(("container", "code"), CONTAINERS.items())
async def test_a_container_is_up_when_it_runs_and_is_well(
    area: Commanded, container: str, code: CheckCode | None
) -> None:
    outcome = await ask(area, container)
    assert (outcome.code, outcome.ok) == (code, code is None)
    # A health that is not known yet is no failure: Docker itself still waits.
    assert outcome.known is (container != "starting")


async def test_the_exit_code_is_told(area: Commanded) -> None:
    assert (await ask(area, "ended")).reason == ("ended does not run: it is exited (exit code 3).")


async def test_nothing_is_known_while_docker_is_away(area: Commanded, docker: FakeDocker) -> None:
    await docker.stop()
    await area.live.until(lambda: area.live.status.connection == "unavailable")
    outcome = await ask(area, "plain")
    assert (outcome.known, outcome.ok, outcome.code) == (False, False, CheckCode.ENGINE_AWAY)
