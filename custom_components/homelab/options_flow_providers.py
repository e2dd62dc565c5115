"""Which DNS providers an agent is given: added, changed, forgotten."""

from typing import Final

import voluptuous as vol
from homeassistant.config_entries import ConfigFlowResult
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)

from .client import AgentError, RateLimited, TimedOut, Unavailable
from .client.kinds import DNS_PROVIDER
from .client.models import (
    DnsProvider,
    ProviderBody,
    ProviderChange,
    ProviderType,
)
from .options_flow_base import AgentFormFlow, Data, said
from .provider_forms import (
    CONF_NAME_SERVERS,
    CONF_WITHOUT_ANSWER,
    FORMS,
    Mistake,
    changed_settings_of,
    field_of,
    schema_of,
    settings_of,
    shown_of,
)

CONF_PROVIDER: Final = "provider"

_NO_ANSWER: Final = (RateLimited, TimedOut, Unavailable)
"""How it is told that a provider does not answer, or not as it should."""


class ProviderSteps(AgentFormFlow):
    """The steps about DNS providers."""

    _provider: DnsProvider | None = None
    """The one that is being changed."""

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
            return self._choose_provider("remove_provider", said(error))
        return self._finished()

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
        errors, reason, without_answer = {}, "", False
        if user_input is not None:
            without_answer = CONF_WITHOUT_ANSWER in user_input
            try:
                await self._tell(kind, user_input)
            except Mistake as mistake:
                errors = {mistake.field: mistake.key}
            except AgentError as error:
                errors, reason = {field_of(error, kind): "refused"}, said(error)
                without_answer |= isinstance(error, _NO_ANSWER)
            else:
                return self._finished()
        schema = schema_of(kind, changing=changed is not None, without_answer=without_answer)
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

    async def _tell(self, kind: ProviderType, given: Data) -> None:
        """Tell the agent of a provider, which has to answer unless it is kept all the same."""
        dns = self._coordinator.client.dns
        name, servers = given["name"], tuple(given.get(CONF_NAME_SERVERS, ()))
        verify = not given.get(CONF_WITHOUT_ANSWER, False)
        if self._provider is None:
            settings = settings_of(kind, given)
            await dns.add_provider(
                ProviderBody(name=name, name_servers=servers, settings=settings, verify=verify)
            )
            return
        changed = changed_settings_of(kind, given, self._provider.settings)
        change = ProviderChange(name=name, name_servers=servers, settings=changed, verify=verify)
        await dns.change_provider(self._provider.key, change)
