"""What could be watched: ports that look like pages, until somebody watches them."""

from datetime import UTC, datetime

import pytest

from homelab_agent.areas.containers.models import Container
from homelab_agent.areas.monitors.check_settings import HttpCheckSettings
from homelab_agent.areas.monitors.models import MonitorSettings
from homelab_agent.areas.monitors.proposals import proposals
from homelab_agent.platform.engine.models import ContainerHealth, ContainerState, Port


def container(
    name: str,
    *ports: tuple[int, int | None],
    state: ContainerState = ContainerState.RUNNING,
    **labels: str,
) -> Container:
    return Container(
        key=name,
        id=name,
        name=name,
        image="image",
        image_id="image",
        state=state,
        health=ContainerHealth.NONE,
        has_health_check=False,
        exit_code=None,
        oom_killed=False,
        restart_count=0,
        restart_policy="no",
        created_at=datetime(2026, 3, 1, tzinfo=UTC),
        started_at=None,
        finished_at=None,
        ports=tuple(
            Port(container_port=inside, protocol="tcp", host_ip="0.0.0.0", host_port=outside)  # noqa: S104
            for inside, outside in ports
        ),
        labels=labels,
        compose=None,
        protected_reason=None,
    )


def test_pages_are_proposed_and_databases_and_what_is_not_published_are_not() -> None:
    found = proposals(
        (
            container("web", (80, 8080), (443, 8443), (5432, 5432), (8081, None)),
            container("plex", (32400, 32400)),
            container("stopped", (80, 81), state=ContainerState.EXITED),
            container("quiet", (80, 82), **{"homelab.monitor": "false"}),
        ),
        (),
        "127.0.0.1",
    )

    assert [(each.container, each.settings.check.type) for each in found] == [
        ("plex", "plex"),
        ("web", "http"),
        ("web", "http"),
    ]
    urls = {getattr(each.settings.check, "url", None) for each in found}
    assert urls == {
        "http://127.0.0.1:32400",
        "http://127.0.0.1:8080/",
        "https://127.0.0.1:8443/",
    }


def test_what_is_watched_is_proposed_no_more_but_its_other_ports_are() -> None:
    web = container("web", (80, 8080), (3000, 3000))
    watched = MonitorSettings(
        name="Web", check=HttpCheckSettings(url="http://192.0.2.5:8080/x"), container="web"
    )

    (other,) = proposals((web,), (watched,), "127.0.0.1")

    assert other.why == "It publishes port 3000 as 3000"


@pytest.mark.parametrize(
    ("host_ip", "machine", "asked"),
    [
        ("0.0.0.0", "127.0.0.1", "http://127.0.0.1:8080/"),  # noqa: S104
        ("0.0.0.0", "172.17.0.1", "http://172.17.0.1:8080/"),  # noqa: S104
        ("192.0.2.7", "172.17.0.1", "http://192.0.2.7:8080/"),
        ("fd00::7", "172.17.0.1", "http://[fd00::7]:8080/"),
        ("127.0.0.1", "127.0.0.1", "http://127.0.0.1:8080/"),
        ("127.0.0.1", "172.17.0.1", None),
        ("0.0.0.0", None, None),  # noqa: S104
    ],
)
def test_nothing_is_proposed_that_this_agent_cannot_reach(
    host_ip: str, machine: str | None, asked: str | None
) -> None:
    port = Port(container_port=80, protocol="tcp", host_ip=host_ip, host_port=8080)
    web = container("web").model_copy(update={"ports": (port,)})

    urls = [getattr(each.settings.check, "url", None) for each in proposals((web,), (), machine)]

    assert urls == ([asked] if asked else [])
