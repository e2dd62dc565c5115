"""Homelab: a host, its containers and its services, seen and operated through its agent."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.device_registry import DeviceEntry
from homeassistant.helpers.translation import async_load_integrations
from homeassistant.helpers.typing import ConfigType

from . import issues
from .agent import create_client
from .certificate_issues import CertificateIssues
from .const import DOMAIN
from .container_issues import ContainerIssues
from .coordinator import HomelabConfigEntry, HomelabCoordinator
from .domain_issues import DomainIssues
from .happenings import Happenings
from .machine_issues import MachineIssues
from .services import async_setup_services

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)
PLATFORMS = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.CALENDAR,
    Platform.EVENT,
    Platform.SENSOR,
    Platform.SWITCH,
    Platform.UPDATE,
]


async def async_setup(hass: HomeAssistant, _config: ConfigType) -> bool:
    """Set up the actions, which exist whether or not an agent can be reached."""
    async_setup_services(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: HomelabConfigEntry) -> bool:
    """Connect to an agent and show what it knows."""
    # Devices are named before the first platform has the words loaded, in this language perhaps.
    await async_load_integrations(hass, {DOMAIN})
    coordinator = HomelabCoordinator(hass, entry, create_client(hass, entry.data))
    await coordinator.async_start()
    entry.async_on_unload(coordinator.async_stop)
    entry.runtime_data = coordinator
    entry.async_on_unload(Happenings(hass, coordinator).begin())
    entry.async_on_unload(ContainerIssues(hass, entry, coordinator).begin())
    entry.async_on_unload(MachineIssues(hass, entry, coordinator).begin())
    entry.async_on_unload(CertificateIssues(hass, entry, coordinator).begin())
    entry.async_on_unload(DomainIssues(hass, entry, coordinator).begin())
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: HomelabConfigEntry) -> bool:
    """Take the entities away; the stream ends with the entry."""
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_entry(hass: HomeAssistant, entry: HomelabConfigEntry) -> None:
    """Withdraw what a set-up that never succeeded may have left in the repairs."""
    issues.withdraw_all(hass, entry, for_good=True)


async def async_remove_config_entry_device(
    _hass: HomeAssistant, entry: HomelabConfigEntry, device: DeviceEntry
) -> bool:
    """Let a person delete the device of something that is gone; without the agent nobody knows."""
    is_known = entry.state is ConfigEntryState.LOADED
    return is_known and entry.runtime_data.async_may_remove(device)
