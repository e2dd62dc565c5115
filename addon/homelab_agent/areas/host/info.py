"""What the machine is, as it is shown."""

from homelab_agent.areas.host.models import HostInfo, HostUser, HostView
from homelab_agent.platform.host.machine import Facts, MachineView


def host_info(facts: Facts, view: MachineView) -> HostInfo:
    """Return the machine's facts, and how much of it is seen."""
    return HostInfo(
        host_name=facts.host_name,
        operating_system=facts.operating_system,
        kernel_version=facts.kernel_version,
        architecture=facts.architecture,
        cpu_model=facts.cpu_model,
        cpu_count=facts.cpu_count,
        cpu_core_count=facts.cpu_core_count,
        memory_bytes=facts.memory_bytes,
        swap_bytes=facts.swap_bytes,
        booted_at=facts.booted_at,
        reboot_required=facts.reboot_required,
        reboot_reason=facts.reboot_reason,
        clock_synchronized=facts.clock_synchronized,
        users=tuple(
            HostUser(name=user.name, terminal=user.terminal, host=user.host, since=user.since)
            for user in facts.users or ()
        ),
        view=HostView(
            processes=view.processes,
            network=view.network,
            filesystems=view.filesystems,
            hint=view.hint,
        ),
    )
