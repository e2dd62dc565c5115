"""What an agent puts on the wire about the machine, its network and what becomes of both."""

from typing import Any

from tests.fakes.wire import BEGINNING, Json


def filesystem(key: str = "/", **changes: Any) -> Json:
    """Return a file system with room left."""
    return {
        "key": key,
        "device": "/dev/sda1",
        "type": "ext4",
        "state": "ok",
        "reason": None,
        "size_bytes": 100_000_000_000,
        "used_bytes": 60_000_000_000,
        "available_bytes": 40_000_000_000,
        "used_percent": 60.0,
        "inodes": 1_000_000,
        "inodes_used": 100_000,
        "inodes_percent": 10.0,
        **changes,
    }


def disk_forecast(key: str = "/", days: float | None = None, **changes: Any) -> Json:
    """Return in how many days a file system will be full; without any it will not be."""
    return {
        "key": key,
        "days_until_full": days,
        "full_at": None if days is None else "2026-11-28T08:00:00Z",
        "reason": "It does not grow." if days is None else None,
        "growth_bytes_per_day": 0.0 if days is None else 5_000_000_000.0,
        "observed_from": "2026-11-13T08:00:00Z",
        "observed_until": BEGINNING,
        "samples": 672,
        **changes,
    }


def disk_health(key: str = "sda", **changes: Any) -> Json:
    """Return a disk that is well."""
    return {
        "key": key,
        "state": "ok",
        "reason": None,
        "model": "Example SSD",
        "serial": "S1",
        "temperature_c": 34.0,
        "power_on_hours": 12000,
        "wear_percent": 5.0,
        "reallocated_sectors": 0,
        "pending_sectors": 0,
        "checked_at": BEGINNING,
        **changes,
    }


def finding(
    kind: str = "disk_filling", subject: str = "/", subject_kind: str = "filesystem", **changes: Any
) -> Json:
    """Return something that is so right now."""
    return {
        "key": f"{kind}:{subject}",
        "type": kind,
        "severity": "warning",
        "subject_kind": subject_kind,
        "subject": subject,
        "message": f"{subject}: {kind}.",
        "since": BEGINNING,
        "evidence": [{"name": "Free", "value": 40.0, "unit": "GB"}],
        **changes,
    }


def public_address(address: str | None = None) -> Json:
    """Return how the internet sees the network."""
    return {
        "address": address,
        "reason": None if address else "No source answered.",
        "agreed_by": [],
        "since": None,
        "checked_at": None,
    }


def network_status(**changes: Any) -> Json:
    """Return the network as a whole."""
    return {
        "default_interface": "eth0",
        "gateway_ipv4": "192.0.2.1",
        "gateway_ipv6": None,
        "dns_servers": ["192.0.2.1"],
        "public_ipv4": public_address("203.0.113.7"),
        "public_ipv6": public_address(),
        "neighbours": 4,
        "listening_ports": 12,
        "exposed_ports": 5,
        "clock_offset_s": 0.1,
        "view_hint": None,
        **changes,
    }


def port_event(port: int = 8080, kind: str = "opened", number: int = 1, **changes: Any) -> Json:
    """Return that something began to listen, or what else happened to a port."""
    return {
        "key": f"tcp-0.0.0.0-{port}",
        "type": kind,
        "transport": "tcp",
        "address": "0.0.0.0",
        "port": port,
        "reach": "network",
        "process": "python3",
        "container": None,
        "number": number,
        "at": BEGINNING,
        **changes,
    }


def listening_port(port: int = 8080, **changes: Any) -> Json:
    """Return a port that something listens on."""
    return {
        "key": f"tcp-0.0.0.0-{port}",
        "transport": "tcp",
        "address": "0.0.0.0",
        "port": port,
        "reach": "network",
        "process": "python3",
        "pid": 4711,
        "container": None,
        "since": BEGINNING,
        **changes,
    }
