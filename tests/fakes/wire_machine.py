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
        "address": "0.0.0.0",  # noqa: S104 - what a port says, not what we listen at
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
        "address": "0.0.0.0",  # noqa: S104 - what a port says, not what we listen at
        "port": port,
        "reach": "network",
        "process": "python3",
        "pid": 4711,
        "container": None,
        "since": BEGINNING,
        **changes,
    }


def host_info(**changes: Any) -> Json:
    """Return what the machine is."""
    view = {"processes": "host", "network": "host", "filesystems": "host", "hint": None}
    return {
        "host_name": "atlas",
        "operating_system": "Debian GNU/Linux 14",
        "kernel_version": "6.18.0",
        "architecture": "x86_64",
        "cpu_model": "Example 4000",
        "cpu_count": 4,
        "cpu_core_count": 4,
        "memory_bytes": 8_000_000_000,
        "swap_bytes": 2_000_000_000,
        "booted_at": BEGINNING,
        "reboot_required": False,
        "reboot_reason": None,
        "clock_synchronized": True,
        "users": [],
        "view": view,
        **changes,
    }


def pressure(some: float = 1.0) -> Json:
    """Return how much was waited for something."""
    return {
        "some_10s_percent": some,
        "some_60s_percent": some,
        "full_10s_percent": 0.0,
        "full_60s_percent": 0.0,
    }


def host_stats(**changes: Any) -> Json:
    """Return what a machine does that has little to do."""
    return {
        "cpu_percent": 12.5,
        "cpu_user_percent": 8.0,
        "cpu_system_percent": 4.0,
        "cpu_iowait_percent": 0.5,
        "cpu_steal_percent": 0.0,
        "cores_percent": [10.0, 15.0, 12.5, 12.5],
        "cpu_frequency_mhz": 2400.0,
        "load_1m": 0.5,
        "load_5m": 0.4,
        "load_15m": 0.3,
        "memory_available_bytes": 5_000_000_000,
        "memory_used_bytes": 3_000_000_000,
        "memory_cached_bytes": 2_000_000_000,
        "memory_percent": 37.5,
        "swap_used_bytes": 0,
        "swap_percent": 0.0,
        "pressure_cpu": pressure(2.0),
        "pressure_memory": pressure(0.0),
        "pressure_io": pressure(1.0),
        "disk_read_bytes_per_s": 1000.0,
        "disk_write_bytes_per_s": 2000.0,
        "process_count": 210,
        "users_count": 1,
        **changes,
    }


def host_power(**changes: Any) -> Json:
    """Return what the processor takes."""
    return {"power_w": 15.5, "energy_kwh": 100.25, "since": BEGINNING, **changes}


def host_sensor(name: str = "coretemp Package id 0", **changes: Any) -> Json:
    """Return how warm the processor is. The key is made of the name."""
    return {
        "key": name.lower().replace(" ", "-"),
        "name": name,
        "type": "temperature",
        "value": 45.0,
        "high": 80.0,
        "critical": 100.0,
        **changes,
    }


def block_device(key: str = "sda", **changes: Any) -> Json:
    """Return what a disk does."""
    return {
        "key": key,
        "model": "Example SSD",
        "size_bytes": 500_000_000_000,
        "rotational": False,
        "read_bytes": 1_073_741_824,
        "write_bytes": 2_147_483_648,
        "read_bytes_per_s": 1000.0,
        "write_bytes_per_s": 2000.0,
        "busy_percent": 3.0,
        **changes,
    }


def network_interface(key: str = "eth0", **changes: Any) -> Json:
    """Return the interface that leads outside."""
    return {
        "key": key,
        "type": "ethernet",
        "state": "up",
        "mac": "02:00:00:00:00:01",
        "addresses": ["192.0.2.10/24"],
        "mtu": 1500,
        "speed_mbit": 1000,
        "full_duplex": True,
        "carries_default_route": True,
        **changes,
    }


def network_traffic(key: str = "eth0", **changes: Any) -> Json:
    """Return what went through an interface."""
    return {
        "key": key,
        "since": BEGINNING,
        "receive_bytes": 1_073_741_824,
        "transmit_bytes": 536_870_912,
        "receive_bytes_per_s": 125_000.0,
        "transmit_bytes_per_s": 12_500.0,
        "receive_errors": 1,
        "transmit_errors": 2,
        "receive_drops": 3,
        "transmit_drops": 4,
        **changes,
    }


def network_connections(**changes: Any) -> Json:
    """Return how many connections there are."""
    return {
        "established": 20,
        "listening": 12,
        "time_wait": 3,
        "close_wait": 0,
        "other": 0,
        "udp": 5,
        **changes,
    }
