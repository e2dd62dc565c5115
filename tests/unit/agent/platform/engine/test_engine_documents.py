"""Docker's and Podman's descriptions of a container, complete and not."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from homelab_agent.platform.engine.docker.container_documents import Inspected, Listed
from homelab_agent.platform.engine.models import (
    ContainerHealth,
    ContainerState,
    EngineContainer,
    Port,
)


def _parsed(**changes: Any) -> EngineContainer:
    document = {"Id": "a" * 64, "Name": "/web", "Created": "2026-11-21T08:00:00Z"} | changes
    return Inspected.model_validate_json(json.dumps(document)).container()


def test_a_container_of_which_only_the_least_is_known_is_shown() -> None:
    row = _parsed(
        Config={"Labels": None}, State={"Health": None}, NetworkSettings=None, HostConfig={}
    )

    assert row.name == "web"
    assert row.labels == {}
    assert row.ports == ()
    assert row.restart_policy == "no"
    assert row.health is ContainerHealth.NONE
    assert row.exit_code is None


@pytest.mark.parametrize(
    ("status", "exit_code", "shown"),
    [("running", 0, None), ("exited", 137, 137), ("exited", 0, 0), ("restarting", 1, 1)],
)
def test_an_exit_code_is_shown_only_after_an_end(
    status: str, exit_code: int, shown: int | None
) -> None:
    state = {"Status": status, "ExitCode": exit_code, "FinishedAt": "2026-11-21T09:00:00.5Z"}

    assert _parsed(State=state).exit_code == shown


def test_a_container_that_never_ran_has_no_exit_code_and_no_times() -> None:
    row = _parsed(
        State={
            "Status": "created",
            "ExitCode": 0,
            "StartedAt": "0001-01-01T00:00:00Z",
            "FinishedAt": "0001-01-01T00:00:00Z",
        }
    )

    assert (row.exit_code, row.started_at, row.finished_at) == (None, None, None)


def test_a_stopped_container_is_not_called_unhealthy() -> None:
    health = {"Status": "unhealthy"}

    assert _parsed(State={"Status": "exited", "Health": health}).health is ContainerHealth.NONE
    assert _parsed(State={"Status": "running", "Health": health}).health == "unhealthy"
    assert _parsed(State={"Status": "running", "Health": {"Status": "odd"}}).health == "none"


@pytest.mark.parametrize(
    ("status", "running", "state"),
    [
        ("configured", False, ContainerState.CREATED),
        ("stopped", False, ContainerState.EXITED),
        ("stopping", True, ContainerState.RUNNING),
        ("hibernating", True, ContainerState.RUNNING),
        ("hibernating", False, ContainerState.EXITED),
        ("dead", False, ContainerState.DEAD),
    ],
)
def test_states_of_other_engines_and_of_the_future_are_placed(
    status: str, *, running: bool, state: ContainerState
) -> None:
    assert _parsed(State={"Status": status, "Running": running}).state is state


def test_times_are_in_utc_whatever_the_engine_writes() -> None:
    row = _parsed(
        State={"Status": "running", "StartedAt": "2026-11-21T10:00:00.123456789+02:00"},
        Created="2026-11-21T08:00:00",
    )

    assert row.started_at == datetime(2026, 11, 21, 8, 0, 0, 123456, UTC)
    assert row.started_at.tzinfo is UTC
    assert row.created_at.tzinfo is UTC


def test_ports_are_in_order_each_once_and_unpublished_ones_too() -> None:
    ports = {
        "443/tcp": [
            {"HostIp": "::", "HostPort": "443"},
            {"HostIp": "192.0.2.1", "HostPort": "443"},
        ],
        "80/tcp": None,
        "53/udp": [{"HostIp": "", "HostPort": "5353"}, {"HostIp": "", "HostPort": "5353"}],
        "nonsense": None,
        "²/tcp": None,
        "99999999999999999999/tcp": None,
        "9/tcp": [{"HostIp": "", "HostPort": ""}],
    }

    assert _parsed(NetworkSettings={"Ports": ports}).ports == (
        Port(container_port=9, protocol="tcp"),
        Port(container_port=53, protocol="udp", host_port=5353),
        Port(container_port=80, protocol="tcp"),
        Port(container_port=443, protocol="tcp", host_ip="192.0.2.1", host_port=443),
        Port(container_port=443, protocol="tcp", host_ip="::", host_port=443),
    )


@pytest.mark.parametrize(
    ("status", "health"),
    [
        ("Up 2 hours (healthy)", "healthy"),
        ("Up 1 second (health: starting)", "starting"),
        ("Up 5 days (unhealthy)", "unhealthy"),
        ("Up 5 days", "none"),
    ],
)
def test_the_list_alone_tells_the_health(status: str, health: str) -> None:
    row = Listed.model_validate(
        {"Id": "b" * 64, "Names": None, "State": "running", "Status": status}
    )

    assert row.container().health == health
    assert row.container().name == "b" * 12


def test_a_name_that_another_container_uses_for_this_one_is_not_its_name() -> None:
    row = Listed.model_validate({"Id": "b" * 64, "Names": ["/app/db", "/database"]})

    assert row.container().name == "database"


@pytest.mark.parametrize(
    "changes",
    [
        {"RestartCount": 2**63},
        {"State": {"ExitCode": -(2**63) - 1}},
        {"Created": "9999-12-31T23:59:59-01:00"},
    ],
)
def test_a_number_or_time_beyond_what_can_be_sent_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises((ValueError, OverflowError)):
        _parsed(**changes)
