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
