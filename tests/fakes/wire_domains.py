"""What an agent puts on the wire about domains, DNS, the proxy and kept certificates."""

from typing import Any

from tests.fakes.wire import BEGINNING, Json, job

PHOTOS = "photos.example.org"


def domain(name: str = PHOTOS, **changes: Any) -> Json:
    """Return a domain that works. Its id is its name."""
    return {
        "id": name,
        "name": name,
        "service_type": "web",
        "records": [{"name": name, "type": "A", "values": ["203.0.113.7"], "ttl_s": 300}],
        "container": None,
        "note": None,
        "provider": "home",
        "zone": "example.org",
        "dynamic": False,
        "provisioned": False,
        "status": "healthy",
        "reason": None,
        "addresses": ["203.0.113.7"],
        "certificate_expires_at": "2127-02-18T08:00:00Z",
        "certificate_days_left": 89,
        "proxy_state": "none",
        "job_id": None,
        "checked_at": BEGINNING,
        "changed_at": BEGINNING,
        "created_at": BEGINNING,
        **changes,
    }


def domain_event(
    name: str = PHOTOS, kind: str = "unhealthy", number: int = 1, **changes: Any
) -> Json:
    """Return that a domain does not work, or what else happened to it."""
    bad = kind == "unhealthy"
    return {
        "key": name,
        "name": name,
        "type": kind,
        "number": number,
        "at": BEGINNING,
        "status": "unhealthy" if bad else "healthy",
        "reason": "Nothing answers on port 443." if bad else None,
        **changes,
    }


def domain_health(name: str = PHOTOS, **changes: Any) -> Json:
    """Return what was found when a domain was looked at."""
    return {
        "id": name,
        "status": "healthy",
        "reason": None,
        "checks": [{"name": "records", "result": "ok", "reason": None}],
        "servers": [],
        "addresses": ["203.0.113.7"],
        "https_status": 200,
        "response_ms": 12.5,
        "certificate_expires_at": "2127-02-18T08:00:00Z",
        "certificate_days_left": 89,
        "checked_at": BEGINNING,
        **changes,
    }


STEPS = (
    "validate",
    "dns_plan",
    "dns_apply",
    "propagation",
    "proxy_route",
    "reload",
    "certificate",
    "https_health",
)


def provisioning(name: str = PHOTOS, at: str = "propagation", **changes: Any) -> Json:
    """Return a job of provisioning that is at a step."""
    before = STEPS.index(at)
    states = ["done"] * before + ["doing"] + ["pending"] * (len(STEPS) - before - 1)
    steps = [{"name": step, "state": state} for step, state in zip(STEPS, states, strict=True)]
    kind = changes.pop("kind", "provisioning.provision")
    return job(kind, f"domain:{name}", steps=steps, progress=before / len(STEPS), **changes)


def dynamic_address(name: str = "home.example.org", **changes: Any) -> Json:
    """Return a name that leads to this network's address, as it should."""
    return {
        "key": name,
        "provider": "home",
        "source": "public",
        "interface": None,
        "follows_ipv4": True,
        "follows_ipv6": False,
        "ttl_s": 60,
        "ipv4": "203.0.113.7",
        "ipv6": None,
        "wanted_ipv4": "203.0.113.7",
        "wanted_ipv6": None,
        "state": "current",
        "reason": None,
        "changed_at": BEGINNING,
        "checked_at": BEGINNING,
        "next_try_at": None,
        "failures": 0,
        **changes,
    }


def dynamic_address_event(
    name: str = "home.example.org", kind: str = "changed", number: int = 1, **changes: Any
) -> Json:
    """Return that a name leads to another address now, or what else happened to it."""
    return {
        "key": name,
        "type": kind,
        "number": number,
        "at": BEGINNING,
        "old_ipv4": "203.0.113.6",
        "new_ipv4": "203.0.113.7",
        "old_ipv6": None,
        "new_ipv6": None,
        "reason": None,
        **changes,
    }


def failure(**changes: Any) -> Json:
    """Return why a certificate could not be renewed, for the second time."""
    return {
        "step": "validation",
        "message": "The authority could not see the proof.",
        "authority_says": "DNS problem: NXDOMAIN looking up TXT",
        "what_to_do": "Look whether the zone is delegated to these name servers.",
        "at": BEGINNING,
        "attempts": 2,
        "next_try_at": "2026-11-21T09:00:00Z",
        **changes,
    }


