"""What an agent is given to work with: providers of DNS, a reverse proxy, certificates.

All of it goes to the agent. Home Assistant keeps nothing of it, secrets least of all.
"""

from homeassistant.config_entries import ConfigFlowResult

from .options_flow_base import Data
from .options_flow_certificates import CertificateSteps
from .options_flow_providers import ProviderSteps
from .options_flow_proxy import ProxySteps


class HomelabOptionsFlow(ProviderSteps, ProxySteps, CertificateSteps):
    """Gives an agent what it needs for domains."""

    async def async_step_init(self, _input: Data | None = None) -> ConfigFlowResult:
        """Offer what can be set up."""
        providers = ["change_provider", "remove_provider"] if self._providers else []
        websites = ["users"] if self._websites else []
        menu = ["add_provider", *providers, "proxy", *websites, "authority", "upload"]
        return self.async_show_menu(step_id="init", menu_options=menu)
