"""What an agent puts on the wire about monitors and certificates."""

from typing import Any

from tests.fakes.wire import BEGINNING, Json


def slo(**changes: float) -> Json:
    """Return what is promised of a service."""
    return {"uptime_percent": 99.9, "error_percent": 1.0, "response_ms": 500.0, **changes}


def monitor(name: str = "Wiki", **changes: Any) -> Json:
    """Return a monitor of a page that is up. Its key is made of its name."""
    key = name.lower().replace(" ", "-")
    return {
        "key": key,
        "name": name,
        "type": "http",
        "target": f"http://{key}.example.com/",
        "tier": "optional",
        "source": "person",
        "interval_s": 60.0,
        "container": None,
        "state": "up",
        "since": BEGINNING,
        "reason": None,
        "warning": None,
        "slo": slo(),
        **changes,
    }


def monitor_event(key: str = "wiki", kind: str = "down", number: int = 1, **changes: Any) -> Json:
    """Return that a service is down, or what else happened to it."""
    down = kind == "down"
    return {
        "key": key,
        "name": key.capitalize(),
        "tier": "optional",
        "type": kind,
        "number": number,
        "at": BEGINNING,
        "reason": "Connection refused." if down else None,
        "code": "refused" if down else None,
        "duration_s": None if down else 300.0,
        **changes,
    }


def monitor_result(key: str = "wiki", **changes: Any) -> Json:
    """Return the last check of a monitor, which went well."""
    return {
        "key": key,
        "at": BEGINNING,
        "ok": True,
        "response_ms": 42.0,
        "code": None,
        "reason": None,
        "status": 200,
        "certificate_days_left": None,
        "details": [],
        **changes,
    }


def span(**changes: Any) -> Json:
    """Return what was measured over a time without an outage."""
    return {
        "uptime_percent": 100.0,
        "error_percent": 0.0,
        "response_p50_ms": 40.0,
        "response_p95_ms": 80.0,
        "up_s": 86400.0,
        "down_s": 0.0,
        "checks": 1440,
        **changes,
    }


def monitor_report(key: str = "wiki", left: float | None = 100.0, **changes: Any) -> Json:
    """Return what is known of a monitor over time, with so much left of its budget."""
    spans = {name: span() for name in ("day", "week", "month", "year")}
    budget = {
        "uptime_left_percent": left,
        "uptime_left_s": None if left is None else left * 25.92,
        "error_left_percent": 100.0,
        "burn_rate_1h": 0.0,
        "burn_rate_6h": 0.0,
        "met": True,
    }
    return {"key": key, **spans, "budget": budget, **changes}


def settings(name: str = "Wiki", **changes: Any) -> Json:
    """Return how a page is watched."""
    return {
        "name": name,
        "check": {
            "type": "http",
            "url": "http://wiki.example.com/",
            "method": "GET",
            "status": ["200-399"],
            "headers": {"Authorization": "***"},
        },
        "tier": "optional",
        "interval_s": 60.0,
        "timeout_s": 10.0,
        "retries": 1,
        "confirm_down": 2,
        "container": None,
        "slo": slo(),
        "allow_guarded": False,
        **changes,
    }


def report_row(key: str = "wiki", **changes: Any) -> Json:
    """Return one line of the service health table."""
    return {
        "name": key.capitalize(),
        "key": key,
        "tier": "optional",
        "endpoint": f"http://{key}.example.com/",
        "state": "up",
        "since": BEGINNING,
        "reason": None,
        "last_check_at": BEGINNING,
        "response_ms": 42.0,
        "uptime_day_percent": 100.0,
        "uptime_week_percent": 100.0,
        "uptime_month_percent": 99.9,
        "uptime_year_percent": None,
        **changes,
    }


def maintenance_window(name: str = "Backup", **changes: Any) -> Json:
    """Return a window that comes every night, for all monitors."""
    return {
        "key": name.lower(),
        "name": name,
        "starts_at": "2026-11-20T02:00:00+00:00",
        "duration_s": 3600.0,
        "repeat": "daily",
        "time_zone": "UTC",
        "monitors": [],
        "active": False,
        "next_from": "2126-11-22T02:00:00+00:00",
        "next_until": "2126-11-22T03:00:00+00:00",
        **changes,
    }


def certificate_details(**changes: Any) -> Json:
    """Return what a certificate says."""
    return {
        "subject": "CN=wiki.example.com",
        "issuer": "CN=Example CA",
        "names": ["wiki.example.com"],
        "not_before": BEGINNING,
        "expires_at": "2127-02-18T08:00:00Z",
        "serial": "01",
        "key_type": "EC",
        "key_bits": 256,
        "signature_algorithm": "sha256",
        "fingerprint_sha256": "aa" * 32,
        "chain": [],
        **changes,
    }


def certificate(key: str = "wiki.example.com-443", **changes: Any) -> Json:
    """Return a certificate that is watched, trusted and good for long."""
    return {
        "key": key,
        "name": key.rpartition("-")[0] or key,
        "source": "endpoint",
        "host": key.rpartition("-")[0] or key,
        "port": 443,
        "server_name": None,
        "start_tls": None,
        "path": None,
        "container": None,
        "monitor": None,
        "managed": None,
        "kept_valid": False,
        "verdict": "trusted",
        "reason": None,
        "shown_by_turns": 1,
        "stage": "fine",
        "details": certificate_details(),
        "days_left": 89,
        "checked_at": BEGINNING,
        "read_at": BEGINNING,
        "changed_at": None,
        "removable": True,
        **changes,
    }


def certificate_event(
    key: str = "wiki.example.com-443", kind: str = "expiring", number: int = 1, **changes: Any
) -> Json:
    """Return that a certificate came to the rung of a week, or what else happened to it."""
    return {
        "key": key,
        "name": key.rpartition("-")[0] or key,
        "type": kind,
        "number": number,
        "at": BEGINNING,
        "stage": "days_7",
        "days_left": 6,
        "expires_at": "2026-11-27T08:00:00Z",
        "verdict": "trusted",
        "reason": None,
        "old_fingerprint_sha256": None,
        "new_fingerprint_sha256": None,
        **changes,
    }


def certificate_report(**changes: Any) -> Json:
    """Return what was found at one place."""
    return {
        "verdict": "trusted",
        "reason": None,
        "cause": None,
        "details": certificate_details(),
        "days_left": 89,
        "protocol": "TLSv1.3",
        "cipher": "TLS_AES_256_GCM_SHA384",
        "checked_at": BEGINNING,
        **changes,
    }
