"""A container is the same one after every recreate, and only then."""

from datetime import UTC, datetime, timedelta

import pytest

from homelab_agent.areas.containers.identity import choose, compose_of, key_of
from homelab_agent.platform.engine.models import ContainerState, EngineContainer

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)


def _labels(**labels: str) -> dict[str, str]:
    return {f"com.docker.compose.{name.replace('_', '-')}": text for name, text in labels.items()}


def _row(identity: str, state: ContainerState, age_h: int = 0) -> EngineContainer:
    return EngineContainer(
        id=identity,
        name="web",
        image="x",
        image_id="y",
        state=state,
        created_at=NOW - timedelta(hours=age_h),
    )


def test_a_compose_container_is_its_project_service_and_number() -> None:
    labels = _labels(project="shop", service="web", container_number="2", oneoff="False")

    assert key_of("shop-web-2", labels) == "shop:web:2"
    assert key_of("0123456789ab_shop-web-2", labels) == "shop:web:2"


@pytest.mark.parametrize("number", ["", "x", "0", "-1", "²", "٣", "1\n", "01", "9" * 7, "9" * 5000])
def test_a_number_that_is_none_counts_as_the_first(number: str) -> None:
    labels = _labels(project="shop", service="web", container_number=number)

    assert key_of("any", labels) == "shop:web:1"


@pytest.mark.parametrize(
    "labels",
    [
        {},
        _labels(project="shop"),
        _labels(service="web"),
        _labels(project="", service="web"),
        _labels(project="p" * 256, service="web"),
        _labels(project="shop", service="web", oneoff="True"),
    ],
)
def test_what_is_no_service_of_a_project_is_its_name(labels: dict[str, str]) -> None:
    assert compose_of(labels) is None
    assert key_of("shop-web-run-1", labels) == "shop-web-run-1"


def test_of_two_with_one_identity_the_one_in_use_is_shown() -> None:
    old, new = _row("a", ContainerState.RUNNING, 5), _row("b", ContainerState.CREATED)

    assert choose([old, new]) is old
    assert choose([new, old]) is old


@pytest.mark.parametrize(
    "state", [ContainerState.RUNNING, ContainerState.EXITED, ContainerState.CREATED]
)
def test_of_two_alike_the_newest_is_shown_whatever_their_order(state: ContainerState) -> None:
    old, new = _row("b", state, 5), _row("a", state)

    assert choose([old, new]) is new
    assert choose([new, old]) is new
    twin = _row("c", state)
    assert choose([new, twin]) is choose([twin, new]) is twin
