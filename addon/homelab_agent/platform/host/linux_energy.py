"""What the processors take: RAPL's counters."""

import os
import re

from homelab_agent.platform.host.linux_files import read_int, read_word
from homelab_agent.platform.host.machine import EnergyCounter

_ZONE = re.compile(r"intel-rapl:\d+")
"""Whole processors, of AMD too. Their parts are in the whole, and "-mmio" tells the same again."""

_PACKAGE = re.compile(r"package-\d+")


def read_energy(sys: str) -> tuple[EnergyCounter, ...]:
    """Return the counter of each processor; nothing where they may not be read."""
    folder = f"{sys}/class/powercap"
    try:
        zones = sorted(os.listdir(folder))  # noqa: PTH208  # names only
    except OSError:
        return ()
    found = []
    for zone in filter(_ZONE.fullmatch, zones):
        name = read_word(f"{folder}/{zone}/name")
        energy_uj = read_int(f"{folder}/{zone}/energy_uj")
        if name is not None and _PACKAGE.fullmatch(name) and energy_uj is not None:
            full_at_uj = read_int(f"{folder}/{zone}/max_energy_range_uj")
            found.append(EnergyCounter(name=name, energy_uj=energy_uj, full_at_uj=full_at_uj))
    return tuple(found)
