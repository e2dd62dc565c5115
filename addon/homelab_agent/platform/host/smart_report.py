"""What smartctl's JSON says of a disk."""

import json
from collections.abc import Mapping

from pydantic import JsonValue

from homelab_agent.platform.host.machine import DiskHealthReading, DiskHealthState

_REALLOCATED, _PENDING = 5, 197
_WORN_PERCENT = 90
_LONGEST_REASON = 300
_ASLEEP = ("in STANDBY mode", "in SLEEP mode", "in STANDBY_Y mode", "in STANDBY_Z mode")
_FORBIDDEN = ("Permission denied", "Operation not permitted")
_NOT_THERE = ("No such file or directory", "No such device")
_NVME_WARNINGS = {
    0x01: "its spare blocks are used up",
    0x04: "it has become unreliable",
    0x08: "it can only be read",
    0x10: "its cache is no longer safe",
}

type _Object = Mapping[str, JsonValue]


def read_report(name: str, text: str) -> DiskHealthReading:
    """Return the health of the disk that smartctl was asked about."""
    try:
        report = json.loads(text)
    except ValueError, RecursionError:
        report = None
    if not isinstance(report, dict):
        return unknown(name, "smartctl gave no readable answer.")
    said = _messages(report)
    if any(mode in said for mode in _ASLEEP):
        return DiskHealthReading(
            name=name, verdict=DiskHealthState.UNKNOWN, reason="The disk is asleep.", asleep=True
        )
    passed = _object(report, "smart_status").get("passed")
    nvme = _object(report, "nvme_smart_health_information_log")
    if not isinstance(passed, bool) and not nvme:
        return unknown(name, _why_unknown(said))
    wear = _wear_percent(report, nvme)
    reallocated, pending = _attribute(report, _REALLOCATED), _attribute(report, _PENDING)
    verdict, reason = _verdict(passed, nvme, wear, reallocated, pending)
    return DiskHealthReading(
        name=name,
        verdict=verdict,
        reason=reason,
        model=_word(report, "model_name"),
        serial=_word(report, "serial_number"),
        temperature_c=_number(_object(report, "temperature"), "current"),
        power_on_hours=_whole(_object(report, "power_on_time"), "hours"),
        wear_percent=wear,
        reallocated_sectors=reallocated,
        pending_sectors=pending,
    )


def unknown(name: str, reason: str) -> DiskHealthReading:
    """Return that nothing is known, and why."""
    return DiskHealthReading(name=name, verdict=DiskHealthState.UNKNOWN, reason=reason)


def _why_unknown(said: str) -> str:
    if any(words in said for words in _FORBIDDEN):
        return "The agent may not ask the disks: that needs root and the right SYS_RAWIO."
    if any(words in said for words in _NOT_THERE):
        return "The disk is not in the agent's container: start it with --device for each disk."
    return said[:_LONGEST_REASON] or "The disk does not tell its health."


def _verdict(
    passed: JsonValue,
    nvme: _Object,
    wear: float | None,
    reallocated: int | None,
    pending: int | None,
) -> tuple[DiskHealthState, str | None]:
    warned = _whole(nvme, "critical_warning") or 0
    warnings = [words for bit, words in _NVME_WARNINGS.items() if warned & bit]
    if warnings:
        return DiskHealthState.FAILING, f"The disk warns: {', '.join(warnings)}."
    if passed is False:
        return DiskHealthState.FAILING, "The disk expects to fail soon."
    signs = []
    if pending:
        signs.append(f"{pending} sectors cannot be read")
    if reallocated:
        signs.append(f"{reallocated} sectors had to be replaced")
    if wear is not None and wear >= _WORN_PERCENT:
        signs.append(f"{wear:g} % of its life is used")
    if signs:
        return DiskHealthState.WORN, f"{', '.join(signs).capitalize()}."
    return DiskHealthState.OK, None


def _wear_percent(report: _Object, nvme: _Object) -> float | None:
    used = _number(nvme, "percentage_used")
    return (
        used if used is not None else _number(_object(report, "endurance_used"), "current_percent")
    )


def _attribute(report: _Object, number: int) -> int | None:
    table = _object(report, "ata_smart_attributes").get("table")
    for row in table if isinstance(table, list) else ():
        if isinstance(row, dict) and row.get("id") == number:
            return _whole(_object(row, "raw"), "value")
    return None


def _messages(report: _Object) -> str:
    messages = _object(report, "smartctl").get("messages")
    rows = messages if isinstance(messages, list) else ()
    return " ".join(
        text for row in rows if isinstance(row, dict) and isinstance(text := row.get("string"), str)
    )


def _object(parent: _Object, key: str) -> _Object:
    child = parent.get(key)
    return child if isinstance(child, dict) else {}


def _number(parent: _Object, key: str) -> float | None:
    value = parent.get(key)
    return float(value) if isinstance(value, int | float) else None


def _whole(parent: _Object, key: str) -> int | None:
    value = _number(parent, key)
    return None if value is None else int(value)


def _word(parent: _Object, key: str) -> str | None:
    value = parent.get(key)
    return value if isinstance(value, str) and value else None
