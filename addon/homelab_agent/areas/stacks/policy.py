"""What a normalised compose model may not ask for without an admin's word, and what never.

Default-deny: a key of a service that is not known to be harmless is a finding too. Looks at the
file system: call it in a thread.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from homelab_agent.areas.stacks.links import followed
from homelab_agent.areas.stacks.models import PolicyFinding
from homelab_agent.platform.errors import Invalid

type Part = Mapping[str, object]

HARMLESS = frozenset(
    {
        "annotations",
        "attach",
        "blkio_config",
        "cap_drop",
        "command",
        "configs",
        "container_name",
        "cpu_count",
        "cpu_percent",
        "cpu_period",
        "cpu_quota",
        "cpu_rt_period",
        "cpu_rt_runtime",
        "cpu_shares",
        "cpus",
        "cpuset",
        "depends_on",
        "deploy",
        "dns",
        "dns_opt",
        "dns_search",
        "domainname",
        "entrypoint",
        "env_file",
        "environment",
        "expose",
        "extra_hosts",
        "gpus",
        "group_add",
        "healthcheck",
        "hostname",
        "image",
        "init",
        "labels",
        "links",
        "logging",
        "mac_address",
        "mem_limit",
        "mem_reservation",
        "mem_swappiness",
        "memswap_limit",
        "networks",
        "oom_kill_disable",
        "oom_score_adj",
        "pids_limit",
        "platform",
        "ports",
        "profiles",
        "pull_policy",
        "pull_refresh_after",
        "read_only",
        "restart",
        "scale",
        "secrets",
        "shm_size",
        "stdin_open",
        "stop_grace_period",
        "stop_signal",
        "storage_opt",
        "sysctls",
        "tmpfs",
        "tty",
        "ulimits",
        "user",
        "working_dir",
    }
)
_CHECKED = frozenset(
    {
        "cap_add",
        "cgroup",
        "devices",
        "ipc",
        "network_mode",
        "pid",
        "post_start",
        "pre_stop",
        "privileged",
        "security_opt",
        "userns_mode",
        "uts",
        "volumes",
    }
)
_NEVER = {
    "build": "The agent builds no images: there is no build context here",
    "provider": "The agent starts no programs of the host for a stack",
    "models": "The agent does not run models for a stack",
}
_NAMESPACES = ("pid", "ipc", "uts", "userns_mode", "cgroup")
_POWERS = frozenset(
    {
        "ALL",
        "SYS_ADMIN",
        "SYS_MODULE",
        "SYS_RAWIO",
        "SYS_PTRACE",
        "SYS_BOOT",
        "SYS_TIME",
        "SYS_RESOURCE",
        "SYSLOG",
        "NET_ADMIN",
        "DAC_READ_SEARCH",
        "DAC_OVERRIDE",
        "MAC_ADMIN",
        "MAC_OVERRIDE",
        "BPF",
        "PERFMON",
        "AUDIT_CONTROL",
        "CHECKPOINT_RESTORE",
        "SETFCAP",
        "MKNOD",
    }
)
_NOT_OF_THIS_HOST = frozenset({"nfs", "nfs4", "cifs", "smb3", "tmpfs"})
"""File systems that show nothing of the host, where none of their options makes them a bind."""

_BINDS = frozenset({"bind", "rbind"})

_OWN_FILES = frozenset({"compose.yaml", ".env", ".versions"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a stack may touch. `folder` is its own; `ours` are folders of the agent.

    `in_container`: the agent sees another file system than Docker does. `machine` is where the
    machine's own `/` is seen here, None where it is not.
    """

    folder: Path
    roots: tuple[Path, ...]
    ours: tuple[Path, ...]
    sockets: tuple[Path, ...]
    in_container: bool
    machine: Path | None


def judge(model: Part, ground: Ground) -> tuple[PolicyFinding, ...]:
    """Return what needs an admin's word.

    Raises:
        Invalid: it asks for what the agent does not do at all.
    """
    if "models" in model:
        raise Invalid(f"{_NEVER['models']}.", field="models")
    return tuple(_judge(model, ground))


def _judge(model: Part, ground: Ground) -> Iterator[PolicyFinding]:
    for name, service in _parts(model, "services"):
        yield from _service(name, service, ground)
    for name, volume in _parts(model, "volumes"):
        yield from _volume(name, volume, ground)
    for name, network in _parts(model, "networks"):
        if "host" in (network.get("driver"), network.get("name")):
            yield PolicyFinding(
                service=None,
                field=f"networks.{name}",
                message="It is the host's own network.",
            )
    for kind in ("configs", "secrets"):
        for name, source in _parts(model, kind):
            if source.get("file"):
                field = f"{kind}.{name}.file"
                yield from _path(None, field, str(source["file"]), ground)


def _service(name: str, service: Part, ground: Ground) -> Iterator[PolicyFinding]:
    yield from _keys(name, service)
    if service.get("privileged"):
        yield _finding(name, "privileged", "it would have all rights on this host")
    yield from _namespaces(name, service)
    yield from _powers(name, service)
    for key in ("post_start", "pre_stop"):
        for number, hook in enumerate(_list(service, key)):
            if isinstance(hook, dict) and hook.get("privileged"):
                yield _finding(name, f"{key}[{number}].privileged", "it would have all rights")
    for number, volume in enumerate(_list(service, "volumes")):
        if isinstance(volume, dict) and volume.get("type") not in ("volume", "tmpfs", "image"):
            field = f"services.{name}.volumes[{number}]"
            yield from _path(name, field, str(volume.get("source", "")), ground)


