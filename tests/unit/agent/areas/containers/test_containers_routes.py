"""Each route does what it is called, and declares what a reviewer must see."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from homelab_agent.areas.containers.models import (
    CommandBody,
    ContainerQuery,
    KillBody,
    LogsQuery,
    StopBody,
)
from homelab_agent.areas.containers.routes import ContainerRoutes
from homelab_agent.platform.commands import Caller, Outcome, Registry, Scope
from tests.fakes.commanded import commanded
from tests.fakes.docker_engine import FakeDocker

PERSON = Caller(name="person", scope=Scope.OPERATE)


@pytest.fixture
async def routes(docker: FakeDocker, tmp_path: Path) -> AsyncIterator[ContainerRoutes]:
    docker.add("web")
    async with commanded(docker.url, tmp_path) as agent:
        await agent.live.connected()
        yield ContainerRoutes(agent.service, agent.logs)


async def test_what_could_cut_someone_off_is_refused_for_protected_containers(
    routes: ContainerRoutes,
) -> None:
    registry = Registry()
    registry.collect(routes)
    commands = {each.name: each.declaration for each in registry.operations()}

    assert {name for name, each in commands.items() if each.changes and each.dangerous} == {
        "containers.stop",
        "containers.restart",
        "containers.pause",
        "containers.kill",
    }
    assert {name for name, each in commands.items() if each.changes and not each.idempotent} == {
        "containers.restart",
        "containers.kill",
    }
    assert all(
        each.scope is (Scope.OPERATE if each.changes else Scope.READ) for each in commands.values()
    )
    assert all(each.target == "container" for each in commands.values() if each.changes)


async def test_each_command_reaches_docker(docker: FakeDocker, routes: ContainerRoutes) -> None:
    (web,) = docker.containers.values()
    for command, status in (
        (routes.pause("web", CommandBody(), PERSON), "paused"),
        (routes.unpause("web", CommandBody(), PERSON), "running"),
        (routes.stop("web", StopBody(timeout_s=7), PERSON), "exited"),
        (routes.start("web", CommandBody(), PERSON), "running"),
        (routes.restart("web", StopBody(timeout_s=8), PERSON), "running"),
        (routes.kill("web", KillBody(signal="SIGTERM"), PERSON), "exited"),
    ):
        assert (await command).outcome is Outcome.DONE
        assert web.status == status

    queries = [query for query in docker.queries if web.id in query]
    assert any(query.endswith("/stop?t=7") for query in queries)
    assert any(query.endswith("/restart?t=8") for query in queries)
    assert any(query.endswith("/kill?signal=SIGTERM") for query in queries)


async def test_reading_needs_no_job(docker: FakeDocker, routes: ContainerRoutes) -> None:
    (web,) = docker.containers.values()

    assert (await routes.list(ContainerQuery())).containers == (await routes.get("web"),)
    assert (await routes.get("web")).id == web.id
    assert (await routes.logs("web", LogsQuery())).lines == ()


@pytest.mark.parametrize("name", ["SIGHUP", "SIGSTKFLT", "SIGRTMIN", "SIGRTMIN+3", "SIGRTMAX-2"])
def test_every_signal_docker_knows_can_be_asked_for(name: str) -> None:
    assert KillBody(signal=name).signal == name


@pytest.mark.parametrize("name", ["SIGFUN", "SIG_IGN", "9", "sighup", "SIGRTMIN+99", "SIGRTMAX-15"])
def test_a_signal_that_does_not_exist_is_refused_and_the_field_named(name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        KillBody(signal=name)

    assert [error["loc"] for error in refused.value.errors()] == [("signal",)]
