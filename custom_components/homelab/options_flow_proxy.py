"""Whose Caddy an agent uses as reverse proxy, and for whom its websites are."""

from typing import Final

import voluptuous as vol
from homeassistant.config_entries import ConfigFlowResult
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.selector import (
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)

from .client import CommandResult
from .client.kinds import PROXY_ROUTE
from .client.models import ProxyMode, ProxyRoute, ProxySetupBody, RouteBody
from .options_flow_base import AgentFormFlow, Data, Form
from .provider_forms import SECRETS, users_of

CONF_ADMIN: Final = "admin"
CONF_USERS: Final = "users"
CONF_WEBSITE: Final = "website"

_OWN_PROXY: Final = vol.Schema(
    {
        vol.Required(CONF_ADMIN): TextSelector(),
        vol.Optional("address"): TextSelector(),
        vol.Optional("http_port"): cv.port,
        vol.Optional("https_port"): cv.port,
    }
)
_MANAGED_PROXY: Final = vol.Schema(
    {
        vol.Required("http_port", default=80): cv.port,
        vol.Required("https_port", default=443): cv.port,
        vol.Optional("image"): TextSelector(),
    }
)


class ProxySteps(AgentFormFlow):
    """The steps about the reverse proxy."""

    async def async_step_proxy(self, _input: Data | None = None) -> ConfigFlowResult:
        """Offer whose Caddy to use."""
        return self.async_show_menu(
            step_id="proxy", menu_options=["proxy_own", "proxy_managed", "proxy_none"]
        )

    async def async_step_proxy_own(self, user_input: Data | None = None) -> ConfigFlowResult:
        """Ask where the admin API of a Caddy is."""
        return await self._ask_proxy("proxy_own", _OWN_PROXY, ProxyMode.OWN, user_input)

    async def async_step_proxy_managed(self, user_input: Data | None = None) -> ConfigFlowResult:
        """Ask for the ports of a Caddy that the agent runs."""
        return await self._ask_proxy("proxy_managed", _MANAGED_PROXY, ProxyMode.MANAGED, user_input)

    async def async_step_proxy_none(self, user_input: Data | None = None) -> ConfigFlowResult:
        """Ask whether to use none any more."""
        return await self._ask_proxy("proxy_none", vol.Schema({}), ProxyMode.NONE, user_input)

    async def async_step_users(self, user_input: Data | None = None) -> ConfigFlowResult:
        """Ask for whom a website is, and by which passwords they are known."""
        websites = self._websites
        if user_input is not None and user_input[CONF_WEBSITE] not in websites:
            return self.async_abort(reason="website_gone")
        names = SelectSelector(
            SelectSelectorConfig(options=sorted(websites), mode=SelectSelectorMode.DROPDOWN)
        )
        schema = vol.Schema(
            {vol.Required(CONF_WEBSITE): names, vol.Optional(CONF_USERS): SECRETS},
        )
        shown = {CONF_WEBSITE: user_input[CONF_WEBSITE]} if user_input else None

        async def tell(given: Data) -> CommandResult:
            website = websites[given[CONF_WEBSITE]]
            body = RouteBody(
                upstreams=website.upstreams,
                aliases=website.aliases,
                certificate=website.certificate,
                options=website.options,
                basic_auth=users_of(given.get(CONF_USERS, ())),
            )
            return await self._coordinator.client.proxy.put(website.key, body)

        return await self._ask(Form("users", schema, shown), user_input, tell)

    @property
    def _websites(self) -> dict[str, ProxyRoute]:
        return {one.key: one for one in self._coordinator.mirror.every(PROXY_ROUTE)}

    async def _ask_proxy(
        self, step: str, schema: vol.Schema, mode: ProxyMode, user_input: Data | None
    ) -> ConfigFlowResult:
        async def tell(given: Data) -> CommandResult:
            body = ProxySetupBody(mode=mode, **given, wait_s=0)
            return await self._coordinator.client.proxy.set_up(body)

        return await self._ask(Form(step, schema, user_input), user_input, tell)
