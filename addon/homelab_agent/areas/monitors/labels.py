"""Monitors that a container asks for with its labels."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue, ValidationError

from homelab_agent.areas.monitors.check_settings import CheckType
from homelab_agent.areas.monitors.models import MonitorSettings, MonitorTier
from homelab_agent.platform.errors import Invalid

LABEL = "homelab.monitor"
HTTP_LABEL = f"{LABEL}.http"
TCP_LABEL = f"{LABEL}.tcp"
PING_LABEL = f"{LABEL}.ping"
TLS_LABEL = f"{LABEL}.tls"
CONTAINER_LABEL = f"{LABEL}.container"
NAME_LABEL = f"{LABEL}.name"
INTERVAL_LABEL = f"{LABEL}.interval"
TIMEOUT_LABEL = f"{LABEL}.timeout"
TIER_LABEL = f"{LABEL}.tier"
STATUS_LABEL = f"{LABEL}.status"
LABELS = (
    LABEL,
    HTTP_LABEL,
    TCP_LABEL,
    PING_LABEL,
    TLS_LABEL,
    CONTAINER_LABEL,
    NAME_LABEL,
    INTERVAL_LABEL,
    TIMEOUT_LABEL,
    TIER_LABEL,
    STATUS_LABEL,
)

MOST_OF_ONE = 20
"""How many monitors the labels of one container may make."""

_PART = re.compile(r"homelab\.monitor(?:\.(?P<index>[0-9]{1,2}))?\.(?P<part>[a-z]+)")
_CHECKS = {
    "http": CheckType.HTTP,
    "tcp": CheckType.TCP,
    "ping": CheckType.PING,
    "tls": CheckType.TLS,
    "container": CheckType.CONTAINER,
}
_OPTIONS = ("name", "interval", "timeout", "tier", "status")
_NO = {"false", "no", "off", "0"}
_URL = re.compile(r"https?://\S+")
_PORT_AND_PATH = re.compile(r":(?P<port>[0-9]{1,5})(?P<path>/\S*)?")
_HOST_AND_PORT = re.compile(r"(?P<host>\[[^\]\s]+\]|[^:\s/]+):(?P<port>[0-9]{1,5})")
_HOST = re.compile(r"[^\s/]+")
_TIME = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?)\s?(?P<unit>[smh]?)")
_UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3600}
_SHOWN = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One monitor that labels ask for. `label` is the one that makes it, `text` what it says.

    `port`: a port of the container, whose address is to be found. `problem`: why it cannot be.
    """

    suffix: str
    type: CheckType
    label: str
    text: str
    options: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None
    problem: str | None = None


def is_declined(labels: Mapping[str, str]) -> bool:
    """Return whether a container asks to be watched and proposed by nobody."""
    return labels.get(LABEL, "").strip().lower() in _NO


def wishes(labels: Mapping[str, str]) -> tuple[Wish, ...]:
    """Return the monitors that labels ask for; a label that means nothing is a wish in trouble."""
    if is_declined(labels):
        return ()
    groups: dict[str, dict[str, tuple[str, str]]] = {}
    for label, text in labels.items():
        found = _PART.fullmatch(label)
        if found is not None:
            groups.setdefault(found["index"] or "", {})[found["part"]] = (label, text.strip())
    made = [wish for index, parts in sorted(groups.items()) for wish in _of_group(index, parts)]
    return tuple(made[:MOST_OF_ONE])


def settings_of(
    wish: Wish, *, container: str, name: str, address: str | None = None
) -> MonitorSettings:
    """Return the settings that a wish means; `address` is host:port of its port, if it has one.

    Raises:
        Invalid: it means nothing; `field` is the label.
    """
    options = wish.options
    values: dict[str, JsonValue] = {
        "name": (options.get("name") or name)[:64],
        "check": _check(wish, container, address),
        "container": container,
    }
    for option, setting in (("interval", "interval_s"), ("timeout", "timeout_s")):
        if option in options:
            values[setting] = _seconds(wish, option)
    if "tier" in options:
        values["tier"] = options["tier"].lower()
        if values["tier"] not in set(MonitorTier):
            raise _wrong(wish, "tier", f"it is none of {', '.join(MonitorTier)}")
    try:
        return MonitorSettings.model_validate(values, strict=False)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = str(first["loc"][-1]) if first["loc"] else "value"
        raise Invalid(
            f"The label {wish.label} cannot be used: {where}: {first['msg']}", field=wish.label
        ) from None


