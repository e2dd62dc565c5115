"""Set-up in the user interface: by hand, by Supervisor or network discovery, and repairs of it."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any, override

import voluptuous as vol
from homeassistant.config_entries import (
    SOURCE_HASSIO,
    SOURCE_IGNORE,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
)
from homeassistant.const import CONF_HOST, CONF_NAME, CONF_PORT, CONF_SSL, CONF_TOKEN
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.selector import TextSelector, TextSelectorConfig, TextSelectorType
from homeassistant.helpers.service_info.hassio import HassioServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from yarl import URL

from .agent import create_client
from .client import DEFAULT_PORT, AgentError, AgentInfo, OtherAgent, normalise_fingerprint
from .const import CONF_FINGERPRINT, DOMAIN, LOGGER
from .options_flow import HomelabOptionsFlow

_SECRET = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off"))
_ADDRESS = {
    vol.Required(CONF_HOST): TextSelector(),
    vol.Required(CONF_PORT, default=DEFAULT_PORT): cv.port,
}
_TLS = {
    vol.Required(CONF_SSL, default=False): cv.boolean,
    vol.Optional(CONF_FINGERPRINT): TextSelector(),
}
USER_SCHEMA = vol.Schema({**_ADDRESS, vol.Required(CONF_TOKEN): _SECRET, **_TLS})
RECONFIGURE_SCHEMA = vol.Schema({**_ADDRESS, vol.Optional(CONF_TOKEN): _SECRET, **_TLS})
TOKEN_SCHEMA = vol.Schema({vol.Required(CONF_TOKEN): _SECRET})

_FIELD_OF_ERROR = {
    "unauthenticated": CONF_TOKEN,
    "denied": CONF_TOKEN,
    "invalid_host": CONF_HOST,
    "invalid_fingerprint": CONF_FINGERPRINT,
    "fingerprint_mismatch": CONF_FINGERPRINT,
    "certificate_untrusted": CONF_FINGERPRINT,
}

_TOLD = frozenset(
    {
        "agent_too_new",
        "agent_too_old",
        "cannot_connect",
        "certificate_untrusted",
        "denied",
        "fingerprint_mismatch",
        "no_answer",
        "not_an_agent",
        "other_agent",
        "rate_limited",
        "tls_failed",
        "unauthenticated",
        "unavailable",
    }
)
"""The codes of errors that the forms have a text for."""

type Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Validated:
    """An agent that was reached with `data`, or the error that kept us from it."""

    data: Data
    agent: AgentInfo | None = None
    error: str | None = None

    def errors(self, fields: Container[str]) -> dict[str, str]:
        """Return the error for a form with these fields, beside the one at fault."""
        if self.error is None:
            return {}
        field = _FIELD_OF_ERROR.get(self.error, "base")
        return {field if field in fields else "base": self.error}


_NOTHING_TRIED = Validated({})


async def validate(
    hass: HomeAssistant, user_input: Mapping[str, Any], *, instance_id: str | None = None
) -> Validated:
    """Reach the agent that the input describes; with `instance_id` it must be that one."""
    try:
        data = _normalised(user_input)
        client = create_client(hass, data)
        hello = await client.hello()
        if instance_id not in {None, hello.instance_id}:
            raise OtherAgent("Another agent answers at this address")
        return Validated(data, agent=await client.info())
    except _InputError as error:
        return Validated({}, error=error.args[0])
    except AgentError as error:
        LOGGER.debug("The agent could not be used: %s", error.message)
        return Validated({}, error=error.code if error.code in _TOLD else "unknown")


class HomelabConfigFlow(ConfigFlow, domain=DOMAIN):
    """Adds an agent, or mends the way to one."""

    def __init__(self) -> None:
        self._discovered: Data = {}
        self._name = ""

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> HomelabOptionsFlow:
        """Return what gives the agent its providers, proxy and certificates."""
        return HomelabOptionsFlow()

    @override
    async def async_step_user(self, user_input: Data | None = None) -> ConfigFlowResult:
        """Ask for everything."""
        checked = _NOTHING_TRIED
        if user_input is not None:
            checked = await validate(self.hass, user_input)
            if checked.agent is not None:
                await self.async_set_unique_id(checked.agent.instance_id, raise_on_progress=False)
                self._abort_if_unique_id_configured(updates=checked.data)
                return self._create(checked.agent, checked.data)
        return self._form("user", USER_SCHEMA, checked, user_input)

    async def async_step_reauth(self, _entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Begin again with a token that is accepted."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(self, user_input: Data | None = None) -> ConfigFlowResult:
        """Ask for a new token."""
        entry = self._get_reauth_entry()
        checked = _NOTHING_TRIED
        if user_input is not None:
            data = {**entry.data, **user_input}
            checked = await validate(self.hass, data, instance_id=entry.unique_id)
            if checked.agent is not None:
                return self.async_update_reload_and_abort(entry, data=checked.data)
        return self._form(
            "reauth_confirm", TOKEN_SCHEMA, checked, None, {"address": _address(entry.data)}
        )

    async def async_step_reconfigure(self, user_input: Data | None = None) -> ConfigFlowResult:
        """Ask for a new address; the token stays where none is given."""
        entry = self._get_reconfigure_entry()
        checked = _NOTHING_TRIED
        if user_input is not None:
            data = {CONF_TOKEN: entry.data[CONF_TOKEN], **user_input}
            checked = await validate(self.hass, data, instance_id=entry.unique_id)
            if checked.agent is not None:
                return self.async_update_reload_and_abort(entry, data=checked.data)
        shown = user_input or {k: v for k, v in entry.data.items() if k != CONF_TOKEN}
        return self._form("reconfigure", RECONFIGURE_SCHEMA, checked, shown)

    @override
    async def async_step_hassio(self, discovery_info: HassioServiceInfo) -> ConfigFlowResult:
        """Take what the agent's app says of itself; the Supervisor vouches for it."""
        config = discovery_info.config
        try:
            instance_id: str = config["instance_id"]
            self._discovered = {
                CONF_HOST: config["host"],
                CONF_PORT: config["port"],
                CONF_TOKEN: config["token"],
                CONF_SSL: config.get("ssl", False),
                CONF_FINGERPRINT: config.get("fingerprint"),
            }
        except KeyError:
            return self.async_abort(reason="invalid_discovery")
        if entry := await self.async_set_unique_id(instance_id):
            if entry.source != SOURCE_IGNORE:
                self._renew(entry)
            return self.async_abort(reason="already_configured")
        self._name = str(config.get("addon", discovery_info.name))
        self.context["title_placeholders"] = {CONF_NAME: self._name}
        return await self.async_step_hassio_confirm()

    async def async_step_hassio_confirm(self, user_input: Data | None = None) -> ConfigFlowResult:
        """Ask whether to use the discovered app."""
        checked = _NOTHING_TRIED
        if user_input is not None:
            checked = await validate(
                self.hass, self._discovered, instance_id=self.context.get("unique_id")
            )
            if checked.agent is not None:
                return self._create(checked.agent, checked.data)
        self._set_confirm_only()
        return self.async_show_form(
            step_id="hassio_confirm",
            errors=checked.errors(()),
            description_placeholders={"addon": self._name},
        )

    @override
    async def async_step_zeroconf(self, discovery_info: ZeroconfServiceInfo) -> ConfigFlowResult:
        """Take what an agent announces on the network. It vouches for nothing."""
        announced = discovery_info.properties
        instance_id = announced.get("instance_id")
        if not instance_id or discovery_info.port is None:
            return self.async_abort(reason="invalid_discovery")
        self._discovered = {
            CONF_HOST: discovery_info.host,
            CONF_PORT: discovery_info.port,
            CONF_SSL: announced.get("tls") == "1",
            CONF_FINGERPRINT: announced.get("fingerprint"),
        }
        if entry := await self.async_set_unique_id(instance_id):
            if not _may_follow(entry, self._discovered):
                return self.async_abort(reason="already_configured")
            moved = {key: self._discovered[key] for key in (CONF_HOST, CONF_PORT)}
            self._abort_if_unique_id_configured(updates=moved)
        self._name = announced.get("name") or discovery_info.host
        self.context["title_placeholders"] = {CONF_NAME: self._name}
        return await self.async_step_zeroconf_confirm()

    async def async_step_zeroconf_confirm(self, user_input: Data | None = None) -> ConfigFlowResult:
        """Ask for the token of the discovered agent."""
        checked = _NOTHING_TRIED
        if user_input is not None:
            checked = await validate(
                self.hass,
                {**self._discovered, **user_input},
                instance_id=self.context.get("unique_id"),
            )
            if checked.agent is not None:
                return self._create(checked.agent, checked.data)
        placeholders = {
            "name": self._name,
            "address": _address(self._discovered),
            "fingerprint": self._discovered[CONF_FINGERPRINT] or "-",
        }
        return self._form("zeroconf_confirm", TOKEN_SCHEMA, checked, None, placeholders)

    def _form(
        self,
        step: str,
        schema: vol.Schema,
        checked: Validated,
        shown: Mapping[str, Any] | None,
        placeholders: dict[str, str] | None = None,
    ) -> ConfigFlowResult:
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(schema, shown),
            errors=checked.errors({str(field) for field in schema.schema}),
            description_placeholders=placeholders,
        )

    def _create(self, agent: AgentInfo, data: Data) -> ConfigFlowResult:
        return self.async_create_entry(title=agent.name, data=data)

    def _renew(self, entry: ConfigEntry) -> None:
        """Give an entry the address and token that the Supervisor handed over."""
        changed = self.hass.config_entries.async_update_entry(
            entry, data={**entry.data, **self._discovered}
        )
        waiting = entry.state in {ConfigEntryState.SETUP_RETRY, ConfigEntryState.SETUP_ERROR}
        if waiting or (changed and entry.state is ConfigEntryState.LOADED):
            self.hass.config_entries.async_schedule_reload(entry.entry_id)


