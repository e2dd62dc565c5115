"""Makes the client of the agent that a config entry describes."""

from collections.abc import Mapping
from typing import Any

from homeassistant.const import CONF_HOST, CONF_PORT, CONF_SSL, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util.json import json_loads

from .client import AgentClient, Endpoint
from .const import CONF_FINGERPRINT


def create_client(hass: HomeAssistant, data: Mapping[str, Any]) -> AgentClient:
    """Return a client for the data of a config entry, on Home Assistant's own session."""
    endpoint = Endpoint(
        host=data[CONF_HOST],
        port=data[CONF_PORT],
        ssl=data[CONF_SSL],
        fingerprint=data.get(CONF_FINGERPRINT),
    )
    return AgentClient(async_get_clientsession(hass), endpoint, data[CONF_TOKEN], loads=json_loads)
