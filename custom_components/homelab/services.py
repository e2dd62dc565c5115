"""The actions. They exist whether or not an agent can be reached."""

from homeassistant.core import HomeAssistant

from . import (
    services_certificates,
    services_containers,
    services_ddns,
    services_dns,
    services_domains,
    services_health,
    services_host,
    services_logs,
    services_monitors,
    services_objects,
    services_provisioning,
    services_proxy,
    services_renewal,
    services_stacks,
    services_swarm,
    services_updates,
)

_AREAS = (
    services_containers,
    services_logs,
    services_updates,
    services_stacks,
    services_objects,
    services_swarm,
    services_monitors,
    services_health,
    services_host,
    services_certificates,
    services_provisioning,
    services_domains,
    services_dns,
    services_ddns,
    services_proxy,
    services_renewal,
)


def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions. What changes something or shows logs is for administrators."""
    for area in _AREAS:
        area.set_up(hass)
