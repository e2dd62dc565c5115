"""The container of a helper: it reaches what another one reaches, and is in nobody's way."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from homelab_agent.platform.engine.docker.json_parts import (
    JsonObject,
    objects,
    strings,
    text,
    whole,
)

_SHARED = (
    "NetworkMode",
    "GroupAdd",
    "SecurityOpt",
    "UsernsMode",
    "Privileged",
    "ExtraHosts",
    "Dns",
    "DnsSearch",
    "CapAdd",
)
_TRIES = 10
"""Each waits twice as long as the one before it: minutes in all."""


def helper_body(
    inspected: JsonObject,
    image_defaults: JsonObject,
    image: str,
    command: Sequence[str],
    labels: Mapping[str, str],
) -> JsonObject:
    """Return the body of POST /containers/create for a helper of a container."""
    config, host = whole(inspected.get("Config")), whole(inspected.get("HostConfig"))
    given = strings(image_defaults.get("Env"))
    environment: list[JsonValue] = [
        entry for entry in strings(config.get("Env")) if entry not in given
    ]
    binds: list[JsonValue] = [
        bind for mount in objects(inspected.get("Mounts")) if (bind := _bind(mount))
    ]
    words: list[JsonValue] = list(command)
    shared: JsonObject = {name: host[name] for name in _SHARED if host.get(name)}
    return {
        "Image": image,
        "Cmd": words,
        "Env": environment,
        "Labels": dict(labels),
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": {
            **shared,
            "Binds": binds,
            # Where it dies itself, it has to go on.
            "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": _TRIES},
        },
    }


def _bind(mount: JsonObject) -> str:
    kind, place = text(mount.get("Type")), text(mount.get("Destination"))
    source = text(mount.get("Name" if kind == "volume" else "Source"))
    if kind not in {"bind", "volume"} or not source:
        return ""
    return f"{source}:{place}" if mount.get("RW", True) else f"{source}:{place}:ro"
