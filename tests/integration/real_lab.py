"""Home Assistant with a real agent, set up as a person sets it up."""

from collections.abc import Callable
from typing import Any

from homeassistant.config_entries import SOURCE_USER, ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er

from custom_components.homelab.const import DOMAIN
from tests.harness.agent import Agent
from tests.harness.waiting import wait_until


class Lab:
    """Home Assistant with a real agent set up as a person sets it up."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        self.hass = hass
        self.entry = entry

    async def act(self, action: str, **data: Any) -> Any:
        """Call an action of ours; return what it answers."""
        return await self.hass.services.async_call(
            DOMAIN, action, data, blocking=True, return_response=True
        )

    def entity_id(self, platform: str, key: str) -> str:
        """Return the entity with a unique id such as "edge:caddy:1:state"."""
        found = er.async_get(self.hass).async_get_entity_id(
            platform, DOMAIN, f"{self.entry.unique_id}:{key}"
        )
        assert found is not None
        return found

    def has(self, platform: str, key: str) -> bool:
        """Return whether an entity is there, and on."""
        found = er.async_get(self.hass).async_get_entity_id(
            platform, DOMAIN, f"{self.entry.unique_id}:{key}"
        )
        return found is not None and self.hass.states.get(found) is not None

    def device_of(self, platform: str, key: str) -> str | None:
        """Return the device that has an entity."""
        entry = er.async_get(self.hass).async_get(self.entity_id(platform, key))
        return None if entry is None else entry.device_id

    async def operate(self, domain: str, action: str, platform: str, key: str) -> None:
        """Call an action of an entity."""
        await self.hass.services.async_call(
            domain, action, {"entity_id": self.entity_id(platform, key)}, blocking=True
        )

    def state(self, platform: str, key: str) -> str:
        """Return the state of an entity."""
        state = self.hass.states.get(self.entity_id(platform, key))
        assert state is not None
        return state.state

    def device_id(self, key: str | None = None) -> str:
        """Return the device of a container or a stack, else that of the host."""
        identifier = f"{self.entry.unique_id}:{key}" if key else f"{self.entry.unique_id}"
        return dr.async_get_device_id_by_identifier(
            self.hass, (DOMAIN, identifier), config_entry_id=self.entry.entry_id
        )

    async def switch(self, key: str, action: str) -> None:
        """Turn the switch of a container on or off."""
        await self.operate("switch", action, "switch", f"{key}:switch")


async def set_up(hass: HomeAssistant, agent: Agent, **typed: Any) -> Any:
    """Go through the form; return what came out."""
    form = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    data = {"host": agent.host, "port": agent.port, "ssl": False, **typed}
    result = await hass.config_entries.flow.async_configure(form["flow_id"], data)
    await hass.async_block_till_done()
    return result


async def becomes(condition: Callable[[], bool], what: str) -> None:
    """Wait longer than for the fake: a process has to start or to notice."""

    async def check() -> bool:
        return condition()

    await wait_until(check, what=what, within_s=120)
