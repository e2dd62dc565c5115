"""Whose Caddy an agent uses as reverse proxy, and for whom its websites are."""

from collections.abc import Sequence
from typing import Final

import voluptuous as vol
from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.selector import (
    BooleanSelector,
    ObjectSelector,
    ObjectSelectorConfig,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from .client import CommandResult
from .client.kinds import PROXY, PROXY_ROUTE
from .client.models import (
    PROXY_KEY,
    BasicAuthUser,
    ProxyMode,
    ProxyRoute,
    ProxySetupBody,
    ProxyStatus,
    RouteBody,
)
from .options_flow_base import AgentFormFlow, Data, Form
from .provider_forms import Mistake

CONF_ADMIN: Final = "admin"
CONF_REMOVE_ALL: Final = "remove_all"
CONF_USERS: Final = "users"
CONF_WEBSITE: Final = "website"

_NEW_PASSWORD: Final = TextSelector(
    TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="new-password")
)
_USERS: Final = ObjectSelector(
    ObjectSelectorConfig(
        fields={
            CONF_USERNAME: {"selector": TextSelector()},
            CONF_PASSWORD: {"selector": _NEW_PASSWORD},
        },
        multiple=True,
        label_field=CONF_USERNAME,
        translation_key="website_users",
    )
)
"""Shown by their names. Neither is required here: what is missing is told in words of ours."""

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
        options = [_named(one) for _, one in sorted(websites.items())]
        names = SelectSelector(
            SelectSelectorConfig(options=options, mode=SelectSelectorMode.DROPDOWN)
        )
        schema = vol.Schema(
            {
                vol.Required(CONF_WEBSITE): names,
                vol.Optional(CONF_USERS): _USERS,
                vol.Required(CONF_REMOVE_ALL, default=False): BooleanSelector(),
            }
        )

        async def tell(given: Data) -> CommandResult:
            website = websites[given[CONF_WEBSITE]]
            body = RouteBody(
                upstreams=website.upstreams,
                aliases=website.aliases,
                certificate=website.certificate,
                options=website.options,
                basic_auth=_users_of(given),
            )
            return await self._coordinator.client.proxy.put(website.key, body)

        form = Form("users", schema, _without_passwords(user_input), {"basic_auth": CONF_USERS})
        return await self._ask(form, user_input, tell)

    @property
    def _websites(self) -> dict[str, ProxyRoute]:
        return {one.key: one for one in self._coordinator.mirror.every(PROXY_ROUTE)}

    async def _ask_proxy(
        self, step: str, schema: vol.Schema, mode: ProxyMode, user_input: Data | None
    ) -> ConfigFlowResult:
        now = _set_up(self._coordinator.mirror.get(PROXY, PROXY_KEY), mode)
        # What no line asks for, as it was set over the API, stays as it is.
        unasked = {name: it for name, it in now.items() if name not in schema.schema}

        async def tell(given: Data) -> CommandResult:
            body = ProxySetupBody(mode=mode, **unasked, **given, wait_s=0)
            return await self._coordinator.client.proxy.set_up(body)

        shown = now if user_input is None else user_input
        return await self._ask(Form(step, schema, shown), user_input, tell)


def _set_up(proxy: ProxyStatus | None, mode: ProxyMode) -> Data:
    """Return how the Caddy of this kind is set up; nothing where another kind is used."""
    if proxy is None or proxy.mode is not mode:
        return {}
    given = {
        CONF_ADMIN: proxy.admin if mode is ProxyMode.OWN else None,
        "address": proxy.address,
        "http_port": proxy.http_port,
        "https_port": proxy.https_port,
        "image": proxy.image,
    }
    return {name: it for name, it in given.items() if it is not None}


def _named(website: ProxyRoute) -> SelectOptionDict:
    """Return a website as a person chooses it: with those who come in now."""
    users = f" ({', '.join(website.users)})" if website.users else ""
    return SelectOptionDict(value=website.key, label=f"{website.key}{users}")


def _users_of(given: Data) -> tuple[BasicAuthUser, ...]:
    """Return who may come in; nobody is left only where that is asked for.

    Raises:
        Mistake: somebody has no name or password, or it is not clear whether anybody is left.
    """
    users: Sequence[Data] = given.get(CONF_USERS, ())
    if given[CONF_REMOVE_ALL]:
        if users:
            raise Mistake(CONF_REMOVE_ALL, "users_or_none")
        return ()
    if not users:
        raise Mistake(CONF_USERS, "no_users")
    named = [(one.get(CONF_USERNAME, "").strip(), one.get(CONF_PASSWORD, "")) for one in users]
    if not all(name and password for name, password in named):
        raise Mistake(CONF_USERS, "no_password")
    return tuple(BasicAuthUser(username=name, password=password) for name, password in named)


def _without_passwords(given: Data | None) -> Data | None:
    """Return what was filled in; a password is not sent back to the browser."""
    if given is None:
        return None
    names = [
        {CONF_USERNAME: one[CONF_USERNAME]}
        for one in given.get(CONF_USERS, ())
        if CONF_USERNAME in one
    ]
    return {**given, CONF_USERS: names}
