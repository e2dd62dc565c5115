"""Which registries the settings ask for."""

from homelab_agent.areas.updates.registry.client import RegistryClient
from homelab_agent.areas.updates.registry.credentials import Credentials
from homelab_agent.areas.updates.registry.demo import DemoRegistry
from homelab_agent.areas.updates.registry.hosts import RegistryHosts
from homelab_agent.areas.updates.registry.interface import ImageRegistry
from homelab_agent.platform.secrets import SecretFilter
from homelab_agent.platform.settings import Settings


def open_registry(settings: Settings, secrets: SecretFilter) -> ImageRegistry:
    """Return the registries; nothing is asked of them yet."""
    if settings.demo:
        return DemoRegistry()
    credentials = Credentials(settings.registries, settings.docker_config_file, secrets)
    return RegistryClient(RegistryHosts(settings.registries), credentials)
