"""What tests ask Home Assistant about the integration, and how they wait for it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from homeassistant.core import Context, HomeAssistant, State
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.homelab.const import DOMAIN
from tests.fakes.agent_server import FakeAgent
from tests.harness.waiting import wait_until

DEADLINE_S = 60


def entry_data(agent: FakeAgent, **changes: Any) -> dict[str, Any]:
    """Return the data of a config entry for a fake agent."""
    return {
        "host": "127.0.0.1",
        "port": agent.port,
        "ssl": False,
        "token": agent.token,
        "fingerprint": None,
        **changes,
    }


async def until(condition: Callable[[], object], what: str) -> None:
    """Wait until something is true; real sockets are in between, so nothing can be flushed."""

    async def check() -> bool:
        return bool(condition())

    await wait_until(check, what=what, within_s=DEADLINE_S)


@dataclass
class Home:
    """Home Assistant, one config entry, and the agent behind it."""

    hass: HomeAssistant
    agent: FakeAgent
    entry: MockConfigEntry
    _marks: int = 0

    def entity_id(self, platform: str, key: str) -> str:
        """Return the entity with a unique id such as "web:state" or "docker"."""
        unique_id = f"{self.agent.info['instance_id']}:{key}"
        found = er.async_get(self.hass).async_get_entity_id(platform, DOMAIN, unique_id)
        assert found is not None, f"there is no {platform} {key}"
        return found

    def has(self, platform: str, key: str) -> bool:
        """Return whether an entity is registered."""
        unique_id = f"{self.agent.info['instance_id']}:{key}"
        return er.async_get(self.hass).async_get_entity_id(platform, DOMAIN, unique_id) is not None

    def state(self, platform: str, key: str) -> State:
        """Return the state of an entity."""
        state = self.hass.states.get(self.entity_id(platform, key))
        assert state is not None, f"{platform} {key} has no state"
        return state

    async def becomes(self, platform: str, key: str, value: str) -> None:
        """Wait for the state of an entity."""

        def there() -> bool:
            return self.has(platform, key) and self.state(platform, key).state == value

        await until(there, f"{platform} {key} to become {value}")

    def device(self, key: str | None = None) -> dr.DeviceEntry | None:
        """Return the device of a container, or of the host."""
        instance_id = self.agent.info["instance_id"]
        identifier = (DOMAIN, f"{instance_id}:{key}" if key else instance_id)
        return dr.async_get(self.hass).async_get_device_by_identifier(
            identifier, self.entry.entry_id
        )

    def device_id(self, key: str | None = "web") -> str:
        """Return the id of the device of a container, of what is named "stack:media", the host."""
        device = self.device(key)
        assert device is not None, f"{key} has no device"
        return device.id

    def foreign_device(self) -> dr.DeviceEntry:
        """Return a device of another integration."""
        other = MockConfigEntry(domain="other")
        other.add_to_hass(self.hass)
        return dr.async_get(self.hass).async_get_or_create(
            config_entry_id=other.entry_id, identifiers={("other", "lamp")}
        )

    async def ask(self, action: str, context: Context | None = None, **data: Any) -> Any:
        """Call an action of ours and return what it answers."""
        return await self.hass.services.async_call(
            DOMAIN, action, data, blocking=True, return_response=True, context=context
        )

    async def settled(self) -> None:
        """Wait until all the agent told is known: what is told last is known last."""
        self._marks += 1
        name = f"mark-{self._marks}"
        self.agent.put_container(name)
        coordinator = self.entry.runtime_data
        await until(lambda: coordinator.container(name) is not None, "the agent to be heard")
        await self.hass.async_block_till_done()

    async def passes(self, **time: float) -> None:
        """Let time pass for Home Assistant's timers."""
        async_fire_time_changed(self.hass, dt_util.utcnow() + timedelta(**time))
        await self.hass.async_block_till_done()

    async def act(self, domain: str, action: str, platform: str, key: str) -> None:
        """Call an action of an entity."""
        await self.hass.services.async_call(
            domain, action, {"entity_id": self.entity_id(platform, key)}, blocking=True
        )


def device_of(home: Home, platform: str, key: str) -> dr.AnyDeviceEntry | None:
    """Return the device that has an entity."""
    entry = er.async_get(home.hass).async_get(home.entity_id(platform, key))
    assert entry is not None
    assert entry.device_id is not None
    return dr.async_get(home.hass).async_get(entry.device_id)


def name(home: Home, platform: str, key: str) -> str:
    """Return what a person reads."""
    return str(home.state(platform, key).attributes["friendly_name"])
