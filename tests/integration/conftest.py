"""Home Assistant with the integration, and the agents it talks to."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from syrupy.assertion import SnapshotAssertion

# Before the harness puts its own configuration folder first: it has a custom_components too.
import custom_components.homelab  # noqa: F401
from custom_components.homelab.const import DOMAIN
from tests.fakes import wire
from tests.fakes.agent_server import FakeAgent
from tests.harness.agent import Agent
from tests.integration.home import Home, entry_data
from tests.integration.real_lab import Lab, set_up


@pytest.fixture(autouse=True)
def _own_integration(enable_custom_integrations: None) -> None:
    """Let Home Assistant find the integration."""
    assert enable_custom_integrations is None


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Leave out of snapshots what differs each time, such as ids and times."""
    return snapshot.use_extension(HomeAssistantSnapshotExtension)


@pytest.fixture(name="_sockets")
def allow_sockets(socket_enabled: None) -> None:
    """Let this test open sockets to this machine, which the harness forbids otherwise."""
    assert socket_enabled is None


@pytest.fixture
async def agent(_sockets: None) -> AsyncGenerator[FakeAgent]:
    """A fake agent with a running container."""
    async with FakeAgent() as fake:
        fake.put("engine", "docker", wire.engine())
        fake.put_container("web")
        yield fake


@pytest.fixture
def entry(hass: HomeAssistant, agent: FakeAgent) -> MockConfigEntry:
    """A config entry for the agent, not set up yet."""
    added = MockConfigEntry(
        domain=DOMAIN, title="atlas", unique_id=agent.info["instance_id"], data=entry_data(agent)
    )
    added.add_to_hass(hass)
    return added


@pytest.fixture
async def home(
    hass: HomeAssistant, agent: FakeAgent, entry: MockConfigEntry
) -> AsyncGenerator[Home]:
    """Home Assistant with the agent's entry set up."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    yield Home(hass, agent, entry)
    if hass.config_entries.async_get_entry(entry.entry_id):
        await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()


@pytest.fixture
async def demo(_sockets: None, tmp_path: Path) -> AsyncGenerator[Agent]:
    """A real agent with the invented homelab."""
    async with Agent(tmp_path / "agent", demo=True) as agent:
        yield agent


@pytest.fixture
async def lab(hass: HomeAssistant, demo: Agent) -> AsyncGenerator[Lab]:
    """Home Assistant connected to the real agent."""
    result = await set_up(hass, demo, token=await demo.create_token("home-assistant"))
    entry: ConfigEntry = result["result"]
    assert entry.state is ConfigEntryState.LOADED
    yield Lab(hass, entry)
    await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()


@pytest.fixture
async def admin(hass: HomeAssistant, demo: Agent) -> AsyncGenerator[Lab]:
    """Home Assistant connected to the real agent with a token that may do everything."""
    result = await set_up(hass, demo, token=await demo.create_token("all", "admin"))
    lab = Lab(hass, result["result"])
    yield lab
    await hass.config_entries.async_unload(lab.entry.entry_id)
    await hass.async_block_till_done()
