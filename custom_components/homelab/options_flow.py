"""What an agent is given to work with: providers of DNS, a reverse proxy, certificates.

All of it goes to the agent. Home Assistant keeps nothing of it, secrets least of all.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import voluptuous as vol
from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult, OptionsFlow
from homeassistant.data_entry_flow import AbortFlow
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

from .client import AgentError, CommandResult, Job
from .client.kinds import ACME_ACCOUNT, DNS_PROVIDER, PROXY_ROUTE
from .client.models import (
    LETS_ENCRYPT,
    AcmeAccountBody,
    DnsProvider,
    HandOver,
    ProviderBody,
    ProviderChange,
    ProviderState,
    ProviderType,
    ProxyMode,
    ProxyRoute,
    ProxySetupBody,
    RouteBody,
    UploadBody,
)
from .coordinator import HomelabCoordinator
from .jobs import async_end_of, raise_unless_well
from .provider_forms import (
    CONF_NAME_SERVERS,
    FORMS,
    SECRETS,
    Mistake,
    changed_settings_of,
    field_of,
    schema_of,
    settings_of,
    shown_of,
    users_of,
)

type Data = dict[str, Any]
type Tell = Callable[[Data], Awaitable[CommandResult | None]]

CONF_ADMIN: Final = "admin"
CONF_PROVIDER: Final = "provider"
CONF_USERS: Final = "users"
CONF_WEBSITE: Final = "website"

_LINES: Final = TextSelector(TextSelectorConfig(multiline=True))
_EMAIL: Final = TextSelector(TextSelectorConfig(type=TextSelectorType.EMAIL))
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


@dataclass(frozen=True, slots=True)
class _Form:
    """A form as it is shown: nothing of it is a secret."""

    step: str
    schema: vol.Schema
    shown: Data | None


class HomelabOptionsFlow(OptionsFlow):
    """Gives an agent what it needs for domains."""

    _waiting: tuple[_Form, asyncio.Task[None]]
    """The form that the agent is busy with, and its end."""

    def __init__(self) -> None:
        self._provider: DnsProvider | None = None

    async def async_step_init(self, _input: Data | None = None) -> ConfigFlowResult:
        """Offer what can be set up."""
        providers = ["change_provider", "remove_provider"] if self._providers else []
        websites = ["users"] if self._websites else []
        menu = ["add_provider", *providers, "proxy", *websites, "authority", "upload"]
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
        try:
            await self._coordinator.client.dns.remove_provider(user_input[CONF_PROVIDER])
        except AgentError as error:
            return self._choose_provider("remove_provider", _said(error))
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

        return await self._ask(_Form("authority", _AUTHORITY, shown), user_input, tell)

    async def async_step_upload(self, user_input: Data | None = None) -> ConfigFlowResult:
        """Ask for a certificate of one's own and its key."""
        # What is wrong is told, and a key is not sent back to the browser.
        shown = {**user_input, "key_pem": ""} if user_input else None

        async def tell(given: Data) -> CommandResult:
            caddy = given.pop("caddy")
            body = UploadBody(**given, hand_over=HandOver(caddy=caddy))
            return await self._coordinator.client.renewal.upload(body)

        return await self._ask(_Form("upload", _UPLOAD, shown), user_input, tell)

    async def async_step_users(self, user_input: Data | None = None) -> ConfigFlowResult:
        """Ask for whom a website is, and by which passwords they are known."""
        names = SelectSelector(
            SelectSelectorConfig(options=sorted(self._websites), mode=SelectSelectorMode.DROPDOWN)
        )
        schema = vol.Schema(
            {vol.Required(CONF_WEBSITE): names, vol.Optional(CONF_USERS): SECRETS},
        )
        shown = {CONF_WEBSITE: user_input[CONF_WEBSITE]} if user_input else None

        async def tell(given: Data) -> CommandResult:
            website = self._websites[given[CONF_WEBSITE]]
            body = RouteBody(
                upstreams=website.upstreams,
                aliases=website.aliases,
                certificate=website.certificate,
                options=website.options,
                basic_auth=users_of(given.get(CONF_USERS, ())),
            )
            return await self._coordinator.client.proxy.put(website.key, body)

        return await self._ask(_Form("users", schema, shown), user_input, tell)

    async def async_step_working(self, _input: Data | None = None) -> ConfigFlowResult:
        """Show that the agent is at it, which may take minutes."""
        _, end = self._waiting
        if end.done():
            return self.async_show_progress_done(next_step_id="worked")
        return self.async_show_progress(
            step_id="working", progress_action="working", progress_task=end
        )

    async def async_step_worked(self, _input: Data | None = None) -> ConfigFlowResult:
        """Finish, or show the form once more where the agent failed."""
        form, end = self._waiting
        try:
            await end
        except AgentError as error:
            return self._refused(form, error)
        return self._finished()

    @property
    def _coordinator(self) -> HomelabCoordinator:
        if self.config_entry.state is not ConfigEntryState.LOADED:
            raise AbortFlow("not_connected")
        coordinator: HomelabCoordinator = self.config_entry.runtime_data
        return coordinator

    @property
    def _websites(self) -> dict[str, ProxyRoute]:
        return {one.key: one for one in self._coordinator.mirror.every(PROXY_ROUTE)}

    @property
    def _providers(self) -> dict[str, DnsProvider]:
        return {one.key: one for one in self._coordinator.mirror.every(DNS_PROVIDER)}

    def _choose_provider(self, step: str, error: str | None = None) -> ConfigFlowResult:
        options = [
            SelectOptionDict(value=key, label=provider.name)
            for key, provider in sorted(self._providers.items())
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
        errors, reason = {}, ""
        if user_input is not None:
            try:
                reason = await self._told(kind, user_input)
            except Mistake as mistake:
                errors = {mistake.field: mistake.key}
            except AgentError as error:
                errors, reason = {field_of(error, kind): "refused"}, _said(error)
            else:
                if not reason:
                    return self._finished()
                errors = {"base": "refused"}
        shown = shown_of(changed) if changed else {}
        if user_input is not None:
            secrets = {one.name for one in FORMS[kind] if one.secret}
            shown |= {name: value for name, value in user_input.items() if name not in secrets}
        return self.async_show_form(
            step_id=kind.value,
            data_schema=self.add_suggested_values_to_schema(schema, shown),
            errors=errors,
            description_placeholders={"reason": reason},
        )

    async def _told(self, kind: ProviderType, given: Data) -> str:
        """Tell the agent of a provider; return why it does not work, or nothing."""
        dns = self._coordinator.client.dns
        name, servers = given["name"], tuple(given.get(CONF_NAME_SERVERS, ()))
        if self._provider is None:
            settings = settings_of(kind, given)
            added = await dns.add_provider(
                ProviderBody(name=name, name_servers=servers, settings=settings)
            )
            reason = _trouble(added)
            if reason:
                # Else the next try would be a second one beside it.
                await dns.remove_provider(added.key)
            return reason
        changed = changed_settings_of(kind, given, self._provider.settings)
        change = ProviderChange(name=name, name_servers=servers, settings=changed)
        now = await dns.change_provider(self._provider.key, change)
        return _trouble(now if changed else await dns.test_provider(now.key))

    async def _ask_proxy(
        self, step: str, schema: vol.Schema, mode: ProxyMode, user_input: Data | None
    ) -> ConfigFlowResult:
        async def tell(given: Data) -> CommandResult:
            body = ProxySetupBody(mode=mode, **given, wait_s=0)
            return await self._coordinator.client.proxy.set_up(body)

        return await self._ask(_Form(step, schema, user_input), user_input, tell)

    async def _ask(self, form: _Form, user_input: Data | None, tell: Tell) -> ConfigFlowResult:
        """Show a form, and tell the agent what is filled in; wait where that takes longer."""
        if user_input is None:
            return self._show(form)
        try:
            result = await tell(dict(user_input))
            if result is not None:
                raise_unless_well(result)
        except Mistake as mistake:
            return self._show(form, {mistake.field: mistake.key})
        except AgentError as error:
            return self._refused(form, error)
        if result is None or result.job is None or result.outcome is not None:
            return self._finished()
        end = self.hass.async_create_background_task(
            self._end_of(result.job), f"the end of {result.job.id}"
        )
        self._waiting = form, end
        return await self.async_step_working()

    async def _end_of(self, job: Job) -> None:
        raise_unless_well(await async_end_of(self._coordinator, job))

    def _refused(self, form: _Form, error: AgentError) -> ConfigFlowResult:
        """Show a form once more, with what the agent says at the line that it is about."""
        named = (error.field or "").split(".")[-1]
        known = {str(line) for line in form.schema.schema}
        return self._show(form, {named if named in known else "base": "refused"}, _said(error))

    def _show(
        self, form: _Form, errors: dict[str, str] | None = None, reason: str = ""
    ) -> ConfigFlowResult:
        return self.async_show_form(
            step_id=form.step,
            data_schema=self.add_suggested_values_to_schema(form.schema, form.shown),
            errors=errors,
            description_placeholders={"reason": reason},
        )

    def _finished(self) -> ConfigFlowResult:
        """End the flow; there is nothing for Home Assistant to keep."""
        return self.async_create_entry(data=dict(self.config_entry.options))


def _trouble(provider: DnsProvider) -> str:
    """Return why a provider does not work, in its own words."""
    return "" if provider.state in _WELL else provider.reason or provider.state.value


def _said(error: AgentError) -> str:
    return f"{error.message} {error.hint}" if error.hint else error.message
