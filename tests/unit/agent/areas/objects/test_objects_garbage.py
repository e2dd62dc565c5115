"""What a prune would take: what somebody would miss must never be in it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from homelab_agent.areas.containers.models import Compose, Container
from homelab_agent.areas.objects.garbage import preview, removable_cache
from homelab_agent.areas.objects.inventory import Everything, Users
from homelab_agent.areas.objects.models import PruneKind, PrunePreview
from homelab_agent.platform.engine.images import EngineImage
from homelab_agent.platform.engine.models import ContainerHealth, ContainerState
from homelab_agent.platform.engine.objects import CacheRecord, StoredNetwork, StoredVolume

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=30)
EVERY = tuple(PruneKind)


def container(**facts: Any) -> Container:
    return Container(
        **{
            "key": "job",
            "id": "c1",
            "name": "job",
            "image": "busybox",
            "image_id": "sha256:1",
            "state": ContainerState.EXITED,
            "health": ContainerHealth.NONE,
            "has_health_check": False,
            "exit_code": 0,
            "oom_killed": False,
            "restart_count": 0,
            "restart_policy": "no",
            "created_at": LONG_AGO,
            "started_at": LONG_AGO,
            "finished_at": LONG_AGO,
            "ports": (),
            "labels": {},
            "compose": None,
            "protected_reason": None,
            **facts,
        }
    )


def shown(
    *containers: Container, kinds: tuple[PruneKind, ...] = EVERY, **everything: Any
) -> PrunePreview:
    users = Users(containers, {}, {"data": ("db",)}, {"front": ("web",)})
    found = Everything(users=users, unique_bytes={}, container_bytes={}, **everything)
    return preview(kinds, found, {"wiki": 700}, NOW)


def test_a_container_that_ended_long_ago_and_that_nothing_starts_again_goes() -> None:
    assert [item.name for item in shown(container()).items] == ["job"]


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"protected_reason": "It is protected."}, "It is protected."),
        ({"compose": Compose(project="shop", service="web", index=1)}, "stack shop"),
        ({"restart_policy": "unless-stopped"}, "somebody stopped it"),
        ({"restart_policy": "always"}, "somebody stopped it"),
        ({"finished_at": NOW - timedelta(days=7)}, "within the last 8 days"),
        ({"finished_at": None, "created_at": NOW - timedelta(hours=1)}, "within the last 8 days"),
        ({"labels": {"com.docker.swarm.task.id": "x"}}, "swarm"),
    ],
)
def test_a_container_that_somebody_would_miss_is_kept_and_says_why(
    facts: dict[str, Any], why: str
) -> None:
    found = shown(container(**facts))

    assert found.items == ()
    assert why in found.kept[0].reason


@pytest.mark.parametrize("state", ["running", "paused", "restarting", "removing"])
def test_a_container_in_use_is_not_even_looked_at(state: str) -> None:
    found = shown(container(state=ContainerState(state)))

    assert (found.items, found.kept) == ((), ())


def test_images_with_a_name_go_only_when_unused_images_are_asked_for() -> None:
    images = (
        EngineImage(id="sha256:1", tags=("used:1",)),
        EngineImage(id="sha256:2", tags=("old:1",)),
        EngineImage(id="sha256:3", digests=("old@sha256:3",)),
        EngineImage(id="sha256:4", tags=("homelab-rollback/web:1",)),
        EngineImage(id="sha256:5", tags=("dear:1",), labels={"homelab.protect": "true"}),
    )
    used = {"sha256:1": ("web",)}

    users = Users((), used, {}, {})
    found = Everything(users=users, images=images, unique_bytes={"sha256:3": 5}, container_bytes={})
    only = preview((PruneKind.IMAGES,), found, {}, NOW)
    every = preview((PruneKind.IMAGES, PruneKind.UNUSED_IMAGES), found, {}, NOW)

    assert [(item.id, item.size_bytes) for item in only.items] == [("sha256:3", 5)]
    assert {item.id for item in every.items} == {"sha256:2", "sha256:3"}
    assert {item.id for item in every.kept} == {"sha256:1", "sha256:4", "sha256:5"}


def test_volumes_go_only_when_asked_for_by_name_of_their_kind() -> None:
    volumes = (
        StoredVolume(name="data", driver="local", created_at=LONG_AGO),
        StoredVolume(name="wiki", driver="local", created_at=LONG_AGO),
        StoredVolume(name="new", driver="local", created_at=NOW - timedelta(minutes=5)),
        StoredVolume(name="dear", driver="local", labels={"homelab.protect": "yes"}),
    )
    by_default = shown(kinds=tuple(set(EVERY) - {PruneKind.VOLUMES}), volumes=volumes)
    asked = shown(kinds=(PruneKind.VOLUMES,), volumes=volumes)

    assert by_default.items == ()
    assert [(item.name, item.size_bytes) for item in asked.items] == [("wiki", 700)]
    assert {item.name: item.reason for item in asked.kept}["data"] == "Used by db."


def test_networks_of_docker_of_a_swarm_and_in_use_are_kept() -> None:
    networks = (
        *(StoredNetwork(id=name, name=name, driver="x") for name in ("bridge", "host", "none")),
        StoredNetwork(id="1", name="front", driver="bridge", created_at=LONG_AGO),
        StoredNetwork(id="2", name="mesh", driver="overlay", scope="swarm", created_at=LONG_AGO),
        StoredNetwork(id="3", name="left", driver="bridge", created_at=LONG_AGO),
        StoredNetwork(id="4", name="ingress", driver="overlay", ingress=True),
    )

    assert [item.name for item in shown(networks=networks).items] == ["left"]


def test_a_piece_of_cache_that_something_builds_on_stays_and_leaves_go_first() -> None:
    def piece(name: str, *parents: str, in_use: bool = False) -> CacheRecord:
        return CacheRecord(
            id=name, description=name, size_bytes=1, in_use=in_use, shared=False, parents=parents
        )

    records = (
        piece("a"),
        piece("b", "a"),
        piece("c", "b"),
        piece("x"),
        piece("y", "x", in_use=True),
    )

    assert [each.id for each in removable_cache(records)] == ["c", "b", "a"]


def test_the_hash_changes_with_what_goes_and_not_with_how_large_it_is() -> None:
    first, same = shown(container()), shown(container())
    more = shown(container(), container(id="c2", name="other"))

    assert first.hash == same.hash
    assert first.hash != more.hash
    assert first.hash != shown(container(), kinds=(PruneKind.CONTAINERS,)).hash
