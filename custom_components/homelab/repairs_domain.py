"""The fix flows around domains: a new secret, a renewal, a route put back, terms agreed to."""

from collections.abc import Callable, Mapping
from typing import Final

import voluptuous as vol
from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.helpers.selector import TextSelector, TextSelectorConfig, TextSelectorType

from . import issues
from .client import (
    AgentError,
    DnsProvider,
    Invalid,
    ProviderType,
    RateLimited,
    TimedOut,
    Unavailable,
)
from .client.kinds import ACME_ACCOUNT, DNS_PROVIDER
from .client.models import (
    ACME_ACCOUNT_KEY,
    LETS_ENCRYPT,
    AcmeAccountBody,
    ProviderChange,
    RenewBody,
)
from .coordinator import HomelabCoordinator
from .repairs_base import ThingFlow, coordinator_of

CONF_SECRET: Final = "secret"  # noqa: S105 - the name of a field

_SECRETS: Final[Mapping[ProviderType, str]] = {
    ProviderType.RFC2136: "key_secret",
    ProviderType.POWERDNS: "api_key",
    ProviderType.CLOUDFLARE: "api_token",
    ProviderType.DUCKDNS: "token",
    ProviderType.ZONEEDIT: "token",
    ProviderType.DESEC: "token",
}
"""The one secret of a provider's settings. Those that have several are set up anew."""

_FORM: Final = vol.Schema(
    {
        vol.Required(CONF_SECRET): TextSelector(
            TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off")
        )
    }
)

RENEWAL_WAIT_S: Final = 60.0
"""What fails fails early, mostly; after this the renewal goes on by itself."""


def flow_of(told: dict[str, str]) -> RepairsFlow | None:
    """Return the flow for an issue about domains, None for any other."""
    make = _FLOWS.get(told["issue"])
    return None if make is None else make(told)


class ProviderFlow(ThingFlow):
    """Takes a new secret, which goes straight to the agent: nothing here keeps it."""

    def __init__(self, told: dict[str, str]) -> None:
        super().__init__(told)
        self.menu = ["secret", "ignore"]

    async def async_step_secret(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask for the secret, and for another one while the provider refuses it."""
        coordinator = coordinator_of(self.hass, self.told)
        if coordinator is None:
            return self.not_connected()
        provider = coordinator.mirror.get(DNS_PROVIDER, self.told["key"])
        if provider is None or provider.type not in _SECRETS:
            return self.async_abort(reason="set_up_anew", description_placeholders=self.told)
        reason = ""
        if user_input is not None:
            try:
                await _give(coordinator, provider, user_input[CONF_SECRET])
            except (Invalid, RateLimited, TimedOut, Unavailable) as error:
                # The provider has the secret of before until it takes another one.
                reason = error.message
            except AgentError as error:
                return self.failed(coordinator.translated(error))
            else:
                return self.async_create_entry(data={})
        return self.async_show_form(
            step_id="secret",
            data_schema=_FORM,
            errors={"base": "refused"} if reason else {},
            description_placeholders={**self.told, "error": reason},
        )


class RenewalFlow(ThingFlow):
    """Tries once more to renew a certificate."""

    def __init__(self, told: dict[str, str]) -> None:
        super().__init__(told)
        self.menu = ["renew", "ignore"]

    async def async_step_renew(self, _input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Renew now; what takes longer than a moment goes on, and shows how it ends."""
        coordinator = coordinator_of(self.hass, self.told)
        if coordinator is None:
            return self.not_connected()
        body = RenewBody(wait_s=RENEWAL_WAIT_S)
        renewed = coordinator.client.renewal.renew(self.told["key"], body)
        return await self.done(coordinator.async_run(renewed))


class RouteFlow(ThingFlow):
    """Puts a route back that somebody changed or removed in Caddy."""

    def __init__(self, told: dict[str, str]) -> None:
        super().__init__(told)
        self.menu = ["put_back", "ignore"]

    async def async_step_put_back(self, _input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Put it back."""
        coordinator = coordinator_of(self.hass, self.told)
        if coordinator is None:
            return self.not_connected()
        restored = coordinator.client.proxy.restore(self.told["key"])
        return await self.done(coordinator.async_see_through(restored))


class TermsFlow(ThingFlow):
    """Agrees to the terms of the authority that certificates are ordered from.

    One of somebody's own is set up in the options, with whom to trust for it.
    """

    def __init__(self, told: dict[str, str]) -> None:
        super().__init__(told)
        self.menu = ["agree", "ignore"]

    async def async_step_agree(self, _input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Agree."""
        coordinator = coordinator_of(self.hass, self.told)
        if coordinator is None:
            return self.not_connected()
        account = coordinator.mirror.get(ACME_ACCOUNT, ACME_ACCOUNT_KEY)
        if account is None:
            return self.not_connected()
        if account.directory != LETS_ENCRYPT:
            return self.async_abort(reason="in_options", description_placeholders=self.told)
        body = AcmeAccountBody(directory=account.directory, email=account.email, terms_agreed=True)
        try:
            await coordinator.client.renewal.set_account(body)
        except AgentError as error:
            return self.failed(coordinator.translated(error))
        return self.async_create_entry(data={})


_FLOWS: Final[Mapping[str, Callable[[dict[str, str]], ThingFlow]]] = {
    issues.PROVIDER_REFUSED: ProviderFlow,
    issues.SECRET_UNREADABLE: ProviderFlow,
    issues.RENEWAL_FAILED: RenewalFlow,
    issues.ROUTE_LOST: RouteFlow,
    issues.ACME_TERMS: TermsFlow,
}


async def _give(coordinator: HomelabCoordinator, provider: DnsProvider, secret: str) -> None:
    """Send a new secret to the agent, which tries it at the provider before it is used."""
    settings = {
        **provider.settings,
        "type": provider.type.value,
        _SECRETS[provider.type]: secret,
    }
    await coordinator.client.dns.change_provider(provider.key, ProviderChange(settings=settings))
