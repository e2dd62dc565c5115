"""Containers as resources, for tests of what is built on them."""

from datetime import UTC, datetime

from homelab_agent.areas.containers.models import Container
from homelab_agent.platform.engine.models import ContainerHealth, ContainerState


def container(key: str, *, id_: str | None = None, **changes: object) -> Container:
    """Return a running container; `changes` are fields of it."""
    fields: dict[str, object] = {
        "key": key,
        "id": id_ or f"id-{key}",
        "name": key,
        "image": "busybox",
        "image_id": "sha256:0",
        "state": ContainerState.RUNNING,
        "health": ContainerHealth.NONE,
        "has_health_check": False,
        "exit_code": None,
        "oom_killed": False,
        "restart_count": 0,
        "restart_policy": "no",
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
        "started_at": None,
        "finished_at": None,
        "ports": (),
        "labels": {},
        "compose": None,
        "protected_reason": None,
    }
    return Container.model_validate(fields | changes)
