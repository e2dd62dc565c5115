"""The kernel's files about a machine, as folders that a test writes."""

from pathlib import Path

MEMINFO = """MemTotal:       16000000 kB
MemFree:         1000000 kB
MemAvailable:   10000000 kB
Buffers:          500000 kB
Cached:          6000000 kB
SwapCached:            0 kB
SReclaimable:     300000 kB
SwapTotal:       4000000 kB
SwapFree:        3000000 kB
"""
DISKSTATS = """   8       0 sda 1000 0 {read} 10 2000 0 {write} 20 0 {busy} 30 0 0 0 0 0 0
   8       1 sda1 900 0 {read} 10 1900 0 {write} 20 0 {busy} 30 0 0 0 0 0 0
 253       0 dm-0 900 0 {read} 10 1900 0 {write} 20 0 {busy} 30 0 0 0 0 0 0
   7       0 loop0 5 0 10 0 0 0 0 0 0 0 0 0 0 0 0 0 0
  11       0 sr0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
"""


class MachineFiles:
    """A /proc, a /sys and a / below `root`."""

    def __init__(self, root: Path) -> None:
        self.proc, self.sys, self.root = root / "proc", root / "sys", root / "root"
        for folder in (self.proc, self.sys, self.root):
            folder.mkdir(parents=True)

    def put(self, path: str, text: str | int) -> None:
        """Write one file, as "sys/class/..." names it."""
        file = self.root.parent / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n" if isinstance(text, int) else text)

    def disk(self, *, read: int = 0, write: int = 0, busy_ms: int = 0) -> None:
        """Have one disk, and around it what is none."""
        self.put("proc/diskstats", DISKSTATS.format(read=read, write=write, busy=busy_ms))
        self.put("sys/block/sda/device/model", "ST4000DM004-2CV1\n")
        self.put("sys/block/sda/size", 7814037168)
        self.put("sys/block/sda/queue/rotational", 1)
        self.put("sys/block/dm-0/size", 1)
        self.put("sys/block/sr0/device/model", "DVD\n")

    def chip(self, number: int, name: str, device: str, **files: str | int) -> None:
        """Have a chip with sensors; its number is the kernel's, given anew at each boot."""
        folder = f"sys/class/hwmon/hwmon{number}"
        self.put(f"{folder}/name", f"{name}\n")
        for file, text in files.items():
            self.put(f"{folder}/{file}", text)
        place = self.sys / "devices" / device
        place.mkdir(parents=True, exist_ok=True)
        (self.sys / "class/hwmon" / f"hwmon{number}" / "device").symlink_to(place)

    def energy(
        self, zone: str, name: str, energy_uj: int, full_at_uj: int = 262_143_328_850
    ) -> None:
        """Have a RAPL counter."""
        folder = f"sys/class/powercap/{zone}"
        self.put(f"{folder}/name", f"{name}\n")
        self.put(f"{folder}/energy_uj", energy_uj)
        self.put(f"{folder}/max_energy_range_uj", full_at_uj)
