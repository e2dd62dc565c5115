"""Diagnostics and system health: enough to help, nothing to misuse."""

import json
from types import MappingProxyType
from typing import Any

from homeassistant.components.diagnostics import REDACTED
from homeassistant.core import HomeAssistant
from homeassistant.helpers.discovery_flow import DiscoveryKey
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.homelab.diagnostics import (
    async_get_config_entry_diagnostics,
    async_get_device_diagnostics,
)
from tests.fakes import wire, wire_domains, wire_machine, wire_services
from tests.integration.home import Home

SECRETS = (
    "hl_test_0123456789",
    "very-secret-value",
    "192.168.1.20",
    "127.0.0.1",
    "atlas",
    "5f1a2b3c",
)


def assert_no_secret(found: Any) -> None:
    text = json.dumps(found, default=str)
    assert [secret for secret in SECRETS if secret in text] == []


async def test_diagnostics_of_a_host_tell_much_and_give_nothing_away(home: Home) -> None:
    found = await async_get_config_entry_diagnostics(home.hass, home.entry)
    assert_no_secret(found)
    assert found["connected"] is True
    assert found["engine"]["version"] == "28.5.1"
    (container,) = found["containers"]
    assert (container["name"], container["state"]) == ("web", "running")
    assert container["labels"] == {"com.example.secret": REDACTED}


async def test_diagnostics_do_not_name_the_host_that_an_agent_was_discovered_on(home: Home) -> None:
    announced = DiscoveryKey(
        domain="zeroconf",
        key=("_homelab-agent._tcp.local.", "atlas._homelab-agent._tcp.local."),
        version=1,
    )
    keys = MappingProxyType({"zeroconf": (announced,)})
    home.hass.config_entries.async_update_entry(home.entry, discovery_keys=keys)
    assert_no_secret(await async_get_config_entry_diagnostics(home.hass, home.entry))


async def test_diagnostics_tell_where_figures_come_from_and_how_much_there_is(home: Home) -> None:
    home.agent.put("engine_stats", "docker", wire.engine_statistics(source="one_shot"))
    home.agent.put("container_update", "web", wire.update())
    home.agent.put("stack", "media", wire.stack(working_dir="/home/very-secret-value"))
    home.agent.put_job("containers.update", "web")
    await home.becomes("sensor", "stack:media:state", "running")
    found = await async_get_config_entry_diagnostics(home.hass, home.entry)
    assert_no_secret(found)
    assert found["statistics"]["source"] == "one_shot"
    assert found["resources"]["container"] == 1
    assert found["updates"] == {"available": 1}
    assert found["jobs"] == {"containers.update: running": 1}
    assert found["stacks"][0]["state"] == "running"


async def test_diagnostics_of_a_device_are_about_that_one(home: Home) -> None:
    home.agent.put("stack", "media", wire.stack())
    home.agent.put("swarm_service", "shop", wire.swarm_service())
    last = wire.undone_update(reason="very-secret-value")
    home.agent.put("container_recreate", "web", wire.recreate_status(last=last))
    await home.becomes("sensor", "swarm_service:shop:tasks_running", "3")

    async def of(key: str | None) -> dict[str, Any]:
        device = home.device(key)
        assert device is not None
        found = await async_get_device_diagnostics(home.hass, home.entry, device)
        assert_no_secret(found)
        return found

    web = await of("web")
    assert web["container"]["image"] == "example/web:1.0"
    assert web["container_recreate"]["last"]["outcome"] == "undone"
    assert web["container_stats"] is None
    assert "container" not in await of(None)
    assert (await of("stack:media"))["stack"]["running"] == 1
    assert (await of("swarm_service:shop"))["swarm_service"]["desired"] == 3


async def test_diagnostics_work_while_the_agent_knows_nothing_of_itself(home: Home) -> None:
    home.agent.remove("agent", "agent")
    home.agent.remove("engine", "docker")
    await home.becomes("binary_sensor", "docker", "unknown")
    found = await async_get_config_entry_diagnostics(home.hass, home.entry)
    assert (found["agent"], found["engine"]) == (None, None)


async def test_diagnostics_of_an_agent_that_was_never_reached_say_so(home: Home) -> None:
    device = home.device()
    assert device is not None
    await home.hass.config_entries.async_unload(home.entry.entry_id)
    await home.agent.stop()
    await home.hass.config_entries.async_setup(home.entry.entry_id)
    for found in (
        await async_get_config_entry_diagnostics(home.hass, home.entry),
        await async_get_device_diagnostics(home.hass, home.entry, device),
    ):
        assert_no_secret(found)
        assert found["state"] == "setup_retry"