def _may_follow(entry: ConfigEntry, announced: Data) -> bool:
    """Return whether an entry may take over an announced address.

    Anyone on the network can announce anything, and the token goes to the address: an address
    that works is kept, and TLS is never given up. The Supervisor's word counts for more.
    """
    if entry.source == SOURCE_HASSIO or entry.data.get(CONF_SSL) != announced[CONF_SSL]:
        return False
    return not (entry.state is ConfigEntryState.LOADED and entry.runtime_data.connected)


def _normalised(user_input: Mapping[str, Any]) -> Data:
    """Return entry data; raise `_InputError` for an input that cannot be meant."""
    data = {**user_input, **_host(user_input)}
    data[CONF_TOKEN] = str(data[CONF_TOKEN]).strip()
    try:
        fingerprint = data.get(CONF_FINGERPRINT)
        data[CONF_FINGERPRINT] = normalise_fingerprint(fingerprint) if fingerprint else None
    except ValueError as error:
        raise _InputError("invalid_fingerprint") from error
    # Whoever gives a fingerprint wants TLS.
    data[CONF_SSL] = data[CONF_SSL] or data[CONF_FINGERPRINT] is not None
    return data


def _host(user_input: Mapping[str, Any]) -> Data:
    """Return the host as given; of a pasted URL its host, port and TLS."""
    text = str(user_input[CONF_HOST]).strip()
    try:
        url = URL(text if "://" in text else f"http://{_bracketed(text)}")
    except ValueError as error:
        raise _InputError("invalid_host") from error
    if url.host is None or url.user or url.scheme not in {"http", "https"}:
        raise _InputError("invalid_host")
    found: Data = {CONF_HOST: url.host}
    if url.explicit_port is not None:
        found[CONF_PORT] = url.explicit_port
    if "://" in text:
        found[CONF_SSL] = url.scheme == "https"
    elif url.path != "/" or url.query_string or " " in text:
        raise _InputError("invalid_host")
    return found


def _bracketed(host: str) -> str:
    """Return a bare IPv6 address in brackets, as URLs want it."""
    return f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host


class _InputError(Exception):
    """The input itself is wrong; the argument is the error's key."""


def _address(data: Mapping[str, Any]) -> str:
    return str(
        URL.build(
            scheme="https" if data[CONF_SSL] else "http",
            host=data[CONF_HOST],
            port=data[CONF_PORT],
        )
    )