def managed_certificate(key: str = PHOTOS, **changes: Any) -> Json:
    """Return a certificate that the agent keeps valid."""
    return {
        "key": key,
        "names": [key],
        "origin": "acme",
        "state": "valid",
        "reason": None,
        "issuer": "CN=Example CA",
        "key_type": "ec_p256",
        "serial": "01",
        "fingerprint_sha256": "cc" * 32,
        "not_before": BEGINNING,
        "expires_at": "2127-02-18T08:00:00Z",
        "days_left": 89,
        "renew_at": "2127-01-18T08:00:00Z",
        "renewed_at": None,
        "hand_over": {"caddy": True, "folder": None, "container": None, "after": None},
        "failure": None,
        "directory": "https://acme.example.org/directory",
        **changes,
    }


def managed_certificate_event(
    key: str = PHOTOS, kind: str = "failed", number: int = 1, **changes: Any
) -> Json:
    """Return that a certificate could not be renewed, or what else happened to it."""
    bad = kind == "failed"
    return {
        "key": key,
        "type": kind,
        "number": number,
        "at": BEGINNING,
        "expires_at": "2127-02-18T08:00:00Z",
        "days_left": 89,
        "step": "validation" if bad else None,
        "reason": "The authority could not see the proof." if bad else None,
        "what_to_do": "Look at the delegation." if bad else None,
        **changes,
    }


def proxy(**changes: Any) -> Json:
    """Return a person's own Caddy, which answers and keeps what it is told."""
    return {
        "key": "caddy",
        "mode": "own",
        "admin": "unix//run/caddy-admin.sock",
        "address": None,
        "http_port": None,
        "https_port": None,
        "image": None,
        "reach": "ok",
        "reason": None,
        "version": "v2.11.4",
        "survives_restart": True,
        "warning": None,
        "container": None,
        "addresses": ["127.0.0.1:443"],
        "routes": 2,
        "drifted_routes": 0,
        "foreign_routes": 1,
        "changed_at": BEGINNING,
        "checked_at": BEGINNING,
        **changes,
    }


def proxy_route(host: str = PHOTOS, **changes: Any) -> Json:
    """Return a route that Caddy serves as it should."""
    return {
        "key": host,
        "aliases": [],
        "upstreams": ["192.0.2.10:8080"],
        "certificate": "caddy",
        "options": route_options(),
        "users": [],
        "state": "ok",
        "reason": None,
        "difference": [],
        "upstream_states": [],
        "changed_at": BEGINNING,
        "checked_at": BEGINNING,
        **changes,
    }


def route_options(**changes: Any) -> Json:
    """Return how a route serves where nobody asked for more."""
    return {
        "https_redirect": True,
        "hsts_s": 0,
        "allow": [],
        "login_required": False,
        "request_headers": {},
        "response_headers": {},
        "verify_upstream_tls": True,
        "health": None,
        **changes,
    }


def dns_provider(key: str = "home", **changes: Any) -> Json:
    """Return a name server that takes signed updates, and did so when it was last asked."""
    return {
        "key": key,
        "name": key.capitalize(),
        "type": "rfc2136",
        "zones": ["example.org"],
        "name_servers": [],
        "settings": {
            "server": "192.0.2.53",
            "key_name": "homelab",
            "key_algorithm": "hmac-sha256",
            "zones": ["example.org"],
        },
        "capabilities": {
            "lists": True,
            "types": ["A", "AAAA", "TXT"],
            "creates_addresses": True,
            "several_values": True,
            "sets_ttl": True,
            "smallest_ttl_s": None,
            "atomic": True,
            "address_interval_s": 0,
            "txt_interval_s": 0,
            "limits": None,
        },
        "state": "ok",
        "reason": None,
        "checked_at": BEGINNING,
        **changes,
    }


def acme_account(**changes: Any) -> Json:
    """Return with whom certificates are ordered, whose terms somebody agreed to."""
    return {
        "key": "acme",
        "directory": "https://acme-v02.api.letsencrypt.org/directory",
        "email": None,
        "external_key_id": None,
        "terms_agreed": True,
        "registered": True,
        "terms_url": "https://letsencrypt.org/documents/terms.pdf",
        **changes,
    }