def _of_group(index: str, parts: Mapping[str, tuple[str, str]]) -> list[Wish]:
    options = {name: parts[name][1] for name in _OPTIONS if name in parts}
    prefix = f"{index}." if index else ""
    made = [
        _read(prefix + part, _CHECKS[part], *parts[part], options)
        for part in _CHECKS
        if part in parts
    ]
    unknown = [part for part in parts if part not in _CHECKS and part not in _OPTIONS]
    for part in unknown:
        label, text = parts[part]
        known = ", ".join((*_CHECKS, *_OPTIONS))
        why = f"There is no label {label}. Known behind {LABEL} are: {known}"
        made.append(_trouble(prefix + part, CheckType.HTTP, label, text, why))
    if not made:
        label, text = next(iter(parts.values()))
        why = f"The label {label} says nothing without one of {', '.join(_CHECKS)}"
        made.append(_trouble(f"{prefix}label", CheckType.HTTP, label, text, why))
    return made


def _read(suffix: str, check: CheckType, label: str, text: str, options: Mapping[str, str]) -> Wish:
    port: int | None = None
    found = _PORT_AND_PATH.fullmatch(text)
    if found is not None and check in {CheckType.HTTP, CheckType.TCP, CheckType.TLS}:
        port = int(found["port"])
        fits = 0 < port < 2**16 and (check is CheckType.HTTP or not found["path"])
    else:
        fits = _fits(check, text)
    if not fits:
        why = f"The label {label} is {text[:_SHOWN]!r}: {_EXPECTED[check]}"
        return _trouble(suffix, check, label, text, why)
    return Wish(suffix=suffix, type=check, label=label, text=text, options=options, port=port)


_EXPECTED = {
    CheckType.HTTP: "write http://host:port/path, or :port/path for a port of the container",
    CheckType.TCP: "write host:port, or :port for a port of the container",
    CheckType.TLS: "write host:port, or :port for a port of the container",
    CheckType.PING: "write the name or address of a host",
    CheckType.CONTAINER: "write true",
}


def _fits(check: CheckType, text: str) -> bool:
    match check:
        case CheckType.HTTP:
            return _URL.fullmatch(text) is not None
        case CheckType.PING:
            return _HOST.fullmatch(text) is not None
        case CheckType.CONTAINER:
            return text.lower() == "true"
        case _:
            return _HOST_AND_PORT.fullmatch(text) is not None


def _check(wish: Wish, container: str, address: str | None) -> dict[str, JsonValue]:
    match wish.type:
        case CheckType.HTTP:
            url = wish.text
            if address is not None:
                path = wish.text.lstrip(":").lstrip("0123456789") or "/"
                url = f"http://{address}{path}"
            check: dict[str, JsonValue] = {"type": wish.type.value, "url": url}
            if "status" in wish.options:
                status: list[JsonValue] = [
                    part.strip() for part in wish.options["status"].split(",")
                ]
                check["status"] = status
            return check
        case CheckType.PING:
            return {"type": wish.type.value, "host": wish.text}
        case CheckType.CONTAINER:
            return {"type": wish.type.value, "container": container}
        case _:
            found = _HOST_AND_PORT.fullmatch(address or wish.text)
            if found is None:
                raise _wrong(wish, None, _EXPECTED[wish.type])
            host, port = found["host"].strip("[]"), int(found["port"])
            return {"type": wish.type.value, "host": host, "port": port}


def _seconds(wish: Wish, option: str) -> float:
    found = _TIME.fullmatch(wish.options[option])
    if found is None:
        raise _wrong(wish, option, "write a time as 30s, 5m or 1h")
    return float(found["number"]) * _UNITS_S[found["unit"]]


def _wrong(wish: Wish, option: str | None, why: str) -> Invalid:
    label = wish.label if option is None else f"{wish.label.rpartition('.')[0]}.{option}"
    text = wish.text if option is None else wish.options[option]
    return Invalid(f"The label {label} is {text[:_SHOWN]!r}: {why}", field=label)


def _trouble(suffix: str, check: CheckType, label: str, text: str, why: str) -> Wish:
    return Wish(suffix=suffix, type=check, label=label, text=text, problem=why)