def _keys(name: str, service: Part) -> Iterator[PolicyFinding]:
    for key, value in service.items():
        if value in (None, False, [], {}, ""):
            continue
        if key in _NEVER:
            raise Invalid(
                f"{name}: {_NEVER[key]}.",
                field=f"services.{name}.{key}",
                hint="Name an image instead." if key == "build" else None,
            )
        if key not in HARMLESS | _CHECKED:
            yield _finding(name, key, f"the agent does not know what {key} allows")


def _namespaces(name: str, service: Part) -> Iterator[PolicyFinding]:
    mode = str(service.get("network_mode") or "")
    if mode and mode not in ("none", "bridge", "default") and not mode.startswith("service:"):
        what = "the host's own network" if mode == "host" else "another network namespace"
        yield _finding(name, "network_mode", f"{mode} is {what}")
    for key in _NAMESPACES:
        value = str(service.get(key) or "")
        if value and value not in ("private", "shareable") and not value.startswith("service:"):
            yield _finding(name, key, f"{value} is not a namespace of its own")


def _powers(name: str, service: Part) -> Iterator[PolicyFinding]:
    for number, each in enumerate(_list(service, "cap_add")):
        if str(each).upper().removeprefix("CAP_") in _POWERS:
            yield _finding(name, f"cap_add[{number}]", f"{each} reaches beyond the container")
    for number, each in enumerate(_list(service, "security_opt")):
        text = str(each).replace("=", ":").replace(" ", "")
        if text not in ("no-new-privileges", "no-new-privileges:true"):
            yield _finding(name, f"security_opt[{number}]", f"{each} changes what confines it")
    for number, _ in enumerate(_list(service, "devices")):
        yield _finding(name, f"devices[{number}]", "it would use a device of the host")


def _volume(name: str, volume: Part, ground: Ground) -> Iterator[PolicyFinding]:
    field = f"volumes.{name}"
    driver = str(volume.get("driver") or "local")
    if driver != "local" and not volume.get("external"):
        message = f"The agent does not know what the driver {driver} allows."
        yield PolicyFinding(service=None, field=f"{field}.driver", message=message)
    options = volume.get("driver_opts")
    if not isinstance(options, dict) or not options:
        return
    # They go to mount(2) as they are: `bind` beats any type, and paths hide in options.
    device, kind = str(options.get("device", "")), str(options.get("type", ""))
    is_bind = bool(_BINDS & {each.strip() for each in str(options.get("o", "")).split(",")})
    if (kind in _NOT_OF_THIS_HOST or not kind + device) and not is_bind:
        return
    if is_bind and device.startswith("/"):
        yield from _path(None, f"{field}.driver_opts.device", device, ground)
        return
    message = f"A file system {kind or 'without a type'} could show anything of the host."
    yield PolicyFinding(service=None, field=f"{field}.driver_opts", message=message)


def _path(service: str | None, field: str, source: str, ground: Ground) -> Iterator[PolicyFinding]:
    message = _trouble_with(Path(source), ground)
    if message:
        yield PolicyFinding(service=service, field=field, message=f"{source}: {message}")


def _trouble_with(source: Path, ground: Ground) -> str | None:
    """Return why a container may not see a path of the host by itself; None where it may."""
    path = _followed(source, ground)
    if any(_is_within(socket, path) for socket in ground.sockets):
        return "Docker's socket is there, and with it all rights on this host."
    if _is_within(path, ground.folder) and path != ground.folder:
        return _trouble_in_own_folder(path.relative_to(ground.folder), ground)
    if any(_is_within(ours, path) or _is_within(path, ours) for ours in ground.ours):
        return "the agent's own data is there."
    roots = {_followed(root, ground) for root in ground.roots}
    if not any(_is_within(path, root) for root in roots):
        return "it lies outside of the folders that stacks may mount (`stack_mount_roots`)."
    if ground.machine is None and path not in roots:
        return (
            "the agent runs in a container and cannot see whether a link is in its place. Mount "
            "the machine's / at /host/root, or name this very folder in `stack_mount_roots`."
        )
    return None


def _followed(path: Path, ground: Ground) -> Path:
    if ground.machine is None:
        return Path(os.path.normpath(path))
    return followed(path, ground.machine)


def _trouble_in_own_folder(path: Path, ground: Ground) -> str | None:
    if path.parts[0] in _OWN_FILES:
        return "this is what the agent keeps of the stack."
    if ground.in_container:
        return (
            "the agent runs in a container, so Docker would look for this on the host and not "
            "beside the compose file."
        )
    return None


def _is_within(path: Path, folder: Path) -> bool:
    return path == folder or folder in path.parents


def _finding(service: str, key: str, why: str) -> PolicyFinding:
    return PolicyFinding(
        service=service, field=f"services.{service}.{key}", message=f"{service}: {why}."
    )


def _parts(model: Part, key: str) -> Iterator[tuple[str, Part]]:
    found = model.get(key)
    for name, part in found.items() if isinstance(found, dict) else ():
        yield str(name), part if isinstance(part, dict) else {}


def _list(service: Part, key: str) -> Sequence[object]:
    found = service.get(key)
    return found if isinstance(found, list) else ()
