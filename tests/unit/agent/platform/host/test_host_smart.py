"""What disks say of themselves, from answers written in the format of smartctl."""

import json
from pathlib import Path
from typing import Any

import pytest

from homelab_agent.platform.host.linux_smart import SmartReader
from homelab_agent.platform.host.machine import DiskHealthState
from homelab_agent.platform.host.smart_report import read_report

ATA: dict[str, Any] = {
    "json_format_version": [1, 0],
    "smartctl": {"version": [7, 5], "exit_status": 0},
    "device": {"name": "/dev/sda", "type": "sat", "protocol": "ATA"},
    "model_name": "WDC WD40EFRX-68N32N0",
    "serial_number": "WD-WCC7K0000001",
    "smart_status": {"passed": True},
    "ata_smart_attributes": {
        "table": [
            {"id": 5, "name": "Reallocated_Sector_Ct", "raw": {"value": 0, "string": "0"}},
            {"id": 9, "name": "Power_On_Hours", "raw": {"value": 41211, "string": "41211"}},
            {"id": 197, "name": "Current_Pending_Sector", "raw": {"value": 0, "string": "0"}},
        ]
    },
    "power_on_time": {"hours": 41211},
    "temperature": {"current": 34},
}
ATA_FAILING = ATA | {
    "smartctl": {"version": [7, 5], "exit_status": 24},
    "smart_status": {"passed": False},
    "ata_smart_attributes": {
        "table": [
            {"id": 5, "raw": {"value": 1984, "string": "1984"}, "when_failed": "now"},
            {"id": 197, "raw": {"value": 112, "string": "112"}},
        ]
    },
}
ATA_WORN = ATA | {
    "ata_smart_attributes": {
        "table": [{"id": 5, "raw": {"value": 24}}, {"id": 197, "raw": {"value": 8}}]
    }
}
NVME: dict[str, Any] = {
    "smartctl": {"version": [7, 5], "exit_status": 0},
    "device": {"name": "/dev/nvme0n1", "type": "nvme", "protocol": "NVMe"},
    "model_name": "Samsung SSD 980 PRO 1TB",
    "serial_number": "S5GX0000000001",
    "smart_status": {"passed": True, "nvme": {"value": 0}},
    "nvme_smart_health_information_log": {
        "critical_warning": 0,
        "temperature": 44,
        "available_spare": 100,
        "available_spare_threshold": 10,
        "percentage_used": 96,
        "power_on_hours": 21044,
        "media_errors": 0,
    },
    "temperature": {"current": 44},
    "power_on_time": {"hours": 21044},
}
NVME_READ_ONLY = NVME | {
    "smart_status": {"passed": False, "nvme": {"value": 9}},
    "nvme_smart_health_information_log": {"critical_warning": 9, "percentage_used": 100},
}
SSD_WORN = ATA | {"endurance_used": {"current_percent": 93}}


def failed(*messages: str, status: int) -> dict[str, Any]:
    rows = [{"string": message, "severity": "error"} for message in messages]
    return {"smartctl": {"version": [7, 5], "messages": rows, "exit_status": status}}


USB_BRIDGE = failed(
    "/dev/sdb: Unknown USB bridge [0x152d:0x0578 (0x204)]",
    "Please specify device type with the -d option.",
    status=1,
)
UNKNOWN_BRIDGE = (
    "/dev/sdb: Unknown USB bridge [0x152d:0x0578 (0x204)] "
    "Please specify device type with the -d option."
)
FORBIDDEN = failed("Smartctl open device: /dev/sda failed: Permission denied", status=2)
NOT_THERE = failed("Smartctl open device: /dev/sda failed: No such device", status=2)
ASLEEP = failed("Device is in STANDBY mode, exit(2)", status=2)


@pytest.mark.parametrize(
    ("report", "verdict", "reason"),
    [
        (ATA, DiskHealthState.OK, None),
        (ATA_FAILING, DiskHealthState.FAILING, "The disk expects to fail soon."),
        (
            ATA_WORN,
            DiskHealthState.WORN,
            "8 sectors cannot be read, 24 sectors had to be replaced.",
        ),
        (NVME, DiskHealthState.WORN, "96 % of its life is used."),
        (
            NVME_READ_ONLY,
            DiskHealthState.FAILING,
            "The disk warns: its spare blocks are used up, it can only be read.",
        ),
        (SSD_WORN, DiskHealthState.WORN, "93 % of its life is used."),
        (
            USB_BRIDGE,
            DiskHealthState.UNKNOWN,
            UNKNOWN_BRIDGE,
        ),
        (
            FORBIDDEN,
            DiskHealthState.UNKNOWN,
            "The agent may not ask the disks: that needs root and the right SYS_RAWIO.",
        ),
        (
            NOT_THERE,
            DiskHealthState.UNKNOWN,
            "The disk is not in the agent's container: start it with --device for each disk.",
        ),
        (ASLEEP, DiskHealthState.UNKNOWN, "The disk is asleep."),
        ({}, DiskHealthState.UNKNOWN, "The disk does not tell its health."),
    ],
)
def test_a_disk_is_judged_by_what_it_says(
    report: dict[str, Any], verdict: DiskHealthState, reason: str | None
) -> None:
    reading = read_report("sda", json.dumps(report))
    assert (reading.verdict, reading.reason) == (verdict, reason)
    assert reading.asleep == (report is ASLEEP)


def test_what_is_known_of_a_disk_is_told() -> None:
    disk = read_report("sda", json.dumps(ATA))
    assert (disk.model, disk.serial) == ("WDC WD40EFRX-68N32N0", "WD-WCC7K0000001")
    assert (disk.temperature_c, disk.power_on_hours, disk.wear_percent) == (34, 41211, None)
    assert (disk.reallocated_sectors, disk.pending_sectors) == (0, 0)
    assert read_report("nvme0n1", json.dumps(NVME)).wear_percent == 96


@pytest.mark.parametrize(
    "text", ["", "smartctl: not found", "[]", "null", '{"smart_status": [1]}', "[" * 100_000]
)
def test_nonsense_is_unknown(text: str) -> None:
    assert read_report("sda", text).verdict is DiskHealthState.UNKNOWN


def program(tmp_path: Path, script: str) -> str:
    file = tmp_path / "smartctl"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return str(file)


async def test_a_disk_that_sleeps_is_not_woken_up(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    reader = SmartReader(program=program(tmp_path, f'echo "$@" > {asked}; echo "{{}}"'))
    (reading,) = await reader.read(["sda", "vda", "mmcblk0", "dm-0"])
    assert reading.name == "sda"
    assert "--nocheck=standby" in asked.read_text()
    assert asked.read_text().split()[-1] == "/dev/sda"


async def test_a_disk_that_does_not_answer_is_given_up_after_a_while(tmp_path: Path) -> None:
    reader = SmartReader(program=program(tmp_path, "exec sleep 1000"), deadline_s=0.2)
    (reading,) = await reader.read(["sda"])
    assert (reading.verdict, reading.reason) == (
        DiskHealthState.UNKNOWN,
        "The disk does not answer.",
    )


async def test_without_the_program_no_disk_is_shown(tmp_path: Path) -> None:
    assert await SmartReader(program=str(tmp_path / "none")).read(["sda"]) == ()
