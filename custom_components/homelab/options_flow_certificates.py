"""Whom an agent orders certificates from, and certificates of one's own."""

from typing import Final

import voluptuous as vol
from homeassistant.config_entries import ConfigFlowResult
from homeassistant.helpers.selector import (
    BooleanSelector,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from .client import CommandResult
from .client.kinds import ACME_ACCOUNT
from .client.models import LETS_ENCRYPT, AcmeAccountBody, HandOver, UploadBody
from .options_flow_base import AgentFormFlow, Data, Form

_LINES: Final = TextSelector(TextSelectorConfig(multiline=True))
_EMAIL: Final = TextSelector(TextSelectorConfig(type=TextSelectorType.EMAIL))
_SECRET: Final = TextSelector(
    TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off")
)
_AUTHORITY: Final = vol.Schema(
    {
        vol.Required("directory", default=LETS_ENCRYPT): TextSelector(),
        vol.Optional("email"): _EMAIL,
        vol.Required("terms_agreed", default=False): BooleanSelector(),
        vol.Optional("authority_pem"): _LINES,
        vol.Optional("external_key_id"): TextSelector(),
        vol.Optional("external_hmac_key"): _SECRET,
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


class CertificateSteps(AgentFormFlow):
    """The steps about certificates."""

    async def async_step_authority(self, user_input: Data | None = None) -> ConfigFlowResult:
        """Ask whom to order certificates from."""
        # What is wrong is told, and a secret is not sent back to the browser.
        shown = {**user_input, "external_hmac_key": ""} if user_input else None
        if shown is None and (account := self._coordinator.mirror.get(ACME_ACCOUNT, "acme")):
            shown = {
                "directory": account.directory,
                "email": account.email,
                "terms_agreed": account.terms_agreed,
            }

        async def tell(given: Data) -> None:
            await self._coordinator.client.renewal.set_account(AcmeAccountBody(**given))

        return await self._ask(Form("authority", _AUTHORITY, shown), user_input, tell)

    async def async_step_upload(self, user_input: Data | None = None) -> ConfigFlowResult:
        """Ask for a certificate of one's own and its key."""
        # What is wrong is told, and a key is not sent back to the browser.
        shown = {**user_input, "key_pem": ""} if user_input else None

        async def tell(given: Data) -> CommandResult:
            caddy = given.pop("caddy")
            body = UploadBody(**given, hand_over=HandOver(caddy=caddy))
            return await self._coordinator.client.renewal.upload(body)

        return await self._ask(Form("upload", _UPLOAD, shown), user_input, tell)
