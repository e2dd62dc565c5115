"""What an agent puts on the wire, with defaults for what a test does not care about."""

from typing import Any

type Json = dict[str, Any]

BEGINNING = "2026-11-20T08:00:00Z"


def container(name: str = "web", **changes: Any) -> Json:
    """Return a running container whose key is its name."""
    return {
        "key": name,
        "id": f"{name}-0123456789abcdef",
        "name": name,
        "image": f"example/{name}:1.0",
        "image_id": "sha256:0123456789abcdef",
        "state": "running",
        "health": "healthy",
        "has_health_check": True,
        "exit_code": None,
        "oom_killed": False,
        "restart_count": 0,
        "restart_policy": "unless-stopped",
        "created_at": BEGINNING,
        "started_at": "2026-11-21T06:30:00.125Z",
        "finished_at": None,
        "ports": [
            {"container_port": 80, "protocol": "tcp", "host_ip": "192.168.1.20", "host_port": 8080}
        ],
        "labels": {"com.example.secret": "very-secret-value"},
        "compose": None,
        "protected_reason": None,
        **changes,
    }


def engine(**changes: Any) -> Json:
    """Return an engine that answers, with one running container."""
    return {
        "connection": "connected",
        "since": BEGINNING,
        "reason": None,
        "kind": "docker",
        "version": "28.5.1",
        "api_version": "1.51",
        "host_name": "atlas.home.example",
        "operating_system": "Debian GNU/Linux 14",
        "kernel_version": "6.18.0",
        "architecture": "x86_64",
        "cpu_count": 4,
        "memory_bytes": 8_000_000_000,
        "missing_rights": [],
        "counts": counts(total=1, running=1),
        **changes,
    }


def engine_away(**changes: Any) -> Json:
    """Return an engine that does not answer; what was known of it stays."""
    return engine(
        connection="unavailable",
        reason="connection refused",
        counts=None,
        **changes,
    )


def counts(**changes: int) -> Json:
    """Return how many containers are in which state."""
    return {
        "total": 0,
        "running": 0,
        "paused": 0,
        "restarting": 0,
        "stopped": 0,
        "unhealthy": 0,
        **changes,
    }


def info(**changes: Any) -> Json:
    """Return the agent's description of itself."""
    return {
        "instance_id": "5f1a2b3c",
        "name": "atlas",
        "version": "0.1.0",
        "started_at": BEGINNING,
        "demo": False,
        "contract": 1,
        **changes,
    }


def statistics(key: str = "web", **changes: Any) -> Json:
    """Return what a container uses."""
    return {
        "key": key,
        "cpu_percent": 12.5,
        "memory_bytes": 104_857_600,
        "memory_limit_bytes": 1_073_741_824,
        "memory_percent": 9.8,
        "network_receive_bytes": 5_242_880,
        "network_transmit_bytes": 1_048_576,
        "network_receive_bytes_per_s": 2000.0,
        "network_transmit_bytes_per_s": 500.0,
        "block_read_bytes": 20_971_520,
        "block_write_bytes": 10_485_760,
        "block_read_bytes_per_s": 0.0,
        "block_write_bytes_per_s": 4000.0,
        "processes": 7,
        **changes,
    }


def engine_statistics(**changes: Any) -> Json:
    """Return what all containers use together."""
    return {
        "source": "cgroup_v2",
        "source_reason": None,
        "interval_s": 10.0,
        "containers": 1,
        "cpu_percent": 12.5,
        "memory_bytes": 104_857_600,
        "memory_percent": 1.3,
        "network_receive_bytes_per_s": 2000.0,
        "network_transmit_bytes_per_s": 500.0,
        "block_read_bytes_per_s": 0.0,
        "block_write_bytes_per_s": 4000.0,
        "processes": 7,
        **changes,
    }


