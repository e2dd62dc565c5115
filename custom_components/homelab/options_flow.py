"""What an agent is given to work with: providers of DNS, a reverse proxy, certificates.

All of it goes to the agent. Home Assistant keeps nothing of it, secrets least of all.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import voluptuous as vol
from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult, OptionsFlow
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from .client import AgentError
from .client.kinds import ACME_ACCOUNT, DNS_PROVIDER
from .client.models import (
    LETS_ENCRYPT,
    AcmeAccountBody,
    CommandResult,
    DnsProvider,
    HandOver,
    ProviderBody,
    ProviderChange,
    ProviderState,
    ProviderType,
    ProxyMode,
    ProxySetupBody,
    UploadBody,
)
from .coordinator import HomelabCoordinator
from .provider_forms import CONF_NAME_SERVERS, FORMS, field_of, schema_of, settings_of, shown_of

type Data = dict[str, Any]

CONF_ADMIN: Final = "admin"
CONF_PROVIDER: Final = "provider"

_LINES: Final = TextSelector(TextSelectorConfig(multiline=True))
_EMAIL: Final = TextSelector(TextSelectorConfig(type=TextSelectorType.EMAIL))
_OWN_PROXY: Final = vol.Schema({vol.Required(CONF_ADMIN): TextSelector()})
_MANAGED_PROXY: Final = vol.Schema(
    {
        vol.Required("http_port", default=80): cv.port,
        vol.Required("https_port", default=443): cv.port,
        vol.Optional("image"): TextSelector(),
    }
)
_AUTHORITY: Final = vol.Schema(
    {
        vol.Required("directory", default=LETS_ENCRYPT): TextSelector(),
        vol.Optional("email"): _EMAIL,
        vol.Required("terms_agreed", default=False): BooleanSelector(),
        vol.Optional("authority_pem"): _LINES,
    }
)
_UPLOAD: Final = vol.Schema(
    {
        vol.Required("certificate_pem"): _LINES,
        vol.Optional("chain_pem"): _LINES,
        vol.Required("key_pem"): _LINES,
        vol.Required("caddy", default=True): BooleanSelector(),
    }
)
_WELL: Final = frozenset({ProviderState.OK, ProviderState.UNKNOWN, ProviderState.RATE_LIMITED})


class HomelabOptionsFlow(OptionsFlow):
    """Gives an agent what it needs for domains."""

    def __init__(self) -> None:
        self._provider: DnsProvider | None = None
        self._kind = ProviderType.UNKNOWN

    async def async_step_init(self, _input: Data | None = None) -> ConfigFlowResult:
        """Offer what can be set up."""
        if self.config_entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_connected")
        providers = ["change_provider", "remove_provider"] if self._providers else []
        menu = ["add_provider", *providers, "proxy", "authority", "upload"]
        return self.async_show_menu(step_id="init", menu_options=menu)

    async def async_step_add_provider(self, _input: Data | None = None) -> ConfigFlowResult:
        """Ask which kind of provider to add."""
        self._provider = None
        kinds = [kind.value for kind in FORMS]
        return self.async_show_menu(step_id="add_provider", menu_options=kinds)

    async def async_step_rfc2136(self, user_input: Data | None = None) -> ConfigFlowResult:
        """Ask for a name server that takes signed updates."""
        return await self._ask_provider(ProviderType.RFC2136, user_input)

    async def async_step_powerdns(self, user_input: Data | None = None) -> ConfigFlowResult:
        """Ask for the API of a PowerDNS server."""
        return await self._ask_provider(ProviderType.POWERDNS, user_input)

    async def async_step_cloudflare(self, user_input: Data | None = None) -> ConfigFlowResult:
        """Ask for an API token of Cloudflare."""
        return await self._ask_provider(ProviderType.CLOUDFLARE, user_input)

    async def async_step_duckdns(self, user_input: Data | None = None) -> ConfigFlowResult:
        """Ask for the token of DuckDNS and the names there."""
        return await self._ask_provider(ProviderType.DUCKDNS, user_input)

    async def async_step_zoneedit(self, user_input: Data | None = None) -> ConfigFlowResult:
        """Ask for what ZoneEdit wants for dynamic DNS."""
        return await self._ask_provider(ProviderType.ZONEEDIT, user_input)

    async def async_step_desec(self, user_input: Data | None = None) -> ConfigFlowResult:
        """Ask for a token of deSEC."""
        return await self._ask_provider(ProviderType.DESEC, user_input)

    async def async_step_lexicon(self, user_input: Data | None = None) -> ConfigFlowResult:
        """Ask for a provider that dns-lexicon knows, and its options."""
        return await self._ask_provider(ProviderType.LEXICON, user_input)

    async def async_step_change_provider(self, user_input: Data | None = None) -> ConfigFlowResult:
        """Ask which provider to change, then for what is to be changed."""
        if user_input is None:
            return self._choose_provider("change_provider")
        self._provider = self._providers.get(user_input[CONF_PROVIDER])
        if self._provider is None or self._provider.type not in FORMS:
            return self.async_abort(reason="provider_gone")
        return await self._ask_provider(self._provider.type, None)

    async def async_step_remove_provider(self, user_input: Data | None = None) -> ConfigFlowResult:
        """Ask which provider to forget."""
        if user_input is None:
            return self._choose_provider("remove_provider")
        dns = self._coordinator.client.dns
        try:
            await self._coordinator.async_run(dns.remove_provider(user_input[CONF_PROVIDER]))
        except HomeAssistantError as error:
            return self._choose_provider("remove_provider", str(error))
        return self._finished()

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

    async def async_step_authority(self, user_input: Data | None = None) -> ConfigFlowResult:
        """Ask whom to order certificates from."""
        shown = user_input
        if shown is None and (account := self._coordinator.mirror.get(ACME_ACCOUNT, "acme")):
            shown = {
                "directory": account.directory,
                "email": account.email,
                "terms_agreed": account.terms_agreed,
            }

        async def tell(given: Data) -> None:
            await self._coordinator.client.renewal.set_account(AcmeAccountBody(**given))

        return await self._ask("authority", _AUTHORITY, shown, user_input, tell)

    async def async_step_upload(self, user_input: Data | None = None) -> ConfigFlowResult:
        """Ask for a certificate of one's own and its key."""
        # What is wrong is told, and a key is not sent back to the browser.
        shown = {**user_input, "key_pem": ""} if user_input else None

        async def tell(given: Data) -> None:
            caddy = given.pop("caddy")
            body = UploadBody(**given, hand_over=HandOver(caddy=caddy))
            await self._coordinator.client.renewal.upload(body)

        return await self._ask("upload", _UPLOAD, shown, user_input, tell)

    @property
    def _coordinator(self) -> HomelabCoordinator:
        coordinator: HomelabCoordinator = self.config_entry.runtime_data
        return coordinator

    @property
    def _providers(self) -> dict[str, DnsProvider]:
        return {one.key: one for one in self._coordinator.mirror.every(DNS_PROVIDER)}

    def _choose_provider(self, step: str, error: str | None = None) -> ConfigFlowResult:
        options = [
            SelectOptionDict(value=key, label=provider.name)
            for key, provider in self._providers.items()
            if step == "remove_provider" or provider.type in FORMS
        ]
        selector = SelectSelector(
            SelectSelectorConfig(options=options, mode=SelectSelectorMode.LIST)
        )
        return self.async_show_form(
            step_id=step,
            data_schema=vol.Schema({vol.Required(CONF_PROVIDER): selector}),
            errors={"base": "refused"} if error else None,
            description_placeholders={"reason": error or ""},
        )

    async def _ask_provider(self, kind: ProviderType, user_input: Data | None) -> ConfigFlowResult:
        """Show the form of a kind; add the provider, or change it, with what is filled in."""
        changed = self._provider
        schema = schema_of(kind, changing=changed is not None)
        field, reason = "base", ""
        if user_input is not None:
            try:
                provider = await self._told(kind, user_input)
            except ValueError:
                field, reason = "options", "name=value"
            except AgentError as error:
                field, reason = field_of(error, kind), _said(error)
            else:
                if provider.state in _WELL:
                    return self._finished()
                reason = provider.reason or provider.state.value
                if changed is None:
                    await self._coordinator.client.dns.remove_provider(provider.key)
        shown = shown_of(changed) if changed else {}
        if user_input is not None:
            secrets = {one.name for one in FORMS[kind] if one.secret}
            shown |= {name: value for name, value in user_input.items() if name not in secrets}
        return self.async_show_form(
            step_id=kind.value,
            data_schema=self.add_suggested_values_to_schema(schema, shown),
            errors={field: "refused"} if reason else None,
            description_placeholders={"reason": reason},
        )

    async def _told(self, kind: ProviderType, given: Data) -> DnsProvider:
        """Tell the agent of a provider; return how it is once it was asked."""
        dns = self._coordinator.client.dns
        servers = tuple(given.get(CONF_NAME_SERVERS, ()))
        if self._provider is None:
            settings = settings_of(kind, given)
            body = ProviderBody(name=given["name"], name_servers=servers, settings=settings)
            added = await dns.add_provider(body)
            return await dns.test_provider(added.key)
        settings = settings_of(kind, given, self._provider.settings)
        change = ProviderChange(name=given["name"], name_servers=servers, settings=settings)
        await dns.change_provider(self._provider.key, change)
        return await dns.test_provider(self._provider.key)

    async def _ask_proxy(
        self, step: str, schema: vol.Schema, mode: ProxyMode, user_input: Data | None
    ) -> ConfigFlowResult:
        async def tell(given: Data) -> None:
            body = ProxySetupBody(mode=mode, **given, wait_s=0)
            command: Awaitable[CommandResult] = self._coordinator.client.proxy.set_up(body)
            await self._coordinator.async_see_through(command)

        return await self._ask(step, schema, user_input, user_input, tell)

    async def _ask(
        self,
        step: str,
        schema: vol.Schema,
        shown: Data | None,
        user_input: Data | None,
        tell: Callable[[Data], Awaitable[None]],
    ) -> ConfigFlowResult:
        """Show a form, and tell the agent what is filled in."""
        field, reason = "base", ""
        if user_input is not None:
            try:
                await tell(dict(user_input))
            except AgentError as error:
                known = {str(line) for line in schema.schema}
                named = (error.field or "").split(".")[-1]
                field, reason = named if named in known else "base", _said(error)
            except HomeAssistantError as error:
                reason = str(error)
            else:
                return self._finished()
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(schema, shown),
            errors={field: "refused"} if reason else None,
            description_placeholders={"reason": reason},
        )

    def _finished(self) -> ConfigFlowResult:
        """End the flow; there is nothing for Home Assistant to keep."""
        return self.async_create_entry(data=dict(self.config_entry.options))


def _said(error: AgentError) -> str:
    return f"{error.message} {error.hint}" if error.hint else error.message
