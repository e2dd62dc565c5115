"""Blueprints in a real Home Assistant: imported as a person does it, and what they told."""

from collections.abc import Callable, Mapping
from pathlib import Path
from uuid import uuid4

from tests.harness.home_assistant import HomeAssistant
from tests.harness.waiting import wait_until
from tests.lab.world import SHOWN_WITHIN_S

BLUEPRINTS = Path(__file__).parents[2] / "blueprints" / "automation" / "homelab"
TOLD_WITHIN_S = 120


async def use(home: HomeAssistant, blueprint: str, inputs: Mapping[str, object]) -> None:
    """Import a blueprint and make an automation of it."""
    path = BLUEPRINTS / f"{blueprint}.yaml"
    async with home.api.socket() as socket:
        listed = await socket.command("blueprint/list", domain="automation")
        if f"homelab/{path.name}" not in listed:
            await socket.command(
                "blueprint/save",
                domain="automation",
                path=f"homelab/{path.stem}",
                yaml=path.read_text(),
            )
    name = f"{blueprint}_{uuid4().hex[:8]}"
    automation = {
        "alias": name,
        "use_blueprint": {"path": f"homelab/{path.name}", "input": inputs},
    }
    await home.api.call("POST", f"/api/config/automation/config/{name}", automation)

    async def ready() -> bool:
        states = await home.api.call("GET", "/api/states")
        return any(one["attributes"].get("id") == name and one["state"] == "on" for one in states)

    await wait_until(ready, what=f"the automation {name}", within_s=SHOWN_WITHIN_S)


async def told(
    home: HomeAssistant, title: str, says: Callable[[str], bool] = lambda _: True
) -> str:
    """Wait for a notification with a title, that says something; return its message."""

    async def look() -> str | None:
        async with home.api.socket() as socket:
            shown = await socket.command("persistent_notification/get")
        found = (one["message"] for one in shown if one["title"] == title)
        return next((message for message in found if says(message)), None)

    message: str = await wait_until(look, what=f"the message {title}", within_s=TOLD_WITHIN_S)
    return message
