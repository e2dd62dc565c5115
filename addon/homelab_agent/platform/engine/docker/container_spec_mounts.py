"""The unnamed volumes of a container: the new container gets them by name, with what is in them."""

from pydantic import JsonValue

from homelab_agent.platform.engine.docker.json_parts import JsonObject, objects, strings, text


def keep_volumes(host: JsonObject, mounts: list[JsonObject], borrowed: frozenset[str]) -> None:
    """Write the volumes of a container that its `HostConfig` does not name into it.

    `borrowed` are names of volumes that come from another container.
    """
    asked = _asked_for(host)
    for mount in mounts:
        name, place = text(mount.get("Name")), text(mount.get("Destination"))
        if text(mount.get("Type")) != "volume" or not name or name in borrowed:
            continue
        if place in asked:
            _name_it(host, place, name)
        else:
            mode = "" if mount.get("RW", True) else ":ro"
            binds: list[JsonValue] = [*strings(host.get("Binds")), f"{name}:{place}{mode}"]
            host["Binds"] = binds


def volumes_of(inspected: JsonObject) -> frozenset[str]:
    """Return the names of all volumes of a container."""
    return frozenset(
        name for mount in objects(inspected.get("Mounts")) if (name := text(mount.get("Name")))
    )


def _asked_for(host: JsonObject) -> set[str]:
    binds = {_place(bind) for bind in strings(host.get("Binds"))}
    return binds | {text(mount.get("Target")) for mount in objects(host.get("Mounts"))}


def _place(bind: str) -> str:
    parts = bind.split(":")
    return parts[1] if len(parts) > 1 else parts[0]


def _name_it(host: JsonObject, place: str, name: str) -> None:
    """Fill in the name of a volume that was asked for without one."""
    mounts: list[JsonValue] = [
        {**mount, "Source": name}
        if text(mount.get("Target")) == place
        and text(mount.get("Type")) == "volume"
        and not mount.get("Source")
        else mount
        for mount in objects(host.get("Mounts"))
    ]
    if mounts:
        host["Mounts"] = mounts