async def test_system_health_counts_all_agents(
    home: Home, hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    assert await async_setup_component(hass, "system_health", {})
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": "system_health/info"})
    assert (await client.receive_json())["success"]
    first = (await client.receive_json())["event"]
    assert first["data"]["homelab"]["info"] == {
        "agents": 1,
        "connected": 1,
        "versions": home.agent.info["version"],
        "containers": 1,
        "contract": 1,
    }


async def test_diagnostics_of_services_and_the_machine_name_no_address(home: Home) -> None:
    secret = "very-secret-value"
    monitor = wire_services.monitor("Wiki", target=f"https://{secret}/", reason=secret)
    details = wire_services.certificate_details(subject=secret, names=[secret], issuer=secret)
    found_by = wire_services.certificate(f"{secret}-443", name=secret, details=details)
    agent = home.agent
    agent.put("monitor", "wiki", monitor)
    agent.put("monitor_result", "wiki", wire_services.monitor_result())
    agent.put("certificate", found_by["key"], found_by)
    agent.put("host_info", "host", wire_machine.host_info(host_name=secret))
    agent.put("network_status", "host", wire_machine.network_status())
    agent.put("network_interface", "eth0", wire_machine.network_interface(mac=secret))
    agent.put("filesystem", f"/{secret}", wire_machine.filesystem(f"/{secret}", device=secret))
    agent.put("finding", "disk_filling:/", wire_machine.finding(message=secret))
    await home.becomes("sensor", "findings", "1")

    found = await async_get_config_entry_diagnostics(home.hass, home.entry)
    assert_no_secret(found)
    assert "203.0.113.7" not in json.dumps(found, default=str)
    assert found["machine"]["host_info"]["kernel_version"] == "6.18.0"
    assert found["parts"]["filesystem"][0]["used_percent"] == 60.0
    assert found["findings"] == {"disk_filling: warning": 1}
    assert found["monitors"][0]["state"] == "up"
    assert found["certificates"][0]["verdict"] == "trusted"
    for key, kind in (("monitor:wiki", "monitor"), (f"certificate:{secret}-443", "certificate")):
        device = home.device(key)
        assert device is not None
        of_it = await async_get_device_diagnostics(home.hass, home.entry, device)
        assert_no_secret(of_it)
        assert of_it[kind] is not None


async def test_diagnostics_of_domains_tell_how_they_are_and_not_whose(home: Home) -> None:
    secret = "very-secret-value"
    name = f"{secret}.example.org"
    failure = wire_domains.failure(message=secret, authority_says=secret, what_to_do=secret)
    agent = home.agent
    agent.put(
        "domain",
        name,
        wire_domains.domain(name, reason=secret, zone=secret, note=secret, provider=secret),
    )
    agent.put("domain_event", name, wire_domains.domain_event(name, reason=secret))
    agent.put(
        "dynamic_address", name, wire_domains.dynamic_address(name, ipv4=secret, provider=secret)
    )
    managed = wire_domains.managed_certificate(name, failure=failure, issuer=secret)
    agent.put("managed_certificate", name, managed)
    agent.put("proxy", "caddy", wire_domains.proxy(admin=secret, warning=secret))
    route = wire_domains.proxy_route(name, upstreams=[secret], users=[secret], difference=[secret])
    agent.put("proxy_route", name, route)
    agent.put("dns_provider", "home", wire_domains.dns_provider(settings={"server": secret}))
    await home.becomes("sensor", "dns_provider:home:provider_state", "ok")
    found = await async_get_config_entry_diagnostics(home.hass, home.entry)
    assert_no_secret(found)
    assert "example.org" not in json.dumps(found, default=str)
    (domain,) = found["domains"]["domain"]
    assert (domain["status"], domain["certificate_days_left"]) == ("healthy", 89)
    (kept,) = found["domains"]["managed_certificate"]
    assert (kept["failure"]["step"], kept["failure"]["attempts"]) == ("validation", 2)
    (provider,) = found["domains"]["dns_provider"]
    assert (provider["type"], provider["state"]) == ("rfc2136", "ok")
    for key in (f"domain:{name}", "proxy:caddy"):
        device = home.device(key)
        assert device is not None
        of_it = await async_get_device_diagnostics(home.hass, home.entry, device)
        assert_no_secret(of_it)
        assert of_it["connected"] is True
