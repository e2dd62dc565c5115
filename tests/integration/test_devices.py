"""Devices: they come with a container and go with it, and never by mistake."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.homelab.const import DOMAIN
from tests.fakes import wire
from tests.fakes.agent_server import FakeAgent
from tests.integration.home import Home, until

AWAY = "unavailable"


async def test_a_container_hangs_below_its_host(home: Home) -> None:
    host, web = home.device(), home.device("web")
    assert host is not None
    assert web is not None
    assert web.via_device_id == host.id
    assert (host.name, host.sw_version, host.model) == ("atlas", "0.1.0", "Docker host")
    assert (web.name, web.manufacturer) == ("web", "Docker")


async def test_the_invented_homelab_is_marked_as_such(
    hass: HomeAssistant, agent: FakeAgent, entry: MockConfigEntry
) -> None:
    agent.put("agent", "agent", wire.info(demo=True))
    await hass.config_entries.async_setup(entry.entry_id)
    home = Home(hass, agent, entry)
    host, web = home.device(), home.device("web")
    assert host is not None
    assert web is not None
    assert (host.model, web.model, web.model_id) == ("Demo Docker host", "Container", "demo")
    await hass.config_entries.async_unload(entry.entry_id)


async def test_an_updated_agent_shows_its_new_version(home: Home) -> None:
    home.agent.put("agent", "agent", wire.info(version="0.2.0"))
    await home.becomes("sensor", "agent_version", "0.2.0")
    host = home.device()
    assert host is not None
    assert host.sw_version == "0.2.0"


async def test_a_new_container_appears_by_itself(home: Home) -> None:
    home.agent.put_container("db", health="none")
    await home.becomes("switch", "db:switch", "on")
    await home.becomes("sensor", "db:state", "running")
    assert home.device("db") is not None


async def test_a_container_that_appeared_while_the_agent_was_away_appears(home: Home) -> None:
    await home.agent.stop()
    home.agent.put_container("db")
    await home.agent.start()
    await home.becomes("switch", "db:switch", "on")


async def test_a_removed_container_takes_its_device_along_after_a_minute(home: Home) -> None:
    home.agent.remove("container", "web")
    await home.becomes("switch", "web:switch", AWAY)
    await home.passes(seconds=50)
    assert home.device("web") is not None
    await home.passes(seconds=70)
    assert home.device("web") is None
    assert not home.has("switch", "web:switch")


async def test_a_container_that_returns_after_its_device_is_gone_is_new_again(home: Home) -> None:
    home.agent.remove("container", "web")
    await home.becomes("switch", "web:switch", AWAY)
    await home.passes(seconds=70)
    assert home.device("web") is None
    home.agent.put_container("web")
    await home.becomes("switch", "web:switch", "on")


async def test_a_recreated_container_keeps_its_entities_and_their_settings(home: Home) -> None:
    before = home.device("web")
    entity_id = home.entity_id("switch", "web:switch")
    er.async_get(home.hass).async_update_entity(entity_id, new_entity_id="switch.my_own_name")
    home.agent.remove("container", "web")
    await home.becomes("switch", "web:switch", AWAY)
    home.agent.put_container("web", id="another-id", image="example/web:2.0")
    await home.becomes("switch", "web:switch", "on")
    await home.passes(seconds=70)
    assert home.device("web") == before
    assert home.entity_id("switch", "web:switch") == "switch.my_own_name"
    assert home.state("switch", "web:switch").state == "on"


async def test_devices_stay_while_docker_is_away(home: Home) -> None:
    home.agent.put("engine", "docker", wire.engine_away())
    home.agent.remove("container", "web")
    await home.becomes("binary_sensor", "docker", "off")
    await home.passes(seconds=120)
    assert home.device("web") is not None


async def test_a_removal_that_had_begun_is_forgotten_when_docker_goes_away(home: Home) -> None:
    home.agent.remove("container", "web")
    await home.becomes("switch", "web:switch", AWAY)
    home.agent.put("engine", "docker", wire.engine_away())
    await home.becomes("binary_sensor", "docker", "off")
    await home.passes(seconds=120)
    assert home.device("web") is not None
    home.agent.put("engine", "docker", wire.engine())
    await home.becomes("binary_sensor", "docker", "on")
    await home.passes(seconds=120)
    assert home.device("web") is None


async def test_devices_stay_while_the_agent_is_away(home: Home) -> None:
    await home.agent.stop()
    await home.becomes("switch", "web:switch", AWAY)
    await home.passes(seconds=120)
    assert home.device("web") is not None


async def test_a_container_removed_while_home_assistant_was_down_is_removed_later(
    home: Home,
) -> None:
    await home.hass.config_entries.async_unload(home.entry.entry_id)
    home.agent.remove("container", "web")
    await home.hass.config_entries.async_setup(home.entry.entry_id)
    assert home.device("web") is not None
    await home.passes(seconds=70)
    assert home.device("web") is None
    assert home.device() is not None


async def test_a_restarted_agent_that_has_not_looked_yet_removes_nothing(home: Home) -> None:
    await home.agent.stop()
    container = home.agent.resources.pop(("container", "web"))
    home.agent.resources["engine", "docker"] = wire.engine_away()
    await home.agent.start()
    await home.becomes("binary_sensor", "docker", "off")
    await home.passes(seconds=120)
    home.agent.put("engine", "docker", wire.engine())
    home.agent.put("container", "web", container)
    await home.becomes("switch", "web:switch", "on")
    await home.passes(seconds=120)
    assert home.device("web") is not None


async def test_a_renamed_container_of_a_project_renames_its_device(home: Home) -> None:
    home.agent.put("container", "media:web:1", wire.container("media-web-1", key="media:web:1"))
    await home.becomes("switch", "media:web:1:switch", "on")
    home.agent.change_container("media:web:1", name="media-web")

    def renamed() -> bool:
        device = home.device("media:web:1")
        return device is not None and device.name == "media-web"

    await until(renamed, "the device's new name")


async def test_a_person_may_delete_only_what_is_gone(
    home: Home, hass_ws_client: WebSocketGenerator
) -> None:
    await async_setup_component(home.hass, "config", {})
    client = await hass_ws_client(home.hass)
    web, host = home.device("web"), home.device()
    assert web is not None
    assert host is not None
    for kept in (web, host):
        answer = await client.remove_device(kept.id)
        assert not answer["success"]
    home.agent.remove("container", "web")
    await home.becomes("switch", "web:switch", AWAY)
    answer = await client.remove_device(web.id)
    assert answer["success"]
    assert home.device("web") is None
    await home.passes(seconds=70)
    home.agent.put_container("web")
    await home.becomes("switch", "web:switch", "on")


async def test_nothing_can_be_deleted_while_the_agent_was_not_reached_since_the_start(
    home: Home, hass_ws_client: WebSocketGenerator
) -> None:
    await async_setup_component(home.hass, "config", {})
    client = await hass_ws_client(home.hass)
    await home.hass.config_entries.async_unload(home.entry.entry_id)
    await home.agent.stop()
    await home.hass.config_entries.async_setup(home.entry.entry_id)
    answer = await client.remove_device(home.device_id("web"))
    assert answer["error"]["message"].endswith("rejected by integration")
    assert home.device("web") is not None


async def test_a_pending_removal_does_not_outlive_its_entry(home: Home) -> None:
    home.agent.remove("container", "web")
    await home.becomes("switch", "web:switch", AWAY)
    await home.hass.config_entries.async_unload(home.entry.entry_id)
    await home.passes(seconds=120)
    assert home.device("web") is not None


async def test_a_container_whose_device_somebody_deleted_does_no_harm(home: Home) -> None:
    web = home.device("web")
    assert web is not None
    dr.async_get(home.hass).async_remove_device(web.id)
    home.agent.change_container("web", name="renamed")
    home.agent.put_container("db")
    await home.becomes("switch", "db:switch", "on")


async def test_two_agents_with_equal_containers_keep_them_apart(home: Home) -> None:
    async with FakeAgent() as other:
        other.info = wire.info(instance_id="second", name="zeus")
        other.put("agent", "agent", other.info)
        other.put("engine", "docker", wire.engine())
        other.put_container("web", state="exited")
        data = dict(home.entry.data) | {"port": other.port}
        second = MockConfigEntry(domain=DOMAIN, title="zeus", unique_id="second", data=data)
        second.add_to_hass(home.hass)
        assert await home.hass.config_entries.async_setup(second.entry_id)
        theirs = Home(home.hass, other, second)
        assert second.state is ConfigEntryState.LOADED
        assert home.state("switch", "web:switch").state == "on"
        assert theirs.state("switch", "web:switch").state == "off"
        assert home.device("web") != theirs.device("web")
        assert len(dr.async_get(home.hass).devices) == 4
        await home.hass.config_entries.async_unload(second.entry_id)
