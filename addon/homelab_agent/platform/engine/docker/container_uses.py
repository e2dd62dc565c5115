"""Which containers a container cannot be without: those whose namespaces or volumes it uses."""

from collections.abc import Mapping

from homelab_agent.platform.engine.docker.json_parts import JsonObject, strings, text, whole

_SHORT_ID = 12


def names_of(listed: list[JsonObject]) -> dict[str, str]:
    """Return the id behind every way in which a container may be called."""
    known: dict[str, str] = {}
    for row in listed:
        container_id = text(row.get("Id"))
        known[container_id] = known[container_id[:_SHORT_ID]] = container_id
        for name in strings(row.get("Names")):
            # "/linking/alias" is how a linked container is called by another one.
            if name.count("/") == 1:
                known[name.removeprefix("/")] = container_id
    return known


def used_by(inspected: JsonObject, names: Mapping[str, str]) -> frozenset[str]:
    """Return the ids of the containers that one cannot be without; unknown ones are left out."""
    host = whole(inspected.get("HostConfig"))
    called = [
        other
        for mode in ("NetworkMode", "PidMode", "IpcMode")
        for kind, _, other in (text(host.get(mode)).partition(":"),)
        if kind == "container"
    ]
    called += [entry.partition(":")[0] for entry in strings(host.get("VolumesFrom"))]
    called += [entry.partition(":")[0].removeprefix("/") for entry in strings(host.get("Links"))]
    found = {names[name] for name in called if name in names}
    return frozenset(found - {text(inspected.get("Id"))})