def disk_usage(**changes: Any) -> Json:
    """Return what Docker's objects take."""
    return {
        "measured_at": BEGINNING,
        "images": 20,
        "images_unused": 4,
        "images_bytes": 10_485_760_000,
        "images_reclaimable_bytes": 1_048_576_000,
        "containers_bytes": 52_428_800,
        "volumes": 12,
        "volumes_unused": 1,
        "volumes_bytes": 2_097_152_000,
        "volumes_reclaimable_bytes": 104_857_600,
        "build_cache_bytes": 524_288_000,
        "build_cache_reclaimable_bytes": 419_430_400,
        "networks_unused": 2,
        "reclaimable_bytes": 1_572_864_000,
        **changes,
    }


def update(key: str = "web", **changes: Any) -> Json:
    """Return that there is a newer image for a container."""
    return {
        "key": key,
        "state": "available",
        "reason": None,
        "policy": "notify",
        "window": None,
        "image": f"example/{key}:1",
        "latest_image": f"example/{key}:1",
        "installed_version": "1.0.0",
        "latest_version": "1.1.0",
        "installed_digest": "sha256:1111111111111111",
        "latest_digest": "sha256:2222222222222222",
        "release_notes_url": f"https://example.com/{key}/releases",
        "checked_at": BEGINNING,
        **changes,
    }


def recreate_status(key: str = "web", **changes: Any) -> Json:
    """Return that a former image of a container is kept."""
    return {
        "key": key,
        "rollback_image": "sha256:0000000000000000",
        "rollback_version": "0.9.0",
        "last": None,
        **changes,
    }


def undone_update(**changes: Any) -> Json:
    """Return that the last update was taken back."""
    return {
        "action": "update",
        "outcome": "undone",
        "at": BEGINNING,
        "from_image": "example/web:1",
        "to_image": "example/web:1",
        "from_version": "1.0.0",
        "to_version": "1.1.0",
        "reason": "It did not become healthy within 60 seconds.",
        "log": [{"at": None, "stream": "stderr", "text": "no such table: users"}],
        **changes,
    }


def stack(name: str = "media", **changes: Any) -> Json:
    """Return a stack of one service that runs."""
    return {
        "key": name,
        "name": name,
        "state": "running",
        "problem": None,
        "services": [
            {
                "name": "player",
                "image": "example/player:1",
                "running": 1,
                "total": 1,
                "health": "healthy",
                "containers": [f"{name}:player:1"],
                "depends_on": [],
            }
        ],
        "running": 1,
        "total": 1,
        "managed": False,
        "config_files": [f"/srv/{name}/compose.yaml"],
        "working_dir": f"/srv/{name}",
        "files_reason": None,
        "version": None,
        "protected_reason": None,
        **changes,
    }


def swarm(**changes: Any) -> Json:
    """Return a host that manages a swarm of two."""
    return {
        "role": "manager",
        "nodes": 2,
        "managers": 1,
        "nodes_ready": 2,
        "services": 1,
        "services_degraded": 0,
        **changes,
    }


def swarm_service(name: str = "shop", **changes: Any) -> Json:
    """Return a swarm service with all of its tasks."""
    return {
        "key": name,
        "id": f"{name}-0123456789",
        "name": name,
        "image": f"example/{name}:1",
        "mode": "replicated",
        "running": 3,
        "desired": 3,
        "stack": None,
        "updating": False,
        "update_message": None,
        **changes,
    }


def event(key: str = "web", kind: str = "died", number: int = 1, **changes: Any) -> Json:
    """Return something that happened to a container."""
    return {
        "key": key,
        "name": key,
        "type": kind,
        "number": number,
        "at": BEGINNING,
        "exit_code": None,
        **changes,
    }


def job(kind: str, target: str, **changes: Any) -> Json:
    """Return a job that runs."""
    return {
        "id": f"{kind}-{target}",
        "kind": kind,
        "target": target,
        "caller": "home-assistant",
        "state": "running",
        "outcome": None,
        "steps": [{"name": "pull", "state": "doing"}],
        "progress": 0.25,
        "message": None,
        "error": None,
        "created_at": BEGINNING,
        "finished_at": None,
        **changes,
    }


def problem(status: int, code: str, detail: str, **members: Any) -> Json:
    """Return a problem document."""
    return {
        "type": "about:blank",
        "title": code,
        "status": status,
        "detail": detail,
        "code": code,
        **members,
    }
