"""Triggers and conditions in a real Home Assistant, of what really happens to real containers."""

from typing import Any
from uuid import uuid4

import pytest

from tests.harness.waiting import wait_until
from tests.lab.network import run
from tests.lab.world import SHOWN_WITHIN_S, World

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

TRIGGERS = {
    "homelab.container_died",
    "homelab.container_unhealthy",
    "homelab.container_restart_loop",
    "homelab.container_recovered",
    "homelab.update_available",
    "homelab.update_rolled_back",
    "homelab.stack_degraded",
    "homelab.monitor_down",
    "homelab.monitor_recovered",
    "homelab.slo_budget_low",
    "homelab.certificate_expiring",
    "homelab.certificate_changed",
    "homelab.disk_filling",
    "homelab.port_opened",
}
DIES_WHEN_TOLD = "while [ ! -e /die ]; do sleep 1; done; exit 3"
CONDITIONS = {
    "homelab.container_is_running",
    "homelab.stack_is_healthy",
    "homelab.monitor_is_up",
    "homelab.monitor_is_down",
}


async def test_the_editor_offers_the_triggers_and_conditions(world: World) -> None:
    async def offered() -> bool:
        async with world.home.api.socket() as socket:
            triggers = await (await socket.subscribe("trigger_platforms/subscribe")).get()
            conditions = await (await socket.subscribe("condition_platforms/subscribe")).get()
        return triggers.keys() >= TRIGGERS and conditions.keys() >= CONDITIONS

    await wait_until(offered, what="the editor to offer them", within_s=SHOWN_WITHIN_S)


async def test_a_container_that_died_runs_the_automation_of_its_device_once(world: World) -> None:
    name = f"auto-{uuid4().hex[:8]}"
    await world.docker.create(name, command=("sh", "-c", DIES_WHEN_TOLD))
    await world.entity(name, "state")
    device_id = await world.device_id(name)
    settings = {
        "alias": name,
        "mode": "queued",
        "triggers": {"trigger": "homelab.container_died", "target": {"device_id": [device_id]}},
        "actions": {
            "action": "persistent_notification.create",
            "data": {
                "title": "{{ trigger.name }} died with {{ trigger.exit_code }}",
                "message": "{{ trigger.host }} {{ trigger.at }}",
            },
        },
    }
    await world.home.api.call("POST", f"/api/config/automation/config/{name}", settings)

    async def listening() -> dict[str, Any] | None:
        states = await world.home.api.call("GET", "/api/states")
        found = (each for each in states if each["attributes"].get("id") == name)
        return next((each for each in found if each["state"] == "on"), None)

    async def told() -> str | None:
        automation = await listening()
        last: str | None = automation["attributes"]["last_triggered"] if automation else None
        return last

    automation = await wait_until(listening, what="the automation to be there")
    assert automation["attributes"]["last_triggered"] is None
    # Not waited for: it may end with the container.
    await run("docker", "exec", "--detach", name, "touch", "/die")
    await wait_until(told, what="the automation to run", within_s=SHOWN_WITHIN_S)
