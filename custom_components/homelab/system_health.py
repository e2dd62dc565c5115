"""What the system information page says of all agents together."""

from typing import Any

from homeassistant.components import system_health
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback

from .client import CONTRACT_VERSION
from .const import DOMAIN
from .coordinator import HomelabConfigEntry


@callback
def async_register(_hass: HomeAssistant, register: system_health.SystemHealthRegistration) -> None:
    """Register what there is to tell."""
    register.async_register_info(_info)


async def _info(hass: HomeAssistant) -> dict[str, Any]:
    entries: list[HomelabConfigEntry] = hass.config_entries.async_entries(DOMAIN)
    loaded = [e.runtime_data for e in entries if e.state is ConfigEntryState.LOADED]
    versions = {one.agent.version for one in loaded if one.agent is not None}
    return {
        "agents": len(entries),
        "connected": sum(one.connected for one in loaded),
        "versions": ", ".join(sorted(versions)),
        "containers": sum(len(one.containers) for one in loaded),
        "contract": CONTRACT_VERSION,
    }
