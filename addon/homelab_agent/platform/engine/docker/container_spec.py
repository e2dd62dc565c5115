"""How a container's description becomes the request that makes it again.

Docker's description mixes what a person asked for with what the image and the engine added.
The latter two are left out, so that the new image and the engine of today add their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from homelab_agent.platform.engine.docker.container_spec_mounts import keep_volumes
from homelab_agent.platform.engine.docker.container_spec_networks import endpoints, primary_mode
from homelab_agent.platform.engine.docker.json_parts import (
    JsonObject,
    objects,
    strings,
    text,
    whole,
)
from homelab_agent.platform.engine.recreate import Original

COMPOSE_IMAGE = "com.docker.compose.image"
"""Which image compose believes its container to have; it makes it anew when that is wrong."""

_PLAIN = ("WorkingDir", "User", "StopSignal", "Shell", "OnBuild", "ArgsEscaped")
_SHORT_ID = 12

_USUAL_PATHS = frozenset(
    {
        "/proc/acpi",
        "/proc/asound",
        "/proc/interrupts",
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/sched_debug",
        "/proc/scsi",
        "/proc/timer_list",
        "/proc/timer_stats",
        "/sys/firmware",
        "/sys/devices/virtual/powercap",
        "/proc/bus",
        "/proc/fs",
        "/proc/irq",
        "/proc/sys",
        "/proc/sysrq-trigger",
    }
)
"""What engines hide from containers by themselves. A newer engine hides more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """What is to be different. `borrowed` are volumes that come from another container.

    `replaced` are ids of containers and what stands for them now.
    """

    image: str
    image_id: str
    replaced: Mapping[str, str]
    borrowed: frozenset[str] = frozenset()
    host_name: str | None = None
    several_networks: bool = True


def create_body(
    inspected: JsonObject, image_defaults: JsonObject, original: Original, new: Replacement
) -> JsonObject:
    """Return the body of POST /containers/create. `image_defaults`: the old image's Config."""
    host = _host_config(inspected, original, new)
    body = _config(inspected, image_defaults, host, new)
    body["HostConfig"] = host
    attached = endpoints(inspected, original.mac_addresses, dated=not new.several_networks)
    if not new.several_networks:
        # An older engine takes one at first; the others are connected afterwards.
        attached = dict(list(attached.items())[:1])
    if attached:
        body["NetworkingConfig"] = {"EndpointsConfig": attached}
    return body


def later_networks(inspected: JsonObject, original: Original) -> JsonObject:
    """Return the networks that an engine which takes one at first has to be told of later."""
    found = endpoints(inspected, original.mac_addresses, dated=True)
    return dict(list(found.items())[1:])


def _config(
    inspected: JsonObject, defaults: JsonObject, host: JsonObject, new: Replacement
) -> JsonObject:
    config = dict(whole(inspected.get("Config")))
    config["Image"] = new.image
    for name in _PLAIN:
        if config.get(name) == defaults.get(name):
            config.pop(name, None)
    config["Env"] = [
        entry for entry in strings(config.get("Env")) if entry not in strings(defaults.get("Env"))
    ]
    exposed = whole(config.get("ExposedPorts"))
    for name in ("Labels", "Volumes", "ExposedPorts"):
        config[name] = _without(whole(config.get(name)), whole(defaults.get(name)))
    # What is published must be exposed too, also when the new image does not do that.
    published: JsonObject = {
        port: {} for port in whole(host.get("PortBindings")) if port in exposed
    }
    config["ExposedPorts"] = published | whole(config["ExposedPorts"])
    labels = whole(config["Labels"])
    if COMPOSE_IMAGE in labels:
        config["Labels"] = labels | {COMPOSE_IMAGE: new.image_id}
    _leave_out_command(config, defaults)
    _leave_out_health_check(config, defaults)
    _leave_out_names(config, inspected, new)
    if new.several_networks:
        # From API 1.44 on it belongs to the network.
        config.pop("MacAddress", None)
    return config


def _without(own: JsonObject, defaults: JsonObject) -> JsonObject:
    return {
        key: value for key, value in own.items() if key not in defaults or defaults[key] != value
    }


def _leave_out_command(config: JsonObject, defaults: JsonObject) -> None:
    if (config.get("Entrypoint") or None) == (defaults.get("Entrypoint") or None):
        config.pop("Entrypoint", None)
        if (config.get("Cmd") or None) == (defaults.get("Cmd") or None):
            config.pop("Cmd", None)
    elif not config.get("Entrypoint"):
        # The image has one and the container none: that is asked for with an empty word.
        config["Entrypoint"] = [""]


def _leave_out_health_check(config: JsonObject, defaults: JsonObject) -> None:
    own = _without(whole(config.get("Healthcheck")), whole(defaults.get("Healthcheck")))
    if own:
        config["Healthcheck"] = own
    else:
        config.pop("Healthcheck", None)


def _leave_out_names(config: JsonObject, inspected: JsonObject, new: Replacement) -> None:
    """Leave out a host name that the engine gave: its id's beginning, or another's."""
    host = whole(inspected.get("HostConfig"))
    network = primary_mode(inspected)
    shared = network.startswith("container:") or text(host.get("UTSMode")) == "host"
    given = {text(inspected.get("Id"))[:_SHORT_ID]}
    if network == "host" and new.host_name:
        given.add(new.host_name)
    if shared or text(config.get("Hostname")) in given:
        config.pop("Hostname", None)
    if shared:
        config.pop("Domainname", None)


def _host_config(inspected: JsonObject, original: Original, new: Replacement) -> JsonObject:
    host = dict(whole(inspected.get("HostConfig")))
    host["RestartPolicy"] = {
        "Name": original.restart_policy.name,
        "MaximumRetryCount": original.restart_policy.maximum_retries,
    }
    for name in ("NetworkMode", "PidMode", "IpcMode"):
        kind, colon, other = text(host.get(name)).partition(":")
        if kind == "container" and colon:
            host[name] = f"container:{new.replaced.get(other, other)}"
    lenders: list[JsonValue] = [
        _replaced_lender(entry, new.replaced) for entry in strings(host.get("VolumesFrom"))
    ]
    host["VolumesFrom"] = lenders or None
    links: list[JsonValue] = [_link(entry) for entry in strings(host.get("Links"))]
    host["Links"] = links or None
    for name in ("MaskedPaths", "ReadonlyPaths"):
        paths = strings(host.get(name))
        if paths and _USUAL_PATHS.issuperset(paths):
            host.pop(name)
    keep_volumes(host, objects(inspected.get("Mounts")), new.borrowed)
    return host


def _replaced_lender(entry: str, replaced: Mapping[str, str]) -> str:
    lender, colon, mode = entry.partition(":")
    return f"{replaced.get(lender, lender)}{colon}{mode}"


def _link(entry: str) -> str:
    """Return a link as it is asked for; it is told as /linked:/container/alias."""
    linked, _, alias = entry.partition(":")
    return f"{linked.removeprefix('/')}:{alias.rpartition('/')[2]}"
