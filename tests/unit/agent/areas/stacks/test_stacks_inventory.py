"""Stacks as they are made of containers."""

from datetime import UTC, datetime

import pytest

from homelab_agent.areas.containers.models import Compose, Container
from homelab_agent.areas.stacks.inventory import describe
from homelab_agent.areas.stacks.labels import SERVICE_HEALTHY, dependencies_of
from homelab_agent.areas.stacks.models import Stack
from homelab_agent.areas.stacks.order import in_order
from homelab_agent.platform.engine.models import ContainerHealth, ContainerState

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def container(service: str, **more: object) -> Container:
    """Return a container of the stack `shop` that runs, but for what is said."""
    values: dict[str, object] = {
        "key": f"shop:{service}:1",
        "id": service * 8,
        "name": f"shop-{service}-1",
        "image": service,
        "image_id": "sha256:1",
        "state": ContainerState.RUNNING,
        "health": ContainerHealth.NONE,
        "has_health_check": False,
        "exit_code": None,
        "oom_killed": False,
        "restart_count": 0,
        "restart_policy": "no",
        "created_at": NOW,
        "started_at": NOW,
        "finished_at": None,
        "ports": (),
        "labels": {},
        "compose": Compose(project="shop", service=service, index=1),
        "protected_reason": None,
    }
    return Container.model_validate(values | more)


def ended(service: str, code: int, **more: object) -> Container:
    """Return a container that has ended."""
    return container(service, state=ContainerState.EXITED, exit_code=code, **more)


def shop(*containers: Container, version: int | None = None) -> Stack:
    """Return the stack of these containers."""
    return describe("shop", containers, version=version, reason=lambda _: "out of reach")


@pytest.mark.parametrize(
    ("containers", "state", "problem"),
    [
        ((container("web"), container("db")), "running", None),
        ((container("web"), ended("setup", 0)), "running", None),
        ((container("web"), ended("setup", 0, restart_policy="on-failure")), "running", None),
        (
            (container("web"), ended("db", 0, restart_policy="always")),
            "degraded",
            "db exited with code 0",
        ),
        ((container("web"), ended("db", 1)), "degraded", "db exited with code 1"),
        (
            (container("web", health=ContainerHealth.UNHEALTHY),),
            "degraded",
            "web is unhealthy",
        ),
        ((container("web", restart_loop=True),), "degraded", "web ends again and again"),
        (
            (container("web", state=ContainerState.RESTARTING, exit_code=1),),
            "degraded",
            "web ends again and again with code 1",
        ),
        (
            (container("web"), container("db", state=ContainerState.PAUSED)),
            "degraded",
            "db is paused",
        ),
        (
            (container("web"), container("db", state=ContainerState.CREATED)),
            "degraded",
            "db was never started",
        ),
        ((ended("web", 0), ended("db", 143)), "stopped", None),
        ((ended("web", 0), ended("db", 1)), "stopped", "db exited with code 1"),
        ((), "unknown", None),
    ],
)
def test_a_person_is_told_whether_a_stack_runs_and_what_is_wrong_with_it(
    containers: tuple[Container, ...], state: str, problem: str | None
) -> None:
    stack = shop(*containers, version=1)
    assert (stack.state, stack.problem) == (state, problem)


def test_many_problems_do_not_make_an_endless_sentence() -> None:
    stack = shop(container("a"), *(ended(f"s{number}", 1) for number in range(9)))
    assert stack.problem is not None
    assert stack.problem.endswith("; and 6 more")


def test_the_worst_health_of_its_containers_is_the_health_of_a_service() -> None:
    second = {"key": "shop:web:2", "compose": Compose(project="shop", service="web", index=2)}
    stack = shop(
        container("web", health=ContainerHealth.HEALTHY),
        container("web", health=ContainerHealth.UNHEALTHY, **second),
    )
    (web,) = stack.services
    assert (web.health, web.running, web.total) == ("unhealthy", 2, 2)
    assert stack.problem == "web (2) is unhealthy"


def test_only_a_stack_of_others_has_a_reason_why_its_files_cannot_be_read() -> None:
    assert shop(container("web")).files_reason == "out of reach"
    assert shop(container("web"), version=2).files_reason is None


def test_what_a_service_waits_for_is_read_from_its_label() -> None:
    label = "db:service_healthy:false,cache,  :x:y"
    found = dependencies_of({"com.docker.compose.depends_on": label})
    assert found == {"db": SERVICE_HEALTHY, "cache": "service_started"}


@pytest.mark.parametrize(
    ("needs", "order"),
    [
        ({"web": ["api"], "api": ["db"], "db": []}, ("db", "api", "web")),
        ({"b": [], "a": []}, ("a", "b")),
        ({"web": ["gone"]}, ("web",)),
        ({"a": ["b"], "b": ["a"], "c": ["b"]}, ("a", "b", "c")),
        ({"a": ["a"]}, ("a",)),
        ({}, ()),
    ],
)
def test_services_start_after_what_they_need_and_a_circle_stops_nobody(
    needs: dict[str, list[str]], order: tuple[str, ...]
) -> None:
    assert in_order(needs) == order
