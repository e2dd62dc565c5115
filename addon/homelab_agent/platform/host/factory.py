"""Which machine is looked at: this one, or the demo's."""

from dataclasses import dataclass

from homelab_agent.platform.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFaces:
    """The machine, seen from each side that some area needs."""


def open_host(_settings: Settings) -> HostFaces:
    """Return the machine; nothing is read yet."""
    return HostFaces()
