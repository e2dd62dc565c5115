"""What tells whether a container is well: how long its check may take, where its ports are."""

from homelab_agent.platform.engine.docker.json_parts import (
    JsonObject,
    number,
    objects,
    strings,
    text,
    whole,
)

_NS = 1_000_000_000
_INTERVAL_S = 30.0
_TIMEOUT_S = 30.0
_RETRIES = 3
_SLACK_S = 5.0
"""A busy engine is late with its checks."""


def health_limit_s(inspected: JsonObject) -> float | None:
    """Return after how long a health check has certainly decided; None where there is none."""
    check = whole(whole(inspected.get("Config")).get("Healthcheck"))
    test = strings(check.get("Test"))
    if not test or test == ["NONE"]:
        return None
    interval_s = number(check.get("Interval")) / _NS or _INTERVAL_S
    timeout_s = number(check.get("Timeout")) / _NS or _TIMEOUT_S
    tries = (number(check.get("Retries")) or _RETRIES) + 1
    start_s = number(check.get("StartPeriod")) / _NS
    return start_s + tries * (interval_s + timeout_s) + _SLACK_S


def port_addresses(inspected: JsonObject, port: int) -> tuple[str, ...]:
    """Return where a TCP port may be reached from here, as host:port: the nearest first."""
    if text(whole(inspected.get("HostConfig")).get("NetworkMode")) == "host":
        return (f"127.0.0.1:{port}",)
    settings = whole(inspected.get("NetworkSettings"))
    inside = [
        f"{address}:{port}"
        for endpoint in whole(settings.get("Networks")).values()
        if (address := text(whole(endpoint).get("IPAddress")))
    ]
    published = [
        f"{_reachable(text(binding.get('HostIp')))}:{outside}"
        for binding in objects(whole(settings.get("Ports")).get(f"{port}/tcp"))
        if (outside := text(binding.get("HostPort")))
    ]
    return tuple(dict.fromkeys([*inside, *published]))


def _reachable(host_ip: str) -> str:
    if host_ip in {"", "0.0.0.0", "::"}:  # noqa: S104  # what it is bound to, not what we bind
        return "127.0.0.1"
    return f"[{host_ip}]" if ":" in host_ip else host_ip
