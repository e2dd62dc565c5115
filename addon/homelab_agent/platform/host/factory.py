"""Which machine is looked at: this one, or the demo's."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from homelab_agent.platform.clock import Clock, utc_now
from homelab_agent.platform.settings import Settings

if TYPE_CHECKING:
    from homelab_agent.platform.host.machine import Machine
    from homelab_agent.platform.host.network import MachineNetwork


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFaces:
    """The machine, seen from each side that some area needs.

    `root` is where the machine's own `/` is seen; None where only the agent's container is.
    `address` is the machine's as seen from here; None where no way leads there.
    """

    root: Path | None
    address: str | None
    machine: Machine
    network: MachineNetwork


def open_host(
    settings: Settings, *, own_id: str | None = None, clock: Clock = utc_now
) -> HostFaces:
    """Return the machine; `own_id` is the agent's own container. Reads files: call it in a thread.

    Each side is imported only where it is used.
    """
    if settings.demo:
        from homelab_agent.platform.host.demo_machine import DemoMachine  # noqa: PLC0415
        from homelab_agent.platform.host.demo_network import DemoNetwork  # noqa: PLC0415

        return HostFaces(
            root=None, address="127.0.0.1", machine=DemoMachine(clock), network=DemoNetwork()
        )
    from homelab_agent.platform.host.linux_machine import LinuxMachine  # noqa: PLC0415
    from homelab_agent.platform.host.linux_network import LinuxNetwork  # noqa: PLC0415
    from homelab_agent.platform.host.paths import View, find_paths  # noqa: PLC0415
    from homelab_agent.platform.host.way_to_host import way_to_host  # noqa: PLC0415

    paths = find_paths(
        settings.host_proc,
        settings.host_sys,
        settings.host_root,
        own_id=own_id,
        is_app="SUPERVISOR_TOKEN" in os.environ,
    )
    return HostFaces(
        address=way_to_host(paths),
        root=paths.root if paths.filesystems is View.HOST else None,
        machine=LinuxMachine(paths, clock),
        network=LinuxNetwork(paths),
    )
