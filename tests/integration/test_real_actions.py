"""The actions against the real agent, in a process of its own, on its invented homelab."""

from typing import Any

import pytest
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from tests.integration.real_lab import Lab, becomes

PAPERLESS = "paperless"
NO_LUCK = "cloud:nextcloud:1"
"""Its newer image never becomes healthy."""
COMPOSE = "services: {web: {image: nginx}}"


async def updates(lab: Lab, **data: Any) -> dict[str, Any]:
    """Return what is known of newer images, by container."""
    (host,) = (await lab.act("list_updates", **data))["hosts"]
    return {one["key"]: one for one in host["containers"]}


async def test_logs_are_read_and_searched(lab: Lab) -> None:
    caddy = lab.device_id("edge:caddy:1")
    (logs,) = (await lab.act("get_logs", device_id=caddy, search="get /"))["containers"]
    assert logs["lines"]
    assert all("GET /" in line["text"] for line in logs["lines"])
    (none,) = (await lab.act("get_logs", device_id=caddy, search="no such words"))["containers"]
    assert none["lines"] == []

    (host,) = (await lab.act("search_logs", search="GET /", last={"days": 30}))["hosts"]
    assert host["searched"] > 10
    assert {caddy, lab.device_id(NO_LUCK)} <= {one["device_id"] for one in host["containers"]}
    stack = lab.device_id("stack:edge")
    (host,) = (await lab.act("search_logs", search="GET /", device_id=stack))["hosts"]
    assert host["searched"] == 3
    (found,) = (one for one in host["containers"] if one["device_id"] == caddy)
    assert found["name"] == "edge-caddy-1"
    assert all("GET /" in line["text"] for line in found["lines"])


async def test_what_containers_use_is_returned(lab: Lab) -> None:
    (host,) = (await lab.act("container_statistics"))["hosts"]
    assert len(host["containers"]) > 10
    assert host["engine"]["source"]
    stack = lab.device_id("stack:media")
    (host,) = (await lab.act("container_statistics", device_id=stack))["hosts"]
    assert {one["key"].partition(":")[0] for one in host["containers"]} == {"media"}
    assert len(host["containers"]) == 4
    assert all(one["memory_bytes"] > 0 for one in host["containers"])


async def test_newer_images_are_looked_for_and_listed(lab: Lab) -> None:
    paperless = lab.device_id(PAPERLESS)
    (one,) = (await lab.act("check_updates", device_id=paperless))["containers"]
    assert one["outcome"] in {"done", "not_needed"}
    found = await updates(lab, device_id=paperless)
    assert found[PAPERLESS]["latest_version"] == "2.19.5"
    assert found[PAPERLESS]["device_id"] == paperless
    (host,) = (await lab.act("check_updates", device_id=lab.device_id()))["hosts"]
    assert host["outcome"] in {"done", "not_needed"}
    assert host["message"]
    everything = await updates(lab, available_only=False)
    assert len(everything) > len(await updates(lab))


async def test_an_update_is_installed_and_rolled_back_and_a_container_made_anew(lab: Lab) -> None:
    target = lab.device_id(PAPERLESS)
    (found,) = (await lab.act("check_updates", device_id=target))["containers"]
    assert found["name"] == PAPERLESS
    (done,) = (await lab.act("update", device_id=target))["containers"]
    assert (done["name"], done["outcome"]) == (PAPERLESS, "done")
    assert done["job_id"]
    assert PAPERLESS not in await updates(lab)
    (back,) = (await lab.act("roll_back", device_id=target))["containers"]
    assert back["outcome"] == "done"
    (anew,) = (await lab.act("recreate", device_id=target))["containers"]
    assert anew["outcome"] == "done"
    assert lab.device_id(PAPERLESS) == target
    await becomes(lambda: lab.state("sensor", "paperless:state") == "running", "it to run")


async def test_an_update_that_is_taken_back_fails_in_words(lab: Lab) -> None:
    target = lab.device_id(NO_LUCK)
    await lab.act("check_updates", device_id=target)
    with pytest.raises(HomeAssistantError) as caught:
        await lab.act("update", device_id=target)
    assert caught.value.translation_key == "undone"
    assert "unhealthy" in str(caught.value)
    await becomes(lambda: lab.state("sensor", f"{NO_LUCK}:state") == "running", "the old one")


async def test_what_cannot_be_rolled_back_says_why(lab: Lab) -> None:
    with pytest.raises(ServiceValidationError, match=r"caddy.*"):
        await lab.act("roll_back", device_id=lab.device_id("edge:caddy:1"))


async def test_stacks_are_listed_and_restarted(lab: Lab) -> None:
    (host,) = (await lab.act("list_stacks"))["hosts"]
    stacks = {one["name"]: one for one in host["stacks"]}
    assert stacks["media"]["state"] == "running"
    assert stacks["monitoring"]["problem"] == "loki exited with code 137"
    assert stacks["media"]["device_id"] == lab.device_id("stack:media")
    done = await lab.act("stack_command", device_id=lab.device_id("stack:media"), command="restart")
    (stack,) = done["stacks"]
    assert (stack["name"], stack["outcome"]) == ("media", "done")


async def test_a_protected_stack_is_refused_in_words(lab: Lab) -> None:
    with pytest.raises(ServiceValidationError, match=r"homelab\.protect"):
        await lab.act("stack_command", device_id=lab.device_id("stack:edge"), command="stop")


@pytest.mark.parametrize("action", ["plan_stack", "deploy_stack"])
async def test_the_demo_says_that_it_does_not_deploy(lab: Lab, action: str) -> None:
    with pytest.raises(ServiceValidationError, match="demo"):
        await lab.act(action, name="new", compose=COMPOSE)


async def test_a_clean_up_is_what_its_preview_showed_and_nothing_else(admin: Lab) -> None:
    kinds = ["images", "unused_images", "volumes", "networks"]
    (host,) = (await admin.act("prune_preview", kinds=kinds))["hosts"]
    assert host["items"]
    assert all(item["reason"] for item in host["items"])
    with pytest.raises(ServiceValidationError, match="hash"):
        await admin.act("prune", kinds=kinds, hash="0" * len(host["hash"]))
    with pytest.raises(ServiceValidationError, match="hash"):
        await admin.act("prune", kinds=["images"], hash=host["hash"])
    done = await admin.act("prune", kinds=kinds, hash=host["hash"])
    assert done["outcome"] == "done"
    (left,) = (await admin.act("prune_preview", kinds=kinds))["hosts"]
    assert left["items"] == []
    again = await admin.act("prune", kinds=kinds, hash=left["hash"])
    assert again["outcome"] == "not_needed"


async def test_a_clean_up_needs_a_token_that_may(lab: Lab) -> None:
    (host,) = (await lab.act("prune_preview"))["hosts"]
    with pytest.raises(ServiceValidationError, match="scope admin"):
        await lab.act("prune", hash=host["hash"])


async def test_without_a_swarm_there_is_nothing_to_scale(lab: Lab) -> None:
    for target in (lab.device_id(), lab.device_id("stack:media")):
        with pytest.raises(ServiceValidationError) as caught:
            await lab.act("scale", device_id=target, replicas=2)
        assert caught.value.translation_key == "no_swarm_service_targeted"
        assert "Swarm service" in str(caught.value)


async def test_a_repair_that_looks_again_is_answered_by_the_agent(lab: Lab) -> None:
    done = await lab.entry.runtime_data.client.look_at_engine()
    assert done.message == "Docker answers, and forbids nothing."
