"""The main flows against the real agent, in a process of its own, on its invented homelab."""

from pathlib import Path
from typing import Any

import pytest
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr

from tests.harness.agent import Agent, AgentRefused
from tests.integration.real_lab import Lab, becomes, set_up

CADDY = "edge:caddy:1"
PROTECTED = "edge:wireguard:1"


async def test_a_person_sees_and_operates_the_invented_homelab(lab: Lab) -> None:
    assert lab.state("sensor", f"{CADDY}:state") == "running"
    assert lab.state("binary_sensor", "docker") == "on"
    assert int(lab.state("sensor", "containers_running")) > 10
    await lab.switch(CADDY, "turn_off")
    await becomes(lambda: lab.state("switch", f"{CADDY}:switch") == "off", "the stop to show")
    assert lab.state("sensor", f"{CADDY}:state") == "exited"
    await lab.switch(CADDY, "turn_on")
    await becomes(lambda: lab.state("switch", f"{CADDY}:switch") == "on", "the start to show")


async def test_what_the_invented_homelab_uses_and_how_it_is_composed_is_shown(lab: Lab) -> None:
    def shown(platform: str, key: str) -> bool:
        return lab.state(platform, key) not in {"unknown", "unavailable"}

    await becomes(lambda: shown("sensor", f"{CADDY}:cpu"), "the first sample")
    await becomes(lambda: shown("sensor", "containers_memory"), "the sum of all")
    await becomes(lambda: shown("sensor", "disk_reclaimable"), "the disk use")
    assert lab.state("sensor", "stack:edge:state") in {"running", "degraded"}
    assert lab.state("switch", "stack:edge:switch") == "on"
    caddy, stack = (
        dr.async_get(lab.hass).async_get(lab.device_id(key)) for key in (CADDY, "stack:edge")
    )
    assert caddy is not None
    assert stack is not None
    assert caddy.via_device_id == stack.id


async def test_a_protected_container_is_refused_in_words(lab: Lab) -> None:
    with pytest.raises(ServiceValidationError, match=r"protected: .*homelab\.protect"):
        await lab.switch(PROTECTED, "turn_off")
    assert lab.state("switch", f"{PROTECTED}:switch") == "on"


async def test_containers_are_listed_and_commanded_by_actions(lab: Lab) -> None:
    act, target = lab.act, lab.device_id(CADDY)
    (logs,) = (await act("get_logs", device_id=target, tail=3))["containers"]
    assert 0 < len(logs["lines"]) <= 3
    assert all(line["text"] for line in logs["lines"])
    (host,) = (await act("list_containers", state="running"))["hosts"]
    assert {row["state"] for row in host["containers"]} == {"running"}
    assert target in {row["device_id"] for row in host["containers"]}
    (done,) = (await act("container_command", device_id=target, command="pause"))["containers"]
    assert done["outcome"] == "done"
    await becomes(lambda: lab.state("sensor", f"{CADDY}:state") == "paused", "the pause to show")
    (again,) = (await act("container_command", device_id=target, command="unpause"))["containers"]
    assert again["outcome"] == "done"


async def test_after_a_power_cut_of_the_agent_the_state_is_right_by_itself(
    lab: Lab, demo: Agent
) -> None:
    await demo.kill()
    await becomes(lambda: lab.state("binary_sensor", "docker") == "unavailable", "the loss")
    assert lab.state("switch", f"{CADDY}:switch") == "unavailable"
    await demo.start()
    await becomes(lambda: lab.state("binary_sensor", "docker") == "on", "the agent's return")
    assert lab.state("switch", f"{CADDY}:switch") == "on"


async def test_a_revoked_token_shuts_home_assistant_out_and_a_new_one_lets_it_in(
    lab: Lab, demo: Agent
) -> None:
    flows = lab.hass.config_entries.flow
    await demo.command("token", "revoke", "home-assistant")
    await becomes(lambda: bool(flows.async_progress()), "the question for a new token")
    (flow,) = flows.async_progress()
    wrong: Any = await flows.async_configure(flow["flow_id"], {"token": "hl_none_" + "x" * 43})
    assert wrong["errors"] == {"token": "unauthenticated"}
    token = await demo.create_token("second")
    done: Any = await flows.async_configure(flow["flow_id"], {"token": token})
    assert done["reason"] == "reauth_successful"
    await lab.hass.async_block_till_done()
    assert lab.state("switch", f"{CADDY}:switch") == "on"


async def test_a_token_that_may_only_read_reads_and_is_told_why_it_may_not_more(
    hass: HomeAssistant, demo: Agent
) -> None:
    result = await set_up(hass, demo, token=await demo.create_token("reader", "read"))
    lab = Lab(hass, result["result"])
    assert lab.state("switch", f"{CADDY}:switch") == "on"
    with pytest.raises(ServiceValidationError, match="scope operate"):
        await lab.switch(CADDY, "turn_off")
    await hass.config_entries.async_unload(lab.entry.entry_id)


class TlsAgent(Agent):
    """An agent with TLS, whose health is asked for with its own command."""

    async def _healthy(self) -> bool:
        try:
            return bool(await self.command("health"))
        except AgentRefused:
            return False


@pytest.mark.usefixtures("_sockets")
async def test_a_self_signed_certificate_is_pinned_with_what_the_agent_prints(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    settings = {"HOMELAB_TLS": "self_signed"}
    async with TlsAgent(tmp_path / "agent", demo=True, settings=settings) as agent:
        token = await agent.create_token()
        form = await set_up(hass, agent, token=token, ssl=True)
        assert form["errors"] == {"fingerprint": "certificate_untrusted"}
        printed = (await agent.command("health")).partition("fingerprint=")[2].split()[0]
        done = await hass.config_entries.flow.async_configure(
            form["flow_id"],
            {"host": agent.host, "port": agent.port, "token": token, "fingerprint": printed},
        )
        await hass.async_block_till_done()
        entry: ConfigEntry = done["result"]
        assert entry.data["ssl"] is True
        assert entry.state is ConfigEntryState.LOADED
        await hass.config_entries.async_unload(entry.entry_id)
