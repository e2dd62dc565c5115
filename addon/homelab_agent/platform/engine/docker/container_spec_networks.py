"""A container's place in its networks: what was asked for, without what the engine gave."""

from collections.abc import Mapping

from pydantic import JsonValue

from homelab_agent.platform.engine.docker.json_parts import JsonObject, strings, text, whole

_SHORT_ID = 12
_NO_ENDPOINTS = frozenset({"host", "none"})
_ASKED = ("IPAMConfig", "Links", "DriverOpts", "GwPriority")


def primary_mode(inspected: JsonObject) -> str:
    """Return the network mode as it was asked for."""
    return text(whole(inspected.get("HostConfig")).get("NetworkMode"))


def primary_network(inspected: JsonObject) -> str:
    """Return the network that a container was made with; empty where it has none of its own."""
    mode = primary_mode(inspected)
    if mode in _NO_ENDPOINTS or mode.startswith("container:"):
        return ""
    return "bridge" if mode in {"", "default"} else mode


def was_left(inspected: JsonObject) -> bool:
    """Return whether a container was disconnected from the network that it was made with."""
    primary = primary_network(inspected)
    return bool(primary) and primary not in _by_name(inspected)


def endpoints(
    inspected: JsonObject, mac_addresses: Mapping[str, str], *, dated: bool
) -> JsonObject:
    """Return each network with what was asked of it, the one it was made with first.

    `dated`: for an engine before API 1.44.
    """
    primary = primary_network(inspected)
    if not primary:
        return {}
    networks = _by_name(inspected)
    first = {primary: networks.pop(primary)} if primary in networks else {}
    short_id = text(inspected.get("Id"))[:_SHORT_ID]
    return {
        name: _asked_of(endpoint, short_id, "" if dated else mac_addresses.get(name, ""))
        for name, endpoint in (first | networks).items()
    }


def mac_addresses(inspected: JsonObject) -> dict[str, str]:
    """Return the hardware addresses to keep, by network.

    Docker tells of the first network alone whether its address was asked for. Elsewhere the
    address in use is kept, unless it is one that Docker made of the IP address.
    """
    asked = text(whole(inspected.get("Config")).get("MacAddress"))
    primary = primary_network(inspected)
    found = {primary: asked} if asked and primary else {}
    for name, endpoint in _by_name(inspected).items():
        address = text(endpoint.get("MacAddress"))
        made_up = _made_of(text(endpoint.get("IPAddress")))
        if name != primary and address and address != made_up:
            found[name] = address
    return found


def _by_name(inspected: JsonObject) -> dict[str, JsonObject]:
    networks = whole(whole(inspected.get("NetworkSettings")).get("Networks"))
    primary = primary_network(inspected)
    found: dict[str, JsonObject] = {}
    for name, endpoint in networks.items():
        known = whole(endpoint)
        # A network may have been named by its id.
        by_id = len(primary) >= _SHORT_ID and text(known.get("NetworkID")).startswith(primary)
        found[primary if by_id else name] = known
    return found


def _asked_of(endpoint: JsonObject, short_id: str, mac_address: str) -> JsonObject:
    asked: JsonObject = {
        name: value for name in _ASKED if (value := endpoint.get(name)) is not None
    }
    aliases: list[JsonValue] = [
        alias for alias in strings(endpoint.get("Aliases")) if alias != short_id
    ]
    if aliases:
        asked["Aliases"] = aliases
    if mac_address:
        asked["MacAddress"] = mac_address
    return asked


def _made_of(ip_address: str) -> str:
    parts = ip_address.split(".")
    if len(parts) != 4 or not all(part.isdigit() for part in parts):  # noqa: PLR2004  # IPv4
        return ""
    return "02:42:" + ":".join(f"{int(part):02x}" for part in parts)
